//! Networks only: a `Config`, a `Module`, `init` and `forward` each. Synchronous and pure:
//! no I/O, no readback, no knowledge of the machine.

use burn::module::Module;
use burn::tensor::Device;

pub mod activation;
pub mod arbitrary_style;
pub mod channel_gate;
pub mod conv_block;
pub mod convolution;
mod cpu;
pub mod detect;
pub mod efficientnet_lite;
pub mod generate;
pub mod gpu;
pub mod grid_layer;
pub mod inception_v3;
pub mod layered;
pub mod layers;
pub mod mirrored_conv;
pub mod mobilenet_v2;
pub mod selfie;
pub mod ssd;
pub mod style_network;
pub mod vgg16;

/// A network that weights can be put into: how it is called in the manifest, and how it is made empty.
pub trait Row {
    /// The network.
    type Module: Module + 'static;
    /// Name of its manifest entry.
    fn name(&self) -> &'static str;
    /// The network without weights.
    fn blank(&self, device: &Device) -> Self::Module;
}

/// A network that is made in one way only.
pub struct Network<M> {
    /// Name of its manifest entry.
    pub name: &'static str,
    /// Makes it empty.
    pub init: fn(&Device) -> M,
}

impl<M: Module + 'static> Row for Network<M> {
    type Module = M;

    fn name(&self) -> &'static str {
        self.name
    }

    fn blank(&self, device: &Device) -> M {
        (self.init)(device)
    }
}
