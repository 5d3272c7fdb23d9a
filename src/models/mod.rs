//! Networks only: a `Config`, a `Module`, `init` and `forward` each. Synchronous and pure:
//! no I/O, no readback, no knowledge of the machine.

pub mod arbitrary_style;
pub mod channel_gate;
pub mod conv_block;
pub mod generate;
pub mod inception_v3;
pub mod mobilenet_v2;
pub mod selfie;
pub mod ssd;
pub mod strip_conv;
pub mod style_network;
pub mod vgg16;
