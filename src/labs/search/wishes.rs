//! Objectives, computed: what pictures make of them, and where the way back begins.

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::objective::{Objective, Wish};
use crate::models::layered::{Gradients, Pass};

/// What a pass says of an objective.
pub struct Wished {
    /// Of each picture, the sum of the terms that the network says: `[pictures]`.
    pub value: Tensor<1>,
    /// The probability of the class that is asked for first: `[pictures]`.
    pub probability: Option<Tensor<1>>,
    /// The gradients of `value`.
    pub gradients: Gradients,
}

/// One channel of so many, all over a map.
fn of_channel(dims: [usize; 4], channel: usize, share: f32, device: &Device) -> Tensor<4> {
    let mut one = vec![0f32; dims[1]];
    one[channel] = share;
    Tensor::<4>::from_data(TensorData::new(one, [1, dims[1], 1, 1]), device).expand(dims)
}

/// The terms that are about the network. Those about pixels are left to whoever has them.
pub fn wished(objective: &Objective, pass: &dyn Pass) -> Wished {
    let mut value: Option<Tensor<1>> = None;
    let mut gradients = Gradients::default();
    let mut on_logits: Option<(Vec<f32>, Device)> = None;
    for &(weight, wish) in &objective.terms {
        let said = match wish {
            Wish::Variation | Wish::Contrast => continue,
            Wish::Class(class) => {
                let logits = pass.logits().expect("a pass to the logits");
                let [_, classes] = logits.dims();
                let (ones, _) =
                    on_logits.get_or_insert_with(|| (vec![0.0; classes], logits.device()));
                ones[class] += weight;
                logits.clone().narrow(1, class, 1).squeeze_dim::<1>(1)
            }
            Wish::Channel(layer, channel) => {
                let map = pass.map(layer);
                let dims = map.dims();
                let share = weight / (dims[2] * dims[3]) as f32;
                gradients
                    .on_maps
                    .push((layer, of_channel(dims, channel, share, &map.device())));
                map.clone()
                    .narrow(1, channel, 1)
                    .mean_dims(&[1, 2, 3])
                    .reshape([dims[0]])
            }
            Wish::Unit(layer, channel) => {
                let map = pass.map(layer);
                let [count, channels, rows, columns] = map.dims();
                let place = (channel * rows + rows / 2) * columns + columns / 2;
                let mut one = vec![0f32; channels * rows * columns];
                one[place] = weight;
                let one = TensorData::new(one, [1, channels, rows, columns]);
                let one = Tensor::<4>::from_data(one, &map.device());
                gradients.on_maps.push((layer, one.expand(map.dims())));
                let unit = map
                    .clone()
                    .narrow(1, channel, 1)
                    .narrow(2, rows / 2, 1)
                    .narrow(3, columns / 2, 1);
                unit.reshape([count])
            }
            Wish::Layer(layer) => {
                let map = pass.map(layer);
                let [count, channels, rows, columns] = map.dims();
                let share = weight / (channels * rows * columns) as f32;
                gradients.on_maps.push((layer, map.clone() * share));
                map.clone().square().mean_dims(&[1, 2, 3]).reshape([count]) * 0.5
            }
        };
        let said = said * weight;
        value = Some(match value {
            Some(sum) => sum + said,
            None => said,
        });
    }
    if let Some((ones, device)) = on_logits {
        let logits = pass.logits().expect("a pass to the logits");
        let ones = TensorData::new(ones, [1, logits.dims()[1]]);
        gradients.on_logits = Some(Tensor::<2>::from_data(ones, &device).expand(logits.dims()));
    }
    let probability = objective.class().map(|class| {
        let logits = pass.logits().expect("a pass to the logits");
        activation::softmax(logits.clone(), 1)
            .narrow(1, class, 1)
            .squeeze_dim::<1>(1)
    });
    Wished {
        value: value.expect("an objective is about the network"),
        probability,
        gradients,
    }
}
