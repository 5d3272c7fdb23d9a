//! `kiln bench`: the networks on this machine, as JSON for `make bench`, or their layers as a table.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::job::Request;
use crate::protocol::layer::{Layer, LayerKind, Layers};
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
        .arg(
            Arg::new("layers")
                .long("layers")
                .action(ArgAction::SetTrue)
                .help("what each layer takes, as a table; on the CPU"),
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
    let as_table = arguments.get_flag("layers");
    let mut figures = serde_json::Map::new();
    for (name, time) in parts.commands.iter().filter_map(|row| row.figures) {
        if !wanted.is_empty() && !wanted.iter().any(|part| *part == name) {
            continue;
        }
        let mut found = time(&mut session, runs)?;
        let layers = found
            .as_object_mut()
            .and_then(|found| found.remove("layers"));
        if as_table {
            let layers = layers.and_then(|layers| serde_json::from_value(layers).ok());
            print::line(match layers {
                Some(layers) => format!("{name}\n{}", table(&layers)),
                None => format!("{name}: its layers are not timed one by one"),
            });
        }
        figures.insert(name.into(), found);
    }
    if !as_table {
        print::line(serde_json::json!({"backend": session.backend(), "networks": figures}));
    }
    Ok(())
}

/// A row for each layer, and how far it is from what the processor reaches.
fn table(of: &Layers) -> String {
    let total: f64 = of.layers.iter().map(|layer| layer.ms).sum();
    let mut table = format!(
        "{:22}{:>16}{:>10}{:>7}{:>10}{:>9}{:>9}\n",
        "layer", "result", "ms", "%", "GFLOP/s", "of peak", "MB"
    );
    for layer in &of.layers {
        let [channels, rows, columns] = layer.to;
        let size = match layer.kind {
            LayerKind::Rest => String::new(),
            _ => format!("{channels}x{rows}x{columns}"),
        };
        let speed = layer.gigaflops_a_second();
        let share = speed / of.peak * 100.0;
        let part = layer.ms / total * 100.0;
        table += &format!(
            "{:22}{size:>16}{:>10.3}{part:>7.1}{speed:>10.1}{share:>8.0}%{:>9.2}\n",
            title(layer),
            layer.ms,
            layer.megabytes
        );
    }
    table + &format!("{total:.1} ms; the peak is {:.1} GFLOP/s", of.peak)
}

fn title(layer: &Layer) -> String {
    let name: &str = layer.kind.into();
    match (layer.kernel, layer.stride) {
        (0, _) => name.into(),
        (kernel, 1) => format!("{name} {kernel}x{kernel}"),
        (kernel, stride) => format!("{name} {kernel}x{kernel} /{stride}"),
    }
}

/// The layers of several runs, each with the median of its times.
fn medians(runs: &[Layers]) -> Layers {
    let mut typical = runs[0].clone();
    for (index, layer) in typical.layers.iter_mut().enumerate() {
        let of_runs = runs.iter().filter_map(|run| run.layers.get(index));
        layer.ms = median(of_runs.map(|layer| layer.ms).collect());
    }
    typical
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
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
    let (mut network_ms, mut layers) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(2) {
        let (_, done) = session.ask(request()).map_err(|f| sentence(&f))?;
        let network = done
            .timings
            .iter()
            .find(|(stage, _)| *stage == Stage::Network);
        network_ms.push(network.ok_or("the lab runs no network")?.1);
        layers.push(done.layers);
    }
    let first = network_ms.remove(0);
    let median = median(network_ms);
    let mut figures = serde_json::json!({"first_ms": first, "median_ms": median, "runs": runs});
    if !layers[0].layers.is_empty() {
        figures["layers"] = serde_json::json!(medians(&layers[1..]));
    }
    Ok(figures)
}
