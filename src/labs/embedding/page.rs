//! The lab of the embedding map: pictures where a network puts them, and the nearest of each.

use js_sys::Uint8Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Blob;

use super::spec::{LAB, Map, NAMES, Near, Question};
use super::views::map::MapView;
use super::views::near::Neighbours;
use crate::page::controls::Panels;
use crate::page::desk::RunState;
use crate::page::engine::{self, Payload};
use crate::page::export;
use crate::page::fetch;
use crate::page::frame::LabFrame;
use crate::page::intake::FilesButton;
use crate::page::job_panel::RunPanel;
use crate::page::latest::{Latest, Standing};
use crate::page::plot::{Line, Plot, PlotView};
use crate::page::state::{Room, State, Trigger, use_state};
use crate::page::terms::Hot;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::settings::Settings;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <EmbeddingLab /> }.into_any(),
    act,
    door: None,
};

/// The sheet of pictures that ship, once it is fetched.
#[derive(Clone, Copy)]
struct Sheet(StoredValue<Option<Blob>, LocalStorage>);

fn act(state: State, settings: &Settings, trigger: Trigger) {
    let desk = state.desk(&LAB);
    match trigger {
        Trigger::Run => run(state, settings.clone(), state.picture().into_iter().collect()),
        // Cancelled on the way to the first map there is nothing to lay out.
        Trigger::Refine if desk.has_work() && desk.answer.with_untracked(Option::is_some) => {
            desk.go_on(engine::Question::new(&Question::Layout, settings));
        }
        Trigger::Refine => run(state, settings.clone(), state.picture().into_iter().collect()),
        Trigger::Adjust => {}
    }
}

/// Lays out the map, with these pictures on it, too.
fn run(state: State, settings: Settings, own: Vec<Blob>) {
    let sheet = state.memory(|| Sheet(StoredValue::new_local(None))).0;
    let ask = move |sheet: Blob| {
        let mut question = engine::Question::new(&Question::Run, &settings).with("sheet", Some(sheet));
        for (number, blob) in own.into_iter().enumerate() {
            question = question.with(&number.to_string(), Some(blob));
        }
        state.desk(&LAB).run(question);
    };
    if let Some(known) = sheet.get_value() {
        return ask(known);
    }
    spawn_local(async move {
        match fetch::picture("embeddings", "emoji").await {
            Ok(blob) => {
                sheet.set_value(Some(blob.clone()));
                ask(blob);
            }
            Err(failure) => state.desk(&LAB).state.set(RunState::Failed(failure)),
        }
    });
}

/// The map as it is.
#[derive(Clone)]
pub struct Shown {
    /// The numbers.
    pub map: Map,
    /// Across and down, between -1 and 1.
    pub points: Vec<[f32; 2]>,
    /// RGBA of the visitor's pictures.
    pub own: Uint8Array,
}

impl Shown {
    fn read(says: &Payload) -> Option<Self> {
        let bytes = says.file("points").to_vec();
        let numbers = bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
        let numbers: Vec<f32> = numbers.collect();
        Some(Self {
            map: says.read()?,
            points: numbers.as_chunks::<2>().0.to_vec(),
            own: says.file("own"),
        })
    }
}

/// What is shown of the present map.
pub type Results = RwSignal<Option<Shown>, LocalStorage>;

/// The page of the lab.
#[component]
fn EmbeddingLab() -> impl IntoView {
    let state = use_state();
    let desk = state.desk(&LAB);
    let shown: Results = RwSignal::new_local(None);
    let chosen = RwSignal::new(None::<usize>);
    let near = RwSignal::new(None::<Near>);
    desk.on_says(move |says| {
        if let Some(on_the_way) = Shown::read(&says) {
            let _ = shown.try_set(Some(on_the_way));
        }
    });
    Effect::new(move |_| {
        if let Some(says) = desk.answer.get() {
            shown.set(Shown::read(&says));
        }
    });
    // Where no picture comes there is the map of those that ship.
    Effect::new(move |_| {
        let is_idle = desk.state.with(|state| matches!(state, RunState::Idle));
        let is_empty = shown.with(Option::is_none) && state.source.with(Option::is_none);
        if is_idle && is_empty && untrack(|| desk.left.get().is_none()) {
            untrack(|| run(state, state.settings(&LAB).get(), Vec::new()));
        }
    });
    let latest = Latest::new(state.engine);
    let metric = Memo::new(move |_| state.settings(&LAB).with(|settings| settings.get(NAMES.metric).clone()));
    Effect::new(move |_| {
        metric.get();
        let Some(of) = chosen.get() else { return near.set(None) };
        let settings = state.settings(&LAB).get_untracked();
        let question = engine::Question::new(&Question::Near(of), &settings);
        latest.ask("near", question, move |says| {
            let _ = near.try_set(says.read());
        });
    });
    let clear = move |_| {
        chosen.set(None);
        let settings = state.settings(&LAB).get_untracked();
        state.desk(&LAB).go_on(engine::Question::new(&Question::Clear, &settings));
    };
    let add = move |files: Vec<web_sys::File>| {
        let blobs: Vec<Blob> = files.into_iter().map(Into::into).collect();
        if !blobs.is_empty() {
            run(state, state.settings(&LAB).get_untracked(), blobs);
        }
    };
    let has_own = move || shown.with(|shown| shown.as_ref().is_some_and(|shown| shown.map.own > 0));
    let i18n = use_i18n();
    view! {
        <LabFrame lab=&LAB>
            <div class="bench">
                <div class="hero-column">
                    <MapView shown chosen />
                    <Neighbours shown chosen near />
                    <Standing latest />
                </div>
                <div class="inspector">
                    <RunPanel lab=&LAB alone=true />
                    <Divergence shown />
                    <Panels lab=&LAB />
                    <div class="row exports">
                        <FilesButton id="add-pictures" label=Signal::derive(move || t_string!(i18n, embedding.add).to_string()) on_files=add />
                        <button type="button" class="button quiet" id="clear-own" disabled=move || !has_own() || desk.is_running() on:click=clear>
                            {move || t_string!(i18n, embedding.clear)}
                        </button>
                        <Export shown />
                    </div>
                </div>
            </div>
        </LabFrame>
    }
}

/// How the divergence falls, or what the components hold.
#[component]
fn Divergence(shown: Results) -> impl IntoView {
    let i18n = use_i18n();
    let map = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(|shown| shown.map.clone())));
    let plot = Signal::derive(move || {
        let points: Vec<[f64; 2]> = map.with(|map| {
            let told = map.as_ref().map(|map| map.divergence.iter());
            told.into_iter().flatten().map(|&(step, nats)| [step as f64, nats]).collect()
        });
        let end = points.last().map_or(1.0, |point| point[0].max(1.0));
        let top = points.iter().map(|point| point[1]).fold(0.1f64, f64::max);
        Plot::new(vec![Line::new("", "var(--ink)", points)], [[0.0, end], [0.0, top]])
    });
    let told = move || {
        let map = map.get()?;
        Some(match map.shares {
            Some([first, second]) => t_string!(
                i18n,
                embedding.shares,
                first = format!("{:.1}", first * 100.0),
                second = format!("{:.1}", second * 100.0)
            )
            .to_string(),
            None => {
                let nats = map.divergence.last().map_or(0.0, |&(_, nats)| nats);
                t_string!(i18n, embedding.divergence, step = map.step, nats = format!("{nats:.3}")).to_string()
            }
        })
    };
    let skipped = move || {
        let skipped = map.with(|map| map.as_ref().map_or(0, |map| map.skipped));
        (skipped > 0).then(|| t_string!(i18n, embedding.skipped, n = skipped).to_string())
    };
    let has_curve = move || map.with(|map| map.as_ref().is_some_and(|map| map.divergence.len() > 1));
    let hot = RwSignal::new(None);
    view! {
        <section class="panel" id="divergence" class:lit=Hot::is("divergence") class:gone=move || map.with(Option::is_none) data-term="divergence">
            <h2>{move || t_string!(i18n, embedding.divergence_title)}</h2>
            <Show when=has_curve>
                <PlotView plot hot label=Signal::derive(move || t_string!(i18n, embedding.divergence_title).to_string()) />
            </Show>
            {move || skipped().map(|text| view! { <p class="sentence" id="skipped">{text}</p> })}
            <p class="number quiet" id="told" data-step=move || map.with(|map| map.as_ref().map(|map| map.step.to_string()))>{told}</p>
        </section>
    }
}

/// The map as a file.
#[component]
fn Export(shown: Results) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let nothing = move || shown.with(Option::is_none) || state.desk(&LAB).is_running();
    let export = move |_| {
        let settings = state.settings(&LAB).get_untracked();
        let name = export::file_name("kiln", &format!("{}.png", settings.word(NAMES.method)));
        let question = engine::Question::new(&Question::Export, &settings);
        state.desk(&LAB).save(question, "png", "image/png", name);
    };
    view! {
        <button type="button" class="button quiet" id="export-png" disabled=nothing on:click=export>
            {move || t_string!(i18n, page.export_png)}
        </button>
    }
}
