//! What is known of a network's latent space: where codes lie, along what they vary, which way
//! attributes change.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::autoencoder::Autoencoder;
use super::gan::Generator;

/// Measured once, after training; travels with the weights.
#[derive(Module, Debug)]
pub struct Latents {
    /// The middle of the codes, `[latent]`.
    pub mean: Param<Tensor<1>>,
    /// One row for each principal direction, the strongest first, as long as one standard deviation:
    /// `[latent, latent]`. `mean + noise * directions` is distributed as codes are.
    pub directions: Param<Tensor<2>>,
    /// One row for each attribute: what one standard deviation of it adds to a code,
    /// `[attributes, latent]`. One row of zeros where no attribute is known.
    pub attributes: Param<Tensor<2>>,
}

impl Latents {
    /// A space of zeros.
    pub fn new(latent: usize, attributes: usize, device: &Device) -> Self {
        Self {
            mean: Param::from_tensor(Tensor::zeros([latent], device)),
            directions: Param::from_tensor(Tensor::zeros([latent, latent], device)),
            attributes: Param::from_tensor(Tensor::zeros([attributes.max(1), latent], device)),
        }
    }
}

/// A network that makes pictures, with its latent space: what a weights file holds.
#[derive(Module, Debug)]
pub struct Saved<N: Module> {
    /// The network.
    pub network: N,
    /// Its latent space.
    pub latents: Latents,
}

/// An autoencoder's file.
pub type SavedAutoencoder = Saved<Autoencoder>;
/// A generator's file.
pub type SavedGenerator = Saved<Generator>;
