//! `kiln compare`.

use std::fmt::Write as _;

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::spec::{Answer, CompareSettings, LAB, OfFamily, Question};
use crate::command::files::{self, Item};
use crate::command::session::Session;
use crate::command::{CommandRow, Stop, cli, print};
use crate::job::Request;
use crate::labs::detect::annotate;
use crate::labs::detect::command::{listed, milliseconds};
use crate::labs::detect::families::{FAMILIES, NAMES};
use crate::protocol::picture::Picture;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: compare,
    figures: None,
};

fn flags() -> Command {
    cli::on_files(&LAB).arg(cli::json_argument("print what each detector found as JSON"))
}

fn compare(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let read: CompareSettings = settings.read();
    let unknown = read.families.split(',').map(str::trim).find(|name| !NAMES.contains(name));
    if let Some(name) = unknown {
        return Err(format!("no detector is called \"{name}\": give some of {}, with commas between.", NAMES.join(", ")).into());
    }
    let items = files::plan(arguments, "compare", &[])?;
    let as_json = arguments.get_flag("json");
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let tell = |item: &Item, found: &Value| (!as_json).then(|| table(item, found));
    let (outcomes, end) = files::on_each(&items, tell, |item, picture| {
        let request = Request::new(&Question::Run, &settings).with("picture", picture.clone());
        let (reply, _) = session.ask(request)?;
        let answer: Answer = reply.answer()?;
        if let Some(output) = &item.output {
            output.write_picture(&side_by_side(&picture, &answer), &settings)?;
        }
        Ok(json!({
            "width": answer.width,
            "height": answer.height,
            "families": answer.found.iter().map(row).collect::<Vec<_>>(),
        }))
    });
    if as_json {
        print::line(Value::Array(outcomes.into_iter().map(listed).collect()));
    }
    end
}

/// The picture with the boxes of each family, in a row.
fn side_by_side(picture: &Picture, answer: &Answer) -> Picture {
    let drawn: Vec<Picture> = answer
        .found
        .iter()
        .map(|of| annotate::draw(picture, &of.detections, FAMILIES[of.family]))
        .collect();
    let mut rgba = Vec::with_capacity(drawn.len() * picture.rgba.len());
    for row in 0..picture.height {
        let bytes = row * 4 * picture.width..(row + 1) * 4 * picture.width;
        for drawn in &drawn {
            rgba.extend_from_slice(&drawn.rgba[bytes.clone()]);
        }
    }
    Picture::new(drawn.len() * picture.width, picture.height, rgba).expect("as many bytes as pixels need")
}

fn row(of: &OfFamily) -> Value {
    let family = FAMILIES[of.family];
    json!({
        "family": family.name,
        "map50": family.map.map(|[half, _]| half),
        "places": of.places,
        "ms": milliseconds(&of.timings),
        "detections": of.detections.to_json(family),
    })
}

fn table(item: &Item, found: &Value) -> String {
    let mut text = format!("{} ({} x {})", print::shown(&item.path), found["width"], found["height"]);
    for of in found["families"].as_array().into_iter().flatten() {
        let stages = of["ms"].as_object().into_iter().flatten();
        let total: f64 = stages.filter_map(|(_, ms)| ms.as_f64()).sum();
        let _ = write!(text, "\n  {:<20} {total:>6.0} ms", of["family"].as_str().unwrap_or(""));
        for found in of["detections"].as_array().into_iter().flatten() {
            let _ = write!(text, "  {} {:.2}", found["class"].as_str().unwrap_or(""), found["score"].as_f64().unwrap_or(0.0));
        }
    }
    text
}
