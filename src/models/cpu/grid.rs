//! Layers of the generative networks on the CPU.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use kiln_kernels::{After, Gather, Grid, Links};

use super::super::generate::grid_conv::Step;
use super::super::grid_layer::{GridLayer, ScaleShift};
use super::super::layers::noted;
use super::{after, on_cpu, tensor};
use crate::protocol::layer::{Layer, LayerKind};

/// What a layer is made of on the CPU.
struct Plan {
    /// What each pixel of the result is made of, and what each pixel of the map goes into.
    there: Links,
    back: Links,
    /// Each pixel of the map by itself, where products come before neighbours: see [`Plan::products_first`].
    alone: Option<Links>,
}

thread_local! {
    /// Plans of the layers that ran: a network asks for the same few again and again.
    static PLANS: RefCell<HashMap<(usize, u32, usize), Rc<Plan>>> = RefCell::default();
}

impl Plan {
    fn of(layer: GridLayer) -> Rc<Self> {
        let [side, _] = layer.sides;
        let key = (layer.kernel, layer.step as u32, side);
        let known = PLANS.with_borrow(|plans| plans.get(&key).cloned());
        known.unwrap_or_else(|| {
            let plan = Rc::new(Self::new(layer));
            PLANS.with_borrow_mut(|plans| plans.insert(key, plan.clone()));
            plan
        })
    }

    fn new(layer: GridLayer) -> Self {
        let [side, new_side] = layer.sides;
        let kernel = layer.kernel;
        let reach = (kernel / 2) as isize;
        let source = |at: usize, tap: usize| layer.step.source(at, tap as isize - reach, side);
        let places = (0..new_side).flat_map(|row| (0..new_side).map(move |column| [row, column]));
        let of_pixel = |[row, column]: [usize; 2]| -> Vec<[usize; 2]> {
            let pixel = |tap| source(row, tap / kernel) * side + source(column, tap % kernel);
            (0..kernel * kernel).map(|tap| [pixel(tap), tap]).collect()
        };
        let there = Links::new(&places.map(of_pixel).collect::<Vec<_>>());
        let alone = || {
            Links::new(
                &(0..side * side)
                    .map(|pixel| vec![[pixel, 0]])
                    .collect::<Vec<_>>(),
            )
        };
        Self {
            back: there.turned(side * side),
            there,
            alone: (layer.step == Step::Double).then(alone),
        }
    }

    /// Where the grid grows, products with all taps' weights come first, on a quarter of the pixels, and each pixel of
    /// the result is a sum of some of them. Sums and products commute, so on the way back gradients are summed first.
    fn products_first(&self) -> Option<&Links> {
        self.alone.as_ref()
    }
}

/// `[taps, in, out]` to `[in, taps, out]`, or with `in` and `taps` exchanged from there back.
fn exchanged(weights: &[f32], [first, second, out]: [usize; 3]) -> Vec<f32> {
    let row = |a: usize, b: usize| &weights[(a * second + b) * out..][..out];
    let rows = (0..second).flat_map(|b| (0..first).flat_map(move |a| row(a, b)));
    rows.copied().collect()
}

/// The layer, with or without what follows it: see [`GridLayer::run_then`].
pub fn forward(
    layer: GridLayer,
    x: &Tensor<3>,
    weight: &Tensor<3>,
    bias: &Tensor<1>,
    then: Option<&ScaleShift<'_>>,
) -> Option<Tensor<3>> {
    let [pixels, batch, from] = x.dims();
    let [taps, _, out] = weight.dims();
    let results = layer.sides[1].pow(2);
    let layer_noted = || {
        let [side, new_side] = layer.sides;
        let products = pixels.min(results) * batch * from * out * taps;
        let numbers = pixels * batch * from + results * batch * out + taps * from * out;
        Layer {
            kernel: layer.kernel,
            from: [from, side, side],
            to: [out, new_side, new_side],
            ..Layer::new(LayerKind::Convolution, 2 * products, numbers)
        }
    };
    noted(layer_noted, || {
        let (x, weight, bias) = (on_cpu(x)?, on_cpu(weight)?, on_cpu(bias)?);
        let plan = Plan::of(layer);
        let bias: &[f32] = bias.storage();
        let scales = match then {
            Some(then) => Some(scales(then, bias)?),
            None => None,
        };
        let factors = scales.as_ref().map(|[factors, _]| &factors[..]);
        let sums = Some(scales.as_ref().map_or(bias, |[_, sums]| &sums[..]));
        let after = then.map_or(After::Nothing, |then| after(then.activation));
        let mut result = Vec::new();
        if let Some(alone) = plan.products_first() {
            let mut products = Vec::new();
            Grid {
                links: alone,
                batch,
                channels: [from, taps * out],
                map: x.storage(),
                weights: &exchanged(weight.storage(), [taps, from, out]),
                turned: false,
                factors: None,
                sums: None,
                after: After::Nothing,
            }
            .append(&mut products);
            let gather = Gather {
                links: &plan.there,
                batch,
                parts: [taps, out],
                from: &products,
                factors,
                sums,
                after,
            };
            gather.append(&mut result);
        } else {
            let grid = Grid {
                links: &plan.there,
                batch,
                channels: [from, out],
                map: x.storage(),
                weights: weight.storage(),
                turned: false,
                factors,
                sums,
                after,
            };
            grid.append(&mut result);
        }
        Some(tensor(result, [results, batch, out]))
    })
}

/// Factor and sum of each channel: bias, then batch normalisation. Channels of the norm may go into those of the
/// layer several times.
fn scales(then: &ScaleShift<'_>, bias: &[f32]) -> Option<[Vec<f32>; 2]> {
    let norm = then.norm;
    let numbers = [
        norm.gamma.val(),
        norm.beta.val(),
        norm.running_mean.value(),
        norm.running_var.value(),
    ];
    let [gamma, beta, mean, variance] = numbers.map(|of| on_cpu(&of));
    let (gamma, beta, mean, variance) = (gamma?, beta?, mean?, variance?);
    let [gamma, beta, mean, variance] =
        [&gamma, &beta, &mean, &variance].map(FlexTensor::storage::<f32>);
    let factor = |channel: usize| gamma[channel] / (variance[channel] + norm.epsilon as f32).sqrt();
    let channels = || (0..bias.len()).map(|channel| channel % gamma.len());
    let factors = channels().map(factor).collect();
    let sums = channels().zip(bias);
    let sums = sums.map(|(channel, bias)| (bias - mean[channel]) * factor(channel) + beta[channel]);
    Some([factors, sums.collect()])
}

/// A gradient on the result, and what both ways back from it begin with.
pub struct Gradient {
    plan: Rc<Plan>,
    values: FlexTensor,
    /// Where products come first: the gradient on each of them.
    spread: Option<Vec<f32>>,
}

impl Gradient {
    /// `None` where it is not on the CPU.
    pub fn new(layer: GridLayer, gradient: &Tensor<3>) -> Option<Self> {
        let [_, batch, out] = gradient.dims();
        let values = on_cpu(gradient)?;
        let plan = Plan::of(layer);
        let taps = layer.kernel.pow(2);
        let spread = plan
            .products_first()
            .map(|_| kiln_kernels::spread(&plan.back, batch, [taps, out], values.storage()));
        Some(Self {
            plan,
            values,
            spread,
        })
    }
}

/// From a gradient on the result to one on the input.
pub fn on_input(layer: GridLayer, gradient: &Gradient, weight: &Tensor<3>) -> Option<Tensor<3>> {
    let [taps, from, out] = weight.dims();
    let batch = gradient.values.layout().shape()[1];
    let weight = on_cpu(weight)?;
    let plan = &gradient.plan;
    let weight = weight.storage();
    let mut result = Vec::new();
    let run = |links, channels, map: &[f32], weights: &[f32], result: &mut Vec<f32>| {
        let grid = Grid {
            links,
            batch,
            channels,
            map,
            weights,
            turned: true,
            factors: None,
            sums: None,
            after: After::Nothing,
        };
        grid.append(result);
    };
    if let (Some(alone), Some(spread)) = (plan.products_first(), &gradient.spread) {
        let weights = exchanged(weight, [taps, from, out]);
        run(alone, [taps * out, from], spread, &weights, &mut result);
    } else {
        let values = gradient.values.storage();
        run(&plan.back, [out, from], values, weight, &mut result);
    }
    Some(tensor(result, [layer.sides[0].pow(2), batch, from]))
}

/// From a gradient on the result to those on the weights and the bias.
pub fn on_weights(
    layer: GridLayer,
    x: &Tensor<3>,
    gradient: &Gradient,
) -> Option<(Tensor<3>, Tensor<1>)> {
    let [_, batch, from] = x.dims();
    let out = gradient.values.layout().shape()[2];
    let x = on_cpu(x)?;
    let plan = &gradient.plan;
    let (taps, x, values) = (layer.kernel.pow(2), x.storage(), gradient.values.storage());
    let weights = if let (Some(alone), Some(spread)) = (plan.products_first(), &gradient.spread) {
        let found = kiln_kernels::on_weights(alone, 1, batch, [from, taps * out], x, spread);
        exchanged(&found, [from, taps, out])
    } else {
        kiln_kernels::on_weights(&plan.there, taps, batch, [from, out], x, values)
    };
    let bias = kiln_kernels::on_bias(values, out);
    Some((tensor(weights, [taps, from, out]), tensor(bias, [out])))
}
