//! Files for the visitor: annotated pictures, JSON, and the link.

use js_sys::{Array, Function, Promise, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlAnchorElement, HtmlCanvasElement,
    HtmlImageElement, Url,
};

use crate::labs::detect::spec::{Detections, class_color, dark_text};
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
pub fn download(bytes: &[u8], mime: &str, name: &str) {
    let options = BlobPropertyBag::new();
    options.set_type(mime);
    let parts = Array::of1(&Uint8Array::from(bytes));
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

/// The picture with its boxes, with the settings inside, as a PNG file.
///
/// # Errors
/// Where the browser cannot draw or encode it.
pub async fn annotated_png(
    picture: &str,
    size: (usize, usize),
    detections: &Detections,
    label: impl Fn(usize) -> String,
    link: &str,
) -> Result<Vec<u8>, JsValue> {
    let image = HtmlImageElement::new()?;
    image.set_src(picture);
    JsFuture::from(image.decode()).await?;
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    canvas.set_width(size.0 as u32);
    canvas.set_height(size.1 as u32);
    let context = context(&canvas)?;
    context.draw_image_with_html_image_element_and_dw_and_dh(
        &image,
        0.0,
        0.0,
        size.0 as f64,
        size.1 as f64,
    )?;
    let longer = size.0.max(size.1) as f64;
    let line = (longer / 300.0).max(2.0);
    let text = (longer / 40.0).max(14.0);
    context.set_line_width(line);
    context.set_font(&format!(
        "600 {text}px 'Source Sans 3 Variable', sans-serif"
    ));
    context.set_text_baseline("top");
    for (_, found) in detections.kept() {
        let [r, g, b] = class_color(found.class);
        let color = format!("rgb({r} {g} {b})");
        let [x0, y0, x1, y1] = [
            found.box_in_image.x0,
            found.box_in_image.y0,
            found.box_in_image.x1,
            found.box_in_image.y1,
        ]
        .map(f64::from);
        context.set_stroke_style_str(&color);
        context.stroke_rect(
            x0 + line / 2.0,
            y0 + line / 2.0,
            x1 - x0 - line,
            y1 - y0 - line,
        );
        let words = format!("{} {:.0} %", label(found.class), found.score * 100.0);
        let width = context.measure_text(&words)?.width();
        context.set_fill_style_str(&color);
        context.fill_rect(x0, y0, width + text * 0.6, text * 1.3);
        context.set_fill_style_str(if dark_text(found.class) {
            "black"
        } else {
            "white"
        });
        context.fill_text(&words, x0 + text * 0.3, y0 + text * 0.18)?;
    }
    canvas_png(&canvas, link).await
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
    download(&canvas_png(canvas, link).await?, "image/png", name);
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
