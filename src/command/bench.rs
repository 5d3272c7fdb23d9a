//! `kiln bench`: the networks on this machine, as JSON for `make bench`.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::ArgMatches;

use crate::engine::native_host::{NativeHost, open_device, open_picture};
use crate::engine::runner::Engine;
use crate::engine::weights;
use crate::job::{Host, Job};
use crate::labs::search::spec::NETWORK;
use crate::methods::resize::{stretch_rgb, to_tensor};
use crate::models::vgg16::{Vgg16Config, layer_index, prepare};
use crate::protocol::card::Manifest;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::params::Lab;
use crate::protocol::settings::Settings;

use super::cli;

/// What can be timed: the manifest entry of a network, and the lab that runs it. The last takes steps.
pub const PARTS: [(&str, Lab); 4] = [
    ("ssd", Lab::Detect),
    ("selfie", Lab::Segment),
    ("multistyle26", Lab::Stylize),
    (NETWORK, Lab::Gatys),
];

/// `kiln bench`: first run and median of the later runs of each lab, in milliseconds.
pub fn bench(arguments: &ArgMatches) -> Result<(), String> {
    let runs = *arguments.get_one::<usize>("runs").expect("has a default");
    let (device, backend) = open_device(cli::backend(arguments)).map_err(|f| f.to_string())?;
    let host = NativeHost::new(
        arguments
            .get_one::<PathBuf>("weights")
            .expect("has a default"),
        |_| {},
    );
    let mut engine = Engine::new(device.clone(), &*backend, Manifest::shipped());
    let picture =
        open_picture(Path::new("public/samples/temple.jpg")).map_err(|f| f.to_string())?;
    let mut figures = serde_json::Map::new();
    let parts: Vec<&String> = arguments.get_many("part").unwrap_or_default().collect();
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| *part == name);
    let one_pass = PARTS[..PARTS.len() - 1].iter().map(|&(_, lab)| lab);
    for lab in one_pass.filter(|lab| wanted(lab.model())) {
        pollster::block_on(engine.load(&host, lab)).map_err(|f| f.to_string())?;
        let mut network_ms = Vec::new();
        for _ in 0..runs.max(2) {
            let job = Job::new(&host, &*backend);
            let (outcome, _) = pollster::block_on(engine.run(
                job,
                &host,
                &Settings::new(lab),
                picture.clone(),
                None,
            ))
            .map_err(|f| f.to_string())?;
            let network = outcome
                .timings
                .iter()
                .find(|(stage, _)| *stage == Stage::Network);
            network_ms.push(network.expect("every lab runs its network").1);
        }
        let first = network_ms.remove(0);
        network_ms.sort_by(f64::total_cmp);
        let median = network_ms[network_ms.len() / 2];
        figures.insert(
            lab.model().into(),
            serde_json::json!({"first_ms": first, "median_ms": median, "runs": runs}),
        );
    }
    let search = match wanted(NETWORK) {
        true => search_figures(&host, &mut engine, &backend, device)?,
        false => serde_json::Value::Null,
    };
    println!(
        "{}",
        serde_json::json!({"backend": backend, "networks": figures, "vgg16_192": search})
    );
    Ok(())
}

/// Milliseconds of one pass forward through VGG-16 as far as conv5_1, and of one step of a style search
/// with all five layers, both at 192 x 192.
fn search_figures(
    host: &dyn Host,
    engine: &mut Engine,
    backend: &str,
    device: Device,
) -> Result<serde_json::Value, String> {
    const STEPS: u32 = 6;
    let said = |failure: Failure| failure.to_string();
    let open = |path: &str| open_picture(Path::new(path)).map_err(said);
    let square = open("public/samples/astronaut.jpg")?;
    let card = Manifest::shipped()
        .find(NETWORK)
        .cloned()
        .ok_or("no VGG-16")?;
    let empty = Vgg16Config::new().init(&device);
    let network = pollster::block_on(weights::load(host, &card, empty)).map_err(said)?;
    let rgb = stretch_rgb(&square, 192, 192);
    let image = prepare(to_tensor(&rgb, 192, 192, 1.0 / 255.0, 0.0, &device));
    let job = Job::new(host, backend);
    let last = layer_index("conv5_1").expect("a layer");
    let mut forward_ms = Vec::new();
    for _ in 0..5 {
        let started = host.now_ms();
        let map = network.forward(image.clone(), last).pop().expect("maps");
        pollster::block_on(job.read(map.sum())).map_err(said)?;
        forward_ms.push(host.now_ms() - started);
    }
    forward_ms.sort_by(f64::total_cmp);
    let mut settings = Settings::new(Lab::Gatys);
    settings.set_text("steps", "1");
    let style = Some(open("public/paintings/auvers.jpg")?);
    let run = engine.run(Job::new(host, backend), host, &settings, square, style);
    pollster::block_on(run).map_err(said)?;
    let mut step_ms = Vec::new();
    for _ in 0..3 {
        let started = host.now_ms();
        let run = engine.go_on(Job::new(host, backend), host, &settings, Some(STEPS));
        pollster::block_on(run).map_err(said)?;
        // The last picture is looked at once more, for the report.
        step_ms.push((host.now_ms() - started) / f64::from(STEPS + 1));
    }
    step_ms.sort_by(f64::total_cmp);
    Ok(serde_json::json!({
        "forward_ms": forward_ms[2],
        "step_ms": step_ms[1],
        "step_to_forward": step_ms[1] / forward_ms[2],
    }))
}
