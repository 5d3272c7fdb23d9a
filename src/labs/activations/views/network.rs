//! The network as its layers, and what it takes the picture for.

use leptos::prelude::*;

use crate::labs::activations::page::{Results, choose};
use crate::labs::activations::spec::{LAB, Question};
use crate::page::engine;
use crate::page::latest::{Latest, Standing};
use crate::page::state::use_state;
use crate::page::terms::Hot;
use crate::page::text::{t_string, use_i18n};

/// A number with separators for thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A row for each layer; a click shows it.
#[component]
pub fn Network(
    /// What is shown.
    shown: Results,
    /// Whether the camera is on.
    live: RwSignal<bool>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    // Frames of a camera change nothing here.
    let layers = Memo::new(move |_| {
        shown.with(|shown| {
            let answer = &shown.as_ref()?.answer;
            Some((answer.layers.clone(), answer.layer))
        })
    });
    let latest = Latest::new(state.engine);
    let times = RwSignal::new(Vec::<f64>::new());
    // Those of another network, or of a picture of another size, would mislead.
    Effect::new(move |_| {
        state.desk(&LAB).answer.track();
        times.set(Vec::new());
    });
    let measure = move |_| {
        let question = engine::Question::new(&Question::Times, &state.settings(&LAB).get_untracked());
        latest.ask("times", question, move |says| times.set(says.read().unwrap_or_default()));
    };
    let table = move || {
        let (layers, chosen) = layers.get()?;
        let times = times.get();
        let most = times.iter().copied().fold(0.0, f64::max);
        let rows = layers.into_iter().enumerate().map(|(number, layer)| {
            let [channels, height, width] = layer.shape;
            let word = layer.name.clone();
            let time = times.get(number).map(|&time| view! {
                <td class="number time" style=format!("--share:{:.1}%", time / most * 100.0)>{format!("{time:.1}")}</td>
            });
            view! {
                <tr class:lit=number == chosen data-layer=word>
                    <th scope="row">
                        <button type="button" class="link" aria-pressed=(number == chosen).to_string() on:click=move |_| choose(state, Some(number), 0)>
                            {layer.name}
                        </button>
                    </th>
                    <td class="number">{format!("{channels} × {height} × {width}")}</td>
                    <td class="number">{grouped(layer.parameters)}</td>
                    <td class="number">{layer.field}</td>
                    {time}
                </tr>
            }
        });
        Some(view! {
            <div class="layer-list">
                <table id="layers">
                    <thead><tr>
                        <th scope="col">{t_string!(i18n, activations.layer)}</th>
                        <th scope="col" class="number">{t_string!(i18n, activations.shape)}</th>
                        <th scope="col" class="number">{t_string!(i18n, activations.parameters)}</th>
                        <th scope="col" class="number">{t_string!(i18n, activations.field)}</th>
                        {(!times.is_empty()).then(|| view! { <th scope="col" class="number">"ms"</th> })}
                    </tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        })
    };
    let total = move || {
        let total = times.with(|times| times.iter().sum::<f64>());
        (total > 0.0).then(|| t_string!(i18n, activations.times_total, ms = format!("{total:.0}")).to_string())
    };
    view! {
        {table}
        <div class="row" class:gone=move || layers.get().is_none() || live.get()>
            <button type="button" class="button quiet" id="measure" disabled=move || latest.busy.get() on:click=measure>
                {move || t_string!(i18n, activations.times)}
            </button>
            <span class="number quiet">{total}</span>
        </div>
        <Standing latest />
    }
}

/// The most probable classes.
#[component]
pub fn Classes(
    /// What is shown.
    shown: Results,
) -> impl IntoView {
    let i18n = use_i18n();
    let rows = move || {
        let classes = shown.with(|shown| Some(shown.as_ref()?.answer.classes.clone()))?;
        if classes.is_empty() {
            return Some(view! { <p class="quiet">{t_string!(i18n, activations.no_classes)}</p> }.into_any());
        }
        let rows = classes.into_iter().map(|guess| {
            let percent = guess.probability * 100.0;
            view! {
                <tr>
                    <th scope="row">{guess.name}</th>
                    <td class="bar"><span style=format!("width:{percent:.1}%;--class:var(--ember)")></span></td>
                    <td class="number">{format!("{percent:.1} %")}</td>
                </tr>
            }
        });
        Some(view! {
            <table class="bars" id="classes">
                <caption class="visually-hidden">{t_string!(i18n, activations.classes)}</caption>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        }.into_any())
    };
    let is_hot = Hot::is("class");
    view! {
        <section class="panel" class:lit=is_hot data-term="class">
            <h2>{move || t_string!(i18n, activations.classes)}</h2>
            <Show when=move || shown.with(Option::is_some) fallback=move || view! { <p class="quiet">{t_string!(i18n, page.choose_first)}</p> }>
                {rows}
            </Show>
        </section>
    }
}
