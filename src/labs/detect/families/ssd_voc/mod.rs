//! SSD on the common backbone, trained on the nine classes.

#[cfg(feature = "engine")]
mod rooms;

#[cfg(feature = "engine")]
use super::on_backbone;
use super::{Family, Looks, PHOTOGRAPH_CLASSES};
use crate::labs::detect::spec::Thresholds;
use crate::protocol::message::Stage;

/// The row in the list of families.
pub static SSD_VOC: Family = Family {
    name: "ssd-voc",
    title: "SSD",
    paper: "Liu et al. 2016, SSD: Single Shot MultiBox Detector",
    classes: &PHOTOGRAPH_CLASSES,
    words: "photographs",
    two_steps: false,
    looks: Looks::DefaultBoxes,
    margins: false,
    background: None,
    thresholds: Thresholds {
        score: 0.4,
        iou: 0.45,
    },
    map: Some([0.671, 0.396]),
    parameters: 3_809_544,
    stages: [
        Stage::Prepare,
        Stage::Backbone,
        Stage::Heads,
        Stage::Heads,
        Stage::Postprocess,
    ],
    #[cfg(feature = "engine")]
    load: on_backbone::load::<rooms::SsdRooms>,
    #[cfg(feature = "engine")]
    judge: Some(on_backbone::judge_one_pass::<rooms::SsdRooms>),
};
