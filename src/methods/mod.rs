//! Algorithms that work on any model: tensor to tensor, or host to host.

pub mod box_coder;
pub mod boxes;
pub mod composite;
pub mod default_boxes;
pub mod luminance;
pub mod nms;
pub mod resize;
