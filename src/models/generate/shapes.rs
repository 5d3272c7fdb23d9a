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
