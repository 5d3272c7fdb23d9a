//! The detection lab: boxes over the picture, their table, and three views of the inside.

use js_sys::Uint8Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Blob;

use super::families::FAMILIES;
use super::spec::{Answer, DetectSettings, Grid, LAB, NAMES, Question, View};
use super::views::annotate;
use super::views::cells::{CellPanel, Cells};
use super::views::proposals::{Look, OpenRegion, RegionPanel, RegionText, Regions};
use super::views::scores::Scores;
use super::views::sheet::ContactSheet;
use super::views::{Opened, Shown, class_name, class_style, color, name_and_score, placement};
use super::views::suppression::{Suppression, SuppressionList};
use crate::page::controls::{Control, Panel};
use crate::page::engine::{self, Payload};
use crate::page::desk::RunState;
use crate::page::export;
use crate::page::frame::{LabFrame, Stage};
use crate::page::home::Door;
use crate::page::job_panel::RunPanel;
use crate::page::live::{self, LiveButton, LiveView};
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

/// Longer side in pixels of a frame of the camera: no detector but OverFeat sees more.
const FRAME: u32 = 320;

fn act(state: State, settings: &Settings, trigger: Trigger) {
    let desk = state.desk(&LAB);
    let ask = |question| engine::Question::new(&question, settings);
    match trigger {
        Trigger::Run => {
            if let Some(picture) = state.picture() {
                desk.run(ask(Question::Run).with("picture", Some(picture)));
            }
        }
        Trigger::Refine => {
            // What a run tells on the way follows, too.
            desk.adjust(settings);
            desk.refine(ask(Question::Refine));
        }
        Trigger::Adjust => {}
    }
}

/// What is shown of the present result.
#[derive(Clone, Copy)]
struct Results {
    shown: RwSignal<Option<Shown>>,
    /// The inside; it comes with a run, not with a refinement.
    opened: RwSignal<Option<Opened>, LocalStorage>,
    /// The cell of the feature map that is pointed at.
    cell: RwSignal<Option<usize>>,
    /// Which proposals are shown.
    look: Look,
    /// The box that is pointed at.
    highlight: RwSignal<Option<usize>>,
    /// How far suppression is shown.
    steps: RwSignal<Option<usize>>,
}

impl Results {
    /// `live`: the camera is shown, and no picture.
    fn follow(state: State, live: RwSignal<bool>) -> Self {
        let results = Self {
            shown: RwSignal::new(None),
            opened: RwSignal::new_local(None),
            look: Look::default(),
            cell: RwSignal::new(None),
            highlight: RwSignal::new(None),
            steps: RwSignal::new(None),
        };
        let desk = state.desk(&LAB);
        let answer = desk.answer;
        // What is known so far is shown as if it were all; the end brings the rest.
        desk.on_says(move |says| {
            let on_the_way = desk.state.with_untracked(|state| matches!(state, RunState::Running { steps: Some(_), .. }));
            if on_the_way && live.try_get_untracked() == Some(false) {
                answer.set(Some(says));
            }
        });
        Effect::new(move |_| match answer.get() {
            Some(_) if live.get_untracked() => {}
            Some(says) => results.take(&says),
            None => {
                results.shown.set(None);
                results.opened.set(None);
            }
        });
        results
    }

    /// Shows what an answer says.
    fn take(self, says: &Payload) {
        let Some(answer) = says.read::<Answer>() else {
            return;
        };
        self.highlight.set(None);
        self.steps.set(None);
        let (width, height) = (answer.width as f32, answer.height as f32);
        self.shown.set(Some(Shown {
            family: answer.family,
            detections: answer.detections,
            width,
            height,
        }));
        if let Some(inside) = answer.inside {
            let opened = Opened::read(says, answer.family, [width, height], inside);
            // More of the same run: the crops that are there stay.
            let before = self.opened.with_untracked(|before| before.as_ref().map(|of| of.begins_like(&opened)));
            if before != Some(true) {
                self.look.run.update(|run| *run += 1);
                self.look.open.set(None);
                self.cell.set(None);
            }
            self.opened.set(Some(opened));
        }
    }
}

/// The page of the lab.
#[component]
fn DetectLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let live = RwSignal::new(false);
    // The camera does not wait for a picture.
    Effect::new(move |_| {
        if live.get() {
            state.desk(&LAB).cancel();
        }
    });
    let results = Results::follow(state, live);
    let Results {
        shown,
        opened,
        cell,
        look,
        highlight,
        steps,
    } = results;
    let settings = state.settings(&LAB);
    let chosen = Memo::new(move |_| {
        settings.with(|settings| settings.read::<DetectSettings>().view)
    });
    // The grid that was chosen, or the finest where this family has no such one.
    let grid = move || -> Option<(Opened, Grid)> {
        let cells = settings.with(|settings| settings.word(NAMES.map).parse().unwrap_or(19));
        let opened = opened.get()?;
        let grids = &opened.inside.grids;
        let grid = grids.iter().find(|grid| grid.columns == cells);
        let grid = grid.or(grids.first())?.clone();
        Some((opened, grid))
    };
    let paint = Memo::new(move |_| settings.with(|settings| settings.read::<DetectSettings>().paint));
    let regions = move || Some((opened.get()?, shown.get()?));
    let over = move || match chosen.get() {
        View::Anchors => grid().map(|(opened, grid)| view! { <Cells opened grid cell paint=paint.get() /> }.into_any()),
        View::Proposals => regions()
            .filter(|(opened, _)| opened.inside.proposals.is_some())
            .map(|(opened, shown)| view! { <Regions opened shown look /> }.into_any()),
        View::Suppressed => shown
            .get()
            .map(|shown| view! { <Suppression shown highlight steps /> }.into_any()),
        View::Sheet => regions().map(|(opened, shown)| view! { <Boxes shown highlight /><OpenRegion opened look /> }.into_any()),
        View::Detections | View::Scores => shown
            .get()
            .map(|shown| view! { <Boxes shown highlight /> }.into_any()),
    };
    let beside = move || match chosen.get() {
        View::Anchors if grid().is_none() && opened.with(Option::is_some) => view! { <p class="help">{t_string!(i18n, detect.grid_none)}</p> }.into_any(),
        View::Anchors => view! {
            <GridChoice opened />
            <Control lab=&LAB name=NAMES.paint />
            {move || grid().map(|(opened, grid)| view! { <CellPanel opened grid cell /> })}
        }
        .into_any(),
        View::Proposals => (move || regions().map(|(opened, shown)| view! { <RegionPanel opened shown look /> })).into_any(),
        View::Sheet => (move || regions().map(|(opened, shown)| view! { <RegionText opened shown look glows=false /> })).into_any(),
        View::Scores => view! { <Scores shown /> }.into_any(),
        View::Suppressed => view! { <SuppressionList shown highlight steps /> }.into_any(),
        View::Detections => view! { <Table shown highlight /> }.into_any(),
    };
    // A score of 0.5 does not mean the same to all: another detector begins where it does best, unless the visitor moved the
    // sliders before.
    let now = Memo::new(move |_| {
        settings.with(|settings| {
            let settings = settings.read::<DetectSettings>();
            (settings.model.0, settings.score, settings.iou)
        })
    });
    Effect::new(move |before: Option<(usize, f32, f32)>| {
        let (model, score, iou) = now.get();
        let stayed = before.filter(|&(of, old, over)| of != model && (old, over) == (score, iou));
        if let Some((of, ..)) = stayed {
            let own = |model: usize| FAMILIES[model].thresholds;
            let near = |a: f32, b: f32| (a - b).abs() < 1e-3;
            let fresh: DetectSettings = Settings::new(&LAB).read();
            let untouched = (near(score, own(of).score) && near(iou, own(of).iou))
                || (near(score, fresh.score) && near(iou, fresh.iou));
            if untouched {
                let next = own(model);
                state.set_text(&LAB, NAMES.score, &format!("{:.2}", next.score));
                state.set_text(&LAB, NAMES.iou, &format!("{:.2}", next.iou));
                return (model, next.score, next.iou);
            }
        }
        (model, score, iou)
    });
    let picture = Signal::derive(move || state.source.with(|source| source.as_ref().map(|of| of.url.clone())));
    live::follow(live, state.desk(&LAB), move || {
        act(state, &state.settings(&LAB).get(), Trigger::Run);
    });
    let stage = move || match live.get() {
        true => {
            let question = move |blob: Blob| {
                let settings = state.settings(&LAB).get_untracked();
                engine::Question::new(&Question::Run, &settings).with("picture", Some(blob))
            };
            let answered = move |says: Payload| results.take(&says);
            view! { <LiveView live question shown=answered longest=FRAME>{over}</LiveView> }.into_any()
        }
        false => view! { <Stage>{over}</Stage> }.into_any(),
    };
    view! {
        <LabFrame lab=&LAB above=move || view! { <LiveButton live /> }>
            <div class="bench">
                <div class="hero-column">
                    {stage}
                    {move || (chosen.get() == View::Sheet && !live.get()).then(|| view! { <ContactSheet opened look picture /> })}
                </div>
                <div class="inspector">
                    <div class:gone=live><RunPanel lab=&LAB /></div>
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

/// The family's grids to choose from, by their cells.
#[component]
fn GridChoice(opened: RwSignal<Option<Opened>, LocalStorage>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(&LAB);
    let grids = move || -> Vec<usize> {
        let of = |opened: &Opened| opened.inside.grids.iter().map(|grid| grid.columns).collect();
        opened.with(|opened| opened.as_ref().map(of)).unwrap_or_default()
    };
    let chosen = move || {
        let cells = settings.with(|settings| settings.word(NAMES.map).parse().unwrap_or(19));
        let grids = grids();
        grids.contains(&cells).then_some(cells).or(grids.first().copied())
    };
    let each = move || {
        let segments = grids().into_iter().map(|cells| {
            let is = move || chosen() == Some(cells);
            view! {
                <label class="segment" class:chosen=is>
                    <input
                        type="radio"
                        name="grid"
                        value=cells
                        prop:checked=is
                        on:change=move |_| state.set_text(&LAB, NAMES.map, &cells.to_string())
                    />
                    {cells}
                </label>
            }
        });
        segments.collect_view()
    };
    view! {
        <fieldset class="segments">
            <legend>{move || t_string!(i18n, detect.grid)}</legend>
            <div>{each}</div>
        </fieldset>
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
