//! The detection lab: boxes over the picture, their table, and three views of the inside.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::views::anchors::{Grid, MapPanel};
use super::views::scores::Scores;
use super::views::suppression::{Suppression, SuppressionList};
use crate::labs::detect::spec::{
    Anchors, BoxInImage, Candidate, Detections, class_color, dark_text,
};
use crate::page::controls::Control;
use crate::page::export;
use crate::page::intake::Intake;
use crate::page::job_panel::{JobPanel, Notices};
use crate::page::notes::Notes;
use crate::page::shell::ShareButton;
use crate::page::state::use_state;
use crate::page::text::{I18n, class_name, t_string, use_i18n};
use crate::protocol::message::LabResult;
use crate::protocol::params::Lab;

/// What the lab shows of a result.
#[derive(Clone, PartialEq)]
pub struct Shown {
    pub detections: Detections,
    pub width: f32,
    pub height: f32,
}

pub fn color(class: usize) -> String {
    let [r, g, b] = class_color(class);
    format!("rgb({r} {g} {b})")
}

/// The colours of a class as CSS variables.
pub fn class_style(class: usize) -> String {
    let on_class = if dark_text(class) { "#000" } else { "#fff" };
    format!("--class:{};--on-class:{on_class}", color(class))
}

/// `left`, `top`, `width` and `height` of a box in percent of the picture.
pub fn placement(b: BoxInImage, width: f32, height: f32) -> String {
    let [left, top] = [b.x0 / width, b.y0 / height].map(|v| v * 100.0);
    let [w, h] = [(b.x1 - b.x0) / width, (b.y1 - b.y0) / height].map(|v| v * 100.0);
    format!("left:{left:.3}%;top:{top:.3}%;width:{w:.3}%;height:{h:.3}%")
}

pub fn name_and_score(i18n: I18n, found: &Candidate) -> String {
    format!(
        "{} {:.0} %",
        class_name(i18n, found.class),
        found.score * 100.0
    )
}

/// The page of the lab.
#[component]
pub fn DetectLab() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let shown: RwSignal<Option<Shown>> = RwSignal::new(None);
    let anchors: RwSignal<Option<Anchors>> = RwSignal::new(None);
    let highlight: RwSignal<Option<usize>> = RwSignal::new(None);
    let cell: RwSignal<Option<usize>> = RwSignal::new(None);
    Effect::new(move |_| {
        highlight.set(None);
        match state.engine.answer.get() {
            Some(answer) if answer.lab == Lab::Detect => {
                if let LabResult::Detect {
                    detections,
                    anchors: found,
                } = answer.outcome.result
                {
                    let (width, height) =
                        (answer.outcome.width as f32, answer.outcome.height as f32);
                    shown.set(Some(Shown {
                        detections,
                        width,
                        height,
                    }));
                    if found.is_some() {
                        anchors.set(found);
                        cell.set(None);
                    }
                }
            }
            _ => {
                shown.set(None);
                anchors.set(None);
            }
        }
    });
    let view_name = move || state.detect.with(|settings| settings.choice("view"));
    let map = move || {
        let cells: usize = state
            .detect
            .with(|settings| settings.choice("map"))
            .parse()
            .unwrap_or(19);
        anchors.with(|anchors| {
            anchors
                .as_ref()
                .and_then(|a| a.maps.iter().find(|m| m.cells == cells).cloned())
        })
    };
    view! {
        <div class="lab">
            <header class="lab-head">
                <h1>{move || t_string!(i18n, detect_title)}</h1>
                <p>{move || t_string!(i18n, detect_lead)}</p>
            </header>
            <Intake />
            <Notices />
            <div class="bench">
                <Stage>
                    {move || match view_name() {
                        "anchors" => map().map(|map| view! { <Grid map cell /> }.into_any()),
                        "suppressed" => shown.get().map(|shown| view! { <Suppression shown highlight /> }.into_any()),
                        _ => shown.get().map(|shown| view! { <Boxes shown highlight /> }.into_any()),
                    }}
                </Stage>
                <div class="inspector">
                    <JobPanel />
                    <section class="panel">
                        <Control lab=Lab::Detect name="score" />
                        <Control lab=Lab::Detect name="iou" />
                    </section>
                    <section class="panel">
                        <Control lab=Lab::Detect name="view" />
                        {move || match view_name() {
                            "anchors" => view! {
                                <Control lab=Lab::Detect name="map" />
                                {move || map().map(|map| view! { <MapPanel map cell /> })}
                            }.into_any(),
                            "scores" => view! { <Scores shown /> }.into_any(),
                            "suppressed" => view! { <SuppressionList shown highlight /> }.into_any(),
                            _ => view! { <Table shown highlight /> }.into_any(),
                        }}
                    </section>
                    <Exports shown />
                </div>
            </div>
            <Notes lab=Lab::Detect hot=RwSignal::new(None) />
        </div>
    }
}

/// The picture at its own aspect ratio, with something over it.
#[component]
pub fn Stage(children: ChildrenFn) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let ratio = RwSignal::new(1.5f64);
    view! {
        <div class="stage" class:empty=move || state.source.with(Option::is_none)>
            {move || match state.source.get() {
                None => view! { <p class="invite">{t_string!(i18n, source_empty)}</p> }.into_any(),
                Some(source) => {
                    let children = children.clone();
                    view! {
                        <div class="frame" style=move || format!("--ratio:{:.5}", ratio.get())>
                            <img
                                src=source.url
                                alt=t_string!(i18n, stage_alt).to_string()
                                on:load:target=move |event| {
                                    let image = event.target();
                                    if image.natural_height() > 0 {
                                        ratio.set(f64::from(image.natural_width()) / f64::from(image.natural_height()));
                                    }
                                }
                            />
                            {children()}
                        </div>
                    }.into_any()
                }
            }}
        </div>
    }
}

/// A frame and a label for each kept box.
#[component]
fn Boxes(shown: Shown, highlight: RwSignal<Option<usize>>) -> impl IntoView {
    let i18n = use_i18n();
    let Shown {
        detections,
        width,
        height,
    } = shown;
    detections
        .kept()
        .map(|(index, found)| {
            let style = format!(
                "{};{}",
                placement(found.box_in_image, width, height),
                class_style(found.class)
            );
            let words = name_and_score(i18n, found);
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
            .then(|| view! { <p class="quiet">{t_string!(i18n, table_empty)}</p> })
            .into_any(),
        Some(shown) if shown.detections.kept().next().is_none() => {
            let score = state
                .detect
                .with_untracked(|settings| format!("{:.2}", settings.number("score")));
            view! { <p class="quiet" id="no-detections">{t_string!(i18n, table_none, score = score).to_string()}</p> }.into_any()
        }
        Some(shown) => {
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
                                <span class="swatch" style=format!("--class:{}", color(found.class))></span>
                                {class_name(i18n, found.class)}
                            </th>
                            <td class="number score">{format!("{:.2}", found.score)}</td>
                            <td class="number">{format!("{:.0}, {:.0}, {:.0}, {:.0}", b.x0, b.y0, b.x1, b.y1)}</td>
                        </tr>
                    }
                })
                .collect_view();
            view! {
                <table id="detections">
                    <caption class="visually-hidden">{t_string!(i18n, table_title)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t_string!(i18n, table_class)}</th>
                            <th scope="col" class="number">{t_string!(i18n, table_score)}</th>
                            <th scope="col" class="number">{t_string!(i18n, table_box)}</th>
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
            let label = move |class| class_name(i18n, class);
            match export::annotated_png(&source.url, size, &shown.detections, label, &state.link())
                .await
            {
                Ok(png) => export::download(
                    &png,
                    "image/png",
                    &export::file_name(&source.name, "boxes.png"),
                ),
                Err(error) => leptos::logging::error!("export: {error:?}"),
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
            "detections": shown.detections.to_json(),
        }]);
        export::download(
            file.to_string().as_bytes(),
            "application/json",
            &export::file_name(&source.name, "boxes.json"),
        );
    };
    view! {
        <div class="row exports">
            <ShareButton />
            <button type="button" class="button quiet" id="export-png" disabled=nothing on:click=save_png>
                {move || t_string!(i18n, export_png)}
            </button>
            <button type="button" class="button quiet" id="export-json" disabled=nothing on:click=save_json>
                {move || t_string!(i18n, export_json)}
            </button>
        </div>
    }
}
