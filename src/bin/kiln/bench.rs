//! `kiln bench`: the networks on this machine, as JSON for `make bench`.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

use kiln::engine::native_host::{NativeHost, open_device, open_picture};
use kiln::engine::runner::Engine;
use kiln::labs::job::Job;
use kiln::protocol::card::Manifest;
use kiln::protocol::message::Stage;
use kiln::protocol::params::Lab;
use kiln::protocol::settings::Settings;

use super::cli;

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
    let mut engine = Engine::new(device, &*backend, Manifest::shipped());
    let picture =
        open_picture(Path::new("public/samples/temple.jpg")).map_err(|f| f.to_string())?;
    let mut figures = serde_json::Map::new();
    for lab in Lab::ALL.into_iter().filter(|lab| !lab.takes_steps()) {
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
    println!(
        "{}",
        serde_json::json!({"backend": backend, "networks": figures})
    );
    Ok(())
}
