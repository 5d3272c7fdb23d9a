//! The kernels of a layer as small pictures.

use leptos::prelude::*;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, ImageData};

use crate::labs::activations::page::Results;
use crate::page::export;
use crate::page::terms::Hot;
use crate::page::text::{t_string, use_i18n};

/// Columns of kernels.
const COLUMNS: usize = 32;

/// The kernels, and what they are.
#[component]
pub fn Filters(
    /// What is shown.
    shown: Results,
) -> impl IntoView {
    let i18n = use_i18n();
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    // Those of a camera's next frame are the same.
    let kernels = Memo::new(move |_| {
        shown.with(|shown| {
            let shown = shown.as_ref()?;
            let [side, count] = shown.answer.kernels;
            let bytes = shown.kernels.to_vec();
            (count > 0).then_some((side, count, shown.answer.kernels_in_colour, bytes))
        })
    });
    Effect::new(move |_| {
        if let Some((canvas, (side, count, _, rgb))) = canvas.get().zip(kernels.get())
            && let Err(error) = draw(&canvas, &rgb, side, count)
        {
            leptos::logging::error!("kernels: {error:?}");
        }
    });
    let size = move |index: usize| {
        let (side, count) = kernels.with(|kernels| kernels.as_ref().map_or((1, 1), |k| (k.0, k.1)));
        let columns = count.min(COLUMNS);
        [columns * (side + 1) - 1, count.div_ceil(columns) * (side + 1) - 1][index].to_string()
    };
    let is_hot = Hot::is("filters");
    let says = move || match kernels.with(|kernels| kernels.as_ref().map(|kernels| kernels.2)) {
        Some(true) => t_string!(i18n, activations.filters_colour),
        Some(false) => t_string!(i18n, activations.filters_signed),
        None => t_string!(i18n, activations.filters_none),
    };
    view! {
        <section class="panel" id="filters" class:lit=is_hot data-term="filters" class:gone=move || shown.with(Option::is_none)>
            <h2>{move || t_string!(i18n, activations.filters)}</h2>
            <canvas class="kernels" class:gone=move || kernels.with(Option::is_none) node_ref=canvas width=move || size(0) height=move || size(1)></canvas>
            <p class="help">{says}</p>
        </section>
    }
}

fn draw(canvas: &HtmlCanvasElement, rgb: &[u8], side: usize, count: usize) -> Result<(), JsValue> {
    let columns = count.min(COLUMNS);
    let [width, height] = [columns, count.div_ceil(columns)].map(|number| number * (side + 1) - 1);
    let mut rgba = vec![0u8; width * height * 4];
    for (index, kernel) in rgb.chunks_exact(side * side * 3).enumerate() {
        let [left, top] = [index % columns * (side + 1), index / columns * (side + 1)];
        for (place, color) in kernel.chunks_exact(3).enumerate() {
            let at = ((top + place / side) * width + left + place % side) * 4;
            rgba[at..at + 3].copy_from_slice(color);
            rgba[at + 3] = 255;
        }
    }
    let data = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&rgba), width as u32, height as u32)?;
    export::context(canvas)?.put_image_data(&data, 0.0, 0.0)
}
