//! Algorithms that work on any model: tensor to tensor, or host to host.

pub mod adam;
pub mod attribution;
pub mod box_coder;
pub mod composite;
pub mod cut_out;
pub mod default_boxes;
pub mod diversity;
pub mod dot;
pub mod elbo;
pub mod gan_objective;
pub mod jpeg_loss;
pub mod lbfgs;
pub mod luminance;
pub mod nms;
pub mod pca;
pub mod regularise;
pub mod resize;
pub mod spectrum;
pub mod statistics;
pub mod strokes;
pub mod style_loss;
pub mod tiles;
pub mod tsne;
