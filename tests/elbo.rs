//! A small variational autoencoder against PyTorch (`tools/elbo_vectors.py`).

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

use kiln::methods::elbo;
use kiln::models::generate::autoencoder::{Autoencoder, AutoencoderConfig};
use kiln::models::generate::grid_conv::GridConv;

/// The numbers of the script.
fn wave<const D: usize>(shape: [usize; D], salt: f64, scale: f64, device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|i| (scale * (0.37 * i as f64 + salt).sin()) as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn fill(layer: &mut GridConv, salt: f64, device: &Device) {
    let dims = layer.weight.dims();
    let [_, _, out] = dims;
    layer.weight = Param::from_tensor(wave(dims, salt, 0.4, device));
    layer.bias = Param::from_tensor(wave([out], salt + 0.5, 0.4, device));
}

fn network(device: &Device) -> Autoencoder {
    let config = AutoencoderConfig::new(8, 1, vec![3, 4], 4, vec![5, 3], 2).with_variational(true);
    let mut network = config.init(device);
    fill(&mut network.encoder.convs[0], 1.0, device);
    fill(&mut network.encoder.convs[1], 2.0, device);
    fill(&mut network.encoder.dense, 3.0, device);
    fill(&mut network.decoder.dense, 4.0, device);
    fill(&mut network.decoder.convs[0], 6.0, device);
    fill(&mut network.decoder.last, 7.0, device);
    network
}

/// `[batch, pixels, channels]` in the script, `[pixels, batch, channels]` here.
fn pictures(device: &Device) -> Tensor<3> {
    wave([2, 64, 1], 9.0, 0.5, device).swap_dims(0, 1) + 0.5
}

fn near<const D: usize>(name: &str, found: Tensor<D>) {
    let text = std::fs::read_to_string("tests/vectors/elbo.json").expect("the vector");
    let expected: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let expected = &expected[name];
    let expected: Vec<f64> = match expected.as_array() {
        Some(list) => list.iter().filter_map(|v| v.as_f64()).collect(),
        None => expected.as_f64().into_iter().collect(),
    };
    #[allow(clippy::disallowed_methods)] // on the CPU
    let found: Vec<f32> = found.into_data().try_into_vec().expect("f32");
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        let allowed = 2e-5 * (1.0 + expected.abs());
        assert!(
            (f64::from(*found) - expected).abs() < allowed,
            "{name}: {found}, {expected}"
        );
    }
}

#[test]
fn both_terms_and_all_that_leads_to_them_are_those_of_pytorch() {
    let device = Device::flex();
    let (network, pictures) = (network(&device), pictures(&device));
    let code = network.encode(pictures.clone(), None);
    let noise = wave([2, 2], 5.0, 1.0, &device);
    let logits = network.decode(code.sample(noise), None);
    near("mean", code.mean.clone());
    let log_variance = code.log_variance.clone().expect("variational");
    near("log_variance", log_variance);
    near("logits", logits.clone().swap_dims(0, 1));
    near("reconstruction", elbo::reconstruction(logits, pictures));
    let divergence = elbo::divergence_from_standard(&code).expect("variational");
    near("divergence", divergence);
}

/// Through batch normalisation in training and the reparameterised codes to the layer that gives their
/// mean and variance.
#[test]
fn the_gradient_of_the_bound_is_that_of_pytorch() {
    let device = Device::flex().autodiff();
    let (network, pictures) = (network(&device), pictures(&device));
    let code = network.encode(pictures.clone(), None);
    let noise = wave([2, 2], 5.0, 1.0, &device);
    let logits = network.decode(code.sample(noise), None);
    let reconstruction = elbo::reconstruction(logits, pictures);
    near("reconstruction_in_training", reconstruction.clone());
    let divergence = elbo::divergence_from_standard(&code).expect("variational");
    let gradients = (reconstruction + divergence).backward();
    let dense = &network.encoder.dense;
    let weight = dense.weight.val().grad(&gradients).expect("used");
    near("gradient_of_weight", weight);
    near(
        "gradient_of_bias",
        dense.bias.val().grad(&gradients).expect("used"),
    );
}
