//! YOLO's first grid: cells with two boxes and one class each.

#[cfg(feature = "engine")]
mod rooms;

#[cfg(feature = "engine")]
use super::on_backbone;
use super::{Family, Looks, PHOTOGRAPH_CLASSES};
use crate::labs::detect::spec::Thresholds;
use crate::protocol::message::Stage;

/// The row in the list of families.
pub static YOLO_V1: Family = Family {
    name: "yolo-v1",
    title: "YOLO v1",
    paper: "Redmon et al. 2016, You Only Look Once: Unified, Real-Time Object Detection",
    classes: &PHOTOGRAPH_CLASSES,
    words: "photographs",
    two_steps: false,
    looks: Looks::Boxes,
    margins: false,
    background: None,
    thresholds: Thresholds {
        score: 0.3,
        iou: 0.5,
    },
    map: Some([0.632, 0.312]),
    parameters: 3_847_619,
    stages: [
        Stage::Prepare,
        Stage::Backbone,
        Stage::Heads,
        Stage::Heads,
        Stage::Postprocess,
    ],
    #[cfg(feature = "engine")]
    load: on_backbone::load::<rooms::YoloV1Rooms>,
    #[cfg(feature = "engine")]
    judge: Some(on_backbone::judge_one_pass::<rooms::YoloV1Rooms>),
};
