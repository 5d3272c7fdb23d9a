//! How alike pictures are to a layer, so that several can be made that are not.

use burn::tensor::Tensor;

/// Keeps a quotient finite where a map is empty.
const EPSILON: f32 = 1e-8;

/// The sum over pairs of pictures of the cosine between their Gram matrices, and its gradient on the maps.
///
/// # Reference
/// Olah, Mordvintsev and Schubert 2017, "Feature Visualization", on diversity.
///
/// # Shapes
/// - input: `[pictures, channels, height, width]`; output `[1]` and as the input
pub fn likeness(maps: &Tensor<4>) -> (Tensor<1>, Tensor<4>) {
    let [count, channels, height, width] = maps.dims();
    let rows: Vec<Tensor<2>> = (0..count)
        .map(|index| {
            maps.clone()
                .narrow(0, index, 1)
                .reshape([channels, height * width])
        })
        .collect();
    // Gram matrices of length one, and how long they were.
    let grams: Vec<(Tensor<2>, Tensor<2>)> = rows
        .iter()
        .map(|rows| {
            let gram = rows.clone().matmul(rows.clone().transpose());
            let length = gram
                .clone()
                .square()
                .sum()
                .sqrt()
                .add_scalar(EPSILON)
                .reshape([1, 1]);
            (gram / length.clone(), length)
        })
        .collect();
    let mut value = Tensor::zeros([1], &maps.device());
    let mut gradients = Vec::with_capacity(count);
    for (index, (own, length)) in grams.iter().enumerate() {
        let mut others = own.zeros_like();
        for (other, (gram, _)) in grams.iter().enumerate() {
            if other != index {
                others = others + gram.clone();
            }
        }
        let cosines = (own.clone() * others.clone()).sum();
        // Each pair is met twice.
        value = value + cosines.clone() * 0.5;
        let on_gram = (others - own.clone() * cosines.reshape([1, 1])) / length.clone();
        // A Gram matrix is symmetric: both factors pull alike.
        let on_rows = on_gram.matmul(rows[index].clone()) * 2.0;
        gradients.push(on_rows.reshape([1, channels, height, width]));
    }
    (value, Tensor::cat(gradients, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn maps(values: &[f32]) -> Tensor<4> {
        Tensor::from_data(
            TensorData::new(values.to_vec(), [3, 2, 1, 3]),
            &Device::flex(),
        )
    }

    fn value(values: &[f32]) -> f32 {
        likeness(&maps(values))
            .0
            .into_data()
            .try_into_vec::<f32>()
            .expect("f32")[0]
    }

    #[test]
    fn the_same_is_alike_and_the_gradient_is_the_slope() {
        let same = [1.0, 2.0, 3.0, 0.0, -1.0, 1.0].repeat(3);
        // Three pairs.
        assert!((value(&same) - 3.0).abs() < 1e-5, "{}", value(&same));
        // Channels of their own: Gram matrices without a common entry.
        let apart = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let other = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let values: Vec<f32> = [apart, other, [0.0; 6]].concat();
        assert!(value(&values).abs() < 1e-5);

        let values: Vec<f32> = (0..18).map(|i| ((i * 7 % 11) as f32 - 4.0) / 4.0).collect();
        let gradient: Vec<f32> = likeness(&maps(&values))
            .1
            .into_data()
            .try_into_vec()
            .expect("f32");
        for index in 0..18 {
            let moved = |step: f32| {
                let mut values = values.clone();
                values[index] += step;
                value(&values)
            };
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!(
                (slope - gradient[index]).abs() < 2e-3,
                "{index}: {slope} {}",
                gradient[index]
            );
        }
    }
}
