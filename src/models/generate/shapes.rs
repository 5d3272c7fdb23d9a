//! The networks of this lab by what they are for: the same in training, in the page and in tests.

use super::autoencoder::AutoencoderConfig;
use super::decoder::DecoderConfig;
use super::encoder::EncoderConfig;
use super::gan::DiscriminatorConfig;

/// An autoencoder for pictures of 28 or 64 pixels a side.
pub fn autoencoder(side: usize, channels: usize, latent: usize) -> AutoencoderConfig {
    let (encoder, first_side, decoder) = if side == 28 {
        (vec![24, 48, 96], 7, vec![64, 32, 16])
    } else {
        (vec![16, 32, 64, 128], 4, vec![160, 96, 48, 24, 12])
    };
    AutoencoderConfig::new(side, channels, encoder, first_side, decoder, latent)
}

/// A generator for pictures of 28 or 64 pixels a side.
pub fn generator(side: usize, channels: usize, latent: usize) -> DecoderConfig {
    let (first_side, widths) = if side == 28 {
        (7, vec![96, 48, 24])
    } else {
        (4, vec![160, 96, 48, 24, 12])
    };
    DecoderConfig::new(latent, first_side, widths, channels)
}

/// The same with twice the channels, for pictures of 28 pixels a side.
pub fn large_generator(channels: usize, latent: usize) -> DecoderConfig {
    DecoderConfig::new(latent, 7, vec![192, 96, 48], channels)
}

/// A discriminator to go with [`large_generator`]: about a million weights together.
pub fn large_discriminator(
    channels: usize,
    energy: bool,
    spectral_norm: bool,
) -> DiscriminatorConfig {
    let mut config = discriminator(28, channels, energy, spectral_norm);
    config.encoder.widths = vec![48, 96, 192];
    config
}

/// Numbers of the code inside a discriminator that is an autoencoder.
const ENERGY_CODE: usize = 32;

/// A discriminator for pictures of 28 or 64 pixels a side; with `energy` an autoencoder.
pub fn discriminator(
    side: usize,
    channels: usize,
    energy: bool,
    spectral_norm: bool,
) -> DiscriminatorConfig {
    let (widths, first_side, decoder) = if side == 28 {
        (vec![32, 64, 128], 7, vec![48, 24, 12])
    } else {
        (vec![24, 48, 96, 192], 4, vec![96, 64, 32, 16, 8])
    };
    let out = if energy { ENERGY_CODE } else { 1 };
    let encoder = EncoderConfig::new(side, channels, widths, out).with_spectral_norm(spectral_norm);
    DiscriminatorConfig::new(encoder).with_decoder(
        energy.then(|| DecoderConfig::new(ENERGY_CODE, first_side, decoder, channels)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Module;
    use burn::tensor::{Device, Tensor};

    #[test]
    fn networks_give_back_the_shape_they_were_made_for() {
        let device = Device::flex();
        for (side, channels) in [(28, 1), (64, 3)] {
            let network = autoencoder(side, channels, 5)
                .with_variational(true)
                .init(&device);
            let pictures = Tensor::zeros([side * side, 2, channels], &device);
            let code = network.encode(pictures, None);
            assert_eq!(code.mean.dims(), [2, 5]);
            let logits = network.decode(code.mean, None);
            assert_eq!(logits.dims(), [side * side, 2, channels]);
            let energy = discriminator(side, channels, true, false).init(&device);
            use crate::models::generate::gan::Discriminate as _;
            assert_eq!(energy.score(logits).dims(), [2]);
        }
    }

    #[test]
    fn the_large_pair_has_about_a_million_weights() {
        let device = Device::flex();
        let generator = large_generator(1, 64).init(&device).num_params();
        let discriminator = large_discriminator(1, false, true)
            .init(&device)
            .num_params();
        let sum = generator + discriminator;
        assert!(
            (900_000..1_100_000).contains(&sum),
            "{generator} + {discriminator}"
        );
    }
}
