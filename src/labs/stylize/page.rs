//! The style lab: the photograph repainted, with a line to slide between before and after.

use leptos::prelude::*;

use super::paintings::BUILT_IN;
use super::spec::{LAB, NAMES, Painted, Question};
use super::views::brush::regions;
use super::views::pad::PadPanel;
use super::views::paintings::{self, Paintings};
use super::views::picker::StylePicker;
use crate::page::canvas::{Compare, Painting};
use crate::page::controls::{Control, Panel};
use crate::page::engine;
use crate::page::frame::{LabFrame, Stage};
use crate::page::home::Door;
use crate::page::job_panel::RunPanel;
use crate::page::state::{Room, State, Trigger, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::protocol::settings::Settings;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <StylizeLab /> }.into_any(),
    act,
    door: Some(|| {
        view! {
            <Door lab=&LAB><img src="samples/temple-style.jpg" alt="" width="512" height="342" /></Door>
        }
        .into_any()
    }),
};

fn act(state: State, settings: &Settings, trigger: Trigger) {
    match trigger {
        Trigger::Run => run_with(state, settings.clone()),
        Trigger::Refine => {
            let question = engine::Question::new(&Question::Refine, settings);
            state.desk(&LAB).refine(question);
        }
        Trigger::Adjust => {}
    }
}

/// Repaints the picture with some settings, which may be others than those that are kept: a small
/// picture follows the pen.
pub fn run_with(state: State, settings: Settings) {
    let kept = state.settings(&LAB).get_untracked();
    paintings::fetch(state, &settings.clone(), NAMES.source, move |style| {
        // What has changed since runs by itself, and nothing runs unseen.
        let is_here = state.page.get_untracked().lab() == Some(&LAB);
        if !is_here || state.settings(&LAB).get_untracked() != kept {
            return;
        }
        if let Some(picture) = state.picture() {
            let regions = regions(state).get_untracked();
            let question = engine::Question::new(&Question::Run { regions }, &settings)
                .with("picture", Some(picture))
                .with("style", style);
            state.desk(&LAB).run(question);
        }
    });
}

/// The page of the lab.
#[component]
fn StylizeLab() -> impl IntoView {
    let state = use_state();
    let painting = Signal::derive_local(move || {
        let says = state.desk(&LAB).answer.get()?;
        Some((says.read::<Painted>()?, says.file("rgba")))
    });
    // The share of the stage, from the left, that shows the photograph.
    let split = RwSignal::new(0u32);
    let nothing = Signal::derive(move || painting.with(Option::is_none));
    let painted = move || {
        painting.get().map(|(Painted { width, height }, rgba)| {
            view! { <Painting rgba width height split /> }
        })
    };
    view! {
        <LabFrame lab=&LAB above=|| view! { <PadPanel /> }>
            <div class="bench">
                <div>
                    <Stage>{painted}</Stage>
                    <Compare split hidden=nothing />
                </div>
                <div class="inspector">
                    <RunPanel lab=&LAB />
                    <StylePicker />
                    <Paintings lab=&LAB title="paintings.title">
                        <Directions />
                    </Paintings>
                    <Panel lab=&LAB group="finish" />
                    <Exports nothing />
                </div>
            </div>
        </LabFrame>
    }
}

/// Sliders along the main directions in which styles differ, for the style of a picture.
#[component]
fn Directions() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let names = [
        NAMES.direction_1,
        NAMES.direction_2,
        NAMES.direction_3,
        NAMES.direction_4,
    ];
    let of_a_picture = move || paintings::source(state, &LAB) != BUILT_IN;
    view! {
        <Show when=of_a_picture>
            <details class="directions">
                <summary>{move || t_string!(i18n, stylize.directions_title)}</summary>
                {names.map(|name| view! { <Control lab=&LAB name /> }).collect_view()}
                <p class="help">{move || t_string!(i18n, stylize.directions_help)}</p>
            </details>
        </Show>
    }
}

/// The link, and the picture.
#[component]
fn Exports(nothing: Signal<bool>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let export = move |_| {
        let settings = state.settings(&LAB).get_untracked();
        let question = engine::Question::new(&Question::Export, &settings);
        let name = state.file_name("styled.png");
        state.desk(&LAB).save(question, "png", "image/png", name);
    };
    view! {
        <div class="row exports">
            <button type="button" class="button quiet" id="export-png" disabled=nothing on:click=export>
                {move || t_string!(i18n, page.export_png)}
            </button>
        </div>
    }
}
