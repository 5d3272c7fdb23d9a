//! The anchor-free head: each cell says how far the edges of its object are; on either backbone.

#[cfg(feature = "engine")]
mod on_imagenet;
#[cfg(feature = "engine")]
mod rooms;

#[cfg(feature = "engine")]
use super::on_backbone;
use super::{Family, Looks, PHOTOGRAPH_CLASSES};
use crate::labs::detect::spec::Thresholds;
use crate::protocol::message::Stage;

/// The row in the list of families.
pub static ANCHOR_FREE: Family = Family {
    name: "anchor-free",
    title: "FCOS (anchor-free)",
    paper: "Tian et al. 2019, FCOS: Fully Convolutional One-Stage Object Detection",
    classes: &PHOTOGRAPH_CLASSES,
    words: "photographs",
    two_steps: false,
    looks: Looks::Cells,
    margins: false,
    background: None,
    thresholds: Thresholds {
        score: 0.55,
        iou: 0.6,
    },
    map: Some([0.741, 0.461]),
    parameters: 3_662_690,
    stages: [
        Stage::Prepare,
        Stage::Backbone,
        Stage::Heads,
        Stage::Heads,
        Stage::Postprocess,
    ],
    #[cfg(feature = "engine")]
    load: on_backbone::load::<rooms::AnchorFreeRooms>,
    #[cfg(feature = "engine")]
    judge: Some(on_backbone::judge_one_pass::<rooms::AnchorFreeRooms>),
};

/// The same heads, trained in as many steps, on the backbone as ImageNet left it: what fine-tuning brought is what it lacks.
pub static ON_IMAGENET: Family = Family {
    name: "anchor-free-imagenet",
    title: "FCOS (ImageNet backbone)",
    thresholds: Thresholds {
        score: 0.5,
        iou: 0.6,
    },
    map: Some([0.685, 0.368]),
    #[cfg(feature = "engine")]
    load: on_backbone::load::<on_imagenet::OnImageNet>,
    #[cfg(feature = "engine")]
    judge: Some(on_backbone::judge_one_pass::<on_imagenet::OnImageNet>),
    ..ANCHOR_FREE
};
