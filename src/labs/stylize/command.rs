//! `kiln stylize`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::paintings::OWN;
use super::spec::{Format, LAB, LARGEST, NAMES, Painted, Question, Region};
use crate::command::session::Session;
use crate::command::files::{self, Item};
use crate::command::output::Output;
use crate::command::{CommandRow, Stop, bench, cli, print, sentence};
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
            Arg::new("large")
                .long("large")
                .action(ArgAction::SetTrue)
                .help(format!("paint at the picture's own size, up to {LARGEST} pixels on its longer side, by parts; contrast and colours are those that it has at --size")),
        )
        .arg(
            Arg::new("regions")
                .long("regions")
                .value_name("JSON")
                .value_parser(value_parser!(PathBuf))
                .help("strokes with styles of their own: [{\"style\": 12, \"width\": 0.2, \"points\": [[x, y, pressure], ...]}, ...], all from 0 to 1; style null for the photograph"),
        )
}

fn stylize(arguments: &ArgMatches) -> Result<(), Stop> {
    if arguments.get_one::<PathBuf>("out").is_none() {
        return Err("there is nowhere to paint to: name a file with --out FILE.".into());
    }
    let items = files::plan(arguments, "styled", &["style-picture", "regions"])?;
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
    let question = match arguments.get_flag("large") {
        false => Question::Run { regions },
        true => Question::Large {
            regions,
            format: Format::Png,
        },
    };
    let tell = |item: &Item, painted: &Painted| {
        let name = print::shown(&item.path);
        let output = item.output.as_ref().map(Output::shown).unwrap_or_default();
        let (width, height) = (painted.width, painted.height);
        Some(format!("{name}: {output} ({width} x {height})"))
    };
    let (_, end) = files::on_each(&items, tell, |item, picture| {
        let mut run = Request::new(&question, &settings).with("picture", picture);
        if let Some(style) = &style {
            run = run.with("style", style.clone());
        }
        let (reply, _) = session.ask(run)?;
        let painted: Painted = reply.answer()?;
        let png = match question {
            Question::Large { .. } => reply.file("file").to_vec(),
            _ => {
                let (reply, _) = session.ask(Request::new(&Question::Export, &settings))?;
                reply.file("png").to_vec()
            }
        };
        if let Some(output) = &item.output {
            output.write_png(&png)?;
        }
        Ok(painted)
    });
    end
}

fn read_regions(path: &Path) -> Result<Vec<Region>, String> {
    let text = fs::read_to_string(path).map_err(|error| {
        format!(
            "{} cannot be read ({error}): check the path.",
            print::shown(path)
        )
    })?;
    serde_json::from_str(&text).map_err(|error| {
        format!(
            "{} holds no regions ({error}): see kiln stylize --help for their form.",
            print::shown(path)
        )
    })
}

fn figures(session: &mut Session, runs: usize) -> Result<serde_json::Value, String> {
    let picture = open_picture(bench::PHOTOGRAPH.as_ref()).map_err(|f| sentence(&f))?;
    let settings = Settings::new(&LAB);
    let question = Question::Run {
        regions: Vec::new(),
    };
    bench::of_network(session, runs, || {
        Request::new(&question, &settings).with("picture", picture.clone())
    })
}
