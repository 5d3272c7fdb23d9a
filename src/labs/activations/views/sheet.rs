//! All channels of a layer, side by side; a click shows one of them large.

use leptos::prelude::*;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, ImageData, PointerEvent};

use super::map::colors;
use crate::labs::activations::page::{Results, Shown, choose};
use crate::labs::activations::spec::NAMES;
use crate::page::export;
use crate::page::pointer::place_of;
use crate::page::state::use_state;
use crate::page::terms::Hot;
use crate::page::text::{t_string, use_i18n};

/// Pixels between two channels.
const GAP: usize = 1;
/// Share of the sheet's width that its height is about, so that a screen holds both picture and sheet.
const HEIGHT: f32 = 0.5;

/// Columns and rows of channels.
fn grid(shown: &Shown) -> [usize; 2] {
    let [wide, high] = shown.answer.tile.map(|side| (side + GAP) as f32);
    let count = shown.answer.order.len();
    let columns = (count as f32 * high / wide / HEIGHT).sqrt().round() as usize;
    let columns = columns.clamp(1, count.max(1));
    [columns, count.div_ceil(columns)]
}

/// Position of the channel that is shown large.
fn place(shown: &Shown) -> Option<usize> {
    let answer = &shown.answer;
    answer.order.iter().position(|&channel| channel == answer.channel)
}

/// The sheet.
#[component]
pub fn Sheet(
    /// What is shown.
    shown: Results,
) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let size = Memo::new(move |_| {
        shown.with(|shown| {
            let shown = shown.as_ref()?;
            let [columns, rows] = grid(shown);
            let [wide, high] = shown.answer.tile;
            Some([columns * (wide + GAP) - GAP, rows * (high + GAP) - GAP])
        })
    });
    Effect::new(move |_| {
        let Some(([width, height], canvas)) = size.get().zip(canvas.get()) else {
            return;
        };
        if let Some(Err(error)) = shown.with(|shown| shown.as_ref().map(|shown| draw(&canvas, shown, [width, height]))) {
            leptos::logging::error!("channels: {error:?}");
        }
    });
    let at = move |position: usize| {
        let channel = shown.with_untracked(|shown| shown.as_ref()?.answer.order.get(position).copied());
        if let Some(channel) = channel {
            choose(state, None, channel);
        }
    };
    let click = move |event: PointerEvent| {
        let grid = shown.with_untracked(|shown| shown.as_ref().map(grid));
        if let Some(([columns, rows], [x, y])) = grid.zip(place_of(&event, "#sheet canvas")) {
            let along = |share: f64, count: usize| ((share * count as f64) as usize).min(count - 1);
            at(along(y, rows) * columns + along(x, columns));
        }
    };
    // The arrow keys go from one to the next.
    let key = move |event: web_sys::KeyboardEvent| {
        let now = shown.with_untracked(|shown| {
            let shown = shown.as_ref()?;
            Some((place(shown)?, grid(shown)[0], shown.answer.order.len()))
        });
        let Some((place, columns, count)) = now else { return };
        let next = match event.key().as_str() {
            "ArrowLeft" => place.checked_sub(1),
            "ArrowRight" => Some(place + 1),
            "ArrowUp" => place.checked_sub(columns),
            "ArrowDown" => Some(place + columns),
            _ => return,
        };
        event.prevent_default();
        if let Some(next) = next.filter(|&next| next < count) {
            at(next);
        }
    };
    let frame = move || {
        shown.with(|shown| {
            let shown = shown.as_ref()?;
            let ([columns, rows], place) = (grid(shown), place(shown)?);
            let percent = |index: usize, count: usize| index as f64 * 100.0 / count as f64;
            Some(format!(
                "left:{:.3}%;top:{:.3}%;width:{:.3}%;height:{:.3}%",
                percent(place % columns, columns),
                percent(place / columns, rows),
                percent(1, columns),
                percent(1, rows)
            ))
        })
    };
    let title = move || {
        shown.with(|shown| {
            let answer = &shown.as_ref()?.answer;
            let layer = &answer.layers[answer.layer];
            let [channels, rows, columns] = layer.shape;
            let text = t_string!(
                i18n,
                activations.sheet,
                name = layer.name.clone(),
                channels = channels,
                columns = columns,
                rows = rows
            );
            Some(text.to_string())
        })
    };
    let is_hot = Hot::is("map");
    let side = move |index: usize| size.get().map_or(1, |size| size[index]).to_string();
    view! {
        <section class="panel" id="sheet" class:lit=is_hot data-term="map">
            <h2>{move || title().unwrap_or_else(|| t_string!(i18n, activations.sheet_empty).to_string())}</h2>
            <div
                class="channels"
                class:gone=move || size.get().is_none()
                role="group"
                tabindex="0"
                aria-label=move || t_string!(i18n, activations.sheet_help).to_string()
                on:keydown=key
                data-channel=move || shown.with(|shown| shown.as_ref().map(|shown| shown.answer.channel.to_string()))
            >
                <canvas node_ref=canvas width=move || side(0) height=move || side(1) on:pointerdown=click data-setting=NAMES.channel></canvas>
                <span class="chosen" style=move || frame().unwrap_or_default()></span>
            </div>
            <p class="help">{move || t_string!(i18n, activations.sheet_help)}</p>
        </section>
    }
}

fn draw(canvas: &HtmlCanvasElement, shown: &Shown, [width, height]: [usize; 2]) -> Result<(), JsValue> {
    let [columns, _] = grid(shown);
    let [wide, high] = shown.answer.tile;
    let colors = colors(shown.answer.signed);
    let mut rgba = vec![0u8; width * height * 4];
    for (index, map) in shown.maps.to_vec().chunks_exact(wide * high).enumerate() {
        let [left, top] = [index % columns * (wide + GAP), index / columns * (high + GAP)];
        for (row, line) in map.chunks_exact(wide).enumerate() {
            let start = ((top + row) * width + left) * 4;
            let pixels = rgba[start..start + 4 * wide].chunks_exact_mut(4);
            for (pixel, &byte) in pixels.zip(line) {
                pixel[..3].copy_from_slice(&colors[usize::from(byte)]);
                pixel[3] = 255;
            }
        }
    }
    let data = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&rgba), width as u32, height as u32)?;
    export::context(canvas)?.put_image_data(&data, 0.0, 0.0)
}
