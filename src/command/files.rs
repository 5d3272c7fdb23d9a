//! Pictures in, pictures out.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::native_host::{encode_png, open_picture};
use crate::protocol::failure::Failure;
use crate::protocol::link::{self, Shared};
use crate::protocol::picture::Picture;
use crate::protocol::png_text;
use crate::protocol::settings::Settings;

/// Opens each of the files that the arguments name, and hands it to `each`.
///
/// # Errors
/// The first failure, with the file that it is about.
pub fn on_each_file(
    arguments: &ArgMatches,
    mut each: impl FnMut(&Path, Picture) -> Result<(), Failure>,
) -> Result<(), String> {
    let files: Vec<&PathBuf> = arguments.get_many("files").expect("at least one").collect();
    let bar = ProgressBar::new(files.len() as u64);
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("a fixed template"),
    );
    for path in files {
        bar.set_message(path.display().to_string());
        open_picture(path)
            .and_then(|picture| each(path, picture))
            .map_err(|failure| format!("{}: {failure}", path.display()))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The picture that an argument names, if it names one.
///
/// # Errors
/// The failures about files and pictures, with the file.
pub fn picture_of(arguments: &ArgMatches, name: &str) -> Result<Option<Picture>, String> {
    let path = arguments.get_one::<PathBuf>(name);
    path.map(|path| open_picture(path).map_err(|failure| format!("{}: {failure}", path.display())))
        .transpose()
}

/// Where the PNG of a file goes: `--out`, or inside it if there are several files.
pub fn target(arguments: &ArgMatches, path: &Path, suffix: &str) -> Option<PathBuf> {
    let out = arguments.get_one::<PathBuf>("out")?;
    let several = arguments
        .get_many::<PathBuf>("files")
        .is_some_and(|files| files.len() > 1);
    if !several && !out.is_dir() {
        return Some(out.clone());
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Some(out.join(format!("{stem}-{suffix}.png")))
}

/// Writes a PNG with the settings inside, so that dropping it on the page restores them.
///
/// # Errors
/// [`Failure::Unwritable`].
pub fn write_png(path: &Path, picture: &Picture, settings: &Settings) -> Result<(), Failure> {
    let text = link::encode(&Shared {
        settings: settings.clone(),
        sample: None,
    });
    let png = png_text::insert(&encode_png(picture), &text).expect("the encoder writes a PNG");
    write_file(path, &png)
}

/// Writes bytes that are a file already; folders that are missing are made.
///
/// # Errors
/// [`Failure::Unwritable`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    fs::write(path, bytes).map_err(unwritable)
}

/// The same, with the failure as a sentence.
///
/// # Errors
/// [`Failure::Unwritable`], as a sentence.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    write_file(path, bytes).map_err(|failure| failure.to_string())
}
