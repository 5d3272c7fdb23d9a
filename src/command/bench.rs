//! `kiln bench`: the networks on this machine, as JSON for `make bench`.

use clap::{Arg, ArgMatches, Command};

use crate::job::Request;
use crate::protocol::message::Stage;

use super::session::Session;
use super::{Parts, Stop, cli, print, sentence};

/// What the networks are timed on, from whatever folder.
pub const PHOTOGRAPH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/public/samples/temple.jpg");

/// The flags of `kiln bench`.
pub fn flags(parts: &Parts) -> Command {
    let figures = parts.commands.iter().filter_map(|row| row.figures);
    let names: Vec<&str> = figures.map(|(name, _)| name).collect();
    Command::new("bench")
        .about("Times the networks on this machine")
        .arg(
            Arg::new("part")
                .num_args(0..)
                .value_parser(names)
                .help("networks to time; all if none is given"),
        )
        .arg(cli::backend_argument())
        .arg(cli::weights_argument())
        .arg(
            Arg::new("runs")
                .long("runs")
                .default_value("15")
                .value_parser(cli::whole_number(10_000))
                .help("runs of each network"),
        )
}

/// `kiln bench`.
///
/// # Errors
/// Those of the labs.
pub fn bench(parts: &Parts, arguments: &ArgMatches) -> Result<(), Stop> {
    let runs = *arguments.get_one::<u32>("runs").expect("has a default") as usize;
    let wanted: Vec<&String> = arguments.get_many("part").unwrap_or_default().collect();
    let mut session = Session::open(arguments, &(parts.engines)())?;
    let mut figures = serde_json::Map::new();
    for (name, time) in parts.commands.iter().filter_map(|row| row.figures) {
        if wanted.is_empty() || wanted.iter().any(|part| *part == name) {
            figures.insert(name.into(), time(&mut session, runs)?);
        }
    }
    print::line(serde_json::json!({"backend": session.backend(), "networks": figures}));
    Ok(())
}

/// The first run of a network, and the median of the later ones, in milliseconds.
///
/// # Errors
/// Those of the lab.
pub fn of_network(
    session: &mut Session,
    runs: usize,
    request: impl Fn() -> Request,
) -> Result<serde_json::Value, String> {
    let mut network_ms = Vec::new();
    for _ in 0..runs.max(2) {
        let (_, done) = session.ask(request()).map_err(|f| sentence(&f))?;
        let network = done
            .timings
            .iter()
            .find(|(stage, _)| *stage == Stage::Network);
        network_ms.push(network.ok_or("the lab runs no network")?.1);
    }
    let first = network_ms.remove(0);
    network_ms.sort_by(f64::total_cmp);
    let median = network_ms[network_ms.len() / 2];
    Ok(serde_json::json!({"first_ms": first, "median_ms": median, "runs": runs}))
}
