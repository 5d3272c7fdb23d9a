//! Layers as shaders of our own against the same layers on the CPU: every kind that a network has, at
//! sizes that tiles divide and others. Runs on any adapter; `make test` installs a software one.

#![cfg(feature = "native")]
#![allow(clippy::disallowed_methods)] // natively a test may wait

use std::sync::OnceLock;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use kiln::engine::native_host::open_device;
use kiln::engine::weights::fill;
use kiln::maths::draws::Draws;
use kiln::methods::diversity::likeness;
use kiln::methods::spectrum::Spectrum;
use kiln::methods::style_loss::{Target, gram, style_loss};
use kiln::models::activation::Activation;
use kiln::models::conv_block::{ConvBlock, ConvBlockConfig, Rectifiers};
use kiln::models::efficientnet_lite::{CLASSES, EfficientNetLiteConfig};
use kiln::models::generate::decoder::DecoderConfig;
use kiln::models::generate::encoder::EncoderConfig;
use kiln::models::generate::grid_conv::{GridConvConfig, Step};
use kiln::models::gpu::Mixture;
use kiln::models::layered::{Gradients, Layered};
use kiln::models::style_network::{StyleNetworkConfig, instance_norm};
use kiln::models::vgg16::{Vgg16, Vgg16Config};
use kiln::protocol::message::BackendChoice;

/// Largest difference that the order of sums explains, relative to the largest value.
const TOLERANCE: f32 = 2e-5;
/// The same where the CPU takes kernels of three by three through points: that rounds more often.
const BY_POINTS: f32 = 6e-5;

/// Opened once: a process has one device.
fn gpu() -> Device {
    static OPENED: OnceLock<Device> = OnceLock::new();
    let open = || {
        let (device, adapter) = open_device(BackendChoice::WebGpu).expect("a Vulkan adapter");
        println!("on {adapter}");
        device
    };
    OPENED.get_or_init(open).clone()
}

fn numbers<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
    let values = Draws::new(seed, 0).normals(shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("f32")
}

fn assert_same<const D: usize>(what: &str, gpu: Tensor<D>, cpu: Tensor<D>) {
    assert_near(what, gpu, cpu, TOLERANCE);
}

fn assert_near<const D: usize>(what: &str, gpu: Tensor<D>, cpu: Tensor<D>, tolerance: f32) {
    assert_eq!(gpu.dims(), cpu.dims(), "{what}");
    let (gpu, cpu) = (values(gpu), values(cpu));
    assert!(gpu.iter().all(|v| v.is_finite()), "{what}: not finite");
    let largest = cpu.iter().fold(0f32, |most, v| most.max(v.abs()));
    assert!(largest > 1e-6, "{what}: zeros prove nothing");
    let off = gpu.iter().zip(&cpu).map(|(a, b)| (a - b).abs());
    let off = off.fold(0f32, f32::max);
    assert!(
        off <= tolerance * largest,
        "{what}: off by {off} of {largest}"
    );
}

/// Fills all weights with numbers of about the size that keeps a layer's output as large as its input.
struct Filled(u32);

impl ModuleMapper for Filled {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.0 += 1;
        let seed = self.0;
        param.map(|weight| {
            let shape = weight.dims();
            let fan_in = shape.iter().skip(1).product::<usize>().max(1);
            let numbers = numbers(shape, seed, &weight.device()) / (fan_in as f32).sqrt();
            // Among the single numbers of a channel are variances.
            let numbers = if D == 1 { numbers.abs() + 0.1 } else { numbers };
            if weight.is_require_grad() {
                numbers.detach().require_grad()
            } else {
                numbers
            }
        })
    }
}

fn filled<M: Module>(module: M) -> M {
    module.map(&mut Filled(0))
}

#[test]
fn convolution_blocks() {
    let (gpu, cpu) = (gpu(), Device::flex());
    for (channels, kernel, stride, depthwise, activation) in [
        ([3, 32], 3, 2, false, Activation::Relu6),
        ([32, 32], 3, 1, true, Activation::Relu6),
        ([24, 144], 1, 1, false, Activation::HardSwish),
        ([144, 24], 1, 1, false, Activation::Linear),
        ([40, 40], 3, 2, true, Activation::Relu),
        ([24, 24], 5, 2, true, Activation::HardSwish),
        ([17, 70], 3, 2, false, Activation::Sigmoid),
        ([300, 12], 1, 1, false, Activation::Linear),
    ] {
        let config = ConvBlockConfig::new(channels)
            .with_kernel(kernel)
            .with_stride(stride)
            .with_depthwise(depthwise)
            .with_activation(activation);
        let block = filled(config.init(&cpu));
        let there: ConvBlock = filled(config.init(&gpu));
        for [batch, height, width] in [
            [1, 19, 19],
            [1, 40, 33],
            [2, 8, 10],
            [1, 1, 1],
            [1, 150, 150],
        ] {
            let shape = [batch, channels[0], height, width];
            let what = format!("{channels:?} {kernel} {stride} {shape:?}");
            let expected = block.forward(numbers(shape, 7, &cpu));
            let found = there.forward(numbers(shape, 7, &gpu));
            let added = expected.dims();
            assert_same(&what, found, expected);
            let expected = block.forward_plus(numbers(shape, 7, &cpu), numbers(added, 8, &cpu));
            let found = there.forward_plus(numbers(shape, 7, &gpu), numbers(added, 8, &gpu));
            assert_same(&format!("{what} and a sum"), found, expected);
        }
    }
}

#[test]
fn convolution_blocks_on_the_way_back() {
    let (gpu, cpu) = (gpu(), Device::flex());
    for (channels, kernel, stride, depthwise, activation) in [
        ([3, 32], 3, 2, false, Activation::Relu6),
        ([32, 32], 3, 1, true, Activation::Relu6),
        ([24, 144], 1, 1, false, Activation::Relu6),
        ([144, 24], 1, 1, false, Activation::Linear),
        ([24, 24], 5, 2, true, Activation::Relu6),
    ] {
        let config = ConvBlockConfig::new(channels)
            .with_kernel(kernel)
            .with_stride(stride)
            .with_depthwise(depthwise)
            .with_activation(activation);
        let (here, there) = (filled(config.init(&cpu)), filled(config.init(&gpu)));
        for [height, width] in [[19, 19], [40, 33], [1, 2]] {
            let back = |block: &ConvBlock, device: &Device, rectifiers| {
                let x = numbers([1, channels[0], height, width], 5, device) * 3.0;
                let y = block.forward(x);
                let gradient = numbers(y.dims(), 6, device);
                block.backward(gradient, &y, [height, width], rectifiers)
            };
            for rectifiers in [Rectifiers::Gradient, Rectifiers::Guided] {
                let what =
                    format!("{channels:?} {kernel} {stride} {height} x {width} {rectifiers:?}");
                let found = back(&there, &gpu, rectifiers);
                assert_same(&what, found, back(&here, &cpu, rectifiers));
            }
        }
    }
}

/// With the shipped weights: with any, values run away.
#[test]
fn a_classifier_in_both_directions() {
    let (gpu, cpu) = (gpu(), Device::flex());
    let both = |device: &Device| {
        let weights = std::fs::read("weights/efficientnet-lite0.bpk").expect("committed");
        let network = EfficientNetLiteConfig::new().init(device);
        let network = fill(network, "efficientnet-lite0", weights).expect("fits");
        let trace = network.trace(numbers([1, 3, 64, 96], 1, device) * 0.5);
        let mut one = vec![0f32; CLASSES];
        one[285] = 1.0;
        let one = Tensor::from_data(TensorData::new(one, [1, CLASSES]), device);
        let one = || Gradients::on_logits(one.clone());
        let back = |to| network.backward(&trace, one(), Rectifiers::Gradient, to);
        (trace.logits().clone(), back(Some(11)), back(None))
    };
    let ((logits, inside, image), (cpu_logits, cpu_inside, cpu_image)) = (both(&gpu), both(&cpu));
    assert_near("logits", logits, cpu_logits, 1e-4);
    assert_near("on block 11", inside, cpu_inside, 1e-3);
    // Where a value lies within rounding of a rectifier's edge, its gradient passes on one side only.
    assert_near("on the image", image, cpu_image, 5e-2);
}

#[test]
fn style_network() {
    let (gpu, cpu) = (gpu(), Device::flex());
    let config = StyleNetworkConfig::new(5);
    for [height, width] in [[16, 24], [64, 68]] {
        let paint = |device: &Device| {
            let styles = numbers([1, 5], 3, device);
            filled(config.init(device)).forward(numbers([1, 3, height, width], 4, device), styles)
        };
        assert_near("style network", paint(&gpu), paint(&cpu), BY_POINTS);
    }
}

#[test]
fn vgg_in_both_directions() {
    let (gpu, cpu) = (gpu(), Device::flex());
    // Tiles of one, two and four channels a thread, forward and back.
    for (index, size) in [
        (0, [20, 26]),
        (1, [21, 30]),
        (2, [21, 31]),
        (7, [9, 14]),
        (1, [70, 70]),
        (3, [40, 44]),
    ] {
        let forward = |device: &Device| {
            let network = filled(Vgg16Config::new().init(device));
            let [_, channels, _, _] = network.convs[index].weight.dims();
            let x = numbers([1, channels, size[0], size[1]], 5, device);
            let output = network.forward_layer(index, x);
            (network, output)
        };
        let ((network_there, there), (network, here)) = (forward(&gpu), forward(&cpu));
        // The same rectifiers on both ways back: a value that is all but zero may round to either side.
        let back = |network: &Vgg16, device: &Device| {
            let output = Tensor::<4>::from_data(here.to_data(), device);
            let gradient = numbers(output.dims(), 6, device);
            network.backward_layer(index, gradient, output, size)
        };
        let (back_there, back_here) = (back(&network_there, &gpu), back(&network, &cpu));
        assert_near(&format!("layer {index}"), there, here, BY_POINTS);
        assert_near(
            &format!("layer {index} backward"),
            back_there,
            back_here,
            BY_POINTS,
        );
    }
}

#[test]
fn generative_networks() {
    let (gpu, cpu) = (gpu(), Device::flex());
    let decoder = DecoderConfig::new(8, 4, vec![24, 16, 8], 3);
    let encoder = EncoderConfig::new(16, 3, vec![8, 16], 5);
    for batch in [1, 6] {
        let draw =
            |device: &Device| filled(decoder.init(device)).forward(numbers([batch, 8], 2, device));
        assert_same("decoder", draw(&gpu), draw(&cpu));
        let encode = |device: &Device| {
            filled(encoder.init(device)).forward(numbers([256, batch, 3], 2, device))
        };
        assert_same("encoder", encode(&gpu), encode(&cpu));
    }
}

#[test]
fn losses_of_style() {
    let (gpu, cpu) = (gpu(), Device::flex());
    for (channels, height, width) in [(64, 33, 41), (3, 5, 1), (130, 8, 9)] {
        let of = |device: &Device| {
            let map = numbers([1, channels, height, width], 1, device);
            let target = Target::new(gram(numbers([1, channels, 4, 5], 2, device)));
            let own = gram(map.clone());
            let loss = style_loss(map, own.clone(), &target);
            (own, loss.value, loss.gradient)
        };
        let ((own_there, value_there, there), (own, value, here)) = (of(&gpu), of(&cpu));
        assert_same("Gram matrix", own_there, own);
        assert_same("style loss", value_there, value);
        assert_same("its gradient", there, here);
    }
}

/// A layer's gradients on its input, weights and bias, for each step, with sides that halve unevenly.
#[test]
fn gradients_of_a_grid_layer() {
    let (gpu, cpu) = (gpu(), Device::flex());
    for (step, kernel, channels) in [
        (Step::Same, 3, [4, 6]),
        (Step::Half, 3, [5, 3]),
        (Step::Half, 5, [2, 3]),
        (Step::Double, 3, [6, 2]),
        (Step::Same, 1, [3, 7]),
    ] {
        for (side, batch) in [(4, 3), (7, 2), (1, 5)] {
            let config = GridConvConfig::new(channels)
                .with_step(step)
                .with_kernel(kernel);
            let found = |device: &Device| {
                let device = device.clone().autodiff();
                let layer = filled(config.init(&device));
                let x = numbers([side * side, batch, channels[0]], 3, &device).require_grad();
                let y = layer.forward(x.clone(), side);
                let goal = numbers(y.dims(), 4, &device);
                let gradients = (y.clone() * goal).sum().backward();
                (
                    y.inner(),
                    x.grad(&gradients).expect("on the input"),
                    layer.weight.val().grad(&gradients).expect("on weights"),
                    layer.bias.val().grad(&gradients).expect("on the bias"),
                )
            };
            let (there, here) = (found(&gpu), found(&cpu));
            let what = format!("{step:?} {kernel} {side}");
            assert_same(&what, there.0, here.0);
            assert_same(&format!("{what}, input"), there.1, here.1);
            assert_same(&format!("{what}, weights"), there.2, here.2);
            assert_same(&format!("{what}, bias"), there.3, here.3);
        }
    }
}

/// A decoder in training: its batch's statistics, what it keeps of them, and its gradients.
#[test]
fn a_decoder_in_training() {
    let (gpu, cpu) = (gpu(), Device::flex());
    let config = DecoderConfig::new(8, 4, vec![12, 6], 3);
    let found = |device: &Device| {
        let device = device.clone().autodiff();
        let decoder = filled(config.init(&device));
        let y = decoder.forward(numbers([10, 8], 2, &device));
        let goal = numbers(y.dims(), 4, &device);
        let gradients = (y.clone() * goal).sum().backward();
        let dense = decoder.dense.weight.val().grad(&gradients);
        let gamma = decoder.norms[1].gamma.val().grad(&gradients);
        (
            y.inner(),
            dense.expect("on the first weights"),
            gamma.expect("on a scale"),
            decoder.norms[1].running_var.value_sync().inner(),
        )
    };
    let (there, here) = (found(&gpu), found(&cpu));
    assert_same("decoder in training", there.0, here.0);
    assert_same("first weights", there.1, here.1);
    assert_same("scale", there.2, here.2);
    assert_same("kept variance", there.3, here.3);
}

/// More values than a device takes workgroups in a row: those go on in a second layer.
#[test]
fn a_large_map() {
    let (gpu, cpu) = (gpu(), Device::flex());
    let norm = |device: &Device| {
        let x = numbers([1, 32, 760, 760], 1, device);
        let mixture = Mixture {
            gamma: &numbers([1, 32], 2, device),
            beta: &numbers([1, 32], 3, device),
            weights: None,
        };
        instance_norm(x, &mixture, Activation::Relu, None)
    };
    assert_same("large map", norm(&gpu), norm(&cpu));
}

/// Where only the weights are learned, or only the input.
#[test]
fn gradients_of_a_part_of_a_grid_layer() {
    let (gpu, cpu) = (gpu(), Device::flex());
    let config = GridConvConfig::new([3, 4]).with_step(Step::Half);
    let found = |device: &Device, of_weights: bool| {
        let device = device.clone().autodiff();
        let layer = filled(config.init(&device));
        let layer = if of_weights { layer } else { layer.no_grad() };
        let x = numbers([25, 2, 3], 3, &device);
        let x = if of_weights { x } else { x.require_grad() };
        let y = layer.forward(x.clone(), 5);
        let goal = numbers(y.dims(), 4, &device);
        let gradients = (y * goal).sum().backward();
        let weights = layer.weight.val().grad(&gradients);
        let input = x.grad(&gradients);
        assert_ne!(weights.is_some(), input.is_some());
        weights.or(input).expect("one of them")
    };
    for of_weights in [true, false] {
        let what = format!("of weights: {of_weights}");
        assert_same(&what, found(&gpu, of_weights), found(&cpu, of_weights));
    }
}

#[test]
fn what_looks_into_a_network() {
    let (gpu, cpu) = (gpu(), Device::flex());
    // VGG-16 with small weights, in both directions, from two layers at once.
    let both = |device: &Device| {
        let mut network = Vgg16Config::new().init(device);
        for (layer, conv) in network.convs.iter_mut().enumerate().take(4) {
            let dims = conv.weight.dims();
            let share = 1.0 / (dims[1] as f32 * 4.5).sqrt();
            conv.weight = Param::from_tensor(numbers(dims, layer as u32 + 1, device) * share);
        }
        let pass = network.pass(numbers([2, 3, 24, 32], 9, device) * 0.5 + 0.5, Some(3));
        let on = |layer: usize| {
            (
                layer,
                numbers(pass.map(layer).dims(), layer as u32 + 20, device),
            )
        };
        let from = Gradients {
            on_logits: None,
            on_maps: vec![on(1), on(3)],
        };
        (pass.map(3).clone(), pass.back(from, Rectifiers::Gradient))
    };
    let ((map, back), (cpu_map, cpu_back)) = (both(&gpu), both(&cpu));
    assert_near("conv2_2", map, cpu_map, 1e-4);
    assert_near("on the picture", back, cpu_back, 5e-2);
    let evened = |device: &Device| {
        let gradient = numbers([2, 3, 40, 40], 4, device);
        Spectrum::new(40, device).even_out(gradient, 0.8)
    };
    assert_near("evened out", evened(&gpu), evened(&cpu), 1e-3);
    let alike = |device: &Device| likeness(&numbers([3, 8, 5, 6], 5, device)).1;
    assert_near("apart", alike(&gpu), alike(&cpu), 1e-3);
}
