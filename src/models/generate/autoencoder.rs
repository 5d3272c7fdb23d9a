//! The autoencoder, and with two more lines the variational one.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::decoder::{Decoder, DecoderConfig};
use super::encoder::{Encoder, EncoderConfig};
use super::grid_conv::{GridConv, GridConvConfig};

/// Configuration of an [`Autoencoder`].
#[derive(Config, Debug)]
pub struct AutoencoderConfig {
    /// Side of the picture.
    pub side: usize,
    /// Channels of the picture: 1 or 3.
    pub channels: usize,
    /// Channels of the encoder's maps.
    pub encoder_widths: Vec<usize>,
    /// Side of the decoder's first map.
    pub first_side: usize,
    /// Channels of the decoder's maps.
    pub decoder_widths: Vec<usize>,
    /// Numbers of a code.
    pub latent: usize,
    /// Whether a code is a distribution: a mean and a spread instead of a point.
    #[config(default = false)]
    pub variational: bool,
    /// Classes that a picture is made for; 0 where it is made for none.
    #[config(default = 0)]
    pub classes: usize,
}

/// An encoder to a few numbers and a decoder back.
///
/// - Plain: the code is a point; what lies between the codes of two pictures is anybody's guess
///   (Hinton and Salakhutdinov 2006).
/// - Variational: the code is a normal distribution that is held close to the standard one, so that
///   every point of the latent space stands for some picture (Kingma and Welling 2014).
/// - Conditional: encoder and decoder are told the class, so that the code holds the rest (Sohn et
///   al. 2015).
#[derive(Module, Debug)]
pub struct Autoencoder {
    /// To `latent` numbers, or twice as many: means, then logarithms of variances.
    pub encoder: Encoder,
    /// From a code, with the class as a one-hot vector behind it where there are classes.
    pub decoder: Decoder,
    /// What the class adds to the encoder's output.
    pub class_shift: Option<GridConv>,
    /// See [`AutoencoderConfig::latent`].
    pub latent: usize,
    /// See [`AutoencoderConfig::variational`].
    pub variational: bool,
}

/// Where a picture lies in latent space.
#[derive(Debug, Clone)]
pub struct Code {
    /// The code, or the middle of its distribution: `[batch, latent]`.
    pub mean: Tensor<2>,
    /// Logarithm of the distribution's variance along each dimension: `[batch, latent]`. A plain
    /// autoencoder has none.
    pub log_variance: Option<Tensor<2>>,
}

impl Code {
    /// A point of the distribution, by the reparameterisation `z = mean + exp(log_variance / 2) *
    /// noise`: the randomness is an input, so that the gradient reaches mean and variance. A plain
    /// code is itself.
    ///
    /// # Shapes
    /// - `noise`: `[batch, latent]`, of the standard normal distribution
    /// - output: `[batch, latent]`
    pub fn sample(&self, noise: Tensor<2>) -> Tensor<2> {
        match &self.log_variance {
            Some(log_variance) => self.mean.clone() + (log_variance.clone() * 0.5).exp() * noise,
            None => self.mean.clone(),
        }
    }
}

impl AutoencoderConfig {
    /// An autoencoder of zeros.
    pub fn init(&self, device: &Device) -> Autoencoder {
        let numbers = if self.variational { 2 } else { 1 } * self.latent;
        let encoder = EncoderConfig::new(
            self.side,
            self.channels,
            self.encoder_widths.clone(),
            numbers,
        );
        let decoder = DecoderConfig::new(
            self.latent + self.classes,
            self.first_side,
            self.decoder_widths.clone(),
            self.channels,
        );
        assert_eq!(decoder.side(), self.side, "the decoder makes another side");
        Autoencoder {
            encoder: encoder.init(device),
            decoder: decoder.init(device),
            class_shift: (self.classes > 0).then(|| {
                let config = GridConvConfig::new([self.classes, numbers]);
                config.with_kernel(1).init(device)
            }),
            latent: self.latent,
            variational: self.variational,
        }
    }
}

impl Autoencoder {
    /// # Shapes
    /// - input: `[side * side, batch, channels]`, brightness from 0 to 1
    /// - `classes`: `[batch, classes]`, one-hot, where the network was made for classes
    pub fn encode(&self, pictures: Tensor<3>, classes: Option<Tensor<2>>) -> Code {
        let mut numbers = self.encoder.forward(pictures * 2.0 - 1.0);
        if let Some(shift) = &self.class_shift {
            let classes = classes.expect("this network is made for classes");
            numbers = numbers + shift.forward(classes.unsqueeze_dim(0), 1).squeeze_dim(0);
        }
        if !self.variational {
            return Code {
                mean: numbers,
                log_variance: None,
            };
        }
        let [batch, _] = numbers.dims();
        let half = |from: usize| {
            let part = from..from + self.latent;
            numbers.clone().slice([0..batch, part])
        };
        Code {
            mean: half(0),
            // Held where its exponential is finite.
            log_variance: Some(half(self.latent).clamp_min(-20.0).clamp_max(10.0)),
        }
    }

    /// # Shapes
    /// - `codes`: `[batch, latent]`; `classes` as in [`encode`](Self::encode)
    /// - output: `[side * side, batch, channels]`, logits
    pub fn decode(&self, codes: Tensor<2>, classes: Option<Tensor<2>>) -> Tensor<3> {
        let codes = match classes {
            Some(classes) if self.class_shift.is_some() => Tensor::cat(vec![codes, classes], 1),
            _ => codes,
        };
        self.decoder.forward(codes)
    }
}
