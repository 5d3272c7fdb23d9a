//! The lab of filters and activations: what the network takes the picture for, and what each layer makes of it.

use js_sys::Uint8Array;
use leptos::prelude::*;
use web_sys::Blob;

use super::spec::{ActivationsSettings, Answer, LAB, NAMES, Question};
use super::views::crops::CropPanel;
use super::views::filters::Filters;
use super::views::map::{Overlay, Scale};
use super::views::network::{Classes, Network};
use super::views::pad::PadPanel;
use super::views::patches::PatchPanel;
use super::views::sheet::Sheet;
use crate::page::controls::Panel;
use crate::page::desk::RunState;
use crate::page::engine::{self, Payload};
use crate::page::frame::{LabFrame, Stage};
use crate::page::job_panel::RunPanel;
use crate::page::live::{self, LiveButton, LiveView};
use crate::page::state::{Room, State, Trigger, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::protocol::settings::Settings;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <ActivationsLab /> }.into_any(),
    act,
    door: None,
};

/// Longer side in pixels of a frame of the camera: the network sees 224 on the shorter one.
const FRAME: u32 = 336;

fn act(state: State, settings: &Settings, trigger: Trigger) {
    let desk = state.desk(&LAB);
    let run = || {
        if let Some(picture) = state.picture() {
            let question = engine::Question::new(&Question::Run, settings);
            desk.run(question.with("picture", Some(picture)));
        }
    };
    match trigger {
        Trigger::Run => run(),
        Trigger::Refine => desk.refine(engine::Question::new(&Question::Show, settings)),
        Trigger::Adjust => {}
    }
}

/// An answer with its files.
#[derive(Clone)]
pub struct Shown {
    /// The numbers.
    pub answer: Answer,
    /// All channels of the layer.
    pub maps: Uint8Array,
    /// One of them.
    pub channel: Uint8Array,
    /// The layer's kernels.
    pub kernels: Uint8Array,
}

impl Shown {
    fn read(says: &Payload) -> Option<Self> {
        Some(Self {
            answer: says.read()?,
            maps: says.file("maps"),
            channel: says.file("channel"),
            kernels: says.file("kernels"),
        })
    }
}

/// What is shown of the present result.
pub type Results = RwSignal<Option<Shown>, LocalStorage>;

/// The page of the lab.
#[component]
fn ActivationsLab() -> impl IntoView {
    let state = use_state();
    let desk = state.desk(&LAB);
    let shown: Results = RwSignal::new_local(None);
    let live = RwSignal::new(false);
    Effect::new(move |_| {
        let says = desk.answer.get();
        // What the camera shows is no answer to the picture.
        if !live.get() {
            shown.set(says.as_ref().and_then(Shown::read));
        }
    });
    live::follow(live, desk, move || {
        act(state, &state.settings(&LAB).get(), Trigger::Run);
    });
    let stage = move || match live.get() {
        true => {
            let question = move |blob: Blob| {
                let settings = state.settings(&LAB).get_untracked();
                engine::Question::new(&Question::Run, &settings).with("picture", Some(blob))
            };
            let answered = move |says: Payload| shown.set(Shown::read(&says));
            view! {
                <LiveView live question shown=answered longest=FRAME>{move || view! { <Overlay shown /> }}</LiveView>
            }
            .into_any()
        }
        false => view! { <Stage>{move || view! { <Overlay shown /> }}</Stage> }.into_any(),
    };
    view! {
        <LabFrame lab=&LAB above=move || view! { <LiveButton live /> }>
            <div class="bench">
                <div class="hero-column">
                    {stage}
                    <PadPanel live />
                    <Sheet shown />
                    <Filters shown />
                    <PatchPanel shown />
                    <CropPanel shown live />
                </div>
                <div class="inspector">
                    <div class:gone=live><RunPanel lab=&LAB /></div>
                    <Classes shown />
                    <Panel lab=&LAB group="network"><Network shown live /></Panel>
                    <Panel lab=&LAB group="map"><Scale shown /></Panel>
                    <Exports shown live />
                </div>
            </div>
        </LabFrame>
    }
}

/// The layer's channels as a picture.
#[component]
fn Exports(shown: Results, live: RwSignal<bool>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let desk = state.desk(&LAB);
    let nothing = move || {
        let is_whole = desk.state.with(|state| matches!(state, RunState::Done(_)));
        !is_whole || live.get() || shown.with(Option::is_none)
    };
    let export = move |_| {
        let settings = state.settings(&LAB).get_untracked();
        let layer = shown.with_untracked(|shown| {
            let answer = &shown.as_ref()?.answer;
            Some(answer.layers[answer.layer].name.clone())
        });
        let name = state.file_name(&format!("{}.png", layer.unwrap_or_default()));
        let question = engine::Question::new(&Question::Export, &settings);
        state.desk(&LAB).save(question, "png", "image/png", name);
    };
    view! {
        <div class="row exports">
            <button type="button" class="button quiet" id="export-png" disabled=nothing on:click=export>
                {move || t_string!(i18n, activations.export)}
            </button>
        </div>
    }
}

/// The settings, read.
pub fn settings(state: State) -> ActivationsSettings {
    state.settings(&LAB).with(Settings::read)
}

/// Chooses a layer and its first channel, or a channel.
pub fn choose(state: State, layer: Option<usize>, channel: usize) {
    use crate::protocol::param::Value;
    if let Some(layer) = layer {
        state.set(&LAB, NAMES.layer, Value::Number(layer as f32));
    }
    state.set(&LAB, NAMES.channel, Value::Number(channel as f32));
}
