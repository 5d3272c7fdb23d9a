//! The lab of explanations: what the network takes the picture for, and over the picture what speaks for a class.

use js_sys::Uint8Array;
use leptos::prelude::*;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, ImageData};

use crate::protocol::imagenet::name;
use super::views::compare::ComparePanel;
use super::views::cut::CutPanel;
use super::views::nudge::{NudgePanel, Nudges, Squares};
use super::spec::{Answer, LAB, NAMES, Question, ExplainSettings};
use crate::maths::color_map::{diverging, inferno};
use crate::page::controls::{Control, Panel};
use crate::page::desk::RunState;
use crate::page::engine::{self, Payload};
use crate::page::export;
use crate::page::home::Door;
use crate::page::frame::{LabFrame, Stage};
use crate::page::job_panel::RunPanel;
use crate::page::state::{Room, State, Trigger, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::protocol::param::Value;
use crate::protocol::settings::Settings;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <ExplainLab /> }.into_any(),
    act,
    door: Some(|| {
        view! {
            <Door lab=&LAB><img src="evidence.jpg" alt="" width="600" height="400" /></Door>
        }
        .into_any()
    }),
};

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
        // What was seen stays; what is under way begins anew with these settings.
        Trigger::Refine if desk.has_work() => {
            desk.go_on(engine::Question::new(&Question::Explain, settings));
        }
        Trigger::Refine => run(),
        Trigger::Adjust => {}
    }
}

/// An answer with its map.
#[derive(Clone)]
pub struct Shown {
    /// The numbers.
    pub answer: Answer,
    map: Uint8Array,
}

impl Shown {
    /// Of what the engine says; none where it says something else.
    pub fn read(says: &Payload) -> Option<Self> {
        Some(Self {
            answer: says.read()?,
            map: says.file("map"),
        })
    }
}

/// The page of the lab.
#[component]
fn ExplainLab() -> impl IntoView {
    let state = use_state();
    let desk = state.desk(&LAB);
    let shown = RwSignal::new_local(None::<Shown>);
    // Steps show themselves before there is an answer.
    desk.on_says(move |says| {
        if let Some(on_the_way) = Shown::read(&says) {
            shown.try_set(Some(on_the_way));
        }
    });
    Effect::new(move |_| {
        desk.answer.with(|says| match says {
            Some(says) => shown.set(Shown::read(says)),
            None => shown.set(None),
        });
    });
    let nudges = Nudges::follow(state);
    view! {
        <LabFrame lab=&LAB>
            <div class="bench">
                <div class="hero-column">
                    <Stage>
                        {move || shown.get().map(|shown| view! { <Overlay shown /> })}
                        <Squares nudges />
                    </Stage>
                    <ComparePanel />
                    <CutPanel />
                    <NudgePanel nudges />
                </div>
                <div class="inspector">
                    <RunPanel lab=&LAB />
                    <Panel lab=&LAB group="method"><Sum shown /></Panel>
                    <Classes shown />
                    <Panel lab=&LAB group="sanity"><Similarity shown /></Panel>
                    <Panel lab=&LAB group="overlay"><Scale shown /></Panel>
                    <Exports shown />
                </div>
            </div>
        </LabFrame>
    }
}

/// The map in its colours over the picture.
#[component]
fn Overlay(shown: Shown) -> impl IntoView {
    let state = use_state();
    let settings = state.settings(&LAB);
    let opacity = move || {
        let percent = settings.with(|settings| settings.read::<ExplainSettings>().opacity);
        format!("opacity:{:.2}", percent / 100.0)
    };
    let signed = shown.answer.signed;
    view! { <div class="layers" class:signed=signed id="overlay" style=opacity><MapCanvas shown /></div> }
}

/// The map in its colours.
#[component]
pub fn MapCanvas(
    /// The map.
    shown: Shown,
) -> impl IntoView {
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let [width, height] = shown.answer.map;
    let shown = StoredValue::new_local(shown);
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        if let Some(Err(error)) = shown.try_with_value(|shown| draw(&canvas, shown)) {
            leptos::logging::error!("map: {error:?}");
        }
    });
    view! { <canvas class="layer evidence" node_ref=canvas width=width height=height></canvas> }
}

/// The colour of a byte of the map.
fn color(byte: u8, signed: bool) -> [u8; 3] {
    if signed {
        diverging((f32::from(byte) - 128.0) / 127.0)
    } else {
        inferno(f32::from(byte) / 255.0)
    }
}

fn draw(canvas: &HtmlCanvasElement, shown: &Shown) -> Result<(), JsValue> {
    let [width, height] = shown.answer.map;
    let colors: Vec<[u8; 3]> = (0..=255)
        .map(|byte| color(byte, shown.answer.signed))
        .collect();
    let rgba: Vec<u8> = shown
        .map
        .to_vec()
        .into_iter()
        .flat_map(|byte| {
            let [r, g, b] = colors[usize::from(byte)];
            [r, g, b, 255]
        })
        .collect();
    let data =
        ImageData::new_with_u8_clamped_array_and_sh(Clamped(&rgba), width as u32, height as u32)?;
    export::context(canvas)?.put_image_data(&data, 0.0, 0.0)
}

/// The most probable classes, each a button that explains it; and a field to search all of them.
#[component]
fn Classes(shown: RwSignal<Option<Shown>, LocalStorage>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let choose = move |class: usize| {
        // The first one stays the first one, whatever the next picture shows.
        let is_best = shown.with_untracked(|shown| {
            let classes = shown.as_ref().map(|shown| &shown.answer.classes);
            classes.is_some_and(|classes| classes.first().is_some_and(|best| best.0 == class))
        });
        let chosen = Value::Choice(if is_best { 0 } else { class + 1 });
        let settings = state.settings(&LAB).get_untracked();
        if *settings.get(NAMES.class) != chosen {
            return state.set(&LAB, NAMES.class, chosen);
        }
        // Asked for again after it was stopped.
        if !untrack(|| state.desk(&LAB).is_running()) {
            act(state, &settings, Trigger::Refine);
        }
    };
    let rows = move || {
        let shown = shown.get()?;
        let explained = shown.answer.class;
        let mut classes = shown.answer.classes;
        // One that was searched for stands below the others.
        if !classes.iter().any(|&(class, _)| class == explained) {
            classes.push((explained, shown.answer.probability));
        }
        let rows = classes
            .into_iter()
            .map(|(class, probability)| {
                let percent = format!("{:.1} %", probability * 100.0);
                view! {
                    <tr class:lit=class == explained>
                        <th scope="row">
                            <button
                                type="button"
                                class="link"
                                aria-pressed=(class == explained).to_string()
                                on:click=move |_| choose(class)
                            >
                                {name(class)}
                            </button>
                        </th>
                        <td class="bar"><span style=format!("width:{:.1}%;--class:var(--ember)", probability * 100.0)></span></td>
                        <td class="number">{percent}</td>
                    </tr>
                }
            })
            .collect_view();
        Some(view! {
            <table class="bars" id="classes">
                <caption class="visually-hidden">{t_string!(i18n, explain.classes)}</caption>
                <tbody>{rows}</tbody>
            </table>
        })
    };
    view! {
        <section class="panel" data-term="class">
            <h2>{move || t_string!(i18n, explain.classes)}</h2>
            {move || state.source.with(Option::is_none).then(|| view! { <p class="quiet">{t_string!(i18n, page.choose_first)}</p> })}
            {rows}
            <Control lab=&LAB name=NAMES.class />
            <p class="help">{move || t_string!(i18n, explain.classes_help)}</p>
        </section>
    }
}

/// What integrated gradients add up to.
#[component]
fn Sum(shown: RwSignal<Option<Shown>, LocalStorage>) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let [sum, difference] = shown.with(|shown| shown.as_ref()?.answer.sum)?;
        let (sum, difference) = (format!("{sum:.2}"), format!("{difference:.2}"));
        let text = t_string!(i18n, explain.sum, sum = sum, difference = difference).to_string();
        Some(view! { <p class="sentence" id="sum">{text}</p> })
    }
}

/// How like the map by random weights is to that of the trained network.
#[component]
fn Similarity(shown: RwSignal<Option<Shown>, LocalStorage>) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let (similarity, largest) = shown.with(|shown| {
            let answer = &shown.as_ref()?.answer;
            Some((answer.similarity?, answer.largest))
        })?;
        let rank = format!("{similarity:.2}").replace('-', "−");
        let text = match largest > 0.0 {
            true => t_string!(i18n, explain.similarity, rank = rank).to_string(),
            false => t_string!(i18n, explain.empty).to_string(),
        };
        Some(view! { <p class="sentence" id="similarity" data-rank=format!("{similarity:.3}")>{text}</p> })
    }
}

/// What the colours mean.
#[component]
fn Scale(shown: RwSignal<Option<Shown>, LocalStorage>) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let (signed, largest) = shown.with(|shown| {
            let answer = &shown.as_ref()?.answer;
            Some((answer.signed, answer.largest))
        })?;
        let largest = match largest {
            0.0 => "0".into(),
            size if size >= 0.01 => format!("{size:.3}"),
            size => format!("{size:.1e}"),
        };
        let ends = if signed {
            [
                t_string!(i18n, explain.against),
                t_string!(i18n, explain.speaks_for),
            ]
        } else {
            [
                t_string!(i18n, explain.nothing),
                t_string!(i18n, explain.most),
            ]
        };
        Some(view! {
            <div class="scale">
                <span>{ends[0]}</span>
                <span class="ramp" class:signed=signed aria-hidden="true"></span>
                <span>{ends[1]}</span>
            </div>
            <p class="help">{t_string!(i18n, explain.largest, value = largest).to_string()}</p>
        })
    }
}

/// The map over the picture, once it is whole.
#[component]
fn Exports(shown: RwSignal<Option<Shown>, LocalStorage>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let desk = state.desk(&LAB);
    let nothing = move || {
        let is_whole = desk.state.with(|state| matches!(state, RunState::Done(_)));
        !is_whole || shown.with(Option::is_none)
    };
    let export = move |_| {
        let settings = state.settings(&LAB).get_untracked();
        let name = state.file_name(&format!("{}.png", settings.word(NAMES.method)));
        let question = engine::Question::new(&Question::Export, &settings);
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
