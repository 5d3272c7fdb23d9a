//! Paintings to take a style or a texture from, or a picture of the visitor's.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::labs::stylize::paintings::PAINTINGS;
use crate::labs::stylize::spec::{BUILT_IN, DIRECTIONS, OWN, SOURCE};
use crate::page::controls::Control;
use crate::page::intake::{FileButton, check_file};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::params::Lab;

/// Paintings to take the style from, or a picture of the visitor's.
#[component]
pub fn Paintings(
    /// The lab that paints.
    lab: Lab,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let source = move || state.settings(lab).with(|settings| settings.choice(SOURCE));
    let choose = move |name: &'static str| {
        let mut chosen = state.settings(lab).get_untracked();
        chosen.set_text(SOURCE, name);
        state.set(lab, SOURCE, chosen.get(SOURCE));
    };
    let tiles = PAINTINGS
        .iter()
        .map(|painting| {
            let words = format!("{}, {}", painting.title, painting.painter);
            view! {
                <button
                    type="button"
                    class="painting-tile"
                    data-painting=painting.name
                    aria-pressed=move || (source() == painting.name).to_string()
                    aria-label=words.clone()
                    title=words
                    on:click=move |_| choose(painting.name)
                >
                    <img src=format!("paintings/{}.jpg", painting.name) alt="" loading="lazy" width="96" height="64" />
                </button>
            }
        })
        .collect_view();
    let take = move |file: web_sys::File| {
        leptos::task::spawn_local(async move {
            match check_file(&file).await {
                Ok(_) => state.take_style(file.unchecked_into()),
                Err(failure) => state.refuse(failure),
            }
        });
    };
    let said = move || match source() {
        BUILT_IN => t_string!(i18n, paintings_help).to_string(),
        OWN => t_string!(i18n, paintings_own).to_string(),
        name => PAINTINGS
            .iter()
            .find(|painting| painting.name == name)
            .map(|painting| format!("{}. {}", painting.title, painting.painter))
            .unwrap_or_default(),
    };
    view! {
        <section class="panel" id="paintings">
            <h2>{move || match lab {
                Lab::Stylize => t_string!(i18n, paintings_title),
                Lab::Texture => t_string!(i18n, paintings_example),
                _ => t_string!(i18n, paintings_style),
            }}</h2>
            <div class="painting-tiles">{tiles}</div>
            <div class="row">
                <FileButton
                    id="open-style"
                    label=Signal::derive(move || t_string!(i18n, paintings_open).to_string())
                    on_file=take
                />
            </div>
            <p class="help">{said}</p>
            {move || (lab == Lab::Stylize && source() != BUILT_IN).then(|| view! {
                <details class="directions">
                    <summary>{t_string!(i18n, directions_title)}</summary>
                    {DIRECTIONS.map(|name| view! { <Control lab name /> }).collect_view()}
                    <p class="help">{t_string!(i18n, directions_help)}</p>
                </details>
            })}
        </section>
    }
}
