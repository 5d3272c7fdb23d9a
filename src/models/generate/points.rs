//! The adversarial pair on points of the plane: small enough to watch every part of it.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};

use super::gan::{Discriminate, Generate, energy};
use super::grid_conv::{GridConv, GridConvConfig};

/// Configuration of a [`PointGenerator`] or a [`PointDiscriminator`].
#[derive(Config, Debug)]
pub struct PointsConfig {
    /// Numbers in; of a discriminator 2.
    pub inputs: usize,
    /// Numbers out.
    pub out: usize,
    /// Units of each hidden layer.
    #[config(default = 64)]
    pub hidden: usize,
    /// Hidden layers.
    #[config(default = 2)]
    pub layers: usize,
    /// Spectral normalisation of every layer.
    #[config(default = false)]
    pub spectral_norm: bool,
}

/// Dense layers with leaky rectifiers between.
#[derive(Module, Debug)]
pub struct Perceptron {
    /// From the first to the last.
    pub layers: Vec<GridConv>,
}

impl PointsConfig {
    /// Layers of zeros.
    pub fn init(&self, device: &Device) -> Perceptron {
        let hidden = std::iter::repeat_n(self.hidden, self.layers);
        let inputs = std::iter::once(self.inputs).chain(hidden.clone());
        let outs = hidden.chain(std::iter::once(self.out));
        Perceptron {
            layers: inputs
                .zip(outs)
                .map(|(inputs, out)| {
                    GridConvConfig::new([inputs, out])
                        .with_kernel(1)
                        .with_spectral_norm(self.spectral_norm)
                        .init(device)
                })
                .collect(),
        }
    }
}

impl Perceptron {
    /// # Shapes
    /// - input: `[1, batch, inputs]`
    /// - output: `[1, batch, out]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let (last, hidden) = self.layers.split_last().expect("there is a last layer");
        let x = hidden.iter().fold(x, |x, layer| {
            activation::leaky_relu(layer.forward(x, 1), 0.2)
        });
        last.forward(x, 1)
    }
}

/// From noise to points, about -1 to 1 in both directions.
#[derive(Module, Debug)]
pub struct PointGenerator {
    /// To two numbers.
    pub layers: Perceptron,
}

/// How large untrained samples are: they begin in the middle of the plane, away from most data.
const START: f32 = 0.08;

impl Generate for PointGenerator {
    fn generate(&self, noise: Tensor<2>) -> Tensor<3> {
        self.layers.forward(noise.unsqueeze_dim(0)) * START
    }
}

/// From points to a score; where the objective is an energy, that of a small autoencoder.
#[derive(Module, Debug)]
pub struct PointDiscriminator {
    /// To one number, or to the two of a reconstruction.
    pub layers: Perceptron,
    /// Whether the score is the reconstruction's error.
    pub is_energy: bool,
    /// Units of its own in one of the plane, see [`NORMALISED_UNITS`].
    pub units: f32,
}

/// Units in one of the plane for a discriminator whose weights are held, by spectral normalisation or by
/// clipping: data lies within -1 to 1, and one that is held to a slope of 1 there could not tell a mode from its neighbour. One that is
/// free finds its own scale.
pub const NORMALISED_UNITS: f32 = 6.0;

impl Discriminate for PointDiscriminator {
    fn score(&self, samples: Tensor<3>) -> Tensor<1> {
        let out = self.layers.forward(samples.clone() * self.units);
        if self.is_energy {
            energy(out - samples)
        } else {
            out.flatten(0, 2)
        }
    }

    fn power_iterate(mut self) -> Self {
        let layers = self.layers.layers.into_iter();
        self.layers.layers = layers.map(GridConv::power_iterate).collect();
        self
    }
}
