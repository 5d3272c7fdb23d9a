//! The parts of the sample photographs that excite a channel most.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::labs::activations::page::Results;
use crate::labs::activations::spec::{LAB, Patches, Question};
use crate::page::canvas::Still;
use crate::page::engine;
use crate::page::fetch;
use crate::page::latest::{Latest, Standing};
use crate::page::state::use_state;
use crate::page::terms::Hot;
use crate::page::text::{t_string, use_i18n};
use crate::page::words::sample_name;
use crate::protocol::samples::SAMPLES;

/// A part, ready to be shown.
#[derive(Clone)]
struct Part {
    picture: usize,
    value: f32,
    rgba: js_sys::Uint8Array,
}

/// What was found.
#[derive(Clone)]
struct Found {
    /// Layer and channel.
    of: (usize, usize),
    /// Columns and rows of a part.
    side: usize,
    parts: Vec<Part>,
}

/// The parts, and the button that finds them.
#[component]
pub fn PatchPanel(
    /// What is shown.
    shown: Results,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let latest = Latest::new(state.engine);
    let found = RwSignal::new_local(None::<Found>);
    let of = Memo::new(move |_| {
        shown.with(|shown| {
            let answer = &shown.as_ref()?.answer;
            Some((answer.layer, answer.channel))
        })
    });
    let find = move |_| {
        let settings = state.settings(&LAB).get_untracked();
        let Some((layer, channel)) = of.get_untracked() else { return };
        spawn_local(async move {
            let mut question = engine::Question::new(&Question::Patches, &settings);
            for (number, sample) in SAMPLES.iter().enumerate() {
                match fetch::sample(sample).await {
                    Ok(blob) => question = question.with(&number.to_string(), Some(blob)),
                    Err(failure) => {
                        let _ = latest.failure.try_set(Some(failure));
                        return;
                    }
                }
            }
            latest.ask("patches", question, move |says| {
                let Some(patches) = says.read::<Patches>() else { return };
                let (bytes, side) = (says.file("rgba"), patches.side);
                let parts = patches.patches.into_iter().enumerate().map(|(index, (picture, value, _))| Part {
                    picture,
                    value,
                    rgba: bytes.slice((index * side * side * 4) as u32, ((index + 1) * side * side * 4) as u32),
                });
                found.set(Some(Found {
                    of: (layer, channel),
                    side,
                    parts: parts.collect(),
                }));
            });
        });
    };
    let is_hot = Hot::is("patches");
    let parts = move || {
        // Those of another channel would mislead.
        let Found { of: told, side, parts } = found.get()?;
        (of.get() == Some(told)).then_some(())?;
        if parts.is_empty() {
            return Some(view! { <p class="quiet">{t_string!(i18n, activations.patches_none)}</p> }.into_any());
        }
        let parts = parts.into_iter().map(|part| {
            let label = format!("{}: {:.2}", sample_name(i18n, SAMPLES[part.picture].name), part.value);
            view! { <li><Still rgba=part.rgba width=side as u32 height=side as u32 /><span>{label}</span></li> }
        });
        Some(view! { <ul class="pins patches">{parts.collect_view()}</ul> }.into_any())
    };
    view! {
        <section class="panel" id="patches" class:lit=is_hot data-term="patches" class:gone=move || shown.with(Option::is_none)>
            <div class="row">
                <h2>{move || t_string!(i18n, activations.patches)}</h2>
                <button type="button" class="button quiet" id="find-patches" disabled=move || latest.busy.get() on:click=find>
                    {move || t_string!(i18n, activations.patches_find)}
                </button>
            </div>
            <p class="help">{move || t_string!(i18n, activations.patches_help)}</p>
            <Standing latest />
            {parts}
        </section>
    }
}
