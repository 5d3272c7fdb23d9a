//! `kiln train detector`: heads on photographs, over a backbone that stands still.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::{Arg, ArgMatches};

use crate::data::photographs::CLASSES;
use crate::engine::weights::sha256_hex;
use crate::models::detect::anchor_free::AnchorFreeConfig;
use crate::models::detect::backbone::{Backbone, BackboneConfig};
use crate::models::efficientnet_lite::EfficientNetLiteConfig;
use crate::train::detector::anchor_free::AnchorFreeRecipe;
use crate::train::detector::fast_rcnn::FastRcnnRecipe;
use crate::train::detector::grid::GridRecipe;
use crate::train::detector::overfeat::{HIDDEN, OverFeatRecipe};
use crate::train::detector::ssd::SsdRecipe;
use crate::train::detector::two_step::TwoStepRecipe;
use crate::train::detector::{DetectorTrainee, Options, Recipe, Views};
use crate::train::training::Training;

use super::photographs::{self, Maker, ONE_SQUARE, Opened, SCALES};
use super::train::{Course, data_folder, follow, path};
use super::{cli, print, train_svm, weights_file};

/// The families that can be trained.
const FAMILIES: [&str; 8] = [
    "anchor-free",
    OVERFEAT,
    "ssd",
    "yolo-v1",
    "faster-rcnn",
    FAST_RCNN,
    R_CNN,
    SPPNET,
];
/// The one that looks at several sizes of a photograph.
const OVERFEAT: &str = "overfeat";
/// Those that look at boxes of selective search.
const FAST_RCNN: &str = "fast-rcnn";
const R_CNN: &str = "r-cnn";
const SPPNET: &str = "sppnet";
/// Boxes of a photograph that Fast R-CNN learns from, and is measured on in training; what ships looks at 300.
const SEARCHED: usize = 500;
/// Views of each photograph that are made: as it is, mirrored, and two drawn ones.
const VERSIONS: &str = "4";

/// The flags that only detectors have.
pub fn flags() -> [Arg; 6] {
    let whole = |name: &'static str, default: &'static str, most, help: &'static str| {
        let arg = Arg::new(name)
            .long(name)
            .value_name("NUMBER")
            .default_value(default);
        arg.value_parser(cli::whole_number(most)).help(help)
    };
    [
        Arg::new("family")
            .long("family")
            .value_parser(FAMILIES)
            .default_value(FAMILIES[0])
            .help("detector: what is trained"),
        path(
            "photos",
            "",
            "detector: folder of the sets of photographs, NAME.tar or NAME/ with annotations.json in COCO's form, or in VOC's own layout",
        ),
        path(
            "backbone",
            "",
            "detector: weights of the backbone, as `kiln import backbone` writes them, or of EfficientNet-Lite0",
        ),
        whole(
            "versions",
            VERSIONS,
            64,
            "detector: views of each photograph, of which the first two are it and its mirror",
        ),
        whole(
            "channels",
            "96",
            512,
            "detector: channels of the pyramid and the towers",
        ),
        whole(
            "maps",
            "3",
            3,
            "detector: maps of the backbone that are read, from the coarsest",
        ),
    ]
}

/// Trains the heads of a family.
pub(super) fn run(course: Course, device: &Device, arguments: &ArgMatches) -> Result<(), String> {
    let needed = |name: &str| {
        let given = arguments.get_one::<PathBuf>(name).cloned();
        given.ok_or_else(|| format!("a detector needs --{name}: see `kiln train --help`."))
    };
    let whole = |name: &str| *arguments.get_one::<u32>(name).expect("has a default") as usize;
    let (folder, file) = (needed("photos")?, needed("backbone")?);
    let weights =
        std::fs::read(&file).map_err(|e| format!("{} cannot be read: {e}", print::shown(&file)))?;
    let backbone = backbone(&file)?;
    let all = photographs::open(&folder)?;
    let part = |held_out: bool| -> Vec<&Opened> {
        let of = all
            .iter()
            .filter(move |opened| opened.photograph.is_held_out == held_out);
        of.collect()
    };
    // Where boxes are missing there is nothing to learn from what is not there, and little from what is.
    let train: Vec<&Opened> = part(false)
        .into_iter()
        .filter(|opened| opened.photograph.boxed.contains(&true))
        .collect();
    let held_out = part(true);
    print::note(format!(
        "{} photographs to train on, {} to measure on",
        train.len(),
        held_out.len()
    ));
    let seed = *arguments.get_one::<u32>("seed").expect("has a default");
    let cache = data_folder(arguments).join("detector");
    let family = arguments
        .get_one::<String>("family")
        .expect("has a default");
    let of = sha256_hex(&weights);
    let versions = whole("versions");
    let options = Options {
        rate: *arguments.get_one::<f64>("rate").expect("has a default"),
        batch: whole("batch"),
        seed,
    };
    let device = device.clone().autodiff();
    let maker = Maker {
        backbone: &backbone,
        of: &of,
        seed,
        cache: &cache,
    };
    if family == R_CNN {
        let mut found = photographs::searched(&train, SEARCHED, &cache, "train")?;
        found.iter_mut().for_each(|of| of.truncate(train_svm::MOST));
        let cropped = photographs::cropped(&train, &found, &maker, "train")?;
        return train_svm::run(course, [&cropped; 2], options, &device);
    }
    if family == OVERFEAT {
        let views = maker.maps(&train, SCALES, versions, "train-scales")?;
        let measured = maker.maps(&held_out, SCALES, 1, "held-out-scales")?;
        let views: [&dyn Views<_>; 2] = [&views, &measured];
        return go(course, OverFeatRecipe::new(HIDDEN), options, views, &device);
    }
    let views = maker.maps(&train, ONE_SQUARE, versions, "train")?;
    let measured = maker.maps(&held_out, ONE_SQUARE, 1, "held-out")?;
    let (views, measured) = match &**family {
        FAST_RCNN | SPPNET => {
            let of = |photographs: &[&Opened], name: &str| {
                photographs::searched(photographs, SEARCHED, &cache, name)
            };
            let (known, in_measured) = (of(&train, "train")?, of(&held_out, "held-out")?);
            (
                views.with_proposals(&train, &known, versions, seed),
                measured.with_proposals(&held_out, &in_measured, 1, seed),
            )
        }
        _ => (views, measured),
    };
    if family == SPPNET {
        // The layers learn from all views, the machines from the photographs as they are.
        let [all, plain] = [1, versions].map(|every| train_svm::Pooled {
            views: &views,
            every,
        });
        return train_svm::run(course, [&all, &plain], options, &device);
    }
    let channels = whole("channels");
    let views: [&dyn Views; 2] = [&views, &measured];
    match family.as_str() {
        "ssd" => go(course, SsdRecipe::new(channels), options, views, &device),
        "yolo-v1" => go(course, GridRecipe::new(channels), options, views, &device),
        "faster-rcnn" => {
            let recipe = TwoStepRecipe::new(channels, seed);
            go(course, recipe, options, views, &device)
        }
        FAST_RCNN => {
            let recipe = FastRcnnRecipe::new(channels, seed);
            go(course, recipe, options, views, &device)
        }
        _ => {
            let head = AnchorFreeConfig::new(CLASSES.len()).with_channels(channels);
            let recipe = AnchorFreeRecipe::new(head.with_maps(whole("maps")));
            go(course, recipe, options, views, &device)
        }
    }
}

/// The backbone of a file: one by itself, or what a whole EfficientNet-Lite0 has before its classifier.
fn backbone(file: &Path) -> Result<Backbone, String> {
    let device = Device::flex();
    weights_file::load_weights(BackboneConfig::new().init(&device), file).or_else(|sentence| {
        let whole = EfficientNetLiteConfig::new().init(&device);
        let whole = weights_file::load_weights(whole, file).map_err(|_| sentence)?;
        Ok(Backbone::from(whole))
    })
}

fn go<R: Recipe<MAPS>, const MAPS: usize>(
    course: Course,
    recipe: R,
    options: Options,
    [views, measured]: [&dyn Views<MAPS>; 2],
    device: &Device,
) -> Result<(), String> {
    let trainee = DetectorTrainee::new(recipe, options, views, Some(measured), device);
    follow(course, Training::new(trainee, 0).averaged())
}
