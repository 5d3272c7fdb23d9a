//! Ten crops of the picture, and what the network takes each for.

use leptos::prelude::*;

use crate::labs::activations::page::Results;
use crate::labs::activations::spec::{Crops, LAB, Question};
use crate::page::canvas::Still;
use crate::page::engine;
use crate::page::latest::{Latest, Standing};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};

/// The crops, and the button that classifies them.
#[component]
pub fn CropPanel(
    /// What is shown.
    shown: Results,
    /// Whether the camera is on.
    live: RwSignal<bool>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let latest = Latest::new(state.engine);
    let found = RwSignal::new_local(None::<(Crops, js_sys::Uint8Array)>);
    // Those of another picture would mislead.
    Effect::new(move |_| {
        state.desk(&LAB).answer.track();
        state.source.track();
        found.set(None);
    });
    let classify = move |_| {
        let settings = state.settings(&LAB).get_untracked();
        let question = engine::Question::new(&Question::Crops, &settings);
        latest.ask("crops", question, move |says| {
            if let Some(crops) = says.read::<Crops>() {
                found.set(Some((crops, says.file("rgba"))));
            }
        });
    };
    let crops = move || {
        let (crops, bytes) = found.get()?;
        let side = crops.side;
        let each = crops.crops.into_iter().enumerate().map(|(index, guess)| {
            let rgba = bytes.slice((index * side * side * 4) as u32, ((index + 1) * side * side * 4) as u32);
            let label = format!("{}: {:.0} %", guess.name, guess.probability * 100.0);
            view! { <li><Still rgba width=side as u32 height=side as u32 /><span>{label}</span></li> }
        });
        let mean = t_string!(
            i18n,
            activations.crops_mean,
            class = crops.mean.name,
            percent = format!("{:.1}", crops.mean.probability * 100.0)
        );
        Some(view! {
            <p class="sentence">{mean.to_string()}</p>
            <ul class="pins patches">{each.collect_view()}</ul>
        })
    };
    let nothing = move || shown.with(|shown| shown.as_ref().is_none_or(|shown| shown.answer.classes.is_empty()));
    view! {
        <section class="panel" id="crops" class:gone=move || nothing() || live.get()>
            <div class="row">
                <h2>{move || t_string!(i18n, activations.crops)}</h2>
                <button type="button" class="button quiet" id="classify-crops" disabled=move || latest.busy.get() on:click=classify>
                    {move || t_string!(i18n, activations.crops_find)}
                </button>
            </div>
            <p class="help">{move || t_string!(i18n, activations.crops_help)}</p>
            <Standing latest />
            {crops}
        </section>
    }
}
