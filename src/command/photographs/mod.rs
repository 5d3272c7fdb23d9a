//! Sets of photographs on disk, and what a backbone makes of them.

mod cropped;
mod fill;
mod maps;
mod searched;
mod voc;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

pub use self::cropped::cropped;
pub use self::maps::{Kept, Maker, ONE_SQUARE, SCALES};
pub use self::searched::searched;
use super::print;
use crate::data::photographs::{Photograph, parse};
use crate::engine::native_host::decode_picture;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::train::detector::fitted;

/// The file of a set that says what is in its photographs.
const ANNOTATIONS: &str = "annotations.json";

/// A photograph with its file's bytes.
pub struct Opened {
    /// What is known of it.
    pub photograph: Photograph,
    /// Its file.
    pub bytes: Vec<u8>,
}

impl Opened {
    /// Its picture, as large as the photograph is said to be.
    ///
    /// # Errors
    /// Where the file is no picture.
    pub fn picture(&self) -> Result<Picture, Failure> {
        let picture = decode_picture(&self.bytes)?;
        Ok(fitted(picture, self.photograph.size))
    }
}

/// All photographs of the sets in a folder: `NAME.tar`, or `NAME/` with the same inside, with `annotations.json` and the
/// pictures that it names; or `NAME/` in VOC's own layout, as `VOCdevkit/VOC2007` is. The folder itself may be such a set.
///
/// # Errors
/// Where there is none, or one cannot be read: a sentence.
pub fn open(folder: &Path) -> Result<Vec<Opened>, String> {
    let shown = print::shown(folder);
    let unread = |error: &dyn std::fmt::Display| format!("{shown} cannot be read: {error}");
    let entries = fs::read_dir(folder).map_err(|e| unread(&e))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    // The folder that is named may be the set.
    paths.push(folder.into());
    let mut opened = Vec::new();
    for path in &paths {
        if voc::is_one(path) {
            opened.extend(voc::open(path)?);
            continue;
        }
        let files = if path.extension().is_some_and(|end| end == "tar") {
            of_tar(path).map_err(|e| unread(&e))?
        } else if path.join(ANNOTATIONS).is_file() {
            of_folder(path).map_err(|e| unread(&e))?
        } else {
            continue;
        };
        let Some(json) = files.get(ANNOTATIONS) else {
            continue;
        };
        let photographs = match parse(json) {
            Ok(photographs) => photographs,
            // A set of another kind, such as captions.
            Err(_) if !has_classes(json) => {
                print::note(format!(
                    "{}: no classes in it, left out",
                    print::shown(path)
                ));
                continue;
            }
            Err(error) => {
                return Err(format!(
                    "{}: {ANNOTATIONS} cannot be read: {error}.",
                    print::shown(path)
                ));
            }
        };
        for photograph in photographs {
            let bytes = files.get(&photograph.file).cloned();
            let bytes = bytes.ok_or_else(|| {
                format!("{}: {} is missing.", print::shown(path), photograph.file)
            })?;
            opened.push(Opened { photograph, bytes });
        }
    }
    if opened.is_empty() {
        return Err(format!(
            "{shown} has no set of photographs: put one there as NAME.tar or NAME/, with {ANNOTATIONS} in COCO's form."
        ));
    }
    Ok(opened)
}

/// Whether annotations speak of classes at all.
fn has_classes(json: &[u8]) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_slice(json).ok();
    value.is_none_or(|value| value.get("categories").is_some())
}

type Files = HashMap<String, Vec<u8>>;

fn of_tar(path: &Path) -> std::io::Result<Files> {
    let mut archive = tar::Archive::new(File::open(path)?);
    let mut files = Files::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.components().skip(1).collect::<PathBuf>();
        let is_wanted =
            name == Path::new(ANNOTATIONS) || name.extension().is_some_and(|end| end == "jpg");
        if is_wanted {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            files.insert(name.to_string_lossy().into_owned(), bytes);
        }
    }
    Ok(files)
}

fn of_folder(path: &Path) -> std::io::Result<Files> {
    let json = fs::read(path.join(ANNOTATIONS))?;
    let mut files = Files::new();
    for photograph in parse(&json).unwrap_or_default() {
        let bytes = fs::read(path.join(&photograph.file))?;
        files.insert(photograph.file, bytes);
    }
    files.insert(ANNOTATIONS.into(), json);
    Ok(files)
}
