//! Fast R-CNN: one pass for the picture, and what stands in each box of selective search.

#[cfg(feature = "engine")]
mod rooms;

use super::{Family, Looks, PHOTOGRAPH_CLASSES};
use crate::labs::detect::spec::Thresholds;
use crate::protocol::message::Stage;

/// The row in the list of families.
pub static FAST_RCNN: Family = Family {
    name: "fast-rcnn",
    title: "Fast R-CNN",
    paper: "Girshick 2015, Fast R-CNN",
    classes: &PHOTOGRAPH_CLASSES,
    words: "photographs",
    two_steps: true,
    looks: Looks::Regions,
    margins: false,
    background: None,
    thresholds: Thresholds {
        score: 0.9,
        iou: 0.5,
    },
    map: Some([0.66, 0.338]),
    parameters: 4_599_742,
    stages: [
        Stage::Prepare,
        Stage::Backbone,
        Stage::Proposals,
        Stage::Heads,
        Stage::Postprocess,
    ],
    #[cfg(feature = "engine")]
    load: rooms::load,
    #[cfg(feature = "engine")]
    judge: Some(rooms::judge),
};
