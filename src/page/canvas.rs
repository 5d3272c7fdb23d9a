//! A repainted picture over the photograph, with a line to slide between the two.

use js_sys::{Uint8Array, Uint8ClampedArray};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, ImageData};

use super::export;
use super::text::{t_string, use_i18n};

/// The picture, from the split on: `split` is the share of the stage, in percent from the left, that
/// shows what is below.
#[component]
pub fn Painting(
    /// RGBA by row.
    rgba: Uint8Array,
    /// Columns.
    width: u32,
    /// Rows.
    height: u32,
    /// See above.
    split: RwSignal<u32>,
) -> impl IntoView {
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let rgba = StoredValue::new_local(rgba);
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        if let Some(Err(error)) = rgba.try_with_value(|rgba| draw(&canvas, rgba, width, height)) {
            leptos::logging::error!("painting: {error:?}");
        }
    });
    view! {
        <div class="layers">
            <canvas
                class="layer painting"
                node_ref=canvas
                width=width
                height=height
                style=move || format!("clip-path:inset(0 0 0 {}%)", split.get())
            ></canvas>
            <span class="split" class:hidden=move || split.get() == 0 style=move || format!("left:{}%", split.get())></span>
        </div>
    }
}

/// A picture by itself.
#[component]
pub fn Still(
    /// RGBA by row.
    rgba: Uint8Array,
    /// Columns.
    width: u32,
    /// Rows.
    height: u32,
) -> impl IntoView {
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    let rgba = StoredValue::new_local(rgba);
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        if let Some(Err(error)) = rgba.try_with_value(|rgba| draw(&canvas, rgba, width, height)) {
            leptos::logging::error!("picture: {error:?}");
        }
    });
    view! { <canvas class="still" node_ref=canvas width=width height=height></canvas> }
}

/// Bytes of the engine, RGBA by row, as the browser draws them; not copied.
///
/// # Errors
/// Where they are not as many as the size says.
pub fn image_data(rgba: &Uint8Array, width: u32, height: u32) -> Result<ImageData, JsValue> {
    let clamped = Uint8ClampedArray::new_with_byte_offset_and_length(
        &rgba.buffer(),
        rgba.byte_offset(),
        rgba.length(),
    );
    ImageData::new_with_js_u8_clamped_array_and_sh(&clamped, width, height)
}

fn draw(
    canvas: &HtmlCanvasElement,
    rgba: &Uint8Array,
    width: u32,
    height: u32,
) -> Result<(), JsValue> {
    let data = image_data(rgba, width, height)?;
    export::context(canvas)?.put_image_data(&data, 0.0, 0.0)
}

/// The slider of the split.
#[component]
pub fn Compare(
    /// See [`Painting`].
    split: RwSignal<u32>,
    /// Whether there is nothing to compare yet.
    hidden: Signal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="control compare" class:hidden=hidden>
            <label for="compare">{move || t_string!(i18n, page.compare)}</label>
            <output for="compare">{move || format!("{} %", split.get())}</output>
            <input
                type="range"
                id="compare"
                min="0"
                max="100"
                prop:value=move || split.get()
                style=move || format!("--filled:{}%", split.get())
                on:input:target=move |event| split.set(event.target().value().parse().unwrap_or(0))
            />
        </div>
    }
}
