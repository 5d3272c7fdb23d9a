//! Inception-v3: the classifier whose features the inception score and the Fréchet inception distance
//! are named after.

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, activation};

/// Features that the last layer reads.
pub const FEATURES: usize = 2048;
/// Classes of ImageNet.
pub const CLASSES: usize = 1000;
/// Side of the pictures that it was trained on, in pixels.
pub const SIDE: usize = 299;

/// A convolution of the plan, with the name it has in torchvision.
#[derive(Debug, Clone, Copy)]
pub struct ConvPlan {
    /// Name inside its block.
    pub name: &'static str,
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Step of the kernel.
    pub stride: usize,
    /// Whether zeros around the map keep its size.
    pub padded: bool,
}

/// What a branch does before its convolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Nothing.
    None,
    /// Mean of 3x3, zeros around the map counted.
    Average,
    /// Largest of 3x3, every second pixel.
    Max,
}

/// A branch of a block: pooling, a chain of convolutions, then perhaps several side by side.
#[derive(Debug, Clone)]
pub struct BranchPlan {
    /// What comes first.
    pub pooling: Pooling,
    /// One after the other.
    pub chain: Vec<ConvPlan>,
    /// Each on the end of the chain; their channels are put together.
    pub fork: Vec<ConvPlan>,
}

/// A block, with its name in torchvision.
#[derive(Debug, Clone)]
pub struct BlockPlan {
    /// Name of the block.
    pub name: &'static str,
    /// Each reads the block's input; their channels are put together.
    pub branches: Vec<BranchPlan>,
}

/// A padded convolution of stride 1.
const fn conv(name: &'static str, channels: [usize; 2], kernel: [usize; 2]) -> ConvPlan {
    ConvPlan {
        name,
        channels,
        kernel,
        stride: 1,
        padded: true,
    }
}

/// 3x3 without padding.
const fn bare(name: &'static str, channels: [usize; 2], stride: usize) -> ConvPlan {
    ConvPlan {
        name,
        channels,
        kernel: [3, 3],
        stride,
        padded: false,
    }
}

/// The convolutions before the first block. The third and the fifth are followed by [`Pooling::Max`].
pub const STEM: [ConvPlan; 5] = [
    bare("Conv2d_1a_3x3", [3, 32], 2),
    bare("Conv2d_2a_3x3", [32, 32], 1),
    conv("Conv2d_2b_3x3", [32, 64], [3, 3]),
    conv("Conv2d_3b_1x1", [64, 80], [1, 1]),
    bare("Conv2d_4a_3x3", [80, 192], 1),
];
/// Indices of [`STEM`] after which the map is halved.
const HALVED_AFTER: [usize; 2] = [2, 4];

fn branch(chain: Vec<ConvPlan>) -> BranchPlan {
    BranchPlan {
        pooling: Pooling::None,
        chain,
        fork: Vec::new(),
    }
}

fn pooled(pooling: Pooling, chain: Vec<ConvPlan>) -> BranchPlan {
    BranchPlan {
        pooling,
        ..branch(chain)
    }
}

/// Figure 5 of the paper: 1x1, 5x5, two 3x3, pooling.
fn block_a(name: &'static str, inputs: usize, pooling: usize) -> BlockPlan {
    BlockPlan {
        name,
        branches: vec![
            branch(vec![conv("branch1x1", [inputs, 64], [1, 1])]),
            branch(vec![
                conv("branch5x5_1", [inputs, 48], [1, 1]),
                conv("branch5x5_2", [48, 64], [5, 5]),
            ]),
            branch(vec![
                conv("branch3x3dbl_1", [inputs, 64], [1, 1]),
                conv("branch3x3dbl_2", [64, 96], [3, 3]),
                conv("branch3x3dbl_3", [96, 96], [3, 3]),
            ]),
            pooled(
                Pooling::Average,
                vec![conv("branch_pool", [inputs, pooling], [1, 1])],
            ),
        ],
    }
}

/// Figure 10: halves the map.
fn block_b(name: &'static str, inputs: usize) -> BlockPlan {
    BlockPlan {
        name,
        branches: vec![
            branch(vec![bare("branch3x3", [inputs, 384], 2)]),
            branch(vec![
                conv("branch3x3dbl_1", [inputs, 64], [1, 1]),
                conv("branch3x3dbl_2", [64, 96], [3, 3]),
                bare("branch3x3dbl_3", [96, 96], 2),
            ]),
            pooled(Pooling::Max, Vec::new()),
        ],
    }
}

/// Figure 6: 7x7 as a row and a column.
fn block_c(name: &'static str, inner: usize) -> BlockPlan {
    const INPUTS: usize = 768;
    BlockPlan {
        name,
        branches: vec![
            branch(vec![conv("branch1x1", [INPUTS, 192], [1, 1])]),
            branch(vec![
                conv("branch7x7_1", [INPUTS, inner], [1, 1]),
                conv("branch7x7_2", [inner, inner], [1, 7]),
                conv("branch7x7_3", [inner, 192], [7, 1]),
            ]),
            branch(vec![
                conv("branch7x7dbl_1", [INPUTS, inner], [1, 1]),
                conv("branch7x7dbl_2", [inner, inner], [7, 1]),
                conv("branch7x7dbl_3", [inner, inner], [1, 7]),
                conv("branch7x7dbl_4", [inner, inner], [7, 1]),
                conv("branch7x7dbl_5", [inner, 192], [1, 7]),
            ]),
            pooled(
                Pooling::Average,
                vec![conv("branch_pool", [INPUTS, 192], [1, 1])],
            ),
        ],
    }
}

/// Halves the map again.
fn block_d(name: &'static str) -> BlockPlan {
    BlockPlan {
        name,
        branches: vec![
            branch(vec![
                conv("branch3x3_1", [768, 192], [1, 1]),
                bare("branch3x3_2", [192, 320], 2),
            ]),
            branch(vec![
                conv("branch7x7x3_1", [768, 192], [1, 1]),
                conv("branch7x7x3_2", [192, 192], [1, 7]),
                conv("branch7x7x3_3", [192, 192], [7, 1]),
                bare("branch7x7x3_4", [192, 192], 2),
            ]),
            pooled(Pooling::Max, Vec::new()),
        ],
    }
}

/// Figure 7: rows and columns side by side.
fn block_e(name: &'static str, inputs: usize) -> BlockPlan {
    let fork = |names: [&'static str; 2]| {
        vec![
            conv(names[0], [384, 384], [1, 3]),
            conv(names[1], [384, 384], [3, 1]),
        ]
    };
    BlockPlan {
        name,
        branches: vec![
            branch(vec![conv("branch1x1", [inputs, 320], [1, 1])]),
            BranchPlan {
                fork: fork(["branch3x3_2a", "branch3x3_2b"]),
                ..branch(vec![conv("branch3x3_1", [inputs, 384], [1, 1])])
            },
            BranchPlan {
                fork: fork(["branch3x3dbl_3a", "branch3x3dbl_3b"]),
                ..branch(vec![
                    conv("branch3x3dbl_1", [inputs, 448], [1, 1]),
                    conv("branch3x3dbl_2", [448, 384], [3, 3]),
                ])
            },
            pooled(
                Pooling::Average,
                vec![conv("branch_pool", [inputs, 192], [1, 1])],
            ),
        ],
    }
}

/// The blocks, in order.
pub fn blocks() -> Vec<BlockPlan> {
    vec![
        block_a("Mixed_5b", 192, 32),
        block_a("Mixed_5c", 256, 64),
        block_a("Mixed_5d", 288, 64),
        block_b("Mixed_6a", 288),
        block_c("Mixed_6b", 128),
        block_c("Mixed_6c", 160),
        block_c("Mixed_6d", 160),
        block_c("Mixed_6e", 192),
        block_d("Mixed_7a"),
        block_e("Mixed_7b", 1280),
        block_e("Mixed_7c", FEATURES),
    ]
}

/// Configuration of [`InceptionV3`].
#[derive(Config, Debug)]
pub struct InceptionV3Config {}

/// The network without its auxiliary classifier; batch norm is folded into the convolutions, each of
/// which is followed by ReLU.
///
/// # Reference
/// Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2016, "Rethinking the Inception Architecture for
/// Computer Vision", in the form that torchvision trained.
#[derive(Module, Debug)]
pub struct InceptionV3 {
    /// See [`STEM`].
    pub stem: Vec<Conv2d>,
    /// See [`blocks`].
    pub blocks: Vec<Block>,
    /// [`FEATURES`] to [`CLASSES`].
    pub classes: Linear,
}

/// A block of branches.
#[derive(Module, Debug)]
pub struct Block {
    /// Side by side.
    pub branches: Vec<Branch>,
}

/// See [`BranchPlan`].
#[derive(Module, Debug)]
pub struct Branch {
    /// One after the other.
    pub chain: Vec<Conv2d>,
    /// Side by side, at the chain's end.
    pub fork: Vec<Conv2d>,
    /// What comes first.
    #[module(skip)]
    pub pooling: Pooling,
}

impl ConvPlan {
    fn init(&self, device: &Device) -> Conv2d {
        let padding = match (self.padded, self.kernel.map(|side| side / 2)) {
            (false, _) | (true, [0, 0]) => PaddingConfig2d::Valid,
            (true, [rows, columns]) => PaddingConfig2d::Explicit(rows, columns, rows, columns),
        };
        Conv2dConfig::new(self.channels, self.kernel)
            .with_stride([self.stride; 2])
            .with_padding(padding)
            .with_initializer(Initializer::Zeros)
            .init(device)
    }
}

impl InceptionV3Config {
    /// A network with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> InceptionV3 {
        let convs = |plans: &[ConvPlan]| plans.iter().map(|plan| plan.init(device)).collect();
        let branch = |plan: &BranchPlan| Branch {
            chain: convs(&plan.chain),
            fork: convs(&plan.fork),
            pooling: plan.pooling,
        };
        let block = |plan: &BlockPlan| Block {
            branches: plan.branches.iter().map(branch).collect(),
        };
        InceptionV3 {
            stem: convs(&STEM),
            blocks: blocks().iter().map(block).collect(),
            classes: LinearConfig::new(FEATURES, CLASSES)
                .with_initializer(Initializer::Zeros)
                .init(device),
        }
    }
}

impl Branch {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = match self.pooling {
            Pooling::None => x,
            Pooling::Average => avg_pool2d(
                x,
                AvgPoolOptions::new([3, 3])
                    .with_stride([1, 1])
                    .with_padding([1, 1])
                    .with_count_include_pad(true),
            ),
            Pooling::Max => halved(x),
        };
        let x = self.chain.iter().fold(x, rectified);
        if self.fork.is_empty() {
            return x;
        }
        let side_by_side = |conv| rectified(x.clone(), conv);
        Tensor::cat(self.fork.iter().map(side_by_side).collect(), 1)
    }
}

impl InceptionV3 {
    /// What the last layer reads: the mean of each channel.
    ///
    /// # Shapes
    /// - input: `[batch, 3, height, width]`, RGB from -1 to 1, at least 75 pixels a side (trained at
    ///   [`SIDE`])
    /// - output: `[batch, FEATURES]`
    pub fn features(&self, pictures: Tensor<4>) -> Tensor<2> {
        let mut x = pictures;
        for (index, conv) in self.stem.iter().enumerate() {
            x = rectified(x, conv);
            if HALVED_AFTER.contains(&index) {
                x = halved(x);
            }
        }
        for block in &self.blocks {
            let branches = block.branches.iter();
            x = Tensor::cat(
                branches.map(|branch| branch.forward(x.clone())).collect(),
                1,
            );
        }
        let [batch, channels, ..] = x.dims();
        x.mean_dims(&[2, 3]).reshape([batch, channels])
    }

    /// # Shapes
    /// - input: `[batch, FEATURES]`
    /// - output: `[batch, CLASSES]`, logits
    pub fn classify(&self, features: Tensor<2>) -> Tensor<2> {
        self.classes.forward(features)
    }
}

fn rectified(x: Tensor<4>, conv: &Conv2d) -> Tensor<4> {
    activation::relu(conv.forward(x))
}

/// The largest of 3x3, every second pixel.
fn halved(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_size_that_the_paper_and_torchvision_say() {
        let network = InceptionV3Config::new().init(&Device::flex());
        // torchvision counts 27,161,264 with its auxiliary classifier (3,326,696), and two numbers a
        // channel for each batch norm, of which folding keeps one.
        let channels: usize = network
            .stem
            .iter()
            .chain(network.blocks.iter().flat_map(|block| {
                let branches = block.branches.iter();
                branches.flat_map(|branch| branch.chain.iter().chain(&branch.fork))
            }))
            .map(|conv| conv.weight.dims()[0])
            .sum();
        assert_eq!(network.num_params() + channels, 27_161_264 - 3_326_696);
    }

    #[test]
    fn blocks_fit_together_and_zeros_give_zeros() {
        let device = Device::flex();
        let network = InceptionV3Config::new().init(&device);
        let features = network.features(Tensor::ones([1, 3, 75, 75], &device));
        assert_eq!(features.dims(), [1, FEATURES]);
        let logits = network.classify(features);
        assert_eq!(logits.dims(), [1, CLASSES]);
        assert_eq!(logits.abs().max().into_scalar::<f32>(), 0.0);
    }
}
