//! The generative networks that ship, ready to have their weights put in.

use burn::tensor::Device;

use super::gan::Generator;
use super::latents::{Latents, Saved, SavedAutoencoder, SavedGenerator};
use super::shapes;
use crate::models::Row;
use crate::protocol::generative::{ATTRIBUTES_OF_AVATARS, DataSet, Family, Shipped};

/// A shipped network with an encoder.
pub struct AutoencoderRow(pub &'static Shipped);

/// A shipped generator.
pub struct GeneratorRow(pub &'static Shipped);

fn latents(shipped: &Shipped, device: &Device) -> Latents {
    let attributes = if shipped.data == DataSet::Avatars && shipped.family.encodes() {
        ATTRIBUTES_OF_AVATARS.len()
    } else {
        0
    };
    Latents::new(shipped.latent, attributes, device)
}

impl Row for AutoencoderRow {
    type Module = SavedAutoencoder;

    fn name(&self) -> &'static str {
        self.0.name
    }

    fn blank(&self, device: &Device) -> SavedAutoencoder {
        let shipped = self.0;
        let classes = if shipped.family == Family::Cvae {
            shipped.data.classes()
        } else {
            0
        };
        let config =
            shapes::autoencoder(shipped.data.side(), shipped.data.channels(), shipped.latent)
                .with_variational(shipped.family != Family::Ae)
                .with_classes(classes);
        Saved {
            network: config.init(device),
            latents: latents(shipped, device),
        }
    }
}

impl Row for GeneratorRow {
    type Module = SavedGenerator;

    fn name(&self) -> &'static str {
        self.0.name
    }

    fn blank(&self, device: &Device) -> SavedGenerator {
        let shipped = self.0;
        let config =
            shapes::generator(shipped.data.side(), shipped.data.channels(), shipped.latent);
        Saved {
            network: Generator::new(&config, device),
            latents: latents(shipped, device),
        }
    }
}
