//! How a file of the visitor's becomes the picture on the stage. Its bytes are read once, and the stage
//! shows what the networks will see: one frame of what moves, and of a damaged file what can be decoded.

use js_sys::{ArrayBuffer, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, HtmlCanvasElement, HtmlImageElement, ImageBitmap, Response, Url,
};

use super::export;
use crate::protocol::failure::Failure;
use crate::protocol::intake;
use crate::protocol::picture::{MAX_MEGABYTES, fit};
use crate::protocol::picture_file;
use crate::protocol::png_text::{self, Text};

#[wasm_bindgen]
extern "C" {
    /// Compression Streams; not in `web-sys` yet without its unstable interfaces.
    type DecompressionStream;
    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<DecompressionStream, JsValue>;
}

/// What is to be known about a file that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Several files came, and one is worked on.
    TookOne {
        /// Which.
        name: String,
        /// How many there were.
        of: usize,
    },
    /// A part of the picture is missing.
    Cut,
    /// The picture moves, and one frame is taken.
    Moves,
    /// Kiln's settings were in the file, and cannot be read.
    SettingsDamaged,
    /// The file has the name of one that Kiln wrote, and no settings.
    SettingsGone,
}

/// A file that was opened.
pub struct Opened {
    /// A picture that every decoder of the browser takes.
    pub blob: Blob,
    /// The link inside, if Kiln wrote the file.
    pub link: Option<String>,
    /// What is to be known about it.
    pub remarks: Vec<Remark>,
}

/// Reads, checks and, where it has to be, redraws a picture file.
///
/// # Errors
/// The failures about files and pictures.
pub async fn open(file: &Blob, name: &str) -> Result<Opened, Failure> {
    let megabytes = (file.size() / 1e6).ceil() as usize;
    if megabytes > MAX_MEGABYTES {
        return Err(Failure::FileTooLarge {
            megabytes,
            limit: MAX_MEGABYTES,
        });
    }
    // Read once: the file may be another one a minute later.
    let buffer: ArrayBuffer = JsFuture::from(file.array_buffer())
        .await
        .map_err(|_| Failure::FileGone)?
        .unchecked_into();
    let bytes = Uint8Array::new(&buffer).to_vec();
    intake::check_for_browser(&bytes)?;
    let mut remarks = Vec::new();
    let link = match png_text::find(&bytes) {
        Some(Text::Plain(text)) => Some(text),
        Some(Text::Deflated(stream)) => inflate(&stream).await,
        Some(Text::Damaged) | None => None,
    };
    match png_text::find(&bytes) {
        Some(_) if link.is_none() => remarks.push(Remark::SettingsDamaged),
        None if has_name_of_ours(name) => remarks.push(Remark::SettingsGone),
        _ => {}
    }
    // A format that not every browser decodes is told from a damaged file.
    let failure = intake::unread(&bytes);
    let options = BlobPropertyBag::new();
    options.set_type(&file.type_());
    let parts = js_sys::Array::of1(&buffer);
    let blob = Blob::new_with_buffer_source_sequence_and_options(&parts, &options)
        .map_err(|_| failure.clone())?;
    let decodes = decodes(&blob).await;
    let moves = picture_file::moves(&bytes);
    let is_cut = !decodes || !picture_file::is_whole(&bytes);
    drop(bytes);
    if !is_cut && !moves {
        return Ok(Opened {
            blob,
            link,
            remarks,
        });
    }
    let (blob, has_pixels) = redraw(&blob).await.map_err(|_| failure.clone())?;
    if is_cut && !has_pixels {
        return Err(failure);
    }
    remarks.extend(is_cut.then_some(Remark::Cut));
    remarks.extend(moves.then_some(Remark::Moves));
    Ok(Opened {
        blob,
        link,
        remarks,
    })
}

/// Whether a file is called as the files that Kiln hands out, and nobody else: what was added to the
/// picture's name, perhaps with a number that told it from another one.
fn has_name_of_ours(name: &str) -> bool {
    const ENDS: [&str; 3] = ["-boxes", "-styled", "-gatys"];
    let Some(stem) = name.strip_suffix(".png") else {
        return false;
    };
    let number = |c: char| c.is_ascii_digit() || matches!(c, '(' | ')' | ' ');
    let stem = stem.trim_end_matches(number).trim_end_matches('-');
    ENDS.iter().any(|end| stem.ends_with(end))
}

/// Whether the decoder takes it that the networks' pictures go through.
async fn decodes(blob: &Blob) -> bool {
    let decode = async {
        let promise = window().create_image_bitmap_with_blob(blob)?;
        let bitmap: ImageBitmap = JsFuture::from(promise).await?.unchecked_into();
        bitmap.close();
        Ok::<_, JsValue>(())
    };
    decode.await.is_ok()
}

/// What the browser shows of a picture, as a whole PNG of one frame, and whether that is anything: of a
/// damaged picture browsers show what they could decode.
async fn redraw(blob: &Blob) -> Result<(Blob, bool), JsValue> {
    let address = Url::create_object_url_with_blob(blob)?;
    let draw = async {
        let image = HtmlImageElement::new()?;
        let shown = js_sys::Promise::new(&mut |resolve, reject| {
            image.set_onload(Some(&resolve));
            image.set_onerror(Some(&reject));
        });
        image.set_src(&address);
        JsFuture::from(shown).await?;
        let (width, height) = fit(
            image.natural_width() as usize,
            image.natural_height() as usize,
        );
        let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
        canvas.set_width(width as u32);
        canvas.set_height(height as u32);
        let context = export::context(&canvas)?;
        let (width, height) = (width as f64, height as f64);
        context
            .draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, width, height)?;
        Ok((export::to_blob(&canvas).await?, has_pixels(&canvas)?))
    };
    let drawn = draw.await;
    let _ = Url::revoke_object_url(&address);
    drawn
}

/// Whether something was drawn on a canvas.
fn has_pixels(canvas: &HtmlCanvasElement) -> Result<bool, JsValue> {
    const SIDE: u32 = 64;
    let small: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    small.set_width(SIDE);
    small.set_height(SIDE);
    let context = export::context(&small)?;
    let side = f64::from(SIDE);
    context.draw_image_with_html_canvas_element_and_dw_and_dh(canvas, 0.0, 0.0, side, side)?;
    let data = context.get_image_data(0.0, 0.0, side, side)?.data();
    Ok(data.chunks_exact(4).any(|pixel| pixel[3] > 0))
}

/// The text of a zlib stream, by the browser's own decompressor; nothing where it is no such text.
async fn inflate(stream: &[u8]) -> Option<String> {
    let inflate = async {
        let parts = js_sys::Array::of1(&Uint8Array::from(stream));
        let blob = Blob::new_with_u8_array_sequence(&parts)?;
        // What browsers call so is zlib. The stream is the pair of its own two ends.
        let inflater = DecompressionStream::new("deflate")?;
        let readable = blob.stream().pipe_through(inflater.unchecked_ref());
        let response = Response::new_with_opt_readable_stream(Some(&readable))?;
        JsFuture::from(response.text()?).await
    };
    // At most a thousand times as long as the stream; what is longer than any link, its reader refuses.
    inflate.await.ok()?.as_string()
}
