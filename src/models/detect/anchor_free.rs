//! The anchor-free head: each cell says what is there, how far its edges are, and how near the middle it is.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};

use super::pyramid::{Pyramid, PyramidConfig, Unit};
use crate::models::Network;
use crate::models::generate::grid_conv::{GridConv, GridConvConfig, Step};

/// Units of each tower.
const TOWER: usize = 2;
/// The logit of a class at the beginning: one in fifty. Nearly everywhere there is nothing, and a network that began
/// undecided would spend its first steps on learning that (Lin et al. 2017, section 4.1).
const RARE: f32 = -4.0;

/// Configuration of an [`AnchorFree`] detector.
#[derive(Config, Debug)]
pub struct AnchorFreeConfig {
    /// Classes.
    pub classes: usize,
    /// Channels of the pyramid and the towers.
    #[config(default = 96)]
    pub channels: usize,
    /// Maps of the backbone that are read, from the coarsest.
    #[config(default = 3)]
    pub maps: usize,
}

/// What stands on the backbone.
///
/// # Reference
/// Tian et al. 2019, "FCOS: Fully Convolutional One-Stage Object Detection".
#[derive(Module, Debug)]
pub struct AnchorFree {
    /// Of the backbone's maps.
    pub pyramid: Pyramid,
    /// Before the classes; the same for all levels.
    pub class_tower: Vec<Unit>,
    /// Before the edges.
    pub edge_tower: Vec<Unit>,
    /// 3x3, to a logit for each class.
    pub classes: GridConv,
    /// 3x3, to four edges and the centreness.
    pub edges: GridConv,
    /// What edges are multiplied by on each level, `[levels]`.
    pub scales: Param<Tensor<1>>,
}

/// What the heads say, cells of all levels after one another, from fine to coarse, by row.
#[derive(Debug, Clone)]
pub struct Said {
    /// Logits, `[cells, batch, classes]`.
    pub classes: Tensor<3>,
    /// Pixels to the left, upper, right and lower edge, above 0, `[cells, batch, 4]`.
    pub distances: Tensor<3>,
    /// Logits, `[cells, batch, 1]`.
    pub centreness: Tensor<3>,
}

/// The row of the shelf: nine classes, all maps.
pub const ANCHOR_FREE_HEAD: Network<AnchorFree> = Network {
    name: "anchor-free",
    init: |device| AnchorFreeConfig::new(9).init(device),
};

/// The same head, trained on the maps of ImageNet's backbone.
pub const ANCHOR_FREE_HEAD_ON_IMAGENET: Network<AnchorFree> = Network {
    name: "anchor-free-imagenet",
    init: ANCHOR_FREE_HEAD.init,
};

impl Said {
    /// All numbers of a cell together: `[batch, cells, classes + 5]`.
    pub fn together(self) -> Tensor<3> {
        Tensor::cat(vec![self.classes, self.distances, self.centreness], 2).swap_dims(0, 1)
    }
}

impl AnchorFreeConfig {
    /// A head of zeros: weights come from a file or from a seed.
    pub fn init(&self, device: &Device) -> AnchorFree {
        let tower = || {
            (0..TOWER)
                .map(|_| Unit::new(self.channels, Step::Same, device))
                .collect()
        };
        let mut classes = GridConvConfig::new([self.channels, self.classes]).init(device);
        classes.bias = Param::from_tensor(Tensor::full([self.classes], RARE, device));
        AnchorFree {
            pyramid: PyramidConfig::new(self.channels)
                .with_maps(self.maps)
                .init(device),
            class_tower: tower(),
            edge_tower: tower(),
            classes,
            edges: GridConvConfig::new([self.channels, 5]).init(device),
            scales: Param::from_tensor(Tensor::ones([self.maps + 1], device)),
        }
    }
}

impl AnchorFree {
    /// # Shapes
    /// - input: see [`Pyramid::forward`]; `strides` those of all levels, in pixels
    pub fn forward(&self, maps: &[Tensor<3>], strides: &[usize]) -> Said {
        let through = |tower: &[Unit], x: &Tensor<3>, side| {
            tower
                .iter()
                .fold(x.clone(), |x, unit| unit.forward(x, side))
        };
        let (mut classes, mut distances, mut centreness) = (Vec::new(), Vec::new(), Vec::new());
        for (level, (x, side)) in self.pyramid.forward(maps).into_iter().enumerate() {
            classes.push(
                self.classes
                    .forward(through(&self.class_tower, &x, side), side),
            );
            let edges = self
                .edges
                .forward(through(&self.edge_tower, &x, side), side);
            let scale = self.scales.val().narrow(0, level, 1).reshape([1, 1, 1]);
            let far = activation::softplus(edges.clone().narrow(2, 0, 4) * scale, 1.0);
            distances.push(far * strides[level] as f32);
            centreness.push(edges.narrow(2, 4, 1));
        }
        Said {
            classes: Tensor::cat(classes, 0),
            distances: Tensor::cat(distances, 0),
            centreness: Tensor::cat(centreness, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_every_level_says_something() {
        let device = Device::flex();
        let head = AnchorFreeConfig::new(9)
            .with_channels(16)
            .with_maps(2)
            .init(&device);
        let maps = [
            Tensor::zeros([16, 2, 112], &device),
            Tensor::zeros([4, 2, 320], &device),
        ];
        let said = head.forward(&maps, &[16, 32, 64]);
        assert_eq!(said.classes.dims(), [21, 2, 9]);
        assert_eq!(
            (said.distances.dims(), said.centreness.dims()),
            ([21, 2, 4], [21, 2, 1])
        );
        // Of zeros: ln 2 strides to each edge.
        let far: Vec<f32> = said
            .distances
            .slice([20..21, 0..1, 0..1])
            .into_data()
            .try_into_vec()
            .expect("f32");
        assert!((far[0] - 64.0 * 2f32.ln()).abs() < 1e-3);
    }
}
