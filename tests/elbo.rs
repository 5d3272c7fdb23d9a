//! A small variational autoencoder against NumPy (`tools/elbo_vectors.py`).

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

use kiln::methods::elbo;
use kiln::models::generate::autoencoder::AutoencoderConfig;
use kiln::models::generate::grid_conv::GridConv;

/// The numbers of the script.
fn wave<const D: usize>(shape: [usize; D], salt: f64, scale: f64) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|i| (scale * (0.37 * i as f64 + salt).sin()) as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn fill(layer: &mut GridConv, salt: f64) {
    let dims = layer.weight.dims();
    let [_, _, out] = dims;
    layer.weight = Param::from_tensor(wave(dims, salt, 0.4));
    layer.bias = Param::from_tensor(wave([out], salt + 0.5, 0.4));
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    #[allow(clippy::disallowed_methods)] // on the CPU
    tensor.into_data().try_into_vec().expect("f32")
}

#[test]
fn both_terms_and_all_that_leads_to_them_are_those_of_numpy() {
    let text = std::fs::read_to_string("tests/vectors/elbo.json").expect("the vector");
    let expected: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let config = AutoencoderConfig::new(8, 1, vec![3, 4], 4, vec![5, 3], 2).with_variational(true);
    let mut network = config.init(&Device::flex());
    fill(&mut network.encoder.convs[0], 1.0);
    fill(&mut network.encoder.convs[1], 2.0);
    fill(&mut network.encoder.dense, 3.0);
    fill(&mut network.decoder.dense, 4.0);
    fill(&mut network.decoder.convs[0], 6.0);
    fill(&mut network.decoder.last, 7.0);

    // `[batch, pixels, channels]` there, `[pixels, batch, channels]` here.
    let pictures = wave([2, 64, 1], 9.0, 0.5).swap_dims(0, 1) + 0.5;
    let code = network.encode(pictures.clone(), None);
    let logits = network.decode(code.sample(wave([2, 2], 5.0, 1.0)), None);
    let near = |name: &str, found: Vec<f32>| {
        let expected = &expected[name];
        let expected: Vec<f64> = match expected.as_array() {
            Some(list) => list.iter().filter_map(|v| v.as_f64()).collect(),
            None => expected.as_f64().into_iter().collect(),
        };
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(expected) {
            let allowed = 2e-5 * (1.0 + expected.abs());
            assert!(
                (f64::from(*found) - expected).abs() < allowed,
                "{name}: {found}, {expected}"
            );
        }
    };
    near("mean", numbers(code.mean.clone()));
    near(
        "log_variance",
        numbers(code.log_variance.clone().expect("variational")),
    );
    near("logits", numbers(logits.clone().swap_dims(0, 1)));
    near(
        "reconstruction",
        numbers(elbo::reconstruction(logits, pictures)),
    );
    near(
        "divergence",
        numbers(elbo::divergence_from_standard(&code).expect("variational")),
    );
}
