//! What is known of a latent space: where codes lie, and the directions that mean something.

use burn::tensor::{Device, Tensor, TensorData};

use crate::data::avatars;
use crate::data::batches;
use crate::data::pack::Pack;
use crate::methods::statistics::{effects, moments, principal};
use crate::models::generate::autoencoder::Autoencoder;
use crate::models::generate::gan::Generator;
use crate::models::generate::latents::Latents;
use crate::protocol::generative::{ATTRIBUTES_OF_AVATARS, DataSet, Family, Shipped};

use crate::command::read_now;

/// The latent space of an autoencoder: where codes of the training set lie, and how attributes move
/// them.
pub fn latents_of_codes(
    shipped: &Shipped,
    network: &Autoencoder,
    train: &Pack,
    blank: Latents,
) -> Result<Latents, String> {
    let device = Device::flex();
    let count = train.count().min(5000) as u32;
    let latent = shipped.latent;
    let mut codes = Vec::new();
    for from in (0..count).step_by(100) {
        let indices: Vec<u32> = (from..(from + 100).min(count)).collect();
        let classes = (shipped.family == Family::Cvae)
            .then(|| batches::one_hot(train, &indices, shipped.data.classes(), &device));
        let code = network.encode(batches::grid(train, &indices, &device), classes);
        codes.extend(read_now(code.mean));
    }
    let found = moments(&codes, latent);
    let axes = principal(found.covariance.clone());
    // A step is one standard deviation of the codes along the direction. Variational codes should be
    // distributed as the prior is; what they miss of it is where the decoder never was, so that points
    // are drawn where the codes lie.
    let rows: Vec<f32> = axes
        .directions
        .iter()
        .zip(&axes.spreads)
        .flat_map(|(d, &spread)| d.iter().map(move |v| (v * spread) as f32))
        .collect();
    let mean: Vec<f32> = found.mean.iter().map(|&v| v as f32).collect();
    let attributes = if shipped.data == DataSet::Avatars {
        attribute_directions(train, &codes, latent)
    } else {
        vec![0.0; latent]
    };
    Ok(filled(blank, mean, rows, attributes))
}

/// What one standard deviation of each attribute adds to a code while the others stay. They do not vary
/// independently: nobody wears glasses and sunglasses, and two attributes are of the one colour of hair.
fn attribute_directions(train: &Pack, codes: &[f32], latent: usize) -> Vec<f32> {
    let count = codes.len() / latent;
    let table: Vec<f32> = (0..count)
        .flat_map(|i| avatars::attributes(train, i))
        .collect();
    let directions = effects(codes, latent, &table, ATTRIBUTES_OF_AVATARS.len());
    // Row by row; the matrix lies in columns.
    directions.transpose().iter().map(|&v| v as f32).collect()
}

/// The latent space of a generator: the directions along which its first layer answers most (Shen and
/// Zhou 2021, "Closed-Form Factorization of Latent Semantics in GANs").
pub fn latents_of_weights(network: &Generator, blank: Latents) -> Latents {
    let weight = network.decoder.dense.weight.val();
    let [_, latent, out] = weight.dims();
    let values = read_now(weight);
    let matrix =
        nalgebra::DMatrix::from_row_iterator(latent, out, values.iter().map(|&v| f64::from(v)));
    let axes = principal(&matrix * matrix.transpose());
    let rows = axes
        .directions
        .iter()
        .flatten()
        .map(|&v| v as f32)
        .collect();
    filled(blank, vec![0.0; latent], rows, vec![0.0; latent])
}

fn filled(blank: Latents, mean: Vec<f32>, directions: Vec<f32>, attributes: Vec<f32>) -> Latents {
    let device = Device::flex();
    let latent = mean.len();
    let rows = attributes.len() / latent;
    let attributes = if rows * latent == attributes.len() {
        attributes
    } else {
        vec![0.0; latent]
    };
    Latents {
        mean: blank
            .mean
            .map(|_| Tensor::from_data(TensorData::new(mean, [latent]), &device)),
        directions: blank
            .directions
            .map(|_| Tensor::from_data(TensorData::new(directions, [latent, latent]), &device)),
        attributes: blank
            .attributes
            .map(|_| Tensor::from_data(TensorData::new(attributes, [rows, latent]), &device)),
    }
}
