//! Faster R-CNN: a first step proposes regions, a second says what stands in each.

#[cfg(feature = "engine")]
mod rooms;

#[cfg(feature = "engine")]
pub use rooms::FasterRcnn;

use super::{Family, Looks, PHOTOGRAPH_CLASSES};
use crate::labs::detect::spec::Thresholds;
use crate::protocol::message::Stage;

/// The row in the list of families.
pub static FASTER_RCNN: Family = Family {
    name: "faster-rcnn",
    title: "Faster R-CNN",
    paper: "Ren et al. 2015, Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks",
    classes: &PHOTOGRAPH_CLASSES,
    words: "photographs",
    two_steps: true,
    looks: Looks::Anchors,
    margins: false,
    background: None,
    thresholds: Thresholds {
        score: 0.75,
        iou: 0.5,
    },
    map: Some([0.732, 0.43]),
    parameters: 4_684_429,
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
