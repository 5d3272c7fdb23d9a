//! Squeeze and excitation: a weight for each channel, computed from its mean.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::conv_block::{Activation, ConvBlock, ConvBlockConfig};
use super::cpu;

/// Configuration of a [`ChannelGate`].
#[derive(Config, Debug)]
pub struct ChannelGateConfig {
    /// Channels of the input and of the gate.
    pub channels: usize,
    /// Channels between the two layers.
    pub hidden: usize,
}

/// Mean of each channel, two 1x1 convolutions, a sigmoid.
///
/// # Reference
/// Hu et al. 2018, "Squeeze-and-Excitation Networks".
#[derive(Module, Debug)]
pub struct ChannelGate {
    /// `channels` to `hidden`, ReLU.
    pub squeeze: ConvBlock,
    /// `hidden` to `channels`, sigmoid.
    pub excite: ConvBlock,
}

impl ChannelGateConfig {
    /// A gate with zero weights.
    pub fn init(&self, device: &Device) -> ChannelGate {
        let layer = |channels, activation| {
            ConvBlockConfig::new(channels)
                .with_activation(activation)
                .init(device)
        };
        ChannelGate {
            squeeze: layer([self.channels, self.hidden], Activation::Relu),
            excite: layer([self.hidden, self.channels], Activation::Sigmoid),
        }
    }
}

impl ChannelGate {
    /// The weight of each channel, between 0 and 1.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, 1, 1]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.of_means(spatial_mean(x))
    }

    /// The same from the means of the channels, `[batch, channels, 1, 1]`.
    pub fn of_means(&self, means: Tensor<4>) -> Tensor<4> {
        self.excite.forward(self.squeeze.forward(means))
    }
}

/// Mean over height and width: `[batch, channels, height, width]` to `[batch, channels, 1, 1]`.
pub fn spatial_mean(x: Tensor<4>) -> Tensor<4> {
    cpu::means(&x).unwrap_or_else(|| x.mean_dim(3).mean_dim(2))
}

/// Each channel times its weight, `[batch, channels, 1, 1]`, plus `added`, shaped like the channels.
pub fn weighed(x: Tensor<4>, weights: Tensor<4>, added: Option<Tensor<4>>) -> Tensor<4> {
    if cpu::holds(&x) {
        return cpu::weighed(x, &weights, added.as_ref());
    }
    match added {
        Some(added) => x * weights + added,
        None => x * weights,
    }
}
