//! The detection lab: boxes over the picture, their table, and three views of the inside.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::controls::Control;
use super::export;
use super::intake::Intake;
use super::job_panel::{JobPanel, Notices};
use super::notes::Notes;
use super::shell::ShareButton;
use super::state::use_state;
use super::text::{I18n, class_name, t_string, use_i18n};
use crate::protocol::detect::{
    AnchorMap, Anchors, BoxInImage, Candidate, Detections, class_color, dark_text,
};
use crate::protocol::message::LabResult;
use crate::protocol::params::Lab;

/// What the lab shows of a result.
#[derive(Clone, PartialEq)]
struct Shown {
    detections: Detections,
    width: f32,
    height: f32,
}

fn color(class: usize) -> String {
    let [r, g, b] = class_color(class);
    format!("rgb({r} {g} {b})")
}

/// The colours of a class as CSS variables.
fn class_style(class: usize) -> String {
    let on_class = if dark_text(class) { "#000" } else { "#fff" };
    format!("--class:{};--on-class:{on_class}", color(class))
}

/// `left`, `top`, `width` and `height` of a box in percent of the picture.
fn placement(b: BoxInImage, width: f32, height: f32) -> String {
    let [left, top] = [b.x0 / width, b.y0 / height].map(|v| v * 100.0);
    let [w, h] = [(b.x1 - b.x0) / width, (b.y1 - b.y0) / height].map(|v| v * 100.0);
    format!("left:{left:.3}%;top:{top:.3}%;width:{w:.3}%;height:{h:.3}%")
}

fn name_and_score(i18n: I18n, found: &Candidate) -> String {
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
            <Notes lab=Lab::Detect />
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

/// Colour of a share between 0 and 1 on the inferno map, from five of its colours.
fn inferno(share: f32) -> String {
    const STOPS: [[f32; 3]; 5] = [
        [0.0, 0.0, 4.0],
        [87.0, 16.0, 110.0],
        [188.0, 55.0, 84.0],
        [249.0, 142.0, 9.0],
        [252.0, 255.0, 164.0],
    ];
    let at = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let low = (at as usize).min(STOPS.len() - 2);
    let mix = |c: usize| STOPS[low][c] + (STOPS[low + 1][c] - STOPS[low][c]) * (at - low as f32);
    format!("rgb({:.0} {:.0} {:.0})", mix(0), mix(1), mix(2))
}

/// Best score and class among the boxes of a cell, with its shape.
fn best_of_cell(map: &AnchorMap, cell: usize) -> (f32, usize, usize) {
    let count = map.shapes.len();
    (0..count)
        .map(|shape| {
            (
                map.best[cell * count + shape],
                usize::from(map.best_class[cell * count + shape]),
                shape,
            )
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap_or_default()
}

/// The cells of one feature map over the picture, and the shapes of the chosen cell.
#[component]
fn Grid(map: AnchorMap, cell: RwSignal<Option<usize>>) -> impl IntoView {
    let i18n = use_i18n();
    let side = map.cells;
    let step = 100.0 / side as f32;
    let cells = (0..side * side)
        .map(|index| {
            let (row, column) = (index / side, index % side);
            let (score, _, _) = best_of_cell(&map, index);
            let style = format!(
                "left:{:.3}%;top:{:.3}%;width:{step:.3}%;height:{step:.3}%;--heat:{}",
                column as f32 * step,
                row as f32 * step,
                inferno(score)
            );
            let name =
                t_string!(i18n, anchors_cell, row = row + 1, column = column + 1).to_string();
            view! {
                <button
                    type="button"
                    class="cell"
                    class:lit=move || cell.get() == Some(index)
                    style=style
                    title=format!("{name}: {score:.2}")
                    aria-label=name
                    tabindex=move || if cell.get().filter(|chosen| *chosen < side * side).unwrap_or(0) == index { "0" } else { "-1" }
                    on:click=move |_| cell.set(Some(index))
                    on:mouseenter=move |_| cell.set(Some(index))
                    on:keydown=move |event| {
                        let (row, column) = match event.key().as_str() {
                            "ArrowUp" => (row.saturating_sub(1), column),
                            "ArrowDown" => ((row + 1).min(side - 1), column),
                            "ArrowLeft" => (row, column.saturating_sub(1)),
                            "ArrowRight" => (row, (column + 1).min(side - 1)),
                            _ => return,
                        };
                        event.prevent_default();
                        cell.set(Some(row * side + column));
                        focus_cell(row * side + column);
                    }
                ></button>
            }
        })
        .collect_view();
    let shapes = move || {
        cell.get()
            .filter(|index| *index < side * side)
            .map(|index| {
                let (_, _, best) = best_of_cell(&map, index);
                let centre = |i: usize| (i as f32 + 0.5) * step;
                map.shapes
                    .iter()
                    .enumerate()
                    .map(|(number, shape)| {
                        let (w, h) = (shape.width * 100.0, shape.height * 100.0);
                        let (x, y) = (centre(index % side), centre(index / side));
                        let style = format!(
                            "left:{:.3}%;top:{:.3}%;width:{w:.3}%;height:{h:.3}%",
                            x - w / 2.0,
                            y - h / 2.0
                        );
                        view! { <div class="shape" class:best=number == best style=style></div> }
                    })
                    .collect_view()
            })
    };
    view! { <div class="cells">{cells}{shapes}</div> }
}

fn focus_cell(index: usize) {
    let cells = document().query_selector_all(".cells .cell");
    if let Some(button) = cells.ok().and_then(|list| list.get(index as u32)) {
        let button: web_sys::HtmlElement = wasm_bindgen::JsCast::unchecked_into(button);
        let _ = button.focus();
    }
}

/// What a feature map holds, and the shapes of the chosen cell with their best class.
#[component]
fn MapPanel(map: AnchorMap, cell: RwSignal<Option<usize>>) -> impl IntoView {
    let i18n = use_i18n();
    let (cells, shapes) = (map.cells, map.shapes.len());
    let count = cells * cells * shapes;
    let chosen = move || {
        let index = cell.get().filter(|index| *index < cells * cells)?;
        let rows = map
            .shapes
            .iter()
            .enumerate()
            .map(|(number, shape)| {
                let at = index * shapes + number;
                view! {
                    <tr>
                        <td>{format!("{:.2}", shape.ratio)}</td>
                        <td>{class_name(i18n, usize::from(map.best_class[at]))}</td>
                        <td class="number">{format!("{:.3}", map.best[at])}</td>
                    </tr>
                }
            })
            .collect_view();
        Some(view! {
            <h3>{t_string!(i18n, anchors_cell, row = index / cells + 1, column = index % cells + 1).to_string()}</h3>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{t_string!(i18n, anchors_ratio)}</th>
                        <th scope="col">{t_string!(i18n, anchors_best)}</th>
                        <th scope="col" class="number">{t_string!(i18n, table_score)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        })
    };
    view! {
        <p class="help">{move || t_string!(i18n, anchors_text, count = count, shapes = shapes, cells = cells).to_string()}</p>
        <div class="scale">
            <span class="number">"0"</span>
            <span class="ramp" aria-hidden="true"></span>
            <span class="number">"1"</span>
            <span>{move || t_string!(i18n, anchors_scale)}</span>
        </div>
        {chosen}
    }
}

/// Best score of each class before the threshold.
#[component]
fn Scores(shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    move || {
        let shown = shown.get()?;
        let threshold = state.detect.with(|settings| settings.number("score"));
        let mut scores: Vec<(usize, f32)> = shown
            .detections
            .best_scores
            .iter()
            .copied()
            .enumerate()
            .skip(1)
            .collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1));
        let rows = scores
            .into_iter()
            .map(|(class, score)| {
                view! {
                    <tr class:under=score < threshold>
                        <th scope="row">{class_name(i18n, class)}</th>
                        <td class="bar">
                            <span style=format!("width:{:.1}%;--class:{}", score * 100.0, color(class))></span>
                            <i style=format!("left:{:.1}%", threshold * 100.0) aria-hidden="true"></i>
                        </td>
                        <td class="number">{format!("{score:.3}")}</td>
                    </tr>
                }
            })
            .collect_view();
        Some(view! {
            <p class="help">{t_string!(i18n, scores_text)}</p>
            <table class="bars" id="scores"><tbody>{rows}</tbody></table>
            <p class="help">{format!("{} {threshold:.2}", t_string!(i18n, scores_threshold))}</p>
        })
    }
}

/// Every candidate: kept ones solid, suppressed ones dashed, with a line to what suppressed them.
#[component]
fn Suppression(shown: Shown, highlight: RwSignal<Option<usize>>) -> impl IntoView {
    let Shown {
        detections,
        width,
        height,
    } = shown;
    let all = StoredValue::new(detections.candidates.clone());
    let lines = detections
        .candidates
        .iter()
        .enumerate()
        .filter_map(|(index, found)| {
            let by = &detections.candidates[found.suppressed_by?];
            let middle = |b: BoxInImage| ((b.x0 + b.x1) / 2.0, (b.y0 + b.y1) / 2.0);
            let ((x1, y1), (x2, y2)) = (middle(found.box_in_image), middle(by.box_in_image));
            Some(view! {
                <line class:lit=move || highlight.get() == Some(index) x1=x1 y1=y1 x2=x2 y2=y2 stroke=color(found.class)></line>
            })
        })
        .collect_view();
    let boxes = detections
        .candidates
        .iter()
        .enumerate()
        .rev() // the strongest on top
        .map(|(index, found)| {
            let gone = found.suppressed_by.is_some();
            let lit = move || {
                highlight.get().is_some_and(|lit| {
                    lit == index
                        || all.with_value(|all| {
                            all.get(lit).and_then(|c| c.suppressed_by) == Some(index)
                        })
                })
            };
            let style = format!(
                "{};{}",
                placement(found.box_in_image, width, height),
                class_style(found.class)
            );
            view! { <div class="box" class:gone=gone class:lit=lit style=style></div> }
        })
        .collect_view();
    view! {
        <div class="layer">{boxes}</div>
        <svg class="layer lines" viewBox=format!("0 0 {width} {height}") preserveAspectRatio="none" aria-hidden="true">{lines}</svg>
    }
}

/// Which box suppressed which, as a list.
#[component]
fn SuppressionList(
    shown: RwSignal<Option<Shown>>,
    highlight: RwSignal<Option<usize>>,
) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let detections = shown.get()?.detections;
        let (all, kept) = (detections.candidates.len(), detections.kept().count());
        let rows = detections
            .candidates
            .iter()
            .enumerate()
            .filter_map(|(index, found)| {
                let by = &detections.candidates[found.suppressed_by?];
                let reason = t_string!(
                    i18n,
                    suppressed_by,
                    overlap = format!("{:.2}", found.overlap)
                )
                .to_string();
                Some(view! {
                    <li
                        tabindex="0"
                        class:lit=move || highlight.get() == Some(index)
                        on:mouseenter=move |_| highlight.set(Some(index))
                        on:mouseleave=move |_| highlight.set(None)
                        on:focus=move |_| highlight.set(Some(index))
                        on:blur=move |_| highlight.set(None)
                    >
                        <b>{name_and_score(i18n, found)}</b>
                        " "
                        {reason}
                        " "
                        <b>{name_and_score(i18n, by)}</b>
                    </li>
                })
            })
            .collect_view();
        Some(view! {
            <p class="help">{t_string!(i18n, suppressed_text, all = all, kept = kept).to_string()}</p>
            {(all == kept).then(|| view! { <p class="quiet">{t_string!(i18n, suppressed_none)}</p> })}
            <ol class="suppressions" id="suppressions">{rows}</ol>
        })
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
