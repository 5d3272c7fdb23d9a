//! `kiln embed`.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::spec::{LAB, Map, Question};
use crate::command::output::Plan;
use crate::command::session::Session;
use crate::command::{CommandRow, Stop, cli, print, sentence};
use crate::engine::native_host::open_picture;
use crate::job::Request;
use crate::protocol::failure::Failure;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run,
    figures: None,
};

fn flags() -> Command {
    cli::with_settings(&LAB)
        .arg(
            Arg::new("pictures")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf))
                .help("pictures, or folders of them"),
        )
        .arg(cli::out_argument(
            "out",
            "map to write, named .png, .jpg or .webp; - for standard output",
        ))
        .arg(cli::force_argument())
        .arg(
            cli::json_argument("print where each picture lies as JSON")
        )
}

/// The files that paths name, those of folders by their names.
fn files_of(paths: &[&PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push((*path).clone());
            continue;
        }
        let unreadable = |error: std::io::Error| Failure::Unreadable {
            path: print::shown(path),
            reason: error.to_string(),
        };
        let entries = std::fs::read_dir(path).map_err(|error| sentence(&unreadable(error)))?;
        let mut inside: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_picture(path))
            .collect();
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

/// A name that a picture may have.
fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.map(str::to_ascii_lowercase);
    let known = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];
    path.is_file() && ending.is_some_and(|ending| known.contains(&&*ending))
}

fn run(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let paths: Vec<&PathBuf> = arguments.get_many("pictures").expect("at least one").collect();
    let mut plan = Plan::new(arguments);
    plan.reads_arguments(arguments, &["pictures"]);
    let out = arguments.get_one::<PathBuf>("out");
    let out = out.map(|out| plan.picture(out)).transpose()?;
    let mut names = Vec::new();
    let mut request = Request::new(&Question::Run, &settings);
    for path in files_of(&paths)? {
        match open_picture(&path) {
            Ok(picture) => {
                request = request.with(&names.len().to_string(), picture);
                names.push(print::shown(&path));
            }
            // One bad file among hundreds is left out.
            Err(failure) if paths.len() > 1 || paths[0].is_dir() => {
                print::note(format!("{}: {}", print::shown(&path), sentence(&failure)));
            }
            Err(failure) => return Err(sentence(&failure).into()),
        }
    }
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let said = |failure: Failure| sentence(&failure);
    let (reply, _) = session.ask(request).map_err(said)?;
    let map: Map = reply.answer().map_err(said)?;
    if let Some(out) = &out {
        let (png, _) = session.ask(Request::new(&Question::Export, &settings)).map_err(said)?;
        out.write_png(png.file("png")).map_err(said)?;
    }
    let numbers = reply.file("points").as_chunks::<4>().0.iter();
    let numbers: Vec<f32> = numbers.map(|&bytes| f32::from_le_bytes(bytes)).collect();
    if arguments.get_flag("json") {
        // A picture that is there twice has one place.
        let places = names.iter().zip(numbers.as_chunks::<2>().0);
        let places = places.map(|(name, [x, y])| json!({ "file": name, "x": x, "y": y }));
        print::line(json!({
            "pictures": places.collect::<Vec<_>>(),
            "steps": map.step,
            "divergence": map.divergence.last().map(|(_, nats)| nats),
            "shares": map.shares,
        }));
        return Ok(());
    }
    let told = match (map.shares, map.divergence.last()) {
        (Some([first, second]), _) => {
            format!("{:.1} and {:.1} % of the variance", first * 100.0, second * 100.0)
        }
        (_, Some((step, nats))) => format!("a divergence of {nats:.3} nats after {step} steps"),
        _ => String::new(),
    };
    print::line(format!("{} pictures, {told}", map.own));
    Ok(())
}
