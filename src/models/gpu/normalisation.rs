//! Instance normalisation, its activation and a sum in two dispatches.

use burn::tensor::Tensor;

use super::super::activation::Activation;
use super::launch::{Shader, body, launch, on_gpu};

/// Threads of a workgroup.
const THREADS: usize = 256;

/// Scale and shift of each channel, as a mixture of those of several styles.
pub struct Mixture<'a> {
    /// Scales, `[styles, channels]`.
    pub gamma: &'a Tensor<2>,
    /// Shifts, `[styles, channels]`.
    pub beta: &'a Tensor<2>,
    /// Weights of the styles, `[1, styles]`; without them there is one style.
    pub weights: Option<&'a Tensor<2>>,
}

/// What takes each map to mean `beta` and standard deviation `gamma`: factors, and what is added then.
/// `None` where the tensors are not on a GPU.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - output: `[2, batch * channels]`
pub fn scales(x: &Tensor<4>, mixture: &Mixture<'_>) -> Option<Tensor<2>> {
    let [batch, channels, height, width] = x.dims();
    let [styles, _] = mixture.gamma.dims();
    let maps = batch * channels;
    let mixed = mixture.weights.is_some();
    let moments = Shader {
        body: body!("moments"),
        constants: vec![("MIXED", mixed.into())],
        inputs: vec![
            ("x", true),
            ("gamma", true),
            ("beta", true),
            ("mixture", mixed),
        ],
        threads: [THREADS as u32, 1],
        told: 4,
    };
    let mut inputs = vec![on_gpu(x)?, on_gpu(mixture.gamma)?, on_gpu(mixture.beta)?];
    inputs.extend(mixture.weights.and_then(on_gpu));
    let told = [height * width, channels, maps, styles].map(|number| number as u32);
    Some(launch(moments, inputs, told.to_vec(), [maps, 1], [2, maps]))
}

/// Each value times the factor of its map plus its sum, then the activation, then plus `added`. `None`
/// where the tensors are not on a GPU.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`, scales of [`scales`]; `added` as the maps
/// - output: as the maps
pub fn rescale(
    x: &Tensor<4>,
    scales: &Tensor<2>,
    activation: Activation,
    added: Option<&Tensor<4>>,
) -> Option<Tensor<4>> {
    let [batch, channels, height, width] = x.dims();
    let (maps, plane) = (batch * channels, height * width);
    let values = maps * plane;
    let rescale = Shader {
        body: body!("rescale"),
        constants: vec![],
        inputs: vec![("x", true), ("scales", true), ("added", added.is_some())],
        threads: [THREADS as u32, 1],
        told: 4,
    };
    let mut inputs = vec![on_gpu(x)?, on_gpu(scales)?];
    inputs.extend(added.and_then(on_gpu));
    let told = vec![plane as u32, maps as u32, values as u32, activation.code()];
    let groups = [values.div_ceil(THREADS), 1];
    Some(launch(rescale, inputs, told, groups, x.dims()))
}
