//! Paintings to take a style or a texture from, or a picture of the visitor's.

use leptos::prelude::*;
use web_sys::Blob;

use crate::labs::stylize::paintings::{BUILT_IN, OWN, PAINTINGS};
use crate::page::fetch;
use crate::page::terms::Hot;
use crate::page::intake::{FileButton, open_beside};
use crate::page::state::{State, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::page::words::{choice_label, lab_word};
use crate::protocol::lab::LabSpec;
use crate::protocol::settings::Settings;

/// Name of the setting, in each of the labs that have one.
const SETTING: &str = "painting";

/// The visitor's own picture to take a style from, shared by the labs that take one.
#[derive(Clone, Copy)]
struct Own(RwSignal<Option<Blob>, LocalStorage>);

fn own(state: State) -> Own {
    state.memory(|| Own(RwSignal::new_local(None)))
}

/// Where a lab takes its style from: a painting, [`BUILT_IN`] or [`OWN`].
pub fn source(state: State, lab: &LabSpec) -> &'static str {
    state
        .settings(lab)
        .with(|settings| settings.word(SETTING))
}

/// Hands over the picture that the style is taken from: none where it is built in, or where the visitor
/// has not given one; the engine then says what to do. A painting that cannot be fetched is said.
pub fn fetch(
    state: State,
    settings: &Settings,
    setting: &str,
    then: impl FnOnce(Option<Blob>) + 'static,
) {
    match settings.word(setting) {
        BUILT_IN => then(None),
        OWN => then(own(state).0.get_untracked()),
        painting => leptos::task::spawn_local(async move {
            match fetch::picture("paintings", painting).await {
                Ok(style) => then(Some(style)),
                Err(failure) => state.refuse(failure),
            }
        }),
    }
}

/// Takes a picture of the visitor's as the style.
fn take(state: State, lab: &'static LabSpec, blob: Blob) {
    state.refused.set(None);
    own(state).0.set(Some(blob));
    state.settings(lab).update(|settings| {
        settings.set_text(SETTING, OWN);
    });
    state.write_address();
    state.run_if_light();
}

/// Paintings to take the style from, or a picture of the visitor's.
#[component]
pub fn Paintings(
    /// The lab that paints.
    lab: &'static LabSpec,
    /// Key of the title among the lab's words.
    title: &'static str,
    /// What stands below.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let source = move || source(state, lab);
    let choose = move |name: &'static str| {
        let mut chosen = state.settings(lab).get_untracked();
        chosen.set_text(SETTING, name);
        state.set(lab, SETTING, chosen.get(SETTING).clone());
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
    // Where there is no picture on the stage, what is dropped is the style.
    if !lab.uses_picture {
        state.take_pictures(move |blob| take(state, lab, blob));
    }
    let take = move |file| open_beside(state, file, move |blob| take(state, lab, blob));
    let said = move || match source() {
        BUILT_IN => t_string!(i18n, stylize.paintings_help).to_string(),
        OWN => t_string!(i18n, stylize.paintings_own).to_string(),
        name => PAINTINGS
            .iter()
            .find(|painting| painting.name == name)
            .map(|painting| {
                let title = choice_label(i18n, lab.name, SETTING, name);
                format!("{title}. {}", painting.painter)
            })
            .unwrap_or_default(),
    };
    view! {
        <section class="panel" id="paintings" class:lit=Hot::is(SETTING)>
            <h2>{move || lab_word(i18n, lab.name, title)}</h2>
            <div class="painting-tiles">{tiles}</div>
            <div class="row">
                <FileButton
                    id="open-style"
                    label=Signal::derive(move || t_string!(i18n, stylize.paintings_open).to_string())
                    on_file=take
                />
            </div>
            <p class="help">{said}</p>
            {children.map(|children| children())}
        </section>
    }
}
