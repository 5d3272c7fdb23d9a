//! Pictures in a worker: the browser decodes and encodes them.

use image::metadata::Orientation;
use image::{RgbaImage, imageops};
use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ImageBitmap, ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

use crate::protocol::failure::Failure;
use crate::protocol::intake;
use crate::protocol::picture::{JPEG_QUALITY, Picture, fit, over_white};
use crate::protocol::picture_file;

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

/// Checks and decodes a picture file; EXIF turns it, more than 4,096 pixels shrink it, and what is
/// transparent is white.
///
/// # Errors
/// The failures about pictures; [`Failure::PixelsAltered`] where the browser shows pages no true pixels.
pub async fn decode(blob: &Blob) -> Result<Picture, Failure> {
    let bytes = bytes_of(blob).await?;
    intake::check_for_browser(&bytes)?;
    match canvas_is_true() {
        true => decode_on_canvas(blob).await.map_err(damaged),
        false => decode_beside_canvas(blob, &bytes)
            .await
            .map_err(|_| Failure::PixelsAltered),
    }?
    .ok_or(Failure::DamagedPicture)
}

async fn decode_on_canvas(blob: &Blob) -> Result<Option<Picture>, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"imageOrientation".into(), &"from-image".into())?;
    let promise = scope()
        .create_image_bitmap_with_blob_and_image_bitmap_options(blob, options.unchecked_ref())?;
    let bitmap: ImageBitmap = JsFuture::from(promise).await?.unchecked_into();
    let (width, height) = fit(bitmap.width() as usize, bitmap.height() as usize);
    let (_, context) = canvas(width, height)?;
    let (columns, rows) = (width as f64, height as f64);
    context.set_fill_style_str("#fff");
    context.fill_rect(0.0, 0.0, columns, rows);
    context.draw_image_with_image_bitmap_and_dw_and_dh(&bitmap, 0.0, 0.0, columns, rows)?;
    bitmap.close();
    let data = context.get_image_data(0.0, 0.0, columns, rows)?;
    Ok(Picture::new(width, height, data.data().0))
}

/// Whether a canvas gives back what was put on it. Some browsers answer with noise, so that no page knows
/// them again by their way of drawing; a network would see it.
fn canvas_is_true() -> bool {
    thread_local! {
        static IS_TRUE: bool = {
            const SIDE: usize = 16;
            // Something that is no even colour: that is given back as it is.
            let pixel = |i: usize| [(i * 37 % 256) as u8, (i * 91 % 256) as u8, (i * 151 % 256) as u8, 255];
            let put: Vec<u8> = (0..SIDE * SIDE).flat_map(pixel).collect();
            let side = SIDE as f64;
            let read = || {
                let (_, context) = canvas(SIDE, SIDE)?;
                for (i, pixel) in put.chunks_exact(4).enumerate() {
                    // Drawn, not put: what a page puts itself may be left alone.
                    context.set_fill_style_str(&format!("rgb({} {} {})", pixel[0], pixel[1], pixel[2]));
                    context.fill_rect((i % SIDE) as f64, (i / SIDE) as f64, 1.0, 1.0);
                }
                Ok::<_, JsValue>(context.get_image_data(0.0, 0.0, side, side)?.data().0)
            };
            read().is_ok_and(|got| got == put)
        };
    }
    IS_TRUE.with(|is_true| *is_true)
}

#[wasm_bindgen]
extern "C" {
    /// An [`OffscreenCanvas`] that is told what to write.
    type Encoder;
    #[wasm_bindgen(method, catch, js_name = convertToBlob)]
    fn convert_to_blob(this: &Encoder, options: &Object) -> Result<Promise, JsValue>;

    /// WebCodecs; not in `web-sys` yet without its unstable interfaces.
    type ImageDecoder;
    #[wasm_bindgen(constructor, catch)]
    fn new(init: &Object) -> Result<ImageDecoder, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn decode(this: &ImageDecoder) -> Result<Promise, JsValue>;

    type Decoded;
    #[wasm_bindgen(method, getter)]
    fn image(this: &Decoded) -> Frame;

    type Frame;
    #[wasm_bindgen(method, getter, js_name = codedWidth)]
    fn width(this: &Frame) -> u32;
    #[wasm_bindgen(method, getter, js_name = codedHeight)]
    fn height(this: &Frame) -> u32;
    #[wasm_bindgen(method, catch, js_name = copyTo)]
    fn copy_to(this: &Frame, into: &Uint8Array, options: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method)]
    fn close(this: &Frame);
}

/// A picture as it was seen. Only of these pixels: that of `image` for every kind of them weighs more than
/// all else here.
fn turned(picture: &RgbaImage, held: Orientation) -> RgbaImage {
    use imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    match held {
        Orientation::NoTransforms => picture.clone(),
        Orientation::Rotate90 => rotate90(picture),
        Orientation::Rotate180 => rotate180(picture),
        Orientation::Rotate270 => rotate270(picture),
        Orientation::FlipHorizontal => flip_horizontal(picture),
        Orientation::FlipVertical => flip_vertical(picture),
        Orientation::Rotate90FlipH => flip_horizontal(&rotate90(picture)),
        Orientation::Rotate270FlipH => flip_horizontal(&rotate270(picture)),
    }
}

/// Decodes by the browser's decoder for pictures, whose pixels no canvas comes between.
async fn decode_beside_canvas(blob: &Blob, bytes: &[u8]) -> Result<Option<Picture>, JsValue> {
    let object = |entries: &[(&str, JsValue)]| {
        let object = Object::new();
        let mut set = entries
            .iter()
            .map(|(key, value)| Reflect::set(&object, &(*key).into(), value));
        set.try_for_each(|set| set.map(drop)).map(|()| object)
    };
    let kind = picture_file::format(bytes).map_or(String::new(), |format| {
        format!("image/{}", format.to_string().to_lowercase())
    });
    let decoder = ImageDecoder::new(&object(&[
        ("data", JsFuture::from(blob.array_buffer()).await?),
        ("type", kind.into()),
    ])?)?;
    let decoded: Decoded = JsFuture::from(decoder.decode()?).await?.unchecked_into();
    let frame = decoded.image();
    let (width, height) = (frame.width(), frame.height());
    let rgba = Uint8Array::new_with_length(width * height * 4);
    let options = object(&[("format", "RGBA".into()), ("colorSpace", "srgb".into())])?;
    JsFuture::from(frame.copy_to(&rgba, &options)?).await?;
    frame.close();
    let Some(mut picture) = RgbaImage::from_raw(width, height, rgba.to_vec()) else {
        return Ok(None);
    };
    // Frames are as they were stored; of a JPEG the camera says how it was held.
    let held = picture_file::exif(bytes).and_then(Orientation::from_exif_chunk);
    if let Some(held) = held {
        picture = turned(&picture, held);
    }
    let (width, height) = fit(picture.width() as usize, picture.height() as usize);
    if width < picture.width() as usize {
        picture = imageops::thumbnail(&picture, width as u32, height as u32);
    }
    let mut rgba = picture.into_raw();
    over_white(&mut rgba);
    Ok(Picture::new(width, height, rgba))
}

/// A picture as the bytes of a file of that type: `image/png`, which every browser writes, or
/// `image/jpeg`, which all that have this canvas do.
///
/// # Errors
/// [`Failure::DamagedPicture`] where the browser cannot encode it.
pub async fn encode(picture: &Picture, mime: &str) -> Result<Vec<u8>, Failure> {
    let data = ImageData::new_with_u8_clamped_array_and_sh(
        Clamped(&picture.rgba),
        picture.width as u32,
        picture.height as u32,
    )
    .map_err(damaged)?;
    let (canvas, context) = canvas(picture.width, picture.height).map_err(damaged)?;
    context.put_image_data(&data, 0.0, 0.0).map_err(damaged)?;
    let options = Object::new();
    let quality = f64::from(JPEG_QUALITY) / 100.0;
    let set = |name: &str, value: JsValue| Reflect::set(&options, &name.into(), &value);
    set("type", mime.into()).map_err(damaged)?;
    set("quality", quality.into()).map_err(damaged)?;
    let canvas: &Encoder = canvas.unchecked_ref();
    let promise = canvas.convert_to_blob(&options).map_err(damaged)?;
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
