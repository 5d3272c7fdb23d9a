//! The detection lab: settings, result, and what its inside view shows.

use serde::{Deserialize, Serialize};

use crate::protocol::lab::{LabSpec, Wing};
use crate::protocol::param::{Effect, Kind, choice, number};
use crate::protocol::settings::{Found, Settings};
use crate::{choices, settings};

/// The lab.
pub static LAB: LabSpec = LabSpec {
    name: "detect",
    verb: "detect",
    about: "Finds objects and draws boxes around them",
    wing: Wing::Detection,
    topics: &["ssd"],
    params: PARAMS,
    network: None,
    uses_picture: true,
    starts_by_itself: true,
    warms_up: true,
    example: "p=cat",
};

/// Names of the detector families, in the order of the picker.
pub const FAMILY_NAMES: &[&str] = &["ssd"];

fn several_families(_: &Settings) -> bool {
    FAMILY_NAMES.len() > 1
}

choices! {
    /// What the picture shows beside the detections.
    pub enum View {
        /// The boxes that were kept.
        Detections,
        /// The default boxes of one feature map.
        Anchors,
        /// The best score of each class.
        Scores,
        /// Which box suppressed which.
        Suppressed,
    }
}

settings! {
    /// Settings of detection.
    pub struct DetectSettings {
        /// Index into [`FAMILY_NAMES`].
        model ("model", "f"): Found = Kind::Choice(FAMILY_NAMES), "network", causes(Effect::Rerun), shows(several_families), group("family");
        score ("score", "s"): f32 = number(0.05, 0.95, 0.01, 0.4), "lowest score of a detection that is kept", causes(Effect::Refine), group("thresholds");
        iou ("iou", "o"): f32 = number(0.0, 1.0, 0.05, 0.5), "overlap (IoU) above which the weaker of two boxes of a class is suppressed", causes(Effect::Refine), group("thresholds");
        view ("view", "w"): View = choice::<View>(), "what the page draws over the picture", page_only();
        map ("map", "m"): Found = Kind::Choice(&["19", "10", "5", "3", "2", "1"]), "feature map whose default boxes the page draws, by cells in a row", page_only();
    }
}

/// What the lab is asked. A picture travels as `picture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Detect on the picture: an [`Answer`] with anchors.
    Run,
    /// Other thresholds on the numbers of the last run: an [`Answer`] without anchors.
    Refine,
    /// The network's own numbers of the last run, in the file `raw`, little-endian f32: the encodings
    /// and then the scores of all default boxes.
    Raw,
}

/// What the lab answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Columns of the picture.
    pub width: usize,
    /// Rows of the picture.
    pub height: usize,
    /// What was found.
    pub detections: Detections,
    /// The default boxes; they come with a run.
    pub anchors: Option<Anchors>,
}

/// Classes of the shipped SSD; index 0 is the background.
pub const CLASSES: [&str; 24] = [
    "background",
    "Bicycle",
    "Boot",
    "Laptop",
    "Person",
    "Chair",
    "Cattle",
    "Desk",
    "Cat",
    "Computer mouse",
    "Computer monitor",
    "Box",
    "Mug",
    "Coffee cup",
    "Stationary bicycle",
    "Table",
    "Bottle",
    "High heels",
    "Vehicle",
    "Footwear",
    "Dog",
    "Book",
    "Camera",
    "Car",
];

/// A box by its corners, in pixels of the visitor's picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoxInImage {
    /// Left.
    pub x0: f32,
    /// Top.
    pub y0: f32,
    /// Right.
    pub x1: f32,
    /// Bottom.
    pub y1: f32,
}

/// One box that passed the score threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Index into [`CLASSES`].
    pub class: usize,
    /// Sigmoid of the class's logit, 0 to 1.
    pub score: f32,
    /// Where it is.
    pub box_in_image: BoxInImage,
    /// Index of the default box that it came from, 0 to 1,916.
    pub anchor: usize,
    /// Position, in the same list, of the stronger box that suppressed it; `None` if kept.
    pub suppressed_by: Option<usize>,
    /// Overlap with the box that suppressed it, 0 if kept.
    pub overlap: f32,
}

/// What the lab answers: every box above the threshold, by falling score, kept or suppressed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Detections {
    /// By falling score.
    pub candidates: Vec<Candidate>,
    /// Best score of each class over all default boxes, before threshold and suppression.
    pub best_scores: Vec<f32>,
}

impl Detections {
    /// The boxes that non-maximum suppression kept.
    pub fn kept(&self) -> impl Iterator<Item = (usize, &Candidate)> {
        self.candidates
            .iter()
            .enumerate()
            .filter(|(_, c)| c.suppressed_by.is_none())
    }
}

/// The network's default boxes, for the inside view.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Anchors {
    /// Cells in a row of each map: 19, 10, 5, 3, 2, 1.
    pub maps: Vec<AnchorMap>,
}

/// The default boxes of one feature map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnchorMap {
    /// Cells in a row and in a column.
    pub cells: usize,
    /// Index of its first default box.
    pub first: usize,
    /// Width and height of each shape as a share of the picture, with its aspect ratio.
    pub shapes: Vec<AnchorShape>,
    /// Best foreground score of each default box, cells by row, shapes inside a cell.
    pub best: Vec<f32>,
    /// The class of that score, index into [`CLASSES`].
    pub best_class: Vec<u8>,
}

/// Size of a default box.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AnchorShape {
    /// Share of the picture's width.
    pub width: f32,
    /// Share of the picture's height.
    pub height: f32,
    /// Width by height in the network's square input.
    pub ratio: f32,
}

/// The colour-blind-safe set of Okabe and Ito (2008), without black.
const OKABE_ITO: [[u8; 3]; 7] = [
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0x00, 0x9e, 0x73],
    [0xf0, 0xe4, 0x42],
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0xcc, 0x79, 0xa7],
];

/// sRGB colour of a class. Classes share colours, so a label always says the name, too.
pub fn class_color(class: usize) -> [u8; 3] {
    OKABE_ITO[class % OKABE_ITO.len()]
}

/// Whether black is easier to read on a class's colour than white (WCAG contrast).
pub fn dark_text(class: usize) -> bool {
    OKABE_ITO[class % OKABE_ITO.len()] != [0x00, 0x72, 0xb2]
}

impl Detections {
    /// The kept boxes as the command line prints and the page exports them:
    /// `[{"class", "score", "box": [x0, y0, x1, y1]}]`, boxes in pixels of the picture.
    pub fn to_json(&self) -> serde_json::Value {
        let round =
            |v: f32, digits: i32| (f64::from(v) * 10f64.powi(digits)).round() / 10f64.powi(digits);
        self.kept()
            .map(|(_, found)| {
                let b = found.box_in_image;
                let corners = [b.x0, b.y0, b.x1, b.y1].map(|v| round(v, 2));
                serde_json::json!({
                    "class": CLASSES[found.class],
                    "score": round(found.score, 4),
                    "box": corners,
                })
            })
            .collect()
    }
}
