//! The adversarial pair: a generator that makes pictures and a discriminator that scores them.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};

use super::decoder::{Decoder, DecoderConfig};
use super::encoder::{Encoder, EncoderConfig};

/// Whatever makes samples from noise.
pub trait Generate: Module {
    /// # Shapes
    /// - `noise`: `[batch, latent]`, of the standard normal distribution
    /// - output: `[pixels, batch, channels]`, -1 to 1 (or points: `[1, batch, 2]`)
    fn generate(&self, noise: Tensor<2>) -> Tensor<3>;
}

/// Whatever tells real samples from generated ones.
pub trait Discriminate: Module {
    /// One number for each sample; what it means is the objective's matter: a logit, or an energy.
    ///
    /// # Shapes
    /// - `samples`: as [`Generate::generate`] gives them
    /// - output: `[batch]`
    fn score(&self, samples: Tensor<3>) -> Tensor<1>;

    /// One round of power iteration for each spectrally normalised layer.
    fn power_iterate(self) -> Self;
}

/// A generator of pictures.
#[derive(Module, Debug)]
pub struct Generator {
    /// Its logits become brightness by `tanh`.
    pub decoder: Decoder,
}

impl Generator {
    /// A generator of zeros.
    pub fn new(config: &DecoderConfig, device: &Device) -> Self {
        Self {
            decoder: config.init(device),
        }
    }
}

impl Generate for Generator {
    fn generate(&self, noise: Tensor<2>) -> Tensor<3> {
        activation::tanh(self.decoder.forward(noise))
    }
}

/// Configuration of a [`Discriminator`].
#[derive(Config, Debug)]
pub struct DiscriminatorConfig {
    /// Reads the picture; its output is one number, or the code of `decoder`.
    pub encoder: EncoderConfig,
    /// Present where the score is the energy of an autoencoder (Zhao et al. 2017).
    pub decoder: Option<DecoderConfig>,
}

/// A discriminator of pictures.
#[derive(Module, Debug)]
pub struct Discriminator {
    /// See [`DiscriminatorConfig::encoder`].
    pub encoder: Encoder,
    /// See [`DiscriminatorConfig::decoder`].
    pub decoder: Option<Decoder>,
}

impl DiscriminatorConfig {
    /// A discriminator of zeros.
    pub fn init(&self, device: &Device) -> Discriminator {
        Discriminator {
            encoder: self.encoder.init(device),
            decoder: self.decoder.as_ref().map(|config| config.init(device)),
        }
    }
}

impl Discriminate for Discriminator {
    /// A logit; with a decoder the energy: the mean squared error of the reconstruction.
    fn score(&self, samples: Tensor<3>) -> Tensor<1> {
        let code = self.encoder.forward(samples.clone());
        match &self.decoder {
            None => code.flatten(0, 1),
            Some(decoder) => {
                let error = activation::tanh(decoder.forward(code)) - samples;
                energy(error)
            }
        }
    }

    fn power_iterate(mut self) -> Self {
        self.encoder = self.encoder.power_iterate();
        self
    }
}

/// Mean square over pixels and channels: `[pixels, batch, channels]` to `[batch]`.
pub fn energy(error: Tensor<3>) -> Tensor<1> {
    let [_, batch, _] = error.dims();
    (error.clone() * error)
        .mean_dim(0)
        .mean_dim(2)
        .reshape([batch])
}
