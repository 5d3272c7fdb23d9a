use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use kiln::engine::native_host::open_device;
use kiln::maths::draws::Draws;
use kiln::models::gpu::{Border, Convolution};
use kiln::protocol::message::BackendChoice;
use std::time::Instant;

fn numbers<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = Draws::new(1, 0).normals(shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}
fn time<const D: usize>(what: &str, f: impl Fn() -> Tensor<D>) {
    let sync = |t: Tensor<D>| {
        let v: Vec<f32> = t.into_data().try_into_vec().unwrap();
        std::hint::black_box(v[0]);
    };
    sync(f());
    let best = (0..3)
        .map(|_| {
            let s = Instant::now();
            sync(f());
            let one = s.elapsed().as_secs_f64();
            let s = Instant::now();
            for _ in 0..9 {
                let _ = f();
            }
            sync(f());
            (s.elapsed().as_secs_f64() - one) / 9.0
        })
        .fold(f64::MAX, f64::min);
    let s = Instant::now();
    sync(f());
    println!(
        "{:9.3} ms  {what} (one {:.3})",
        best * 1e3,
        s.elapsed().as_secs_f64() * 1e3
    );
}
fn main() {
    let (d, name) = open_device(BackendChoice::WebGpu).unwrap();
    println!("{name}");
    for (c, s) in [(64, 192), (128, 96), (256, 48), (512, 24), (512, 12)] {
        let f = numbers([c, s * s], &d);
        let g = numbers([c, c], &d);
        let m = numbers([1, c, s, s], &d);
        let w = numbers([c, c, 3, 3], &d);
        time(&format!("gram {c} {s}"), || {
            f.clone().matmul(f.clone().transpose())
        });
        time(&format!("g x f {c} {s}"), || g.clone().matmul(f.clone()));
        time(&format!("sum c c {c}"), || g.clone().sum());
        time(&format!("sum map {c} {s}"), || m.clone().sum());
        time(&format!("square map {c} {s}"), || m.clone().square());
        time(&format!("conv direct {c} {s}"), || {
            conv2d(
                m.clone(),
                w.clone(),
                None,
                ConvOptions::new([1, 1], [1, 1], [1, 1], 1),
            )
        });
        time(&format!("conv ours {c} {s}"), || {
            Convolution::new(&w, Border::Zeros { above: 1, left: 1 }, [s, s])
                .run(&m)
                .unwrap()
        });
        time(&format!("conv ours adjoint {c} {s}"), || {
            Convolution::new(&w, Border::Zeros { above: 1, left: 1 }, [s, s])
                .adjoint(&m, &m)
                .unwrap()
        });
        time(&format!("pool {c} {s}"), || {
            burn::tensor::module::avg_pool2d(
                m.clone(),
                burn::tensor::ops::AvgPoolOptions::new([2, 2]),
            )
        });
        time(&format!("nearest {c} {s}"), || {
            burn::tensor::module::interpolate(
                m.clone(),
                burn::tensor::ops::InterpolateOptions::new(
                    burn::tensor::ops::InterpolateMode::Nearest,
                )
                .with_output_size([2 * s, 2 * s]),
            )
        });
    }
    let p = numbers([1, 3, 192, 192], &d);
    time("narrow sub", || {
        p.clone().narrow(2, 1, 191) - p.clone().narrow(2, 0, 191)
    });
    time("tv cat", || {
        let z = numbers([1, 3, 1, 192], &d);
        Tensor::cat(vec![z, p.clone().narrow(2, 1, 191)], 2)
    });
    time("sum picture", || p.clone().sum());
    time("max picture", || p.clone().abs().max());
    time("flip", || p.clone().flip([1]));
    for (m, k, n) in [
        (32 * 49, 128, 9 * 64),
        (32 * 196, 9 * 64, 32),
        (32, 6272, 128),
        (6272, 288, 64),
        (32 * 784, 9 * 32, 1),
        (128, 32, 6272),
    ] {
        let a = numbers([m, k], &d);
        let b = numbers([k, n], &d);
        let bt = numbers([n, k], &d);
        let at = numbers([k, m], &d);
        time(&format!("matmul {m} {k} {n}"), || {
            a.clone().matmul(b.clone())
        });
        time(&format!("matmul {m} {k} {n} b'"), || {
            a.clone().matmul(bt.clone().transpose())
        });
        time(&format!("matmul {m} {k} {n} a'"), || {
            at.clone().transpose().matmul(b.clone())
        });
        time(&format!("sum_dim0 {m} {k}"), || a.clone().sum_dim(0));
        time(&format!("mean_dim1 {m} {k}"), || a.clone().mean_dim(1));
    }
    let rows = numbers([32 * 196 * 9, 64], &d);
    let index: Tensor<1, burn::tensor::Int> = Tensor::arange(0..(32 * 196 * 9), &d);
    time("select rows", || rows.clone().select(0, index.clone()));
    time("select_assign", || {
        rows.clone().zeros_like().select_assign(
            0,
            index.clone(),
            rows.clone(),
            burn::tensor::IndexingUpdateOp::Add,
        )
    });
    time("sum taps", || {
        rows.clone().reshape([9, 32 * 196 * 64]).sum_dim(0)
    });
}
