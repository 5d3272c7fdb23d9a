//! SSD on MobileNetV2, with the weights of an OpenImages subset of 23 classes.

#[cfg(feature = "engine")]
mod rooms;

#[cfg(feature = "engine")]
pub use rooms::{DEFAULT_BOXES, INPUT_SIDE, SsdDetector, SsdRaw};

use super::{Family, Looks};
use crate::labs::detect::spec::Thresholds;
use crate::protocol::message::Stage;

/// Where its sliders start.
pub const THRESHOLDS: Thresholds = Thresholds {
    score: 0.4,
    iou: 0.5,
};

/// The row in the list of families.
pub static SSD: Family = Family {
    name: "ssd",
    title: "SSD (Open Images)",
    paper: "Liu et al. 2016, SSD: Single Shot MultiBox Detector",
    classes: &CLASSES,
    words: "ssd",
    two_steps: false,
    looks: Looks::DefaultBoxes,
    margins: false,
    background: Some(0),
    thresholds: THRESHOLDS,
    map: None,
    parameters: 4_951_996,
    // One pass: its default boxes are a table, so the three rooms between are one stage.
    stages: [
        Stage::Prepare,
        Stage::Network,
        Stage::Network,
        Stage::Network,
        Stage::Postprocess,
    ],
    #[cfg(feature = "engine")]
    load: SsdDetector::load,
    #[cfg(feature = "engine")]
    judge: None,
};

/// Classes of the shipped weights.
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
