//! The picture with its boxes, as a file.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlCanvasElement, HtmlImageElement};

use super::super::families::Family;
use super::super::spec::Detections;
use crate::page::export::{canvas_png, context};

/// The picture with its boxes, with the settings inside, as a PNG file.
///
/// # Errors
/// Where the browser cannot draw or encode it.
pub async fn annotated_png(
    picture: &str,
    size: (usize, usize),
    detections: &Detections,
    family: &Family,
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
    let (columns, rows) = (size.0 as f64, size.1 as f64);
    context.set_fill_style_str("#fff");
    context.fill_rect(0.0, 0.0, columns, rows);
    context.draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, columns, rows)?;
    let longer = size.0.max(size.1) as f64;
    let line = (longer / 300.0).max(2.0);
    let text = (longer / 40.0).max(14.0);
    context.set_line_width(line);
    context.set_font(&format!(
        "600 {text}px 'Source Sans 3 Variable', sans-serif"
    ));
    context.set_text_baseline("top");
    for (_, found) in detections.kept() {
        let [r, g, b] = family.color(found.class);
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
        context.set_fill_style_str(if family.dark_text(found.class) {
            "black"
        } else {
            "white"
        });
        context.fill_text(&words, x0 + text * 0.3, y0 + text * 0.18)?;
    }
    canvas_png(&canvas, link).await
}

