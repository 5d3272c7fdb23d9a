//! Objectives, computed: what pictures make of them, and where the way back begins.

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::objective::{Objective, Wish};
use crate::methods::regularise::GREY;
use crate::methods::style_loss::{Loss, total_variation};
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

/// A term that is about a layer's map: its value for each picture, `[pictures]`, and its gradient, both with its weight.
/// None where it is about something else.
pub fn on_map(wish: Wish, weight: f32, map: &Tensor<4>) -> Option<(Tensor<1>, Tensor<4>)> {
    let dims = map.dims();
    let [count, channels, rows, columns] = dims;
    let (value, gradient) = match wish {
        Wish::Channel(_, channel) => {
            let share = weight / (rows * columns) as f32;
            let value = map.clone().narrow(1, channel, 1).mean_dims(&[1, 2, 3]);
            (value, of_channel(dims, channel, share, &map.device()))
        }
        Wish::Unit(_, channel) => {
            let place = (channel * rows + rows / 2) * columns + columns / 2;
            let mut one = vec![0f32; channels * rows * columns];
            one[place] = weight;
            let one = TensorData::new(one, [1, channels, rows, columns]);
            let unit = map.clone().narrow(1, channel, 1);
            let unit = unit.narrow(2, rows / 2, 1).narrow(3, columns / 2, 1);
            let one = Tensor::<4>::from_data(one, &map.device());
            (unit, one.expand(dims))
        }
        Wish::Layer(_) => {
            let share = weight / (channels * rows * columns) as f32;
            let value = map.clone().square().mean_dims(&[1, 2, 3]) * 0.5;
            (value, map.clone() * share)
        }
        Wish::Class(_) | Wish::Variation | Wish::Contrast => return None,
    };
    Some((value.reshape([count]) * weight, gradient))
}

/// A term that is about pixels alone, before its weight, summed over the pictures: `[pictures, 3, height, width]`, values
/// from 0 to 1. None where it is about the network.
pub fn on_pixels(wish: Wish, pictures: &Tensor<4>) -> Option<Loss<4>> {
    match wish {
        Wish::Variation => Some(total_variation(pictures.clone())),
        Wish::Contrast => {
            let [_, channels, height, width] = pictures.dims();
            let count = (channels * height * width) as f32;
            let away = (pictures.clone() - GREY) / GREY;
            Some(Loss {
                value: away.clone().square().sum() / count,
                gradient: away * (2.0 / (GREY * count)),
            })
        }
        Wish::Class(_) | Wish::Channel(..) | Wish::Unit(..) | Wish::Layer(_) => None,
    }
}

/// The terms that are about the network. Those about pixels are left to whoever has them.
pub fn wished(objective: &Objective, pass: &dyn Pass) -> Wished {
    let mut values: Vec<Tensor<1>> = Vec::new();
    let mut gradients = Gradients::default();
    for &(weight, wish) in &objective.terms {
        if let Some(layer) = wish.layer() {
            if let Some((value, gradient)) = on_map(wish, weight, pass.map(layer)) {
                values.push(value);
                gradients.on_maps.push((layer, gradient));
            }
        } else if let Wish::Class(class) = wish {
            let logits = pass.logits().expect("a pass to the logits");
            values.push(logits.clone().narrow(1, class, 1).squeeze_dim::<1>(1) * weight);
            let mut one = vec![0f32; logits.dims()[1]];
            one[class] = weight;
            let one = TensorData::new(one, [1, logits.dims()[1]]);
            let one = Tensor::<2>::from_data(one, &logits.device()).expand(logits.dims());
            gradients.on_logits = Some(match gradients.on_logits.take() {
                Some(sum) => sum + one,
                None => one,
            });
        }
    }
    let probability = objective.class().map(|class| {
        let logits = pass.logits().expect("a pass to the logits");
        activation::softmax(logits.clone(), 1)
            .narrow(1, class, 1)
            .squeeze_dim::<1>(1)
    });
    let value = values.into_iter().reduce(|sum, value| sum + value);
    Wished {
        value: value.expect("an objective is about the network"),
        probability,
        gradients,
    }
}
