//! Pictures in a worker: the browser decodes and encodes them.

use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ImageBitmap, ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

use crate::protocol::failure::Failure;
use crate::protocol::intake;
use crate::protocol::picture::{Picture, fit};

use super::web_host::scope;

fn damaged(_: JsValue) -> Failure {
    Failure::DamagedPicture
}

/// All bytes of a blob.
///
/// # Errors
/// [`Failure::DamagedPicture`]: the file vanished or may not be read any more.
pub async fn bytes_of(blob: &Blob) -> Result<Vec<u8>, Failure> {
    let buffer = JsFuture::from(blob.array_buffer()).await.map_err(damaged)?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// Checks and decodes a picture file; EXIF turns it, and more than 4,096 pixels shrink it.
///
/// # Errors
/// The failures about pictures.
pub async fn decode(blob: &Blob) -> Result<Picture, Failure> {
    intake::check_for_browser(&bytes_of(blob).await?)?;
    let options = Object::new();
    Reflect::set(&options, &"imageOrientation".into(), &"from-image".into()).map_err(damaged)?;
    let promise = scope()
        .create_image_bitmap_with_blob_and_image_bitmap_options(blob, options.unchecked_ref())
        .map_err(damaged)?;
    let bitmap: ImageBitmap = JsFuture::from(promise)
        .await
        .map_err(damaged)?
        .unchecked_into();
    let (width, height) = fit(bitmap.width() as usize, bitmap.height() as usize);
    let (_, context) = canvas(width, height).map_err(damaged)?;
    context
        .draw_image_with_image_bitmap_and_dw_and_dh(&bitmap, 0.0, 0.0, width as f64, height as f64)
        .map_err(damaged)?;
    bitmap.close();
    let data = context
        .get_image_data(0.0, 0.0, width as f64, height as f64)
        .map_err(damaged)?;
    Picture::new(width, height, data.data().0).ok_or(Failure::DamagedPicture)
}

/// A picture as the bytes of a PNG file.
///
/// # Errors
/// [`Failure::DamagedPicture`] where the browser cannot encode it.
pub async fn encode_png(picture: &Picture) -> Result<Vec<u8>, Failure> {
    let data = ImageData::new_with_u8_clamped_array_and_sh(
        Clamped(&picture.rgba),
        picture.width as u32,
        picture.height as u32,
    )
    .map_err(damaged)?;
    let (canvas, context) = canvas(picture.width, picture.height).map_err(damaged)?;
    context.put_image_data(&data, 0.0, 0.0).map_err(damaged)?;
    let promise = canvas.convert_to_blob().map_err(damaged)?;
    let blob: Blob = JsFuture::from(promise)
        .await
        .map_err(damaged)?
        .unchecked_into();
    bytes_of(&blob).await
}

fn canvas(
    width: usize,
    height: usize,
) -> Result<(OffscreenCanvas, OffscreenCanvasRenderingContext2d), JsValue> {
    let canvas = OffscreenCanvas::new(width as u32, height as u32)?;
    let options = Object::new();
    // Kept in memory: the pixels are read at once.
    Reflect::set(&options, &"willReadFrequently".into(), &true.into())?;
    let context = canvas
        .get_context_with_context_options("2d", &options)?
        .ok_or_else(|| JsValue::from_str("no 2d context"))?;
    Ok((canvas, context.unchecked_into()))
}
