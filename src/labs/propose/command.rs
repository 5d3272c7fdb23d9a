//! `kiln propose`.

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::spec::{Answer, LAB, OF_REGION, ProposeSettings, Question};
use crate::command::files::{self, Item};
use crate::command::session::Session;
use crate::command::{CommandRow, Stop, cli, print};
use crate::job::{Reply, Request};
use crate::labs::detect::annotate;
use crate::labs::detect::command::listed;
use crate::maths::boxes::Corners;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: propose,
    figures: None,
};

/// Boxes that are drawn: more hide the picture.
const DRAWN: usize = 50;

fn flags() -> Command {
    cli::on_files(&LAB).arg(cli::json_argument("print the boxes as JSON"))
}

fn propose(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let most = settings.read::<ProposeSettings>().most;
    let items = files::plan(arguments, "proposals", &[])?;
    let as_json = arguments.get_flag("json");
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let tell = |item: &Item, found: &Value| {
        (!as_json).then(|| {
            format!(
                "{} ({} x {}): {} segments; the search found {} boxes in {} ms",
                print::shown(&item.path),
                found["width"],
                found["height"],
                found["segments"],
                found["proposals"].as_array().map_or(0, Vec::len),
                found["ms"]["search"],
            )
        })
    };
    let (outcomes, end) = files::on_each(&items, tell, |item, picture| {
        let request = Request::new(&Question::Run, &settings).with("picture", picture.clone());
        let (reply, _) = session.ask(request)?;
        let answer: Answer = reply.answer()?;
        let boxes = boxes(&reply);
        if let Some(output) = &item.output {
            let drawn = annotate::frames(&picture, &boxes[..boxes.len().min(DRAWN.min(most))]);
            output.write_picture(&drawn, &settings)?;
        }
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        let corners = |b: &Corners| {
            let edges = [b.x0, b.y0, b.x1, b.y1];
            json!(edges.map(|edge| tenth(f64::from(edge))))
        };
        let [of_hierarchy, of_search] = answer.ms.map(tenth);
        Ok(json!({
            "width": answer.size[0],
            "height": answer.size[1],
            "segments": answer.segments,
            "regions": reply.file("regions").len() / 4 / OF_REGION,
            "ms": {"hierarchy": of_hierarchy, "search": of_search},
            "proposals": boxes.iter().take(most).map(corners).collect::<Vec<_>>(),
        }))
    });
    if as_json {
        print::line(Value::Array(outcomes.into_iter().map(listed).collect()));
    }
    end
}

fn boxes(reply: &Reply) -> Vec<Corners> {
    let numbers = reply.file("proposals").as_chunks::<4>().0;
    let numbers: Vec<f32> = numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let each = numbers.as_chunks::<4>().0.iter();
    each.map(|&[x0, y0, x1, y1]| Corners { x0, y0, x1, y1 })
        .collect()
}
