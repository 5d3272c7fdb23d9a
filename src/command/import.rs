//! `kiln import`: a checkpoint that the user has to a weights file.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor, TensorData, f16};
use clap::{Arg, ArgMatches, Command, value_parser};
use pytorch_reader::{DType, PytorchReader};
use safetensors::{Dtype, SafeTensors};

use crate::models::detect::backbone::{Backbone, BackboneConfig};
use crate::models::inception_v3::{ConvPlan, InceptionV3, InceptionV3Config, STEM, blocks};

use super::output::Plan;
use super::{Stop, cli, print, sentence, weights_file};

/// What both networks add to a variance before its root is taken.
const EPSILON: f32 = 1e-3;

/// The flags of `kiln import`.
pub fn command() -> Command {
    Command::new("import")
        .about("Converts a checkpoint that you have: of a network too large to ship, or of a backbone to train on")
        .arg(
            Arg::new("network")
                .required(true)
                .value_parser(["inception-v3", "backbone"])
                .help("inception-v3: torchvision's, for the true inception score and FID; backbone: EfficientNet-Lite0 with or without its classifier, by the names of its PyTorch package"),
        )
        .arg(
            Arg::new("checkpoint")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("the state dict: .pth or .pt as torch.save writes it, or .safetensors"),
        )
        .arg(
            Arg::new("out")
                .long("out")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("file to write [default: NETWORK.bpk]"),
        )
        .arg(cli::force_argument())
}

/// `kiln import NETWORK CHECKPOINT`.
pub fn import(arguments: &ArgMatches) -> Result<(), Stop> {
    let path = |name: &str| arguments.get_one::<PathBuf>(name).expect("has a value");
    let mut plan = Plan::new(arguments);
    plan.reads(path("checkpoint"));
    let kind = arguments.get_one::<String>("network").expect("has a value");
    let named = PathBuf::from(format!("{kind}.bpk"));
    let out = plan.file(arguments.get_one::<PathBuf>("out").unwrap_or(&named), &[])?;
    let (title, parameters, bytes) = match kind.as_str() {
        "backbone" => {
            let checkpoint = Checkpoint::open(path("checkpoint"), "EfficientNet-Lite0")?;
            let network = backbone(&checkpoint)?;
            let parameters = network.num_params();
            (
                "EfficientNet-Lite0's backbone",
                parameters,
                weights_file::half_bytes(network)?,
            )
        }
        _ => {
            let checkpoint = Checkpoint::open(path("checkpoint"), "torchvision's Inception-v3")?;
            let network = inception_v3(&checkpoint)?;
            let parameters = network.num_params();
            (
                "Inception-v3",
                parameters,
                weights_file::whole_bytes(network)?,
            )
        }
    };
    out.write(&bytes).map_err(|failure| sentence(&failure))?;
    print::note(format!(
        "{}: {title}, {parameters} values, batch norm folded in. Its licence is that of the checkpoint.",
        out.shown()
    ));
    Ok(())
}

/// The tensors of a state dict, by their names.
struct Checkpoint {
    name: String,
    /// What network it is to be of.
    of: &'static str,
    /// Whether tensors of half precision were left out.
    has_halves: bool,
    tensors: HashMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Checkpoint {
    fn open(path: &Path, of: &'static str) -> Result<Self, String> {
        let name = print::shown(path);
        let tensors = if path.extension().is_some_and(|end| end == "safetensors") {
            let bytes = fs::read(path).map_err(|e| format!("{name} cannot be read: {e}"))?;
            of_safetensors(&name, &bytes)?
        } else {
            of_torch(&name, path)?
        };
        let (tensors, has_halves) = tensors;
        Ok(Self {
            name,
            of,
            has_halves,
            tensors,
        })
    }

    /// The values of a tensor of that shape.
    fn get(&self, key: &str, shape: &[usize]) -> Result<&[f32], String> {
        let (found, values) = self.tensors.get(key).ok_or_else(|| {
            if self.has_halves {
                return format!(
                    "{} is in half precision: save the network's float().state_dict().",
                    self.name
                );
            }
            format!(
                "{} is no checkpoint of {}: it has no \"{key}\". Save the network's state_dict().",
                self.name, self.of
            )
        })?;
        if found == shape {
            Ok(values)
        } else {
            Err(format!(
                "{} is of another network: \"{key}\" has the shape {found:?}, not {shape:?}.",
                self.name
            ))
        }
    }
}

type Tensors = HashMap<String, (Vec<usize>, Vec<f32>)>;

fn of_safetensors(name: &str, bytes: &[u8]) -> Result<(Tensors, bool), String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| format!("{name} is damaged: {e}"))?;
    let is_brain =
        |(_, view): &(String, safetensors::tensor::TensorView<'_>)| view.dtype() == Dtype::BF16;
    let has_halves = file.tensors().iter().any(is_brain);
    let tensors = file.tensors().into_iter();
    // Counters of batch norm are whole numbers, and not needed.
    let read = |(key, view): (String, safetensors::tensor::TensorView<'_>)| {
        let values = match view.dtype() {
            Dtype::F32 => floats_of(view.data()),
            Dtype::F16 => halves_of(view.data()),
            _ => return None,
        };
        Some((key, (view.shape().to_vec(), values)))
    };
    Ok((tensors.filter_map(read).collect(), has_halves))
}

/// Little-endian numbers of two bytes.
fn halves_of(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<2>();
    numbers
        .iter()
        .map(|&n| f16::from_le_bytes(n).to_f32())
        .collect()
}

fn of_torch(name: &str, path: &Path) -> Result<(Tensors, bool), String> {
    let damaged = |e: &dyn std::fmt::Display| {
        format!("{name} cannot be read as a checkpoint of PyTorch or safetensors: {e}")
    };
    let reader = PytorchReader::new(path).map_err(|e| damaged(&e))?;
    let tensors = reader.into_tensors();
    let half = [DType::F16, DType::BF16];
    let has_halves = tensors
        .values()
        .any(|tensor| half.contains(&tensor.dtype()));
    let tensors = tensors.into_iter();
    let floats = tensors.filter(|(_, tensor)| tensor.dtype() == DType::F32);
    let read = floats.map(|(key, tensor)| {
        let bytes = tensor.read().map_err(|e| damaged(&e))?;
        Ok((key, (tensor.shape().to_vec(), floats_of(&bytes))))
    });
    Ok((read.collect::<Result<_, String>>()?, has_halves))
}

/// Little-endian numbers of four bytes.
fn floats_of(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|&n| f32::from_le_bytes(n)).collect()
}

/// Puts the tensors of torchvision's state dict where Kiln has them, with each batch norm folded into
/// the convolution before it.
fn inception_v3(checkpoint: &Checkpoint) -> Result<InceptionV3, String> {
    let mut network = InceptionV3Config::new().init(&Device::flex());
    for (plan, conv) in STEM.iter().zip(&mut network.stem) {
        fill(conv, plan, plan.name, checkpoint)?;
    }
    for (block_plan, block) in blocks().iter().zip(&mut network.blocks) {
        for (branch_plan, branch) in block_plan.branches.iter().zip(&mut block.branches) {
            let plans = branch_plan.chain.iter().chain(&branch_plan.fork);
            for (plan, conv) in plans.zip(branch.chain.iter_mut().chain(&mut branch.fork)) {
                let name = format!("{}.{}", block_plan.name, plan.name);
                fill(conv, plan, &name, checkpoint)?;
            }
        }
    }
    let [inputs, outputs] = network.classes.weight.dims();
    // torch keeps a row for each output, Burn one for each input.
    let weight = checkpoint.get("fc.weight", &[outputs, inputs])?;
    network.classes.weight = param::<2>(weight, [outputs, inputs], |w| w.transpose());
    let bias = checkpoint.get("fc.bias", &[outputs])?;
    network.classes.bias = Some(param::<1>(bias, [outputs], |b| b));
    Ok(network)
}

/// `weight * gamma / sqrt(variance + epsilon)`, and the bias that is left.
fn fill(
    conv: &mut Conv2d,
    plan: &ConvPlan,
    name: &str,
    checkpoint: &Checkpoint,
) -> Result<(), String> {
    let [inputs, outputs] = plan.channels;
    let shape = [outputs, inputs, plan.kernel[0], plan.kernel[1]];
    fold(
        conv,
        shape,
        &format!("{name}.conv"),
        &format!("{name}.bn"),
        checkpoint,
    )
}

/// The stem and the blocks of EfficientNet-Lite0, by the names of its PyTorch package.
fn backbone(checkpoint: &Checkpoint) -> Result<Backbone, String> {
    let mut network = BackboneConfig::new().init(&Device::flex());
    let fill = |conv: &mut Conv2d, name: &str, norm: &str| {
        let shape = conv.weight.dims();
        fold(conv, shape, name, norm, checkpoint)
    };
    fill(&mut network.stem.conv, "_conv_stem", "_bn0")?;
    for (index, block) in network.blocks.iter_mut().enumerate() {
        let of = |part: &str| format!("_blocks.{index}.{part}");
        if let Some(expand) = &mut block.expand {
            fill(&mut expand.conv, &of("_expand_conv"), &of("_bn0"))?;
        }
        fill(
            &mut block.depthwise.conv,
            &of("_depthwise_conv"),
            &of("_bn1"),
        )?;
        fill(&mut block.project.conv, &of("_project_conv"), &of("_bn2"))?;
    }
    Ok(network)
}

/// A convolution and the batch norm after it as one.
fn fold(
    conv: &mut Conv2d,
    shape: [usize; 4],
    name: &str,
    norm: &str,
    checkpoint: &Checkpoint,
) -> Result<(), String> {
    let outputs = shape[0];
    let weight = checkpoint.get(&format!("{name}.weight"), &shape)?;
    let norm = |part: &str| checkpoint.get(&format!("{norm}.{part}"), &[outputs]);
    let (gamma, beta) = (norm("weight")?, norm("bias")?);
    let (mean, variance) = (norm("running_mean")?, norm("running_var")?);
    let scale: Vec<f32> = gamma
        .iter()
        .zip(variance)
        .map(|(gamma, variance)| gamma / (variance + EPSILON).sqrt())
        .collect();
    let each = shape[1..].iter().product::<usize>();
    let folded: Vec<f32> = weight
        .chunks_exact(each)
        .zip(&scale)
        .flat_map(|(filter, scale)| filter.iter().map(move |w| w * scale))
        .collect();
    let bias: Vec<f32> = (0..outputs)
        .map(|channel| beta[channel] - mean[channel] * scale[channel])
        .collect();
    conv.weight = param::<4>(&folded, shape, |w| w);
    conv.bias = Some(param::<1>(&bias, [outputs], |b| b));
    Ok(())
}

fn param<const D: usize>(
    values: &[f32],
    shape: [usize; D],
    arrange: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    let tensor = Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex());
    Param::from_tensor(arrange(tensor))
}
