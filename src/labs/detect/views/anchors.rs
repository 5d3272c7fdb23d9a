//! The default boxes of one feature map, over the picture and in the panel.

use leptos::prelude::*;

use super::super::families::FAMILIES;
use super::super::spec::AnchorMap;
use super::class_name;
use crate::maths::color_map::inferno;
use crate::page::text::{t_string, use_i18n};

/// Heat of a share between 0 and 1, as CSS wants it.
fn heat(share: f32) -> String {
    let [r, g, b] = inferno(share);
    format!("rgb({r} {g} {b})")
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
pub fn Grid(map: AnchorMap, cell: RwSignal<Option<usize>>) -> impl IntoView {
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
                heat(score)
            );
            let name =
                t_string!(i18n, detect.anchors_cell, row = row + 1, column = column + 1).to_string();
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
pub fn MapPanel(map: AnchorMap, family: usize, cell: RwSignal<Option<usize>>) -> impl IntoView {
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
                        <td>{class_name(i18n, FAMILIES[family], usize::from(map.best_class[at]))}</td>
                        <td class="number">{format!("{:.3}", map.best[at])}</td>
                    </tr>
                }
            })
            .collect_view();
        Some(view! {
            <h3>{t_string!(i18n, detect.anchors_cell, row = index / cells + 1, column = index % cells + 1).to_string()}</h3>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{t_string!(i18n, detect.anchors_ratio)}</th>
                        <th scope="col">{t_string!(i18n, detect.anchors_best)}</th>
                        <th scope="col" class="number">{t_string!(i18n, detect.table_score)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        })
    };
    view! {
        <p class="help">{move || t_string!(i18n, detect.anchors_text, count = count, shapes = shapes, cells = cells).to_string()}</p>
        <div class="scale">
            <span class="number">"0"</span>
            <span class="ramp" aria-hidden="true"></span>
            <span class="number">"1"</span>
            <span>{move || t_string!(i18n, detect.anchors_scale)}</span>
        </div>
        {chosen}
    }
}
