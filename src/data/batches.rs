//! Batches of a pack, in an order that a seed decides.

use burn::tensor::{Device, Tensor, TensorData};

use super::pack::Pack;
use crate::maths::draws::Draws;

/// Streams of [`Draws`] below this are for epochs' orders.
const ORDER_STREAM: u64 = 1 << 40;

/// Indices of the pictures of a step: each epoch goes through all pictures once, in an order of its
/// own; what does not fill a batch at an epoch's end is left out of it.
#[derive(Debug, Clone)]
pub struct Order {
    count: usize,
    batch: usize,
    seed: u32,
    epoch: Option<u64>,
    order: Vec<u32>,
}

impl Order {
    /// Batches of `batch` out of `count` pictures (at most all).
    pub fn new(count: usize, batch: usize, seed: u32) -> Self {
        Self {
            count,
            batch: batch.min(count),
            seed,
            epoch: None,
            order: Vec::new(),
        }
    }

    /// The pictures of a step, counted from 0. Depends on nothing but seed and step, so that
    /// training can be resumed.
    pub fn step(&mut self, step: u64) -> &[u32] {
        let steps_each = (self.count / self.batch) as u64;
        let epoch = step / steps_each;
        if self.epoch != Some(epoch) {
            self.epoch = Some(epoch);
            self.order = (0..self.count as u32).collect();
            let mut draws = Draws::new(self.seed, ORDER_STREAM + epoch);
            // Fisher and Yates.
            for last in (1..self.count).rev() {
                self.order.swap(last, draws.below(last + 1));
            }
        }
        let from = (step % steps_each) as usize * self.batch;
        &self.order[from..from + self.batch]
    }
}

/// Pictures as a grid, brightness from 0 to 1.
///
/// # Shapes
/// - output: `[side * side, indices, channels]`
pub fn grid(pack: &Pack, indices: &[u32], device: &Device) -> Tensor<3> {
    let pictures: Vec<&[u8]> = indices.iter().map(|&i| pack.picture(i as usize)).collect();
    grid_of(&pictures, pack.side, pack.channels, device)
}

/// The same of pictures that lie anywhere.
pub fn grid_of(pictures: &[&[u8]], side: usize, channels: usize, device: &Device) -> Tensor<3> {
    let pixels = side * side;
    let mut values = Vec::with_capacity(pixels * pictures.len() * channels);
    for pixel in 0..pixels {
        for picture in pictures {
            let colors = &picture[pixel * channels..(pixel + 1) * channels];
            values.extend(colors.iter().map(|&c| f32::from(c) / 255.0));
        }
    }
    let shape = [pixels, pictures.len(), channels];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Bytes of the pictures of a grid, one after the other, from numbers read back in its order.
pub fn pictures_of(values: &[f32], pixels: usize, batch: usize, channels: usize) -> Vec<u8> {
    let mut bytes = vec![0; values.len()];
    for (at, &value) in values.iter().enumerate() {
        let (pixel, rest) = (at / (batch * channels), at % (batch * channels));
        let (picture, channel) = (rest / channels, rest % channels);
        bytes[(picture * pixels + pixel) * channels + channel] =
            (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
    }
    bytes
}

/// One-hot rows of the first label.
///
/// # Shapes
/// - output: `[indices, classes]`
pub fn one_hot(pack: &Pack, indices: &[u32], classes: usize, device: &Device) -> Tensor<2> {
    let labels: Vec<u8> = indices.iter().map(|&i| pack.label(i as usize, 0)).collect();
    one_hot_of(&labels, classes, device)
}

/// The same of given labels.
pub fn one_hot_of(labels: &[u8], classes: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0f32; labels.len() * classes];
    for (row, &label) in labels.iter().enumerate() {
        values[row * classes + usize::from(label) % classes] = 1.0;
    }
    Tensor::from_data(TensorData::new(values, [labels.len(), classes]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_shows_every_picture_once_and_the_next_in_another_order() {
        let mut order = Order::new(12, 4, 5);
        let epoch = |order: &mut Order, first: u64| -> Vec<u32> {
            (first..first + 3)
                .flat_map(|s| order.step(s).to_vec())
                .collect()
        };
        let (first, second) = (epoch(&mut order, 0), epoch(&mut order, 3));
        assert_ne!(first, second);
        for mut shown in [first.clone(), second] {
            shown.sort_unstable();
            assert_eq!(shown, (0..12).collect::<Vec<_>>());
        }
        // Going back gives the same: training resumes where it was.
        assert_eq!(epoch(&mut order, 0), first);
    }

    #[test]
    fn a_grid_and_back_is_the_same_pictures() {
        let pack = Pack {
            side: 2,
            channels: 3,
            labels_each: 1,
            labels: vec![1, 0],
            pixels: (0..24).map(|v| v * 10).collect(),
        };
        let device = Device::flex();
        let values: Vec<f32> = grid(&pack, &[0, 1], &device)
            .into_data()
            .try_into_vec()
            .unwrap();
        assert_eq!(pictures_of(&values, 4, 2, 3), pack.pixels);
        let rows: Vec<f32> = one_hot(&pack, &[0, 1], 2, &device)
            .into_data()
            .try_into_vec()
            .unwrap();
        assert_eq!(rows, [0.0, 1.0, 1.0, 0.0]);
    }
}
