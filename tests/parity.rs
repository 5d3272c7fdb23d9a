//! Parity with LiteRT and onnxruntime on photographs; vectors by the scripts `tools/*_vectors.py`.

#![cfg(feature = "native")]
#![allow(clippy::disallowed_methods)] // native tests may read a tensor at once

use std::fs;
use std::rc::Rc;

use burn::tensor::{Device, Tensor, TensorData};
use kiln::engine::native_host::{NativeHost, decode_picture};
use kiln::engine::runner::Engine;
use kiln::engine::weights::fill;
use kiln::job::{Host, Request};
use kiln::labs::detect::detector::Detector;
use kiln::labs::detect::families::ssd::{CLASSES, SsdDetector};
use kiln::labs::detect::spec::{Answer, BoxInImage, LAB, Question};
use kiln::labs::stylize::spec::STYLES;
use kiln::labs::{
    self, explain::engine as explain, segment::engine as segment, stylize::engine as stylize,
};
use kiln::methods::attribution::grad_cam;
use kiln::methods::resize::{stretch_rgb, to_tensor};
use kiln::models::arbitrary_style::{
    ARBITRARY_PREDICT, ARBITRARY_TRANSFORM, STYLE_NUMBERS, StylePainterConfig, StylePredictorConfig,
};
use kiln::models::conv_block::Rectifiers;
use kiln::models::efficientnet_lite::{CLASSES as IMAGENET, EfficientNetLiteConfig};
use kiln::models::layered::Gradients;
use kiln::models::selfie::SelfieConfig;
use kiln::models::ssd::SsdConfig;
use kiln::models::style_network::StyleNetworkConfig;
use kiln::models::vgg16::{Vgg16Config, prepare};
use kiln::protocol::card::FILES;
use kiln::protocol::picture::Picture;
use kiln::protocol::settings::Settings;

const PHOTOGRAPHS: [&str; 4] = ["cat", "astronaut", "coffee", "photographer"];

/// Both sides compute in f32 from the same f16 weights; sums run in another order, and 53
/// layers pass the difference on. Logits reach about 10 in size, so this is 1e-4 of their range.
const RAW_TOLERANCE: f32 = 1e-3;

/// The painting leaves a sigmoid, between 0 and 1; the file keeps it in steps of 1/65535.
const PAINTING_TOLERANCE: f32 = 1e-4;

fn vector(name: &str) -> Vec<u8> {
    let path = format!("tests/vectors/{name}");
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn input(name: &str) -> Picture {
    decode_picture(&vector(name)).expect("a PNG")
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&b| f32::from_le_bytes(b))
        .collect()
}

fn largest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

fn host() -> impl Host {
    NativeHost::new("weights", |_, _| {})
}

#[test]
fn ssd_raw_outputs_equal_the_reference() {
    let device = Device::flex();
    let weights = fs::read("weights/ssd.bpk").expect("committed");
    let network = fill(SsdConfig::new(CLASSES.len()).init(&device), "ssd", weights).expect("fits");
    let detector = SsdDetector::new(Rc::new(network), &device);
    for name in PHOTOGRAPHS {
        let reference = floats(&vector(&format!("{name}-ssd.bin")));
        let (encodings, logits) = reference.split_at(1917 * 4);
        let stretched = detector.transform(&input(&format!("{name}-ssd.png")));
        let output = detector.network.forward(stretched);
        let got: Vec<f32> = output.encodings.into_data().try_into_vec().expect("f32");
        let got_logits: Vec<f32> = output.logits.into_data().try_into_vec().expect("f32");
        let (boxes, classes) = (largest(&got, encodings), largest(&got_logits, logits));
        println!("{name}: encodings within {boxes:.1e}, logits within {classes:.1e}");
        assert!(boxes < RAW_TOLERANCE, "{name}: encodings differ by {boxes}");
        assert!(
            classes < RAW_TOLERANCE,
            "{name}: logits differ by {classes}"
        );
    }
}

/// Maps hold up to 1,400; the tolerance is relative to the largest value of each.
#[test]
fn vgg_maps_equal_the_reference() {
    let device = Device::flex();
    let weights = fs::read("weights/vgg16.bpk").expect("committed");
    let network = fill(Vgg16Config::new().init(&device), "vgg16", weights).expect("fits");
    for name in ["cat", "astronaut", "coffee"] {
        let reference = floats(&vector(&format!("{name}-vgg.bin")));
        let picture = input(&format!("{name}-style.png"));
        let rgb = stretch_rgb(&picture, 128, 96);
        let image = prepare(to_tensor(&rgb, 128, 96, 1.0 / 255.0, 0.0, &device));
        let maps = network.forward(image, 12);
        let mut rest = &*reference;
        for index in [0, 2, 4, 8, 10, 12] {
            let map = maps[index].clone();
            let [_, channels, _, _] = map.dims();
            let means = map.clone().mean_dims(&[2, 3]).into_data();
            let means: Vec<f32> = means.try_into_vec().expect("f32");
            let values: Vec<f32> = map.into_data().try_into_vec().expect("f32");
            let kept: Vec<f32> = values.into_iter().step_by(97).collect();
            let (expected_means, more) = rest.split_at(channels);
            let (expected, more) = more.split_at(kept.len());
            rest = more;
            let scale = expected.iter().copied().fold(0.0, f32::max);
            let off = largest(&kept, expected).max(largest(&means, expected_means)) / scale;
            println!("{name}, layer {index}: within {off:.1e} of {scale:.0}");
            assert!(
                off < 1e-4,
                "{name}, layer {index}: differs by {off} of {scale}"
            );
        }
        assert!(rest.is_empty());
    }
}

/// Logits, Grad-CAM on two layers, and the gradient on the picture, plain and guided, as PyTorch's autograd has them.
#[test]
fn a_classifier_and_its_way_back_equal_the_reference() {
    let device = Device::flex();
    let weights = fs::read("weights/efficientnet-lite0.bpk").expect("committed");
    let network = EfficientNetLiteConfig::new().init(&device);
    let network = fill(network, "efficientnet-lite0", weights).expect("fits");
    let read = |tensor: Tensor<4>| -> Vec<f32> { tensor.into_data().try_into_vec().expect("f32") };
    for name in [
        "cat",
        "astronaut",
        "coffee",
        "photographer",
        "temple",
        "rocket",
    ] {
        let reference = floats(&vector(&format!("{name}-classes.bin")));
        let picture = input(&format!("{name}-classes.png"));
        let size = explain::seen_size(&picture);
        assert_eq!(size, [224, 224]);
        let trace = network.trace(explain::prepare(&picture, size, &device));
        let logits: Vec<f32> = trace.logits().to_data().try_into_vec().expect("f32");
        let (expected, rest) = reference.split_at(IMAGENET);
        let off = largest(&logits, expected);
        let top_five = |logits: &[f32]| {
            let mut classes: Vec<usize> = (0..logits.len()).collect();
            classes.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
            classes.truncate(5);
            classes
        };
        assert_eq!(top_five(&logits), top_five(expected), "{name}");
        assert!(off < RAW_TOLERANCE, "{name}: a logit differs by {off}");
        // Batches and the pass without a trace give the same.
        let again = network.forward(explain::prepare(&picture, size, &device));
        let again: Vec<f32> = again.into_data().try_into_vec().expect("f32");
        assert!(largest(&again, &logits) < RAW_TOLERANCE, "{name}");

        let class = top_five(&logits)[0];
        let mut one = vec![0f32; IMAGENET];
        one[class] = 1.0;
        let one = Tensor::<2>::from_data(TensorData::new(one, [1, IMAGENET]), &device);
        let one = || Gradients::on_logits(one.clone());
        let back = |rectifiers, to| network.backward(&trace, one(), rectifiers, to);
        let cam = |layer: usize| {
            let cam = grad_cam(
                trace.map(layer).clone(),
                back(Rectifiers::Gradient, Some(layer)),
            );
            cam.into_data().try_into_vec::<f32>().expect("f32")
        };
        let mut kept: Vec<(&str, Vec<f32>)> = vec![("Grad-CAM", cam(17)), ("of block 11", cam(11))];
        for (what, rectifiers) in [
            ("gradient", Rectifiers::Gradient),
            ("guided", Rectifiers::Guided),
        ] {
            let gradient = read(back(rectifiers, None));
            kept.push((what, gradient.into_iter().step_by(97).collect()));
        }
        let mut rest = rest;
        for (what, ours) in kept {
            let (expected, more) = rest.split_at(ours.len());
            rest = more;
            let scale = expected.iter().fold(0f32, |most, v| v.abs().max(most));
            let off = largest(&ours, expected) / scale;
            let alike = correlation(&ours, expected);
            println!("{name}, {what}: within {off:.1e} of {scale:.1e}, correlation {alike:.7}");
            // Where a value lies within rounding of a rectifier's edge, its gradient passes on one side only.
            assert!(off < 5e-2, "{name}, {what}: differs by {off} of {scale}");
            assert!(alike > 0.9999, "{name}, {what}: correlation {alike}");
        }
        assert!(rest.is_empty());
    }
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean = |v: &[f32]| v.iter().map(|&x| f64::from(x)).sum::<f64>() / v.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let products = |f: fn(f64, f64) -> f64| -> f64 {
        let pairs = a.iter().zip(b);
        pairs
            .map(|(&a, &b)| f(f64::from(a) - mean_a, f64::from(b) - mean_b))
            .sum()
    };
    products(|a, b| a * b) / (products(|a, _| a * a) * products(|_, b| b * b)).sqrt()
}

#[test]
fn ssd_detections_equal_the_reference_decode() {
    let host = host();
    let labs = labs::engines();
    let mut engine = Engine::new(Device::flex(), "cpu", FILES, &labs);
    let settings = Settings::new(&LAB);
    let mut total = 0;
    for name in PHOTOGRAPHS {
        let picture = input(&format!("{name}-ssd.png"));
        let request = Request::new(&Question::Run, &settings).with("picture", picture);
        let (reply, _) = pollster::block_on(engine.answer(&host, request)).expect("runs");
        let detections = reply.answer::<Answer>().expect("detections").detections;
        let found: Vec<_> = detections.kept().map(|(_, found)| found).collect();
        let expected: Vec<serde_json::Value> =
            serde_json::from_slice(&vector(&format!("{name}-ssd.json"))).expect("JSON");
        assert_eq!(found.len(), expected.len(), "{name}");
        total += found.len();
        for (got, want) in found.iter().zip(&expected) {
            let number = |v: &serde_json::Value| v.as_f64().expect("a number") as f32;
            let corner = |i: usize| number(&want["box"][i]) * 300.0;
            let wanted_box = BoxInImage {
                x0: corner(0),
                y0: corner(1),
                x1: corner(2),
                y1: corner(3),
            };
            assert_eq!(
                got.class as u64,
                want["class"].as_u64().expect("a class"),
                "{name}"
            );
            assert!(
                (got.score - number(&want["score"])).abs() < 0.01,
                "{name}: {got:?} {want}"
            );
            assert!(
                got.box_in_image.iou(wanted_box) > 0.99,
                "{name}: {got:?} {want}"
            );
        }
    }
    assert!(total >= 4, "the photographs show more than {total} objects");
}

#[test]
fn selfie_matte_equals_the_reference() {
    let device = Device::flex();
    let weights = fs::read("weights/selfie.bpk").expect("committed");
    let network = fill(SelfieConfig::new().init(&device), "selfie", weights).expect("fits");
    for name in PHOTOGRAPHS {
        let bytes = vector(&format!("{name}-selfie.bin"));
        let reference: Vec<f32> = bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&b| f32::from(u16::from_le_bytes(b)) / 65535.0)
            .collect();
        let input = segment::prepare(&input(&format!("{name}-selfie.png")), &device);
        let matte: Vec<f32> = network
            .forward(input)
            .into_data()
            .try_into_vec()
            .expect("f32");
        let difference = largest(&matte, &reference);
        println!("{name}: matte within {difference:.1e}");
        assert!(
            difference < RAW_TOLERANCE,
            "{name}: the matte differs by {difference}"
        );
    }
}

#[test]
fn the_style_network_equals_the_reference() {
    const MIXTURES: [&[(usize, f32)]; 2] = [&[(12, 1.0)], &[(3, 1.0 / 3.0), (19, 2.0 / 3.0)]];
    let device = Device::flex();
    let weights = fs::read("weights/multistyle26.bpk").expect("committed");
    let network = StyleNetworkConfig::new(STYLES).init(&device);
    let network = fill(network, "multistyle26", weights).expect("fits");
    for name in ["cat", "astronaut", "coffee"] {
        let bytes = vector(&format!("{name}-style.bin"));
        let reference: Vec<f32> = bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&b| f32::from(u16::from_le_bytes(b)) / 65535.0)
            .collect();
        let picture = input(&format!("{name}-style.png"));
        let rgb = stretch_rgb(&picture, 128, 96);
        let image = to_tensor(&rgb, 128, 96, 1.0 / 255.0, 0.0, &device);
        for (mixture, reference) in MIXTURES.iter().zip(reference.chunks_exact(3 * 96 * 128)) {
            let mut shares = vec![0f32; STYLES];
            for &(style, share) in *mixture {
                shares[style] = share;
            }
            let shares = Tensor::from_data(TensorData::new(shares, [1, STYLES]), &device);
            let painted: Vec<f32> = network
                .forward(image.clone(), shares)
                .into_data()
                .try_into_vec()
                .expect("f32");
            let difference = largest(&painted, reference);
            println!("{name}, {mixture:?}: within {difference:.1e}");
            assert!(
                difference < PAINTING_TOLERANCE,
                "{name}, {mixture:?}: the painting differs by {difference}"
            );
        }
    }
}

#[test]
fn the_arbitrary_style_pair_equals_the_reference() {
    let device = Device::flex();
    let weights = |name: &str| fs::read(format!("weights/{name}.bpk")).expect("committed");
    let (predict, transform) = (ARBITRARY_PREDICT.name, ARBITRARY_TRANSFORM.name);
    let predictor = StylePredictorConfig::new().init(&device);
    let predictor = fill(predictor, predict, weights(predict)).expect("fits");
    let painter = StylePainterConfig::new().init(&device);
    let painter = fill(painter, transform, weights(transform)).expect("fits");
    let names = ["cat", "astronaut", "coffee"];
    for (index, name) in names.iter().enumerate() {
        let bytes = vector(&format!("{name}-any-style.bin"));
        let (numbers, painted) = bytes.split_at(STYLE_NUMBERS * 4);
        let style = input(&format!("{name}-selfie.png"));
        let style = predictor.forward(stylize::prepare_style(&style, &device));
        let got: Vec<f32> = style.clone().into_data().try_into_vec().expect("f32");
        let apart = largest(&got, &floats(numbers));
        let content = input(&format!("{}-style.png", names[(index + 1) % names.len()]));
        let rgb = stretch_rgb(&content, 128, 96);
        let image = to_tensor(&rgb, 128, 96, 1.0 / 255.0, 0.0, &device);
        let got: Vec<f32> = painter
            .forward(image, style)
            .into_data()
            .try_into_vec()
            .expect("f32");
        let reference: Vec<f32> = painted
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&b| f32::from(u16::from_le_bytes(b)) / 65535.0)
            .collect();
        let difference = largest(&got, &reference);
        println!("{name}: style within {apart:.1e}, painting within {difference:.1e}");
        assert!(apart < PAINTING_TOLERANCE, "{name}: styles {apart} apart");
        assert!(
            difference < PAINTING_TOLERANCE,
            "{name}: paintings {difference} apart"
        );
    }
}

/// Our resize against Pillow's, from the decoded photograph. JPEG decoders may differ by a
/// level or two, and Pillow rounds after each of its two passes.
#[test]
fn the_resize_equals_pillow() {
    for name in PHOTOGRAPHS {
        let photograph =
            decode_picture(&fs::read(format!("public/samples/{name}.jpg")).expect("a sample"))
                .expect("JPEG");
        let ours = kiln::methods::resize::stretch_rgb(&photograph, 300, 300);
        let pillow: Vec<u8> = input(&format!("{name}-ssd.png"))
            .rgba
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect();
        let worst = ours
            .iter()
            .zip(&pillow)
            .map(|(a, b)| a.abs_diff(*b))
            .max()
            .expect("pixels");
        assert!(worst <= 3, "{name}: {worst} levels apart");
    }
}
