//! Pictures that the visitor keeps, to compare: with what differs between the settings that made them.

use js_sys::Uint8Array;
use leptos::prelude::*;

use crate::labs::search::live::search_of;
use crate::page::canvas::Still;
use crate::page::state::use_state;
use crate::page::text::{I18n, t_string, use_i18n};
use crate::page::words::{choice_label, setting_label};
use crate::protocol::lab::LabSpec;
use crate::protocol::param::{Kind, Param, Value};
use crate::protocol::settings::Settings;

/// Pictures that are kept at most; the oldest goes.
const MOST: usize = 6;

/// A picture that is kept.
#[derive(Clone)]
pub struct Pin {
    number: u32,
    rgba: Uint8Array,
    width: u32,
    height: u32,
    step: u32,
    settings: Settings,
}

/// What a value is called.
fn told(i18n: I18n, lab: &'static LabSpec, name: &str, settings: &Settings) -> String {
    let value = settings.get(name);
    let kind = lab.param(name).map(|param| &param.kind);
    match (kind, value) {
        (Some(Kind::Choice(words)), Value::Choice(index)) => {
            choice_label(i18n, lab.name, name, words[*index])
        }
        (Some(kind), value) => kind.format(value),
        (None, _) => String::new(),
    }
}

/// Names of the settings in which the pictures differ.
fn differing(lab: &'static LabSpec, pins: &[Pin]) -> Vec<&'static str> {
    // A setting that had no control did not matter.
    let shown = |pin: &'_ Pin, param: &'static Param| {
        let settings = &pin.settings;
        settings
            .shows(param)
            .then(|| settings.get(param.name).clone())
    };
    let differs = |param: &&'static Param| {
        let mut values = pins.iter().map(|pin| shown(pin, param));
        let first = values.next();
        values.any(|value| Some(&value) != first.as_ref())
    };
    let params = lab.params.iter().filter(differs);
    params.map(|param| param.name).collect()
}

/// The pictures that are kept, and the button that keeps one more.
#[component]
pub fn Pins(
    /// Whose.
    lab: &'static LabSpec,
    /// Whether there is no picture to keep.
    nothing: Signal<bool>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let search = search_of(state, lab);
    let pins = search.pins;
    let keep = move |_| {
        let now = search.live.get_untracked();
        let began = state.desk(lab).began_with.get_untracked();
        let Some((live, began)) = now.zip(began) else {
            return;
        };
        // What may change under way is as it is now, the rest as it began.
        let mut settings = state.settings(lab).get_untracked();
        for name in lab.waiting(&settings, &began) {
            settings.set(name, began.get(name).clone());
        }
        pins.update(|pins| {
            let number = pins.last().map_or(0, |last| last.number + 1);
            // A report's buffer is its own.
            pins.push(Pin {
                number,
                rgba: live.says.file("rgba"),
                width: live.progress.width,
                height: live.progress.height,
                step: live.progress.step,
                settings,
            });
            if pins.len() > MOST {
                pins.remove(0);
            }
        });
    };
    let shown = move || {
        let pins_now = pins.get();
        let names = differing(lab, &pins_now);
        pins_now
            .into_iter()
            .map(|pin| {
                let shows = |name: &&&'static str| {
                    let param = lab.param(name);
                    param.is_some_and(|param| pin.settings.shows(param))
                };
                let differs = names.iter().filter(shows).map(|name| {
                    let label = setting_label(i18n, lab.name, name);
                    let value = told(i18n, lab, name, &pin.settings);
                    view! { <span>{format!("{label}: {value}")}</span> }
                });
                let step = t_string!(i18n, search.curves_steps, n = pin.step).to_string();
                let number = pin.number;
                let remove = move |_| pins.update(|pins| pins.retain(|pin| pin.number != number));
                view! {
                    <li>
                        <Still rgba=pin.rgba width=pin.width height=pin.height />
                        <p>
                            {differs.collect_view()}
                            <span class="quiet">{step}</span>
                        </p>
                        <button type="button" class="link" on:click=remove>{t_string!(i18n, search.pins_remove)}</button>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <section class="panel" id="pins">
            <div class="row">
                <h2>{move || t_string!(i18n, search.pins_title)}</h2>
                <button type="button" class="button quiet" id="pin" disabled=nothing on:click=keep>
                    {move || t_string!(i18n, search.pins_keep)}
                </button>
            </div>
            <Show
                when=move || pins.with(|pins| !pins.is_empty())
                fallback=move || view! { <p class="help">{t_string!(i18n, search.pins_help)}</p> }
            >
                <ul class="pins">{shown}</ul>
            </Show>
        </section>
    }
}
