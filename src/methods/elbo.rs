//! The two terms of the evidence lower bound: what a variational autoencoder is trained on.

use burn::tensor::Tensor;

use crate::models::generate::autoencoder::Code;

/// Cross-entropy between pictures and their reconstructions in nats, summed over a picture, mean over
/// the batch: `-log p(x | z)` of a Bernoulli distribution in each pixel (Kingma and Welling 2014,
/// appendix C.1).
///
/// # Shapes
/// - `logits`, `pictures` (0 to 1): `[pixels, batch, channels]`
/// - output: `[1]`
pub fn reconstruction(logits: Tensor<3>, pictures: Tensor<3>) -> Tensor<1> {
    let [_, batch, _] = logits.dims();
    // softplus(l) - x l, which is -x log s(l) - (1 - x) log(1 - s(l)) without overflow; the slope of
    // (l + |l|) / 2 at exactly 0 is one half, as it should be.
    let size = logits.clone().abs();
    let softplus = (logits.clone() + size.clone()) * 0.5 + ((-size).exp() + 1.0).log();
    (softplus - pictures * logits).sum() / batch as f32
}

/// Kullback-Leibler divergence of the codes from the standard normal distribution in nats, summed
/// over the dimensions, mean over the batch: `(mean^2 + variance - 1 - log variance) / 2` (Kingma and
/// Welling 2014, appendix B). `None` for plain codes.
pub fn divergence_from_standard(code: &Code) -> Option<Tensor<1>> {
    let log_variance = code.log_variance.clone()?;
    let [batch, _] = log_variance.dims();
    let mean = code.mean.clone();
    let terms = mean.clone() * mean + log_variance.clone().exp() - log_variance - 1.0;
    Some(terms.sum() * (0.5 / batch as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn both_terms_by_hand() {
        let device = Device::flex();
        // One pixel at brightness 1 with logit 0, one at 0 with logit ln 3: log 2 and log 4.
        let logits = Tensor::<3>::from_floats([[[0.0]], [[3f32.ln()]]], &device);
        let pictures = Tensor::<3>::from_floats([[[1.0]], [[0.0]]], &device);
        let nats = reconstruction(logits, pictures).into_scalar::<f32>();
        assert!((nats - 8f32.ln()).abs() < 1e-6, "{nats}");
        // (1 + 4 - 1 - ln 4) / 2 of a mean of 1 and a variance of 4.
        let code = Code {
            mean: Tensor::from_floats([[1.0]], &device),
            log_variance: Some(Tensor::from_floats([[4f32.ln()]], &device)),
        };
        let kl = divergence_from_standard(&code)
            .unwrap()
            .into_scalar::<f32>();
        assert!((kl - (4.0 - 4f32.ln()) / 2.0).abs() < 1e-6, "{kl}");
    }

    #[test]
    fn reconstruction_is_finite_for_any_logit() {
        let device = Device::flex();
        let logits = Tensor::<3>::from_floats([[[500.0]], [[-500.0]]], &device);
        let pictures = Tensor::<3>::from_floats([[[1.0]], [[0.0]]], &device);
        assert!(reconstruction(logits, pictures).into_scalar::<f32>().abs() < 1e-6);
    }

    /// The gradient through `z = mean + exp(log_variance / 2) * noise`.
    #[test]
    fn the_reparameterised_gradient_agrees_with_differences() {
        let device = Device::flex().autodiff();
        let value = |mean: f32, log_variance: f32| {
            let mean = Tensor::<2>::from_floats([[mean]], &device).require_grad();
            let log_variance = Tensor::<2>::from_floats([[log_variance]], &device).require_grad();
            let code = Code {
                mean: mean.clone(),
                log_variance: Some(log_variance.clone()),
            };
            let z = code.sample(Tensor::from_floats([[0.7]], &device));
            let loss = (z.clone() * z.clone() * z).sum() + divergence_from_standard(&code).unwrap();
            (loss, mean, log_variance)
        };
        let (loss, mean, log_variance) = value(0.4, -0.3);
        let gradients = loss.backward();
        let scalar = |mean, log_variance| value(mean, log_variance).0.into_scalar::<f32>();
        let h = 1e-2;
        for (found, difference) in [
            (
                mean,
                (scalar(0.4 + h, -0.3) - scalar(0.4 - h, -0.3)) / (2.0 * h),
            ),
            (
                log_variance,
                (scalar(0.4, -0.3 + h) - scalar(0.4, -0.3 - h)) / (2.0 * h),
            ),
        ] {
            let found = found.grad(&gradients).unwrap().into_scalar::<f32>();
            assert!((found - difference).abs() < 2e-3, "{found}, {difference}");
        }
    }
}
