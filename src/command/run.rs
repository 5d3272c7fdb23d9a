//! `kiln detect`, `kiln segment`, `kiln stylize`, `kiln models`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::engine::native_host::{NativeHost, encode_png, open_device, open_picture};
use crate::engine::runner::Engine;
use crate::job::{Host, Job};
use crate::labs::detect::spec::Detections;
use crate::labs::stylize::spec::{self as stylize_spec, Region};
use crate::protocol::card::Manifest;
use crate::protocol::failure::Failure;
use crate::protocol::link::{self, Shared};
use crate::protocol::message::{LabResult, Outcome};
use crate::protocol::params::Lab;
use crate::protocol::picture::Picture;
use crate::protocol::png_text;
use crate::protocol::settings::Settings;

use super::cli;
use crate::labs::detect::annotate;

/// Composes the finished picture of a run, with what is to be put behind a person.
type Export<'a> = dyn FnMut(Option<&Picture>) -> Result<Picture, Failure> + 'a;

/// Runs a lab on each file and hands what it gave to `each`.
fn on_each_file(
    lab: Lab,
    arguments: &ArgMatches,
    style: Option<&Picture>,
    regions: Vec<Region>,
    mut each: impl FnMut(&Path, &Settings, &mut Export<'_>, &Picture, Outcome) -> Result<(), Failure>,
) -> Result<(), String> {
    let mut settings = cli::settings(lab, arguments);
    if style.is_some() {
        settings.set_text(stylize_spec::SOURCE, stylize_spec::OWN);
    }
    let files: Vec<&PathBuf> = arguments.get_many("files").expect("at least one").collect();
    let (device, backend) = open_device(cli::backend(arguments)).map_err(|f| f.to_string())?;
    let host = NativeHost::new(
        arguments
            .get_one::<PathBuf>("weights")
            .expect("has a default"),
        |_| {},
    );
    let mut engine = Engine::new(device, &*backend, Manifest::shipped());
    engine
        .set_regions(regions)
        .map_err(|failure| failure.to_string())?;
    let bar = ProgressBar::new(files.len() as u64);
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("a fixed template"),
    );
    for path in files {
        bar.set_message(path.display().to_string());
        run_file(
            &mut engine,
            &host,
            &backend,
            &settings,
            path,
            style,
            &mut each,
        )
        .map_err(|failure| format!("{}: {failure}", path.display()))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn run_file(
    engine: &mut Engine,
    host: &dyn Host,
    backend: &str,
    settings: &Settings,
    path: &Path,
    style: Option<&Picture>,
    each: &mut impl FnMut(&Path, &Settings, &mut Export<'_>, &Picture, Outcome) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let picture = open_picture(path)?;
    let job = Job::new(host, backend);
    let (outcome, _) =
        pollster::block_on(engine.run(job, host, settings, picture.clone(), style.cloned()))?;
    let mut export = |background: Option<&Picture>| {
        let reading = Job::new(host, backend);
        pollster::block_on(engine.export(&reading, settings, background))
    };
    each(path, settings, &mut export, &picture, outcome)
}

/// `kiln detect`.
pub fn detect(arguments: &ArgMatches) -> Result<(), String> {
    let mut listed = Vec::new();
    on_each_file(
        Lab::Detect,
        arguments,
        None,
        Vec::new(),
        |path, settings, _, picture, outcome| {
            let LabResult::Detect { detections, .. } = outcome.result else {
                unreachable!("the lab is detect");
            };
            if let Some(target) = target(arguments, path, "boxes") {
                write_png(&target, &annotate::draw(picture, &detections), settings)?;
            }
            listed.push(as_json(path, picture, &detections));
            Ok(())
        },
    )?;
    if arguments.get_flag("json") {
        println!("{}", serde_json::Value::Array(listed));
    } else {
        print_table(&listed);
    }
    Ok(())
}

/// One entry of the JSON that `--json` prints and the page exports.
fn as_json(path: &Path, picture: &Picture, detections: &Detections) -> serde_json::Value {
    json!({
        "file": path.display().to_string(),
        "width": picture.width,
        "height": picture.height,
        "detections": detections.to_json(),
    })
}

fn print_table(listed: &[serde_json::Value]) {
    for file in listed {
        println!(
            "{} ({} x {})",
            file["file"].as_str().unwrap_or(""),
            file["width"],
            file["height"]
        );
        for found in file["detections"].as_array().into_iter().flatten() {
            let class = found["class"].as_str().unwrap_or("");
            println!(
                "  {class:<20} {:.2}  {}",
                found["score"].as_f64().unwrap_or(0.0),
                found["box"]
            );
        }
    }
}

/// `kiln segment`.
pub fn segment(arguments: &ArgMatches) -> Result<(), String> {
    let background = arguments
        .get_one::<PathBuf>("background")
        .map(|path| open_picture(path).map_err(|failure| format!("{}: {failure}", path.display())))
        .transpose()?;
    if cli::settings(Lab::Segment, arguments).choice("effect") == "picture" && background.is_none()
    {
        return Err(
            "the effect picture needs --background PICTURE: name the picture to put behind.".into(),
        );
    }
    on_each_file(
        Lab::Segment,
        arguments,
        None,
        Vec::new(),
        |path, settings, export, _, outcome| {
            let LabResult::Segment(matte) = &outcome.result else {
                unreachable!("the lab is segment")
            };
            println!(
                "{}: a person covers {:.1} % of the picture",
                path.display(),
                matte.coverage * 100.0
            );
            match target(arguments, path, "cutout") {
                Some(target) => write_png(&target, &export(background.as_ref())?, settings),
                None => Ok(()),
            }
        },
    )
}

/// `kiln stylize`.
pub fn stylize(arguments: &ArgMatches) -> Result<(), String> {
    if arguments.get_one::<PathBuf>("out").is_none() {
        return Err("there is nowhere to paint to: name a file with --out FILE.".into());
    }
    let style = arguments
        .get_one::<PathBuf>("style-picture")
        .map(|path| open_picture(path).map_err(|failure| format!("{}: {failure}", path.display())))
        .transpose()?;
    let regions = match arguments.get_one::<PathBuf>("regions") {
        Some(path) => read_regions(path)?,
        None => Vec::new(),
    };
    on_each_file(
        Lab::Stylize,
        arguments,
        style.as_ref(),
        regions,
        |path, settings, export, _, outcome| {
            let target = target(arguments, path, "styled").expect("--out was just checked");
            write_png(&target, &export(None)?, settings)?;
            println!(
                "{}: {} ({} x {})",
                path.display(),
                target.display(),
                outcome.width,
                outcome.height
            );
            Ok(())
        },
    )
}

fn read_regions(path: &Path) -> Result<Vec<Region>, String> {
    let text = fs::read_to_string(path).map_err(|error| {
        format!(
            "{} cannot be read ({error}): check the path.",
            path.display()
        )
    })?;
    serde_json::from_str(&text).map_err(|error| {
        format!(
            "{} holds no regions ({error}): see kiln stylize --help for their form.",
            path.display()
        )
    })
}

/// `kiln models`.
pub fn models(arguments: &ArgMatches) -> Result<(), String> {
    let manifest = Manifest::shipped();
    if arguments.get_flag("json") {
        println!(
            "{}",
            serde_json::to_string_pretty(&manifest).expect("a manifest is plain data")
        );
        return Ok(());
    }
    for card in manifest.models {
        println!(
            "{:<10} {:>5.1} MB  {}  [{}]",
            card.name,
            card.bytes as f64 / 1e6,
            card.title,
            card.license
        );
        println!("{:<10} {}", "", card.quality);
    }
    Ok(())
}

/// Where the PNG of a file goes: `--out`, or inside it if there are several files.
fn target(arguments: &ArgMatches, path: &Path, suffix: &str) -> Option<PathBuf> {
    let out = arguments.get_one::<PathBuf>("out")?;
    let several = arguments
        .get_many::<PathBuf>("files")
        .is_some_and(|files| files.len() > 1);
    if !several && !out.is_dir() {
        return Some(out.clone());
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Some(out.join(format!("{stem}-{suffix}.png")))
}

/// Writes a PNG with the settings inside, so that dropping it on the page restores them.
///
/// # Errors
/// [`Failure::Unwritable`].
pub fn write_png(path: &Path, picture: &Picture, settings: &Settings) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let text = link::encode(&Shared {
        settings: settings.clone(),
        sample: None,
    });
    let png = png_text::insert(&encode_png(picture), &text).expect("the encoder writes a PNG");
    fs::write(path, png).map_err(unwritable)
}
