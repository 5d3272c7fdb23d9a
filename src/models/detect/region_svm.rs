//! Dense layers on the features of regions, linear support vector machines on what these say, and where the boxes should have
//! been: what R-CNN and SPPNet end with.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::region_head::through;
use crate::models::Network;
use crate::models::detect::crops;
use crate::models::generate::grid_conv::{GridConv, GridConvConfig};

/// Bins in a row of the pyramid's grids, for the maps at stride 16 and 32.
pub const GRIDS: [&[usize]; 2] = [&[1, 2, 4], &[1, 2]];
/// Which maps of the backbone they are of.
pub const MAPS: [usize; 2] = [1, 2];
/// Numbers of a region.
pub const FEATURES: usize = 21 * 112 + 5 * 320;

/// Configuration of [`RegionSvm`] and of [`RegionSoftmax`].
#[derive(Config, Debug)]
pub struct RegionSvmConfig {
    /// Numbers of a region.
    pub features: usize,
    /// Classes; there is no background, every machine says no by itself.
    pub classes: usize,
    /// Numbers behind each dense layer: the paper's fc6 and fc7 have 4,096.
    #[config(default = 256)]
    pub hidden: usize,
}

/// A machine for each class, and four offsets for each.
#[derive(Module, Debug)]
pub struct RegionSvm {
    /// From features to what the machines see.
    pub dense: Vec<GridConv>,
    /// From there to margins.
    pub classes: GridConv,
    /// From features to offsets.
    pub offsets: GridConv,
}

/// What stands on the dense layers while they learn: a softmax, which the machines replace.
#[derive(Module, Debug)]
pub struct RegionSoftmax {
    /// Those of [`RegionSvm`].
    pub dense: Vec<GridConv>,
    /// To logits of background and classes.
    pub classes: GridConv,
}

/// The row of R-CNN: nine classes.
pub const R_CNN: Network<RegionSvm> = Network {
    name: "r-cnn",
    init: |device| RegionSvmConfig::new(crops::FEATURES, 9).init(device),
};

/// The row of SPPNet: nine classes.
pub const SPPNET: Network<RegionSvm> = Network {
    name: "sppnet",
    init: |device| RegionSvmConfig::new(FEATURES, 9).init(device),
};

impl RegionSvmConfig {
    fn layer(&self, channels: [usize; 2], device: &Device) -> GridConv {
        GridConvConfig::new(channels).with_kernel(1).init(device)
    }

    fn dense(&self, device: &Device) -> Vec<GridConv> {
        let channels = [[self.features, self.hidden], [self.hidden; 2]];
        channels.map(|of| self.layer(of, device)).into()
    }

    /// Machines of zeros.
    pub fn init(&self, device: &Device) -> RegionSvm {
        RegionSvm {
            dense: self.dense(device),
            classes: self.layer([self.hidden, self.classes], device),
            offsets: self.layer([self.features, 4 * self.classes], device),
        }
    }

    /// Dense layers of zeros that learn.
    pub fn init_softmax(&self, device: &Device) -> RegionSoftmax {
        RegionSoftmax {
            dense: self.dense(device),
            classes: self.layer([self.hidden, 1 + self.classes], device),
        }
    }
}

impl RegionSvm {
    /// Margins and offsets together, `[regions, classes + 4 * classes]`, of features `[regions, features]`.
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let features = features.unsqueeze_dim::<3>(0);
        let seen = through(&self.dense, features.clone());
        let both = [
            self.classes.forward(seen, 1),
            self.offsets.forward(features, 1),
        ];
        Tensor::cat(both.into(), 2).squeeze_dim(0)
    }
}

impl RegionSoftmax {
    /// What the machines will see, `[regions, hidden]`, of features `[regions, features]`.
    pub fn hidden(&self, features: Tensor<2>) -> Tensor<2> {
        through(&self.dense, features.unsqueeze_dim(0)).squeeze_dim(0)
    }

    /// Logits `[regions, 1 + classes]` of what [`hidden`](Self::hidden) says.
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.classes
            .forward(hidden.unsqueeze_dim(0), 1)
            .squeeze_dim(0)
    }
}
