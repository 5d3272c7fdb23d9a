//! What a layer of a network took.

use serde::{Deserialize, Serialize};

/// What a layer does.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum LayerKind {
    /// Each channel of the result sees all channels of the map.
    Convolution,
    /// Each sees its own.
    Depthwise,
    /// Pixel by pixel to more channels, then channel by channel.
    Pair,
    /// Rows and columns are doubled first.
    Doubling,
    /// From a gradient on a convolution's result to one on its input.
    Backward,
    /// Each channel to a mean and a spread.
    Normalisation,
    /// A matrix product.
    Product,
    /// Whatever else the network does.
    Rest,
}

/// A layer that ran on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// What it does.
    pub kind: LayerKind,
    /// Side of its kernel; 0 where it has none.
    pub kernel: usize,
    /// Step of its kernel.
    pub stride: usize,
    /// Channels, rows and columns of the map that it reads.
    pub from: [usize; 3],
    /// Those of the map that it makes.
    pub to: [usize; 3],
    /// Milliseconds.
    pub ms: f64,
    /// Multiplications and additions, in thousands of millions.
    pub gigaflops: f64,
    /// What it reads and writes at least, weights included, in millions of bytes.
    pub megabytes: f64,
}

impl Layer {
    /// A layer that was not timed yet: `operations` multiplications and additions on `numbers` read and written.
    pub fn new(kind: LayerKind, operations: usize, numbers: usize) -> Self {
        Self {
            kind,
            kernel: 0,
            stride: 1,
            from: [0; 3],
            to: [0; 3],
            ms: 0.0,
            gigaflops: operations as f64 / 1e9,
            megabytes: (numbers * size_of::<f32>()) as f64 / 1e6,
        }
    }

    /// Thousands of millions of multiplications and additions a second.
    pub fn gigaflops_a_second(&self) -> f64 {
        if self.ms > 0.0 {
            self.gigaflops / self.ms * 1000.0
        } else {
            0.0
        }
    }
}

/// The layers of one run of a network, and what they are held against.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Layers {
    /// In the order in which they ran; none where the network did not run on the CPU.
    pub layers: Vec<Layer>,
    /// What this processor's registers reach, on as many threads, in thousands of millions of multiplications and
    /// additions a second.
    pub peak: f64,
}

impl Layers {
    /// What the network's time went into beside its layers, as one more of them.
    pub fn with_rest(mut self, network_ms: f64) -> Self {
        let known: f64 = self.layers.iter().map(|layer| layer.ms).sum();
        self.layers.push(Layer {
            ms: (network_ms - known).max(0.0),
            ..Layer::new(LayerKind::Rest, 0, 0)
        });
        self
    }
}
