//! `kiln detect`.

use std::fmt::Write as _;

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::annotate;
use super::families::FAMILIES;
use super::spec::{Answer, LAB, Question};
use crate::command::session::Session;
use crate::command::files::{self, Item, Outcome};
use crate::command::{CommandRow, Stop, bench, cli, print, sentence};
use crate::engine::native_host::open_picture;
use crate::job::Request;
use crate::protocol::settings::Settings;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: detect,
    figures: Some(("ssd", figures)),
};

fn flags() -> Command {
    cli::on_files(&LAB).arg(
        cli::json_argument("print the detections as JSON")
    )
}

fn detect(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let items = files::plan(arguments, "boxes", &[])?;
    let as_json = arguments.get_flag("json");
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let tell = |item: &Item, found: &Value| (!as_json).then(|| table(item, found));
    let (outcomes, end) = files::on_each(&items, tell, |item, picture| {
        let request = Request::new(&Question::Run, &settings).with("picture", picture.clone());
        let (reply, _) = session.ask(request)?;
        let answer: Answer = reply.answer()?;
        let family = FAMILIES[answer.family];
        if let Some(output) = &item.output {
            let annotated = annotate::draw(&picture, &answer.detections, family);
            output.write_picture(&annotated, &settings)?;
        }
        Ok(json!({
            "width": answer.width,
            "height": answer.height,
            "detections": answer.detections.to_json(family),
        }))
    });
    if as_json {
        print::line(Value::Array(outcomes.into_iter().map(listed).collect()));
    }
    end
}

/// What became of a picture, failures at their places.
fn listed(outcome: Outcome<Value>) -> Value {
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
