//! Layers of the networks on the GPU, one by one: Burn's convolution and matrix product beside the shaders
//! of `models/gpu`. `cargo run --example layers`; on a software adapter it takes minutes.

#![allow(clippy::disallowed_methods)] // nothing waits but this program

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use kiln::engine::native_host::open_device;
use kiln::maths::draws::Draws;
use kiln::models::convolution::{Border, Convolution};
use kiln::models::gpu;
use kiln::protocol::message::BackendChoice;

/// Runs that are asked for together.
const TOGETHER: u32 = 8;
/// Times that they are.
const TURNS: usize = 5;

fn numbers<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = Draws::new(1, 0).normals(shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Milliseconds of a run on the device: of several that are asked for together, what each but the first
/// adds; the median of some turns.
fn milliseconds<const D: usize>(run: impl Fn() -> Tensor<D>) -> f64 {
    // Data is fetched when its bytes are looked at, no sooner.
    let read = |tensor: Tensor<D>| {
        let values: Vec<f32> = tensor.into_data().try_into_vec().expect("f32");
        black_box(values[0]);
    };
    read(run());
    let timed = |count: u32| {
        let began = Instant::now();
        for _ in 1..count {
            run();
        }
        read(run());
        began.elapsed().as_secs_f64() * 1e3
    };
    let turns = (0..TURNS).map(|_| (timed(TOGETHER) - timed(1)) / f64::from(TOGETHER - 1));
    let mut turns: Vec<f64> = turns.collect();
    turns.sort_by(f64::total_cmp);
    turns[TURNS / 2]
}

fn row(what: &str, operations: f64, burn: f64, ours: f64) {
    let speed = operations / ours / 1e9;
    println!(
        "{what:40} {burn:9.3} {ours:9.3} {:8.2} {speed:9.2}",
        ours / burn
    );
}

fn main() {
    let (device, adapter) = open_device(BackendChoice::WebGpu).expect("an adapter");
    println!("{adapter}; milliseconds");
    println!(
        "{:40} {:>9} {:>9} {:>8} {:>9}",
        "layer", "Burn", "ours", "ratio", "TFLOP/s"
    );
    // In, out, kernel, stride, side, and whether each channel has a filter of its own: of SSD, of the style
    // network, of VGG-16.
    for (channels, out, kernel, stride, side, alone) in [
        (3, 32, 3, 2, 300, false),
        (96, 96, 3, 2, 150, true),
        (24, 144, 1, 1, 75, false),
        (576, 96, 1, 1, 19, false),
        (960, 160, 1, 1, 10, false),
        (256, 512, 3, 2, 10, false),
        (3, 32, 9, 1, 320, false),
        (32, 32, 3, 1, 80, false),
        (64, 64, 3, 1, 192, false),
        (128, 128, 3, 1, 96, false),
        (256, 256, 3, 1, 48, false),
        (512, 512, 3, 1, 24, false),
        (512, 512, 3, 1, 12, false),
    ] {
        let x = numbers([1, channels, side, side], &device);
        let inputs = if alone { 1 } else { channels };
        let weight = numbers([out, inputs, kernel, kernel], &device);
        let edge = kernel / 2;
        let size = (side + 2 * edge - kernel) / stride + 1;
        let groups = channels / inputs;
        let options = ConvOptions::new([stride; 2], [edge; 2], [1, 1], groups);
        let burn = milliseconds(|| conv2d(x.clone(), weight.clone(), None, options.clone()));
        let border = Border::Zeros {
            above: edge,
            left: edge,
        };
        let layer = Convolution {
            stride,
            depthwise: alone,
            ..Convolution::new(&weight, border, [size; 2])
        };
        let ours = milliseconds(|| layer.run(&x).expect("on a GPU"));
        let kind = if alone { " depthwise" } else { "" };
        let what = format!("{channels} to {out}, {kernel}x{kernel}/{stride} at {side}{kind}");
        let operations = 2.0 * (size * size * out * inputs * kernel * kernel) as f64;
        row(&what, operations, burn, ours);
    }
    for (channels, places) in [(64, 192 * 192), (128, 96 * 96), (512, 24 * 24)] {
        let x = numbers([channels, places], &device);
        let burn = milliseconds(|| x.clone().matmul(x.clone().transpose()));
        let ours = milliseconds(|| gpu::gram(&x, 1.0).expect("on a GPU"));
        let operations = 2.0 * (channels * channels * places) as f64;
        row(
            &format!("Gram matrix {channels} x {places}"),
            operations,
            burn,
            ours,
        );
    }
}
