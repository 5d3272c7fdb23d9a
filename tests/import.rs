//! `kiln import`: torchvision's Inception-v3, on weights that both sides compute.

#![cfg(feature = "native")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use burn::tensor::{Device, Tensor, TensorData};
use crc::{CRC_32_ISO_HDLC, Crc};
use kiln::engine::native_host::decode_picture;
use kiln::engine::weights::fill;
use kiln::models::inception_v3::{CLASSES, FEATURES, InceptionV3Config, STEM, blocks};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};

/// Numbers from -1 to 1 that depend on a name and a place, as in tools/inception_vectors.py.
fn hashes(name: &str, count: usize) -> impl Iterator<Item = f32> {
    let salt = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(name.as_bytes());
    (0..count as u32).map(move |index| {
        let mut x = index.wrapping_mul(2_654_435_761).wrapping_add(salt);
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x ^= x >> 16;
        (x >> 8) as f32 / (1 << 23) as f32 - 1.0
    })
}

fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let inputs: usize = shape[1..].iter().product();
    let scale = |u: f32| match () {
        () if name.ends_with("running_var") => 1.0 + u / 2.0,
        () if shape.len() > 1 => u * (6.0 / inputs as f32).sqrt(),
        () if name.ends_with("bn.weight") => 1.0 + u / 4.0,
        () => u / 8.0,
    };
    hashes(name, shape.iter().product()).map(scale).collect()
}

/// The shapes of torchvision's state dict, by name.
fn state_dict() -> HashMap<String, Vec<usize>> {
    let stem = STEM.iter().map(|plan| (plan.name.to_string(), *plan));
    let blocks = blocks();
    let in_blocks = blocks.iter().flat_map(|block| {
        let branches = block.branches.iter();
        let plans = branches.flat_map(|branch| branch.chain.iter().chain(&branch.fork));
        plans.map(|plan| (format!("{}.{}", block.name, plan.name), *plan))
    });
    let mut shapes = HashMap::new();
    for (name, plan) in stem.chain(in_blocks) {
        let [inputs, outputs] = plan.channels;
        let [rows, columns] = plan.kernel;
        let weight = vec![outputs, inputs, rows, columns];
        shapes.insert(format!("{name}.conv.weight"), weight);
        for part in ["weight", "bias", "running_mean", "running_var"] {
            shapes.insert(format!("{name}.bn.{part}"), vec![outputs]);
        }
    }
    shapes.insert("fc.weight".into(), vec![CLASSES, FEATURES]);
    shapes.insert("fc.bias".into(), vec![CLASSES]);
    // What else such a checkpoint holds is left alone.
    shapes.insert("AuxLogits.fc.bias".into(), vec![CLASSES]);
    shapes
}

fn write_checkpoint(path: &Path, shapes: &HashMap<String, Vec<usize>>) {
    let bytes: HashMap<&String, Vec<u8>> = shapes
        .iter()
        .map(|(name, shape)| {
            let values = values(name, shape);
            (name, values.iter().flat_map(|v| v.to_le_bytes()).collect())
        })
        .collect();
    let mut views: Vec<(String, TensorView<'_>)> = shapes
        .iter()
        .map(|(name, shape)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), &bytes[name]);
            (name.clone(), view.expect("as many bytes as the shape says"))
        })
        .collect();
    let counter = 7i64.to_le_bytes();
    let counter = TensorView::new(Dtype::I64, Vec::new(), &counter).expect("one number");
    views.push(("Conv2d_1a_3x3.bn.num_batches_tracked".into(), counter));
    serialize_to_file(views, None, path).expect("written");
}

fn import(checkpoint: &Path, out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(["import", "inception-v3"])
        .arg(checkpoint)
        .arg("--out")
        .arg(out)
        .output()
        .expect("starts")
}

fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Tolerance: 94 convolutions, summed in another order.
#[test]
fn inception_v3_gives_what_torchvision_gives() {
    let (checkpoint, out) = (scratch("random.safetensors"), scratch("inception.bpk"));
    write_checkpoint(&checkpoint, &state_dict());
    let output = import(&checkpoint, &out);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let device = Device::flex();
    let network = InceptionV3Config::new().init(&device);
    let bytes = fs::read(&out).expect("written");
    let network = fill(network, "inception-v3", bytes).expect("fits");
    for picture in ["cat", "astronaut", "coffee"] {
        let png = fs::read(format!("tests/vectors/{picture}-style.png")).expect("there");
        let decoded = decode_picture(&png).expect("a picture");
        let (pixels, _) = decoded.rgba.as_chunks::<4>();
        let plane = |channel: usize| pixels.iter().map(move |p| f32::from(p[channel]));
        let values: Vec<f32> = (0..3).flat_map(plane).map(|v| v / 127.5 - 1.0).collect();
        let data = TensorData::new(values, [1, 3, decoded.height, decoded.width]);
        let features = network.features(Tensor::from_data(data, &device));
        let logits = network.classify(features.clone());
        #[allow(clippy::disallowed_methods)] // on the CPU
        let found: Vec<f32> = [features, logits]
            .into_iter()
            .flat_map(|tensor| tensor.into_data().try_into_vec::<f32>().expect("numbers"))
            .collect();
        let vector = fs::read(format!("tests/vectors/{picture}-inception.bin")).expect("there");
        let (expected, _) = vector.as_chunks::<4>();
        let expected: Vec<f32> = expected.iter().map(|&n| f32::from_le_bytes(n)).collect();
        assert_eq!(found.len(), expected.len());
        for part in [0..FEATURES, FEATURES..FEATURES + CLASSES] {
            let largest = expected[part.clone()]
                .iter()
                .fold(0f32, |m, v| m.max(v.abs()));
            let pairs = found[part.clone()].iter().zip(&expected[part]);
            let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("{picture}: {difference} of {largest}");
            assert!(
                difference < 1e-4 * largest,
                "{picture}: {difference} of {largest}"
            );
        }
    }
    fs::remove_file(checkpoint).expect("removed");
}

#[test]
fn other_files_are_refused_with_what_is_wrong() {
    let out = scratch("refused.bpk");
    // A file of torch.save that holds another network.
    let said = refusal(&import(Path::new("tests/vectors/one-tensor.pth"), &out));
    assert!(
        said.contains("has no \"Conv2d_1a_3x3.conv.weight\""),
        "{said}"
    );
    let said = refusal(&import(Path::new("README.md"), &out));
    assert!(said.contains("cannot be read as a checkpoint"), "{said}");
    let mut shapes = HashMap::new();
    shapes.insert("Conv2d_1a_3x3.conv.weight".to_string(), vec![32, 1, 3, 3]);
    let other = scratch("other.safetensors");
    write_checkpoint(&other, &shapes);
    let said = refusal(&import(&other, &out));
    assert!(said.contains("[32, 1, 3, 3], not [32, 3, 3, 3]"), "{said}");
    assert!(!out.exists());
}
