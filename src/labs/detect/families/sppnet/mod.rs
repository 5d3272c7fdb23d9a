//! SPPNet: one pass for the picture, a spatial pyramid of each box of selective search, support vector machines.

#[cfg(feature = "engine")]
mod rooms;

use super::{Family, Looks, PHOTOGRAPH_CLASSES};
use crate::labs::detect::spec::Thresholds;
use crate::protocol::message::Stage;

/// The row in the list of families.
pub static SPPNET: Family = Family {
    name: "sppnet",
    title: "SPPNet",
    paper: "He et al. 2014, Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    classes: &PHOTOGRAPH_CLASSES,
    words: "photographs",
    two_steps: true,
    looks: Looks::Regions,
    margins: true,
    background: None,
    thresholds: Thresholds {
        score: 0.65,
        iou: 0.3,
    },
    map: Some([0.617, 0.270]),
    parameters: 4_161_501,
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
    judge: None,
};
