//! LeNet as a network that can be looked into.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::classifier::LeNet;
use super::grid_conv::GridConv;
use crate::models::conv_block::Rectifiers;
use crate::models::layered::{Gradients, Layered, Pass, plus};
use crate::protocol::named_layers::Layers;

/// A shipped classifier with the names of its classes.
#[derive(Debug)]
pub struct NamedLeNet {
    /// The network.
    pub network: std::rc::Rc<LeNet>,
    /// Its layers and classes.
    pub layers: &'static Layers,
}

/// Weights of red, green and blue in brightness (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];
/// Layers that are convolutions; the others are dense.
const CONVS: usize = 2;
/// Side of the pictures, and of the maps of the convolutions.
const SIDES: [usize; CONVS + 1] = [28, 14, 7];

/// How much of each of `from` pixels in a row lies in each of `to`: `[to, from]`, rows add up to 1. Shrinks by means of
/// areas, and is its own way back when transposed.
fn areas(from: usize, to: usize, device: &Device) -> Tensor<2> {
    let wide = from as f32 / to as f32;
    let share = |row: usize, pixel: usize| {
        let [start, end] = [row as f32 * wide, (row + 1) as f32 * wide];
        (end.min((pixel + 1) as f32) - start.max(pixel as f32)).max(0.0) / wide
    };
    let shares: Vec<f32> = (0..to)
        .flat_map(|row| (0..from).map(move |pixel| share(row, pixel)))
        .collect();
    Tensor::from_data(TensorData::new(shares, [to, from]), device)
}

/// From pictures `[batch, 3, rows, columns]` to grey ones of the network's size, and back.
struct Shrunk {
    /// Rows and columns before.
    sides: [usize; 2],
    /// `[1, 28, rows]` and `[1, columns, 28]`.
    areas: [Tensor<3>; 2],
}

impl Shrunk {
    fn new([rows, columns]: [usize; 2], device: &Device) -> Self {
        let [down, across] = [rows, columns].map(|side| areas(side, SIDES[0], device));
        Self {
            sides: [rows, columns],
            areas: [down.unsqueeze(), across.transpose().unsqueeze()],
        }
    }

    /// The network's input `[784, batch, 1]`, brightness from 0 to 1.
    fn forward(&self, pictures: Tensor<4>) -> Tensor<3> {
        let [batch, _, rows, columns] = pictures.dims();
        let colors = Tensor::<1>::from_data(LUMA, &pictures.device()).reshape([1, 3, 1, 1]);
        let gray = (pictures * colors)
            .sum_dim(1)
            .reshape([batch, rows, columns]);
        let small = self.areas[0]
            .clone()
            .matmul(gray)
            .matmul(self.areas[1].clone());
        small
            .reshape([batch, SIDES[0].pow(2)])
            .transpose()
            .unsqueeze_dim(2)
    }

    /// From a gradient on what [`forward`](Self::forward) gave to one on the pictures.
    fn backward(&self, gradient: Tensor<3>) -> Tensor<4> {
        let [_, batch, _] = gradient.dims();
        let device = gradient.device();
        let on_small = gradient
            .squeeze_dim::<2>(2)
            .transpose()
            .reshape([batch, SIDES[0], SIDES[0]]);
        let [down, across] = self.areas.clone().map(Tensor::transpose);
        let on_gray = down.matmul(on_small).matmul(across);
        let [rows, columns] = self.sides;
        let colors = Tensor::<1>::from_data(LUMA, &device).reshape([1, 3, 1, 1]);
        on_gray.reshape([batch, 1, rows, columns]) * colors
    }
}

/// From a grid `[side * side, batch, channels]` to a map `[batch, channels, side, side]`.
fn to_map(grid: Tensor<3>, side: usize) -> Tensor<4> {
    let [_, batch, channels] = grid.dims();
    grid.permute([1, 2, 0])
        .reshape([batch, channels, side, side])
}

/// The way back of [`to_map`].
fn to_grid(map: Tensor<4>) -> Tensor<3> {
    let [batch, channels, rows, columns] = map.dims();
    map.reshape([batch, channels, rows * columns])
        .permute([2, 0, 1])
}

/// All pixels of a picture as the channels of one, as the first dense layer reads them.
fn flat(grid: Tensor<3>) -> Tensor<3> {
    let [pixels, batch, channels] = grid.dims();
    grid.swap_dims(0, 1).reshape([1, batch, pixels * channels])
}

/// The way back of [`flat`].
fn unflat(grid: Tensor<3>, channels: usize) -> Tensor<3> {
    let [_, batch, all] = grid.dims();
    grid.reshape([batch, all / channels, channels])
        .swap_dims(0, 1)
}

impl LeNet {
    /// A layer by its number, and the side of what it reads.
    fn layer(&self, number: usize) -> (&GridConv, usize) {
        match self.convs.get(number) {
            Some(conv) => (conv, SIDES[number]),
            None => (&self.dense[number - CONVS], 1),
        }
    }
}

impl Layered for NamedLeNet {
    fn layers(&self) -> &'static Layers {
        self.layers
    }

    fn kernels(&self, layer: usize) -> Option<Tensor<4>> {
        let conv = self.network.convs.get(layer)?;
        let weight = conv.weight.val();
        let [_, inputs, out] = weight.dims();
        Some(
            weight
                .permute([2, 1, 0])
                .reshape([out, inputs, conv.kernel, conv.kernel]),
        )
    }

    fn parameters(&self, layer: usize) -> usize {
        self.network.layer(layer).0.num_params()
    }

    fn layer(&self, layer: usize, below: Tensor<4>) -> Tensor<4> {
        let (conv, side) = self.network.layer(layer);
        let grid = match layer {
            0 => {
                Shrunk::new([below.dims()[2], below.dims()[3]], &below.device()).forward(below)
                    * 2.0
                    - 1.0
            }
            CONVS => flat(to_grid(below)),
            _ => to_grid(below),
        };
        to_map(
            activation::relu(conv.forward(grid, side)),
            conv.step.side(side),
        )
    }

    fn pass<'a>(&'a self, pictures: Tensor<4>, last: Option<usize>) -> Box<dyn Pass + 'a> {
        let [_, _, rows, columns] = pictures.dims();
        let last = last.unwrap_or(self.layers.layers.len());
        let mut x = pictures.clone();
        let mut maps = Vec::new();
        for layer in 0..self.layers.layers.len().min(last + 1) {
            x = Layered::layer(self, layer, x);
            maps.push(x.clone());
        }
        let logits = (last == self.layers.layers.len())
            .then(|| self.network.classify(to_grid(x).squeeze_dim(0)));
        Box::new(Passed {
            network: &self.network,
            shrunk: Shrunk::new([rows, columns], &pictures.device()),
            maps,
            logits,
        })
    }
}

/// Pictures that went through.
struct Passed<'a> {
    network: &'a LeNet,
    shrunk: Shrunk,
    maps: Vec<Tensor<4>>,
    logits: Option<Tensor<2>>,
}

impl Pass for Passed<'_> {
    fn map(&self, layer: usize) -> &Tensor<4> {
        &self.maps[layer]
    }

    fn logits(&self) -> Option<&Tensor<2>> {
        self.logits.as_ref()
    }

    fn back(&self, mut from: Gradients, rectifiers: Rectifiers) -> Tensor<4> {
        let mut gradient = from.on_logits.take().map(|on_logits| {
            let classes = &self.network.dense[self.network.dense.len() - 1];
            to_map(classes.backward(&on_logits.unsqueeze_dim(0), 1), 1)
        });
        for (layer, map) in self.maps.iter().enumerate().rev() {
            gradient = plus(gradient, from.at(layer));
            let Some(mut on_map) = gradient.take() else {
                continue;
            };
            if rectifiers == Rectifiers::Guided {
                on_map = on_map.clamp_min(0.0);
            }
            let on_map = on_map.mask_fill(map.clone().lower_equal_elem(0.0), 0.0);
            let (conv, side) = self.network.layer(layer);
            let below = conv.backward(&to_grid(on_map), side);
            gradient = Some(match layer {
                0 => self.shrunk.backward(below * 2.0),
                CONVS => to_map(unflat(below, self.maps[layer - 1].dims()[1]), SIDES[CONVS]),
                layer => to_map(below, SIDES.get(layer).copied().unwrap_or(1)),
            });
        }
        gradient.expect("a gradient to begin with")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_share_pixels_out() {
        let of = |from, to| -> Vec<f32> {
            areas(from, to, &Device::flex())
                .into_data()
                .try_into_vec()
                .expect("f32")
        };
        assert_eq!(of(4, 2), [0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5]);
        // One and a half pixels each.
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close(
            &of(3, 2),
            &[2.0 / 3.0, 1.0 / 3.0, 0.0, 0.0, 1.0 / 3.0, 2.0 / 3.0]
        ));
        assert_eq!(of(1, 2), [1.0, 1.0]);
    }
}
