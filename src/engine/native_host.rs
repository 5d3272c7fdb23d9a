//! The host of the command line and of the tests: files, a clock, and a callback for events.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{Device, DeviceKind};

use crate::job::{File, Host, Promise, Reply};
use crate::protocol::card::file_name;
use crate::protocol::failure::Failure;
use crate::protocol::intake;
use crate::protocol::message::{BackendChoice, Event};
use crate::protocol::picture::{self, MAX_MEGABYTES, Picture};
use crate::protocol::picture_file::{self, Format};

use super::native_color;

/// Most bytes of a picture file.
const LIMIT: u64 = MAX_MEGABYTES as u64 * 1_000_000;

/// Reads weights from folders.
pub struct NativeHost<F: Fn(Event, Reply)> {
    /// Where they may be, the likeliest first.
    weights: Vec<PathBuf>,
    started: Instant,
    on_event: F,
}

impl<F: Fn(Event, Reply)> NativeHost<F> {
    /// A host that reads `<folder>/<name>.bpk` and hands every event to `on_event`.
    pub fn new(folder: impl Into<PathBuf>, on_event: F) -> Self {
        Self::searching(vec![folder.into()], on_event)
    }

    /// The same with several folders: a file is read from the first that has it.
    pub fn searching(folders: Vec<PathBuf>, on_event: F) -> Self {
        Self {
            weights: folders,
            started: Instant::now(),
            on_event,
        }
    }
}

impl<F: Fn(Event, Reply)> Host for NativeHost<F> {
    fn emit(&self, event: Event, says: Reply) {
        (self.on_event)(event, says);
    }

    /// Ctrl-C ends the whole program, so a job is never cancelled from inside.
    fn cancelled(&self) -> bool {
        false
    }

    fn now_ms(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1000.0
    }

    fn memory_bytes(&self) -> Option<usize> {
        None
    }

    fn pause(&self) -> Promise<'_, ()> {
        Box::pin(async {})
    }

    fn weights<'a>(
        &'a self,
        name: &'a str,
        _sha256: &'a str,
        total: usize,
    ) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async move {
            let mut places = Vec::new();
            let found = self.weights.iter().find_map(|folder| {
                let read = fs::read(folder.join(file_name(name)));
                let noted = read.inspect_err(|error| places.push(place(folder, error)));
                noted.ok()
            });
            let bytes = found.ok_or_else(|| Failure::WeightsNotFound {
                name: name.into(),
                places: places.join(", "),
            })?;
            let event = Event::Loading {
                name: name.into(),
                bytes: bytes.len(),
                total,
            };
            self.emit(event, Reply::default());
            Ok(bytes)
        })
    }

    fn keep_weights<'a>(&'a self, _: &'a str, _: &'a str, _: &'a [u8]) -> Promise<'a, ()> {
        Box::pin(async {})
    }

    fn forget_weights<'a>(&'a self, _: &'a str, _: &'a str) -> Promise<'a, ()> {
        Box::pin(async {})
    }

    fn png<'a>(&'a self, picture: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async { Ok(encode_png(picture)) })
    }

    fn jpeg<'a>(&'a self, picture: &'a Picture) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async { Ok(encode_jpeg(picture)) })
    }
}

/// A folder that weights were looked for in, with what else is wrong than that they are not there.
fn place(folder: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => folder.display().to_string(),
        _ => format!("{} ({error})", folder.display()),
    }
}

/// The bytes of a file.
pub struct Bytes(pub Vec<u8>);

impl File for Bytes {
    fn picture(&self) -> Promise<'_, Result<Picture, Failure>> {
        Box::pin(async { decode_picture(&self.0) })
    }

    fn bytes(&self) -> Promise<'_, Result<Vec<u8>, Failure>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// A picture is a file that is decoded already.
impl File for Picture {
    fn picture(&self) -> Promise<'_, Result<Picture, Failure>> {
        Box::pin(async { Ok(self.clone()) })
    }

    fn bytes(&self) -> Promise<'_, Result<Vec<u8>, Failure>> {
        Box::pin(async { Ok(encode_png(self)) })
    }
}

/// Opens the backend that was asked for; with its name. `Auto` is the CPU here: it needs no
/// warm-up and is the faster one for a single picture.
///
/// # Errors
/// [`Failure::NoGpu`].
pub fn open_device(choice: BackendChoice) -> Result<(Device, String), Failure> {
    match choice {
        BackendChoice::Auto | BackendChoice::Any | BackendChoice::Cpu => {
            Ok((Device::flex(), "cpu".into()))
        }
        BackendChoice::WebGpu => Device::wgpu_options()
            .device_kind(DeviceKind::DefaultDevice)
            .init_with_setup()
            .map(|(device, setup)| (device, setup.adapter.get_info().name))
            .map_err(|error| Failure::NoGpu {
                reason: error.to_string(),
            }),
    }
}

/// Reads a picture file; see [`decode_picture`].
///
/// # Errors
/// The failures about files and pictures.
pub fn open_picture(path: &Path) -> Result<Picture, Failure> {
    decode_picture(&read_file(path)?)
}

/// The bytes of a file that may be a picture: one that is too large for that is not read to its end.
///
/// # Errors
/// [`Failure::Unreadable`] and [`Failure::FileTooLarge`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: io::Error| Failure::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > LIMIT {
        return Err(Failure::FileTooLarge {
            megabytes: length.div_ceil(1_000_000) as usize,
            limit: MAX_MEGABYTES,
        });
    }
    read_limited(file).map_err(unreadable)
}

/// The bytes of whatever can be read, but at most one more than a picture may have, which
/// [`intake::check`] then refuses.
///
/// # Errors
/// Those of reading.
pub fn read_limited(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Decodes a PNG that a lab wrote, as it is: what is transparent stays so.
///
/// # Errors
/// [`Failure::DamagedPicture`].
pub fn decode_own_png(png: &[u8]) -> Result<Picture, Failure> {
    let image = image::load_from_memory_with_format(png, image::ImageFormat::Png)
        .map_err(|_| Failure::DamagedPicture)?
        .into_rgba8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    Picture::new(width, height, image.into_raw()).ok_or(Failure::DamagedPicture)
}

/// Decodes a picture as a browser would: checked, taken to sRGB, turned as its EXIF data says, and
/// shrunk to the size that the page works on. A file whose end is missing may well be decoded: see
/// [`picture_file::is_whole`].
///
/// The rule of turning is Chromium's: EXIF data turn a JPEG and a PNG (the chunk `eXIf`, if it stands
/// before the pixels), and no other format. A WebP stays as it lies whatever its EXIF data say: most
/// programs that write both have turned the pixels already.
///
/// # Errors
/// The failures about pictures.
pub fn decode_picture(bytes: &[u8]) -> Result<Picture, Failure> {
    use image::metadata::Orientation;
    use image::{DynamicImage, ImageDecoder, ImageReader};
    intake::check(bytes)?;
    let damaged = |_| Failure::DamagedPicture;
    let mut reader = ImageReader::new(std::io::Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| Failure::DamagedPicture)?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(1 << 30);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    // A picture is worth more than what is damaged beside it.
    let orientation = match picture_file::format(bytes) {
        Some(Format::Jpeg | Format::Png) => decoder.orientation().ok(),
        _ => None,
    };
    let icc = decoder.icc_profile().ok().flatten();
    let image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    let mut image = native_color::to_srgb(image, bytes, icc.as_deref());
    image.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    let (width, height) = picture::fit(image.width() as usize, image.height() as usize);
    if (width, height) != (image.width() as usize, image.height() as usize) {
        image = image.resize_exact(
            width as u32,
            height as u32,
            image::imageops::FilterType::Triangle,
        );
    }
    let mut rgba = image.into_rgba8().into_raw();
    picture::over_white(&mut rgba);
    Picture::new(width, height, rgba).ok_or(Failure::DamagedPicture)
}

/// A picture as the bytes of a PNG file.
pub fn encode_png(picture: &Picture) -> Vec<u8> {
    use image::ImageEncoder;
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(
            &picture.rgba,
            picture.width as u32,
            picture.height as u32,
            image::ExtendedColorType::Rgba8,
        )
        .expect("writing to memory does not fail");
    png
}

/// A picture as the bytes of a JPEG file. The format has no transparency: what is clear becomes white.
pub fn encode_jpeg(picture: &Picture) -> Vec<u8> {
    let mut rgba = picture.rgba.clone();
    picture::over_white(&mut rgba);
    let (pixels, _) = rgba.as_chunks::<4>();
    let rgb: Vec<u8> = pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, picture::JPEG_QUALITY)
        .encode(
            &rgb,
            picture.width as u32,
            picture.height as u32,
            image::ExtendedColorType::Rgb8,
        )
        .expect("writing to memory does not fail");
    jpeg
}

/// A picture as the bytes of a WebP file, without loss.
pub fn encode_webp(picture: &Picture) -> Vec<u8> {
    let mut webp = Vec::new();
    image::codecs::webp::WebPEncoder::new_lossless(&mut webp)
        .encode(
            &picture.rgba,
            picture.width as u32,
            picture.height as u32,
            image::ExtendedColorType::Rgba8,
        )
        .expect("writing to memory does not fail");
    webp
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EXIF data that say nothing but how the picture lies: a quarter turn to the right.
    const EXIF: &[u8] = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

    /// A black pixel beside a white one, without alpha.
    fn encoded(format: image::ImageFormat) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let pixels = image::RgbImage::from_raw(2, 1, vec![0, 0, 0, 255, 255, 255]);
        let pixels = pixels.expect("two pixels");
        pixels.write_to(&mut bytes, format).expect("encodes");
        bytes.into_inner()
    }

    fn size(bytes: &[u8]) -> (usize, usize) {
        let picture = decode_picture(bytes).expect("a picture");
        (picture.width, picture.height)
    }

    /// As Chromium 156 turned files made in the same way.
    #[test]
    fn exif_data_turn_what_they_turn_in_chromium() {
        let mut jpeg = encoded(image::ImageFormat::Jpeg);
        let mut segment = b"\xff\xe1".to_vec();
        segment.extend((EXIF.len() as u16 + 8).to_be_bytes());
        segment.extend(b"Exif\0\0");
        segment.extend(EXIF);
        jpeg.splice(2..2, segment);
        assert_eq!(size(&jpeg), (1, 2));

        let png = encoded(image::ImageFormat::Png);
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
        let body = [b"eXIf", EXIF].concat();
        let mut chunk = (EXIF.len() as u32).to_be_bytes().to_vec();
        chunk.extend(&body);
        chunk.extend(crc.checksum(&body).to_be_bytes());
        let with_chunk_at = |at: usize| [&png[..at], &chunk, &png[at..]].concat();
        assert_eq!(size(&with_chunk_at(33)), (1, 2), "before the pixels");
        assert_eq!(size(&with_chunk_at(png.len() - 12)), (2, 1), "after them");

        // A WebP lies as it lies, whatever its EXIF data say.
        let webp = include_bytes!("../../tests/cases/cat-orientation-6.webp");
        assert_eq!(size(webp), (300, 451));
    }

    #[test]
    fn a_jpeg_without_its_end_is_decoded_as_far_as_it_goes() {
        for bytes in [
            &include_bytes!("../../tests/cases/cut-at-70-percent.jpg")[..],
            include_bytes!("../../tests/cases/cut-last-two-bytes.jpg"),
        ] {
            assert_eq!(size(bytes), (451, 300));
            assert!(!picture_file::is_whole(bytes));
        }
    }
}
