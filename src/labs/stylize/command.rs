//! `kiln stylize`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};

use super::paintings::OWN;
use super::spec::{LAB, NAMES, Painted, Question, Region};
use crate::command::session::Session;
use crate::command::{CommandRow, bench, cli, files};
use crate::engine::native_host::open_picture;
use crate::job::Request;
use crate::protocol::settings::Settings;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: stylize,
    figures: Some(("multistyle26", figures)),
};

fn flags() -> Command {
    cli::on_files(&LAB)
        .arg(
            Arg::new("style-picture")
                .long("style-picture")
                .value_name("PICTURE")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with("style")
                .help("picture whose style is taken, instead of a built-in one"),
        )
        .arg(
            Arg::new("regions")
                .long("regions")
                .value_name("JSON")
                .value_parser(value_parser!(PathBuf))
                .help("strokes with styles of their own: [{\"style\": 12, \"width\": 0.2, \"points\": [[x, y, pressure], ...]}, ...], all from 0 to 1; style null for the photograph"),
        )
}

fn stylize(arguments: &ArgMatches) -> Result<(), String> {
    if arguments.get_one::<PathBuf>("out").is_none() {
        return Err("there is nowhere to paint to: name a file with --out FILE.".into());
    }
    let style = files::picture_of(arguments, "style-picture")?;
    let regions = match arguments.get_one::<PathBuf>("regions") {
        Some(path) => read_regions(path)?,
        None => Vec::new(),
    };
    let mut settings = cli::settings(&LAB, arguments);
    if style.is_some() {
        settings.set_text(NAMES.source, OWN);
    }
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let question = Question::Run { regions };
    files::on_each_file(arguments, |path, picture| {
        let mut run = Request::new(&question, &settings).with("picture", picture);
        if let Some(style) = &style {
            run = run.with("style", style.clone());
        }
        let (reply, _) = session.ask(run)?;
        let painted: Painted = reply.answer()?;
        let target = files::target(arguments, path, "styled").expect("--out was just checked");
        let (reply, _) = session.ask(Request::new(&Question::Export, &settings))?;
        files::write_file(&target, reply.file("png"))?;
        println!(
            "{}: {} ({} x {})",
            path.display(),
            target.display(),
            painted.width,
            painted.height
        );
        Ok(())
    })
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

fn figures(session: &mut Session, runs: usize) -> Result<serde_json::Value, String> {
    let picture = open_picture(bench::PHOTOGRAPH.as_ref()).map_err(|f| f.to_string())?;
    let settings = Settings::new(&LAB);
    let question = Question::Run {
        regions: Vec::new(),
    };
    bench::of_network(session, runs, || {
        Request::new(&question, &settings).with("picture", picture.clone())
    })
}
