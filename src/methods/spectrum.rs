//! Gradients on pictures, evened out over frequencies: a step then changes coarse structure as much as fine.

use burn::tensor::{Device, Tensor, TensorData};

/// Half waves a picture up to which frequencies count alike: a mean that drifts is no structure.
const LOWEST: f32 = 4.0;

/// The cosine waves of square pictures of a side.
///
/// # Reference
/// Olah, Mordvintsev and Schubert 2017, "Feature Visualization", on preconditioning: ascent along the gradient in a basis
/// of waves of the size that they have in photographs (1 / f). Here the basis is that of the discrete cosine transform,
/// which needs no complex numbers and does not join the picture's edges, and the scale is applied to the gradient.
#[derive(Debug)]
pub struct Spectrum {
    /// `[1, 1, side, side]`: wave by place; its transpose is its inverse.
    waves: Tensor<4>,
    side: usize,
}

impl Spectrum {
    /// Those of a side.
    pub fn new(side: usize, device: &Device) -> Self {
        let wave = |number: usize, place: usize| {
            let angle =
                std::f64::consts::PI * (2 * place + 1) as f64 * number as f64 / (2 * side) as f64;
            let length = if number == 0 { 1.0 } else { 2.0 };
            ((length / side as f64).sqrt() * angle.cos()) as f32
        };
        let values: Vec<f32> = (0..side * side).map(|i| wave(i / side, i % side)).collect();
        Self {
            waves: Tensor::from_data(TensorData::new(values, [1, 1, side, side]), device),
            side,
        }
    }

    /// Divides each wave of a gradient by its frequency to the power of `exponent`. The unit of frequencies is
    /// [`LOWEST`]; lower ones are not divided.
    ///
    /// # Shapes
    /// - input and output: `[batch, channels, side, side]`
    pub fn even_out(&self, gradient: Tensor<4>, exponent: f32) -> Tensor<4> {
        let side = self.side;
        let scale = |i: usize| {
            let [down, across] = [i / side, i % side].map(|number| number as f32);
            (down.hypot(across) / LOWEST).max(1.0).powf(-exponent)
        };
        let scales: Vec<f32> = (0..side * side).map(scale).collect();
        let scales = Tensor::<4>::from_data(
            TensorData::new(scales, [1, 1, side, side]),
            &gradient.device(),
        );
        let [batch, channels, _, _] = gradient.dims();
        let there = self.waves.clone().expand([batch, channels, side, side]);
        let back = there.clone().transpose();
        let waves = there.clone().matmul(gradient).matmul(back.clone());
        back.matmul(waves * scales).matmul(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(tensor: Tensor<4>) -> Vec<f32> {
        tensor.into_data().try_into_vec().expect("f32")
    }

    #[test]
    fn a_wave_is_divided_by_its_frequency() {
        let device = Device::flex();
        let spectrum = Spectrum::new(12, &device);
        // Three half waves down and four across: a frequency of five, in units of four.
        let wave = |number: f32, place: usize| {
            (std::f32::consts::PI * number * (place as f32 + 0.5) / 12.0).cos()
        };
        let picture: Vec<f32> = (0..144)
            .map(|i| wave(3.0, i / 12) * wave(4.0, i % 12))
            .collect();
        let gradient =
            Tensor::<4>::from_data(TensorData::new(picture.clone(), [1, 1, 12, 12]), &device);
        let evened = values(spectrum.even_out(gradient.clone(), 1.0));
        for (evened, before) in evened.iter().zip(&picture) {
            assert!((evened - before / 1.25).abs() < 1e-5);
        }
        // The power of zero changes nothing, the mean stays.
        let same = values(spectrum.even_out(gradient.clone() + 0.5, 0.0));
        assert!(
            same.iter()
                .zip(&picture)
                .all(|(a, b)| (a - b - 0.5).abs() < 1e-5)
        );
        let flat = values(spectrum.even_out(gradient.zeros_like() + 0.5, 2.0));
        assert!(flat.iter().all(|value| (value - 0.5).abs() < 1e-5));
    }
}
