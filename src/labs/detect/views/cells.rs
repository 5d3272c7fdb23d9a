//! Where a network looks: the cells of one of its grids over the picture, and in the panel what it says of the chosen cell.

use leptos::prelude::*;

use super::super::families::{FAMILIES, Looks};
use super::super::spec::{Grid, Paint};
use super::{Opened, class_name, color, placement};
use crate::maths::color_map::inferno;
use crate::page::text::{I18n, t_string, use_i18n};

/// Heat of a share between 0 and 1, as CSS wants it.
pub fn heat(share: f32) -> String {
    let [r, g, b] = inferno(share);
    format!("rgb({r} {g} {b})")
}

/// The place of a cell whose best score is highest.
fn best_of_cell(opened: &Opened, grid: &Grid, cell: usize) -> (usize, f32) {
    let first = grid.first + cell * grid.each;
    let places = first..first + grid.each;
    places
        .map(|place| (place, opened.best(place).1))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or((first, 0.0))
}

/// The cells of a grid over the picture, and the places of the chosen cell: where they start, and where the network moves
/// them.
#[component]
pub fn Cells(
    opened: Opened,
    grid: Grid,
    cell: RwSignal<Option<usize>>,
    /// What colours the cells.
    paint: Paint,
) -> impl IntoView {
    let i18n = use_i18n();
    let [width, height] = opened.size;
    // What lies beyond the picture's edge is padding.
    let shown = |count: usize, axis: usize| {
        let beyond = opened.size[axis] - grid.origin[axis];
        count.min((beyond / grid.step[axis]).ceil().max(1.0) as usize)
    };
    let (columns, rows) = (shown(grid.columns, 0), shown(grid.rows, 1));
    let step = [100.0 * grid.step[0] / width, 100.0 * grid.step[1] / height];
    let origin = [100.0 * grid.origin[0] / width, 100.0 * grid.origin[1] / height];
    let of_cell = |index: usize| (index / columns) * grid.columns + index % columns;
    let cells = (0..rows * columns)
        .map(|index| {
            let (row, column) = (index / columns, index % columns);
            let number = of_cell(index);
            let (best, score) = best_of_cell(&opened, &grid, number);
            let shade = match paint {
                Paint::Class if opened.inside.classes > 1 => {
                    let of_class = color(FAMILIES[opened.family], opened.best(best).0);
                    let share = (score * 100.0).round();
                    format!("color-mix(in srgb, {of_class} {share}%, transparent)")
                }
                Paint::Class | Paint::Score => heat(score),
            };
            let left = (origin[0] + column as f32 * step[0]).min(100.0);
            let top = (origin[1] + row as f32 * step[1]).min(100.0);
            let style = format!(
                "left:{left:.3}%;top:{top:.3}%;width:{:.3}%;height:{:.3}%;--heat:{}",
                step[0].min(100.0 - left),
                step[1].min(100.0 - top),
                shade
            );
            let name =
                t_string!(i18n, detect.anchors_cell, row = row + 1, column = column + 1).to_string();
            let grid_columns = grid.columns;
            view! {
                <button
                    type="button"
                    class="cell"
                    class:lit=move || cell.get() == Some(number)
                    style=style
                    title=format!("{name}: {score:.2}")
                    aria-label=name
                    tabindex=move || if cell.get().unwrap_or(0) == number { "0" } else { "-1" }
                    on:click=move |_| cell.set(Some(number))
                    on:mouseenter=move |_| cell.set(Some(number))
                    on:keydown=move |event| {
                        let (row, column) = match event.key().as_str() {
                            "ArrowUp" => (row.saturating_sub(1), column),
                            "ArrowDown" => ((row + 1).min(rows - 1), column),
                            "ArrowLeft" => (row, column.saturating_sub(1)),
                            "ArrowRight" => (row, (column + 1).min(columns - 1)),
                            _ => return,
                        };
                        event.prevent_default();
                        cell.set(Some(row * grid_columns + column));
                        focus_cell(row * columns + column);
                    }
                ></button>
            }
        })
        .collect_view();
    let count = grid.columns * grid.rows;
    let shapes = move || {
        let index = cell.get().filter(|index| *index < count)?;
        let (best, _) = best_of_cell(&opened, &grid, index);
        let first = grid.first + index * grid.each;
        let each = (first..first + grid.each).map(|place| {
            let [start, said] = [opened.start(place), opened.said(place)]
                .map(|corners| placement(corners, width, height));
            let starts = FAMILIES[opened.family].looks.starts();
            view! {
                {starts.then(|| view! { <div class="shape" class:best=place == best style=start></div> })}
                <div class="moved" class:best=place == best style=said></div>
            }
        });
        Some(each.collect_view())
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

fn what(i18n: I18n, looks: Looks) -> String {
    match looks {
        Looks::DefaultBoxes => t_string!(i18n, detect.looks_default_boxes),
        Looks::Anchors => t_string!(i18n, detect.looks_anchors),
        Looks::Boxes => t_string!(i18n, detect.looks_boxes),
        Looks::Cells => t_string!(i18n, detect.looks_cells),
        Looks::Windows => t_string!(i18n, detect.looks_windows),
        // They have no grids.
        Looks::Regions | Looks::Crops => "",
    }
    .to_string()
}

/// How a family calls what it is sure of, apart from its classes.
fn sure_word(i18n: I18n, looks: Looks) -> Option<String> {
    match looks {
        Looks::DefaultBoxes | Looks::Regions | Looks::Crops | Looks::Windows => None,
        Looks::Anchors => Some(t_string!(i18n, detect.sure_anchors).to_string()),
        Looks::Boxes => Some(t_string!(i18n, detect.sure_boxes).to_string()),
        Looks::Cells => Some(t_string!(i18n, detect.sure_cells).to_string()),
    }
}

/// What a grid holds, and what the network says of the places of the chosen cell.
#[component]
pub fn CellPanel(opened: Opened, grid: Grid, cell: RwSignal<Option<usize>>) -> impl IntoView {
    let i18n = use_i18n();
    let looks = FAMILIES[opened.family].looks;
    let (columns, each) = (grid.columns, grid.each);
    let (count, cells) = (columns * grid.rows * each, format!("{columns} x {}", grid.rows));
    let chosen = move || {
        let index = cell.get().filter(|index| *index < columns * grid.rows)?;
        let family = FAMILIES[opened.family];
        let first = grid.first + index * each;
        let sure = sure_word(i18n, looks);
        let rows = (first..first + each)
            .map(|place| {
                let said = opened.said(place);
                let (class, score) = opened.best(place);
                // Anchors know no classes yet: what they are sure of is their score.
                let classes = opened.inside.classes > 1;
                view! {
                    <tr>
                        <td class="number">{format!("{:.0} x {:.0}", said.x1 - said.x0, said.y1 - said.y0)}</td>
                        {opened.sure(place).map(|sure| view! { <td class="number">{format!("{sure:.3}")}</td> })}
                        {classes.then(|| view! {
                            <td>{class_name(i18n, family, class)}</td>
                            <td class="number">{format!("{score:.3}")}</td>
                        })}
                    </tr>
                }
            })
            .collect_view();
        let classes = opened.inside.classes > 1;
        Some(view! {
            <h3>{t_string!(i18n, detect.anchors_cell, row = index / columns + 1, column = index % columns + 1).to_string()}</h3>
            <table id="cell">
                <thead>
                    <tr>
                        <th scope="col" class="number">{t_string!(i18n, detect.cell_size)}</th>
                        {sure.map(|sure| view! { <th scope="col" class="number">{sure}</th> })}
                        {classes.then(|| view! {
                            <th scope="col">{t_string!(i18n, detect.anchors_best)}</th>
                            <th scope="col" class="number">{t_string!(i18n, detect.table_score)}</th>
                        })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        })
    };
    view! {
        <p class="help">{move || t_string!(i18n, detect.anchors_text, count = count, cells = cells.clone(), what = what(i18n, looks)).to_string()}</p>
        <div class="scale">
            <span class="number">"0"</span>
            <span class="ramp" aria-hidden="true"></span>
            <span class="number">"1"</span>
            <span>{move || t_string!(i18n, detect.anchors_scale)}</span>
        </div>
        {chosen}
    }
}
