//! Everything that can go wrong in front of a visitor, each with one sentence that says what
//! happened and what to do. The English stands here alone; other languages are in
//! `src/page/failures.<language>.json`, by variant.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a job ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize, strum::EnumIter)]
pub enum Failure {
    /// Nothing in the file.
    #[error("The file is empty: choose another picture.")]
    EmptyFile,
    /// Not a picture format that Kiln reads, whatever the name says.
    #[error("This file is not a picture that Kiln reads: choose a PNG, JPEG, WebP, GIF or BMP.")]
    NotAPicture,
    /// A picture of a format that is not read here.
    #[error(
        "This is a picture in the format {format}, which cannot be read here: save it as PNG, JPEG or WebP and choose that."
    )]
    UnreadFormat { format: String },
    /// The header is fine, the rest is not.
    #[error("The picture is damaged and could not be decoded: choose another copy of it.")]
    DamagedPicture,
    /// More pixels than fit in memory.
    #[error(
        "The picture has {width} x {height} pixels; Kiln takes up to {limit} megapixels: make it smaller and try again."
    )]
    TooManyPixels {
        width: usize,
        height: usize,
        limit: usize,
    },
    /// A file of more bytes than a picture needs.
    #[error(
        "The file has {megabytes} MB; Kiln takes pictures up to {limit} MB: choose a smaller one."
    )]
    FileTooLarge { megabytes: usize, limit: usize },
    /// A file of the visitor's that cannot be read any more.
    #[error(
        "The file could not be read: it was moved or changed after it was chosen; choose it again."
    )]
    FileGone,
    /// A folder instead of a file.
    #[error("This is a folder: open it and choose a picture inside.")]
    Folder,
    /// The address of a picture instead of its file.
    #[error(
        "Kiln fetches nothing from other sites: save the picture on your device and open the file."
    )]
    OnlyAddress,
    /// Something else instead of a picture.
    #[error("There is no picture in what was dropped or pasted: copy a picture, or open its file.")]
    NoPictureInside,
    /// A picture for a lab that takes none.
    #[error("This lab takes no picture; these do: {labs}.")]
    NoPictureHere { labs: String },
    /// The browser answers with noise where pixels are read.
    #[error(
        "This browser changes the pixels that pages read, so a network would see noise: allow this page to read canvas data, or use another browser."
    )]
    PixelsAltered,
    /// The browser makes no file of a picture.
    #[error(
        "The picture could not be made into a file: close other tabs, or take a smaller picture, and try again."
    )]
    NotExported,
    /// The file cannot be read (command line).
    #[error("{path} cannot be read ({reason}): check the path.")]
    Unreadable { path: String, reason: String },
    /// A photograph of the page does not come.
    #[error(
        "The sample \"{name}\" could not be loaded ({reason}): check the connection and try again."
    )]
    SampleMissing { name: String, reason: String },
    /// The server has no such weights, or is not there.
    #[error(
        "The weights \"{name}\" could not be loaded ({reason}): check the connection and try again."
    )]
    WeightsMissing { name: String, reason: String },
    /// No folder has such weights (command line).
    #[error(
        "The weights \"{name}\" could not be loaded from {places}: name the folder that has them with --weights FOLDER or the variable KILN_WEIGHTS."
    )]
    WeightsNotFound { name: String, places: String },
    /// The weights arrived in part.
    #[error(
        "The weights \"{name}\" are cut short ({got} of {expected} bytes): reload the page to fetch them again."
    )]
    WeightsTruncated {
        name: String,
        got: usize,
        expected: usize,
    },
    /// The weights are not those of the manifest.
    #[error(
        "The weights \"{name}\" do not match their checksum and were not used: reload the page to fetch them again."
    )]
    WeightsChanged { name: String },
    /// The weights are those of the manifest but do not fit the network.
    #[error("The weights \"{name}\" do not fit this version of the network: reload the page.")]
    WeightsUnfit { name: String },
    /// A data set is not one.
    #[error(
        "The data \"{name}\" cannot be used: it is damaged or not a data set of Kiln; reload the page to fetch it again, or make it anew."
    )]
    DataUnfit { name: String },
    /// A score of next to nothing.
    #[error("Fewer than two pictures are left to score: keep more classes.")]
    TooFew,
    /// Weights to train on with do not fit the settings.
    #[error(
        "This file does not hold the networks that the settings describe: choose the same data, objective, noise and spectral normalisation as when it was saved."
    )]
    WeightsOfAnother,
    /// Nothing is in training.
    #[error("Nothing is in training: press Reset.")]
    NothingInTraining,
    /// A picture is needed first.
    #[error("There is no picture to work on yet: choose one of the test set, or draw one.")]
    NoSlot,
    /// Training left the numbers that can be computed with.
    #[error(
        "Training gave numbers that are not finite at step {step}: lower the learning rates or switch spectral normalisation on, and press Reset."
    )]
    Diverged { step: u64 },
    /// The list of models cannot be read.
    #[error("The list of models could not be read ({reason}): reload the page.")]
    ManifestUnreadable { reason: String },
    /// A question, or an answer, that its reader does not know.
    #[error("Page and engine do not understand each other: reload the page.")]
    Misunderstood,
    /// What this page was started from is no longer on the server.
    #[error(
        "Kiln was updated since this page was opened: reload it; your settings stay, your own picture does not."
    )]
    SiteUpdated,
    /// The visitor cancelled.
    #[error("Cancelled.")]
    Cancelled,
    /// The network gave NaN or infinity.
    #[error(
        "The network gave numbers that are not finite on {backend}: switch to the CPU and try again."
    )]
    NotFinite { backend: String },
    /// The GPU or the worker is gone.
    #[error("The engine stopped ({reason}): run the job once more.")]
    EngineLost { reason: String },
    /// The forced backend is not to be had.
    #[error("WebGPU cannot be used here ({reason}): use the CPU.")]
    NoGpu { reason: String },
    /// A result is asked for that the engine no longer holds.
    #[error("There is no result yet: choose a background or run the job first.")]
    NothingToRefine,
    /// The style is to come from a picture, and there is none.
    #[error("There is no style picture yet: choose a painting or open a picture as the style.")]
    NoStyle,
    /// What a picture is to make the network say cannot be read.
    #[error(
        "The objective cannot be read at \"{text}\": write terms such as class(flamingo) + 0.5*channel(block5, 20) - tv."
    )]
    ObjectiveUnread { text: String },
    /// A network has no such layer.
    #[error(
        "The network {network} has no layer \"{layer}\": its layers are {first} to {last}, and may be called by number."
    )]
    NoSuchLayer {
        layer: String,
        network: String,
        first: String,
        last: String,
    },
    /// A layer has no such channel.
    #[error("The layer {layer} has no channel \"{channel}\": give a number from 0 to {last}.")]
    NoSuchChannel {
        channel: String,
        layer: String,
        last: usize,
    },
    /// A network knows no such class.
    #[error(
        "There is no class \"{class}\": give a name of ImageNet's list, or a number from 0 to {last}."
    )]
    NoSuchClass { class: String, last: usize },
    /// A network has no classifier.
    #[error("The network {network} knows no classes: choose efficientnet-lite0, or a channel.")]
    NoClasses { network: String },
    /// Too few pictures for a map.
    #[error("A map takes at least three pictures: add more.")]
    TooFewToMap,
    /// The regions of a style are not as the lab takes them.
    #[error(
        "The regions cannot be used: give at most {limit} strokes, styles from 0 to 25, and numbers from 0 to 1."
    )]
    BadRegions { limit: usize },
    /// A file could not be written (command line).
    #[error("{path} cannot be written ({reason}): check the folder.")]
    Unwritable { path: String, reason: String },
}

impl Failure {
    /// Name of the variant, and its fields by name.
    fn parts(&self) -> (String, serde_json::Map<String, serde_json::Value>) {
        use serde_json::Value;
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => (name, Default::default()),
            Ok(Value::Object(variant)) => match variant.into_iter().next() {
                Some((name, Value::Object(fields))) => (name, fields),
                other => (
                    other.map(|(name, _)| name).unwrap_or_default(),
                    Default::default(),
                ),
            },
            _ => Default::default(),
        }
    }

    /// Name of the variant, by which translations are found.
    pub fn name(&self) -> String {
        self.parts().0
    }

    /// A translated sentence with this failure's values at `{field}`.
    pub fn fill(&self, template: &str) -> String {
        let (_, fields) = self.parts();
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{')
            && let Some((field, after)) = after.split_once('}')
        {
            text.push_str(before);
            match fields.get(field) {
                Some(serde_json::Value::String(value)) => text.push_str(value),
                Some(value) => text.push_str(&value.to_string()),
                None => {}
            }
            rest = after;
        }
        text + rest
    }
}
