//! Sheets of pictures.

use js_sys::Uint8Array;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::canvas::image_data;
use super::engine::Payload;
use super::export;
use super::state::State;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Sheet;

/// A sheet with its bytes.
pub type Drawn = (Sheet, Uint8Array);

/// The sheet that a lab answered with.
pub fn drawn(says: &Payload) -> Option<Drawn> {
    Some((says.read()?, says.file("rgba")))
}

/// A sheet of pictures, as large as its place allows, each pixel sharp.
#[component]
pub fn SheetView(
    /// What is drawn.
    drawn: RwSignal<Option<Drawn>, LocalStorage>,
    /// What it shows, for those who do not see it.
    #[prop(into)]
    label: Signal<String>,
    /// Whether pixels are smoothed: for pictures that are large enough.
    #[prop(optional, into)]
    smooth: Signal<bool>,
) -> impl IntoView {
    let canvas: NodeRef<leptos::html::Canvas> = NodeRef::new();
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        drawn.with(|drawn| {
            if let Some((sheet, rgba)) = drawn
                && let Err(error) = put(&canvas, *sheet, rgba)
            {
                leptos::logging::error!("sheet: {error:?}");
            }
        });
    });
    let ratio = move || {
        drawn.with(|drawn| {
            drawn.as_ref().map(|(sheet, _)| {
                let gap = format!("--columns:{};--rows:{}", sheet.columns, sheet.rows);
                format!("--ratio:{};{gap}", sheet.columns as f32 / sheet.rows as f32)
            })
        })
    };
    view! {
        <canvas class="sheet" class:smooth=smooth node_ref=canvas role="img" aria-label=label style=ratio></canvas>
    }
}

/// Draws a sheet; the canvas takes its size.
///
/// # Errors
/// Where the bytes are not those of the sheet.
pub fn put(canvas: &HtmlCanvasElement, sheet: Sheet, rgba: &Uint8Array) -> Result<(), JsValue> {
    let (width, height) = (sheet.columns * sheet.side, sheet.rows * sheet.side);
    if canvas.width() != width || canvas.height() != height {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let data = image_data(rgba, width, height)?;
    export::context(canvas)?.put_image_data(&data, 0.0, 0.0)
}

/// Hands the visitor a sheet as a PNG with the link inside.
pub fn save_sheet(state: State, (sheet, rgba): Drawn, name: String) {
    let link = state.link();
    leptos::task::spawn_local(async move {
        let save = async {
            let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
            put(&canvas, sheet, &rgba)?;
            export::save_canvas(&canvas, &link, &name).await
        };
        if let Err(error) = save.await {
            leptos::logging::error!("export: {error:?}");
            state.refuse(Failure::NotExported);
        }
    });
}
