//! R-CNN: each box of selective search is warped to a square and goes through the network by itself; support vector machines
//! name it, or the 1,000 classes that the network knew before.

#[cfg(feature = "engine")]
mod open;
#[cfg(feature = "engine")]
mod rooms;

use super::{Family, Looks, PHOTOGRAPH_CLASSES};
use crate::labs::detect::spec::Thresholds;
use crate::protocol::imagenet;
use crate::protocol::message::Stage;

/// The row in the list of families.
pub static R_CNN: Family = Family {
    name: "r-cnn",
    title: "R-CNN",
    paper: "Girshick et al. 2014, Rich feature hierarchies for accurate object detection and semantic segmentation",
    classes: &PHOTOGRAPH_CLASSES,
    words: "photographs",
    two_steps: true,
    looks: Looks::Crops,
    margins: true,
    background: None,
    thresholds: Thresholds {
        score: 0.7,
        iou: 0.3,
    },
    map: Some([0.624, 0.326]),
    parameters: 5_025_821,
    stages: [
        Stage::Prepare,
        Stage::Prepare,
        Stage::Proposals,
        // Nearly all of it is the network.
        Stage::Network,
        Stage::Postprocess,
    ],
    #[cfg(feature = "engine")]
    load: rooms::load,
    #[cfg(feature = "engine")]
    judge: None,
};

/// The same with the softmax of an ImageNet classifier in place of the machines: nothing is trained, and anything is found that
/// ImageNet has a name for.
pub static OPEN: Family = Family {
    name: "r-cnn-imagenet",
    title: "R-CNN (ImageNet)",
    paper: R_CNN.paper,
    classes: imagenet::NAMES,
    words: imagenet::GROUP,
    two_steps: true,
    looks: Looks::Crops,
    margins: false,
    background: None,
    thresholds: Thresholds {
        score: 0.6,
        iou: 0.3,
    },
    map: None,
    parameters: 4_631_000,
    stages: R_CNN.stages,
    #[cfg(feature = "engine")]
    load: open::load,
    #[cfg(feature = "engine")]
    judge: None,
};
