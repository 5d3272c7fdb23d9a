//! Files for the visitor: annotated pictures, JSON, and the link.

use js_sys::{Array, Function, Promise, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlAnchorElement, HtmlCanvasElement, Url,
};

use crate::protocol::png_text;

/// The 2-D context of a canvas.
///
/// # Errors
/// Where the browser gives none.
pub fn context(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d, JsValue> {
    Ok(canvas
        .get_context("2d")?
        .ok_or("no 2d context")?
        .unchecked_into())
}

/// Whether a canvas gives back what was drawn on it. Some browsers answer with noise, so that no page
/// knows them again by their way of drawing.
pub fn canvas_is_true() -> bool {
    const SIDE: u32 = 16;
    let side = f64::from(SIDE);
    // Something that is no even colour: that is given back as it is.
    let color = |i: u32| [i * 37 % 256, i * 91 % 256, i * 151 % 256];
    let read = || {
        let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
        canvas.set_width(SIDE);
        canvas.set_height(SIDE);
        let context = context(&canvas)?;
        for i in 0..SIDE * SIDE {
            let [r, g, b] = color(i);
            context.set_fill_style_str(&format!("rgb({r} {g} {b})"));
            context.fill_rect(f64::from(i % SIDE), f64::from(i / SIDE), 1.0, 1.0);
        }
        Ok::<_, JsValue>(context.get_image_data(0.0, 0.0, side, side)?.data().0)
    };
    let drawn = (0..SIDE * SIDE).flat_map(|i| color(i).into_iter().chain([255]));
    read().is_ok_and(|read| read.iter().map(|&value| u32::from(value)).eq(drawn))
}

/// A canvas as a PNG.
///
/// # Errors
/// Where the browser cannot encode it.
pub async fn to_blob(canvas: &HtmlCanvasElement) -> Result<Blob, JsValue> {
    let promise = Promise::new(&mut |resolve: Function, reject: Function| {
        let answer = Closure::once_into_js(move |blob: JsValue| {
            let _ = if blob.is_null() {
                reject.call0(&JsValue::NULL)
            } else {
                resolve.call1(&JsValue::NULL, &blob)
            };
        });
        canvas
            .to_blob(answer.unchecked_ref())
            .expect("a canvas of our own is not tainted");
    });
    Ok(JsFuture::from(promise).await?.unchecked_into())
}

/// Hands bytes to the visitor as a file.
pub fn download(bytes: &Uint8Array, mime: &str, name: &str) {
    let options = BlobPropertyBag::new();
    options.set_type(mime);
    let parts = Array::of1(bytes);
    let save = || -> Result<(), JsValue> {
        let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options)?;
        let address = Url::create_object_url_with_blob(&blob)?;
        let anchor: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
        anchor.set_href(&address);
        anchor.set_download(name);
        anchor.click();
        // The browser reads the blob after the click; a minute is ample.
        set_timeout(
            move || drop(Url::revoke_object_url(&address)),
            std::time::Duration::from_secs(60),
        );
        Ok(())
    };
    if let Err(error) = save() {
        leptos::logging::error!("download: {error:?}");
    }
}

/// `photo.jpg` and `boxes.png` to `photo-boxes.png`.
pub fn file_name(original: &str, suffix: &str) -> String {
    let stem = original.rsplit_once('.').map_or(original, |(stem, _)| stem);
    format!("{stem}-{suffix}")
}

/// A canvas with the settings of a link inside, as a PNG file.
///
/// # Errors
/// Where the browser cannot encode it.
pub async fn canvas_png(canvas: &HtmlCanvasElement, link: &str) -> Result<Vec<u8>, JsValue> {
    let blob = to_blob(canvas).await?;
    let png = Uint8Array::new(&JsFuture::from(blob.array_buffer()).await?).to_vec();
    let fragment = link
        .split_once('#')
        .map_or(String::new(), |(_, fragment)| format!("#{fragment}"));
    png_text::insert(&png, &fragment).ok_or_else(|| "the browser wrote no PNG".into())
}

/// The same, handed to the visitor.
///
/// # Errors
/// Those of [`canvas_png`].
pub async fn save_canvas(
    canvas: &HtmlCanvasElement,
    link: &str,
    name: &str,
) -> Result<(), JsValue> {
    let png = canvas_png(canvas, link).await?;
    download(&Uint8Array::from(&*png), "image/png", name);
    Ok(())
}

/// Copies text to the clipboard.
///
/// # Errors
/// Where the browser does not allow it (plain http).
pub async fn copy(text: &str) -> Result<(), JsValue> {
    let clipboard = window().navigator().clipboard();
    if clipboard.is_undefined() {
        return Err("no clipboard on plain http".into());
    }
    JsFuture::from(clipboard.write_text(text)).await.map(drop)
}
