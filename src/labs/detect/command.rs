//! `kiln detect`.

use std::fmt::Write as _;

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::annotate;
use super::stages;
use super::families::FAMILIES;
use super::spec::{Answer, LAB, Question};
use crate::command::session::Session;
use crate::command::files::{self, Item, Outcome};
use crate::command::{CommandRow, Stop, bench, cli, output, print, sentence};
use crate::engine::native_host::open_picture;
use crate::job::Request;
use crate::protocol::message::Timings;
use crate::protocol::settings::Settings;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: detect,
    figures: Some(("ssd", figures)),
};

fn flags() -> Command {
    let stages = Arg::new("stages")
        .long("stages")
        .value_name("FOLDER")
        .value_parser(value_parser!(PathBuf))
        .help("folder to write pictures of the stages to: where the network looks, what it proposes, what is suppressed");
    cli::on_files(&LAB).args([cli::json_argument("print the detections as JSON"), stages])
}

fn detect(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let items = files::plan(arguments, "boxes", &[])?;
    let as_json = arguments.get_flag("json");
    let folder = arguments.get_one::<PathBuf>("stages");
    let mut written = output::Plan::new(arguments);
    written.reads_arguments(arguments, &["files"]);
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let tell = |item: &Item, found: &Value| (!as_json).then(|| table(item, found));
    let (outcomes, end) = files::on_each(&items, tell, |item, picture| {
        let request = Request::new(&Question::Run, &settings).with("picture", picture.clone());
        let (reply, done) = session.ask(request)?;
        let answer: Answer = reply.answer()?;
        let family = FAMILIES[answer.family];
        if let Some(output) = &item.output {
            let annotated = annotate::draw(&picture, &answer.detections, family);
            output.write_picture(&annotated, &settings)?;
        }
        if let Some(folder) = folder {
            let stem = item.path.file_stem().unwrap_or_default();
            for (name, drawn) in stages::pictures(&picture, &answer, &reply) {
                let output = written.in_folder(folder, stem, &name);
                output.write_picture(&drawn, &settings)?;
            }
        }
        Ok(json!({
            "family": family.name,
            "width": answer.width,
            "height": answer.height,
            "ms": milliseconds(&done.timings),
            "detections": answer.detections.to_json(family),
        }))
    });
    if as_json {
        print::line(Value::Array(outcomes.into_iter().map(listed).collect()));
    }
    end
}

/// Milliseconds of each stage.
pub fn milliseconds(timings: &Timings) -> Value {
    let each = timings.iter().map(|(stage, ms)| {
        let tenths = (ms * 10.0).round() / 10.0;
        (stage.name().to_string(), tenths.into())
    });
    Value::Object(each.collect())
}

/// What became of a picture, failures at their places.
pub fn listed(outcome: Outcome<Value>) -> Value {
    let mut row = match outcome.result {
        Ok(found) => found,
        Err(sentence) => json!({"error": sentence}),
    };
    row["file"] = outcome.file.into();
    if let Some(notice) = outcome.notice {
        row["notice"] = notice.into();
    }
    row
}

fn table(item: &Item, found: &Value) -> String {
    let name = print::shown(&item.path);
    let mut text = format!("{name} ({} x {})", found["width"], found["height"]);
    for found in found["detections"].as_array().into_iter().flatten() {
        let class = found["class"].as_str().unwrap_or("");
        let score = found["score"].as_f64().unwrap_or(0.0);
        let _ = write!(text, "\n  {class:<20} {score:.2}  {}", found["box"]);
    }
    text
}

fn figures(session: &mut Session, runs: usize) -> Result<serde_json::Value, String> {
    let picture = open_picture(bench::PHOTOGRAPH.as_ref()).map_err(|f| sentence(&f))?;
    let settings = Settings::new(&LAB);
    bench::of_network(session, runs, || {
        Request::new(&Question::Run, &settings).with("picture", picture.clone())
    })
}
