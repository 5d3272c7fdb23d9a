//! OverFeat: a classifier slid over several sizes of the picture, whose boxes are merged.

#[cfg(feature = "engine")]
mod rooms;

use super::{Family, Looks, PHOTOGRAPH_CLASSES};
use crate::labs::detect::spec::Thresholds;
use crate::protocol::message::Stage;

/// The row in the list of families.
pub static OVERFEAT: Family = Family {
    name: "overfeat",
    title: "OverFeat",
    paper: "Sermanet et al. 2014, OverFeat: Integrated Recognition, Localization and Detection using Convolutional Networks",
    classes: &PHOTOGRAPH_CLASSES,
    words: "photographs",
    two_steps: false,
    looks: Looks::Windows,
    margins: false,
    background: None,
    thresholds: Thresholds {
        score: 0.7,
        iou: 0.3,
    },
    map: Some([0.619, 0.332]),
    parameters: 3_606_814,
    stages: [
        Stage::Prepare,
        Stage::Backbone,
        Stage::Heads,
        Stage::Heads,
        Stage::Postprocess,
    ],
    #[cfg(feature = "engine")]
    load: rooms::load,
    #[cfg(feature = "engine")]
    judge: Some(rooms::judge),
};
