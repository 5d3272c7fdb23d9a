//! The detection lab: boxes over the picture, their table, and three views of the inside.

use js_sys::Uint8Array;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::spec::{Anchors, Answer, DetectSettings, LAB, NAMES, Question, View};
use super::views::anchors::{Grid, MapPanel};
use super::views::annotate;
use super::views::scores::Scores;
use super::views::{Shown, class_name, class_style, color, name_and_score, placement};
use super::views::suppression::{Suppression, SuppressionList};
use crate::page::controls::{Control, Panel};
use crate::page::engine;
use crate::page::export;
use crate::page::frame::{LabFrame, Stage};
use crate::page::home::Door;
use crate::page::job_panel::RunPanel;
use crate::page::state::{Room, State, Trigger, use_state};
use crate::page::text::{t_string, use_i18n};
use crate::protocol::failure::Failure;
use crate::protocol::settings::Settings;

/// The lab's page.
pub const ROOM: Room = Room {
    view: || view! { <DetectLab /> }.into_any(),
    act,
    door: Some(|| {
        view! {
            <Door lab=&LAB>
                <img src="samples/crew.jpg" alt="" width="640" height="427" />
                // The network's own answer for this photograph.
                <span class="box lit" style="left:6.2%;top:43.7%;width:27.9%;height:55.9%;--class:rgb(0 114 178)"></span>
                <span class="box lit" style="left:15.7%;top:38.5%;width:31.2%;height:60.7%;--class:rgb(0 114 178)"></span>
                <span class="box lit" style="left:27.7%;top:35.1%;width:26.7%;height:63.4%;--class:rgb(0 114 178)"></span>
                <span class="box lit" style="left:71.7%;top:37.5%;width:27.9%;height:62.1%;--class:rgb(0 114 178)"></span>
            </Door>
        }
        .into_any()
    }),
};

fn act(state: State, settings: &Settings, trigger: Trigger) {
    let desk = state.desk(&LAB);
    let ask = |question| engine::Question::new(&question, settings);
    match trigger {
        Trigger::Run => {
            if let Some(picture) = state.picture() {
                desk.run(ask(Question::Run).with("picture", Some(picture)));
            }
        }
        Trigger::Refine => desk.refine(ask(Question::Refine)),
        Trigger::Adjust => {}
    }
}

/// What is shown of the present result.
#[derive(Clone, Copy)]
struct Results {
    shown: RwSignal<Option<Shown>>,
    /// The default boxes and whose they are; they come with a run, not with a refinement.
    anchors: RwSignal<Option<(Anchors, usize)>>,
    /// The cell of the feature map that is pointed at.
    cell: RwSignal<Option<usize>>,
    /// The box that is pointed at.
    highlight: RwSignal<Option<usize>>,
}

impl Results {
    fn follow(state: State) -> Self {
        let results = Self {
            shown: RwSignal::new(None),
            anchors: RwSignal::new(None),
            cell: RwSignal::new(None),
            highlight: RwSignal::new(None),
        };
        let answer = state.desk(&LAB).answer;
        Effect::new(move |_| {
            results.highlight.set(None);
            let Some(answer) = answer.get().and_then(|says| says.read::<Answer>()) else {
                results.shown.set(None);
                return results.anchors.set(None);
            };
            results.shown.set(Some(Shown {
                family: answer.family,
                detections: answer.detections,
                width: answer.width as f32,
                height: answer.height as f32,
            }));
            if let Some(inside) = answer.inside {
                results
                    .anchors
                    .set(inside.anchors.map(|anchors| (anchors, answer.family)));
                results.cell.set(None);
            }
        });
        results
    }
}

/// The page of the lab.
#[component]
fn DetectLab() -> impl IntoView {
    let state = use_state();
    let Results {
        shown,
        anchors,
        cell,
        highlight,
    } = Results::follow(state);
    let settings = state.settings(&LAB);
    let chosen = Memo::new(move |_| {
        settings.with(|settings| settings.read::<DetectSettings>().view)
    });
    let map = move || {
        let cells = settings.with(|settings| settings.word(NAMES.map).parse().unwrap_or(19));
        anchors.with(|anchors| {
            let (anchors, family) = anchors.as_ref()?;
            let map = anchors.maps.iter().find(|map| map.cells == cells)?;
            Some((map.clone(), *family))
        })
    };
    let over = move || match chosen.get() {
        View::Anchors => map().map(|(map, _)| view! { <Grid map cell /> }.into_any()),
        View::Suppressed => shown
            .get()
            .map(|shown| view! { <Suppression shown highlight /> }.into_any()),
        View::Detections | View::Scores => shown
            .get()
            .map(|shown| view! { <Boxes shown highlight /> }.into_any()),
    };
    let beside = move || match chosen.get() {
        View::Anchors => view! {
            <Control lab=&LAB name=NAMES.map />
            {move || map().map(|(map, family)| view! { <MapPanel map family cell /> })}
        }
        .into_any(),
        View::Scores => view! { <Scores shown /> }.into_any(),
        View::Suppressed => view! { <SuppressionList shown highlight /> }.into_any(),
        View::Detections => view! { <Table shown highlight /> }.into_any(),
    };
    view! {
        <LabFrame lab=&LAB>
            <div class="bench">
                <Stage>{over}</Stage>
                <div class="inspector">
                    <RunPanel lab=&LAB />
                    <Panel lab=&LAB group="family" />
                    <Panel lab=&LAB group="thresholds" />
                    <section class="panel">
                        <Control lab=&LAB name=NAMES.view />
                        {beside}
                    </section>
                    <Exports shown />
                </div>
            </div>
        </LabFrame>
    }
}

/// A frame and a label for each kept box.
#[component]
fn Boxes(shown: Shown, highlight: RwSignal<Option<usize>>) -> impl IntoView {
    let i18n = use_i18n();
    let (family, width, height) = (shown.family(), shown.width, shown.height);
    shown
        .detections
        .kept()
        .map(|(index, found)| {
            let style = format!(
                "{};{}",
                placement(found.box_in_image, width, height),
                class_style(family, found.class)
            );
            let words = name_and_score(i18n, family, found);
            let high = found.box_in_image.y0 / height < 0.06;
            view! {
                <button
                    type="button"
                    class="box"
                    class:inside=high
                    class:lit=move || highlight.get() == Some(index)
                    class:dim=move || highlight.get().is_some_and(|lit| lit != index)
                    style=style
                    aria-label=words.clone()
                    on:mouseenter=move |_| highlight.set(Some(index))
                    on:mouseleave=move |_| highlight.set(None)
                    on:focus=move |_| highlight.set(Some(index))
                    on:blur=move |_| highlight.set(None)
                >
                    <span>{words.clone()}</span>
                </button>
            }
        })
        .collect_view()
}

/// The kept boxes as a table.
#[component]
fn Table(shown: RwSignal<Option<Shown>>, highlight: RwSignal<Option<usize>>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    move || match shown.get() {
        None => state
            .source
            .with(Option::is_none)
            .then(|| view! { <p class="quiet">{t_string!(i18n, page.choose_first)}</p> })
            .into_any(),
        Some(shown) if shown.detections.kept().next().is_none() => {
            let score = state
                .settings(&LAB)
                .with_untracked(|s| format!("{:.2}", s.read::<DetectSettings>().score));
            view! { <p class="quiet" id="no-detections">{t_string!(i18n, detect.table_none, score = score).to_string()}</p> }.into_any()
        }
        Some(shown) => {
            let family = shown.family();
            let rows = shown
                .detections
                .kept()
                .map(|(index, found)| {
                    let b = found.box_in_image;
                    view! {
                        <tr
                            class:lit=move || highlight.get() == Some(index)
                            on:mouseenter=move |_| highlight.set(Some(index))
                            on:mouseleave=move |_| highlight.set(None)
                        >
                            <th scope="row">
                                <span class="swatch" style=format!("--class:{}", color(family, found.class))></span>
                                {class_name(i18n, family, found.class)}
                            </th>
                            <td class="number score">{format!("{:.2}", found.score)}</td>
                            <td class="number">{format!("{:.0}, {:.0}, {:.0}, {:.0}", b.x0, b.y0, b.x1, b.y1)}</td>
                        </tr>
                    }
                })
                .collect_view();
            view! {
                <table id="detections">
                    <caption class="visually-hidden">{t_string!(i18n, detect.table_title)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t_string!(i18n, detect.table_class)}</th>
                            <th scope="col" class="number">{t_string!(i18n, detect.table_score)}</th>
                            <th scope="col" class="number">{t_string!(i18n, detect.table_box)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            }
            .into_any()
        }
    }
}

/// Share and export.
#[component]
fn Exports(shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let nothing = move || shown.with(Option::is_none);
    let save_png = move |_| {
        let (Some(shown), Some(source)) = (shown.get_untracked(), state.source.get_untracked())
        else {
            return;
        };
        spawn_local(async move {
            let size = (shown.width as usize, shown.height as usize);
            let family = shown.family();
            let label = move |class| class_name(i18n, family, class);
            match annotate::annotated_png(&source.url, size, &shown.detections, family, label, &state.link())
                .await
            {
                Ok(png) => export::download(
                    &Uint8Array::from(&*png),
                    "image/png",
                    &export::file_name(&source.name, "boxes.png"),
                ),
                Err(error) => {
                    leptos::logging::error!("export: {error:?}");
                    state.refuse(Failure::NotExported);
                }
            }
        });
    };
    let save_json = move |_| {
        let (Some(shown), Some(source)) = (shown.get_untracked(), state.source.get_untracked())
        else {
            return;
        };
        let file = serde_json::json!([{
            "file": source.name,
            "width": shown.width as usize,
            "height": shown.height as usize,
            "detections": shown.detections.to_json(shown.family()),
        }]);
        export::download(
            &Uint8Array::from(file.to_string().as_bytes()),
            "application/json",
            &export::file_name(&source.name, "boxes.json"),
        );
    };
    view! {
        <div class="row exports">
            <button type="button" class="button quiet" id="export-png" disabled=nothing on:click=save_png>
                {move || t_string!(i18n, page.export_png)}
            </button>
            <button type="button" class="button quiet" id="export-json" disabled=nothing on:click=save_json>
                {move || t_string!(i18n, page.export_json)}
            </button>
        </div>
    }
}
