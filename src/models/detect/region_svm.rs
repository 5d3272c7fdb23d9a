//! Linear support vector machines on the features of regions, and where the boxes should have been: what R-CNN and
//! SPPNet end with.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::models::Network;
use crate::models::detect::crops;
use crate::models::generate::grid_conv::{GridConv, GridConvConfig};

/// Bins in a row of the pyramid's grids, for the maps at stride 16 and 32.
pub const GRIDS: [&[usize]; 2] = [&[1, 2, 4], &[1, 2]];
/// Which maps of the backbone they are of.
pub const MAPS: [usize; 2] = [1, 2];
/// Numbers of a region.
pub const FEATURES: usize = 21 * 112 + 5 * 320;

/// Configuration of [`RegionSvm`].
#[derive(Config, Debug)]
pub struct RegionSvmConfig {
    /// Numbers of a region.
    pub features: usize,
    /// Classes; there is no background, every machine says no by itself.
    pub classes: usize,
}

/// A machine for each class, and four offsets for each.
#[derive(Module, Debug)]
pub struct RegionSvm {
    /// To margins.
    pub classes: GridConv,
    /// To offsets.
    pub offsets: GridConv,
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
    /// Machines of zeros.
    pub fn init(&self, device: &Device) -> RegionSvm {
        let dense = |to: usize| {
            GridConvConfig::new([self.features, to])
                .with_kernel(1)
                .init(device)
        };
        RegionSvm {
            classes: dense(self.classes),
            offsets: dense(4 * self.classes),
        }
    }
}

impl RegionSvm {
    /// Margins and offsets together, `[regions, classes + 4 * classes]`, of features `[regions, features]`.
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let x = features.unsqueeze_dim::<3>(0);
        let both = [&self.classes, &self.offsets].map(|last| last.forward(x.clone(), 1));
        Tensor::cat(both.into(), 2).squeeze_dim(0)
    }
}
