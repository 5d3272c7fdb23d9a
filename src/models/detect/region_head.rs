//! What stands in a region, from its pooled features: two dense layers, then classes and offsets. The last part of Fast R-CNN
//! and of Faster R-CNN; R-CNN and SPPNet share the dense layers.

use burn::tensor::{Tensor, activation};

use crate::models::generate::grid_conv::GridConv;

/// Logits `[regions, 1 + classes]` and offsets `[regions, 4 * classes]` of regions `[side * side, regions, channels]`.
pub fn name(dense: &[GridConv], last: [&GridConv; 2], pooled: Tensor<3>) -> [Tensor<2>; 2] {
    let [bins, regions, channels] = pooled.dims();
    let x = pooled
        .swap_dims(0, 1)
        .reshape([1, regions, bins * channels]);
    let x = through(dense, x);
    last.map(|last| last.forward(x.clone(), 1).squeeze_dim(0))
}

/// Dense layers one after the other, a rectifier behind each, on `[1, regions, numbers]`.
pub fn through(dense: &[GridConv], x: Tensor<3>) -> Tensor<3> {
    dense
        .iter()
        .fold(x, |x, dense| activation::relu(dense.forward(x, 1)))
}

/// Both together, logits as probabilities: `[regions, 1 + classes + 4 * classes]`.
pub fn together([logits, offsets]: [Tensor<2>; 2]) -> Tensor<2> {
    Tensor::cat(vec![activation::softmax(logits, 1), offsets], 1)
}
