//! The host of the command line and of the tests: files, a clock, and a callback for events.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{Device, DeviceKind};

use crate::job::{File, Host, Promise, Reply};
use crate::protocol::card::file_name;
use crate::protocol::failure::Failure;
use crate::protocol::intake;
use crate::protocol::message::{BackendChoice, Event};
use crate::protocol::picture::{self, Picture};

/// Reads weights from a folder.
pub struct NativeHost<F: Fn(Event, Reply)> {
    weights: PathBuf,
    started: Instant,
    on_event: F,
}

impl<F: Fn(Event, Reply)> NativeHost<F> {
    /// A host that reads `<folder>/<name>.bpk` and hands every event to `on_event`.
    pub fn new(folder: impl Into<PathBuf>, on_event: F) -> Self {
        Self {
            weights: folder.into(),
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
            let path = self.weights.join(file_name(name));
            let bytes = fs::read(&path).map_err(|error| Failure::WeightsMissing {
                name: name.into(),
                reason: format!("{}: {error}", path.display()),
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

/// Reads a picture file: checked, decoded, turned as its EXIF data says, and shrunk like the
/// browser does.
///
/// # Errors
/// The failures about files and pictures.
pub fn open_picture(path: &Path) -> Result<Picture, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })?;
    decode_picture(&bytes)
}

/// Decodes a picture; see [`open_picture`].
///
/// # Errors
/// The failures about pictures.
pub fn decode_picture(bytes: &[u8]) -> Result<Picture, Failure> {
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
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    image.apply_orientation(orientation);
    let (width, height) = picture::fit(image.width() as usize, image.height() as usize);
    if (width, height) != (image.width() as usize, image.height() as usize) {
        image = image.resize_exact(
            width as u32,
            height as u32,
            image::imageops::FilterType::Triangle,
        );
    }
    Picture::new(width, height, image.into_rgba8().into_raw()).ok_or(Failure::DamagedPicture)
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
