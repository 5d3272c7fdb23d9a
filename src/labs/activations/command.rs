//! `kiln classify`.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::spec::{Answer, LAB, Question};
use crate::command::files::{self, Item, Outcome};
use crate::command::session::Session;
use crate::command::{CommandRow, Stop, cli, print};
use crate::job::Request;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run,
    figures: None,
};

fn flags() -> Command {
    let json = cli::json_argument("print classes, layers and the channel as JSON");
    let times = Arg::new("times")
        .long("times")
        .action(ArgAction::SetTrue)
        .help("say how long each layer takes");
    cli::on_files(&LAB).args([json, times])
}

/// What became of a picture.
struct Found {
    answer: Answer,
    /// Milliseconds of each layer, where they are asked for.
    times: Option<Vec<f64>>,
}

fn run(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let items = files::plan(arguments, "layer", &[])?;
    let as_json = arguments.get_flag("json");
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let is_timed = arguments.get_flag("times");
    let tell = |item: &Item, found: &Found| (!as_json).then(|| table(item, found));
    let (outcomes, end) = files::on_each(&items, tell, |item, picture| {
        let run = Request::new(&Question::Run, &settings).with("picture", picture);
        let (reply, _) = session.ask(run)?;
        let answer: Answer = reply.answer()?;
        if let Some(output) = &item.output {
            let (reply, _) = session.ask(Request::new(&Question::Export, &settings))?;
            output.write_png(reply.file("png"))?;
        }
        let times = match is_timed {
            true => {
                let (reply, _) = session.ask(Request::new(&Question::Times, &settings))?;
                Some(reply.answer()?)
            }
            false => None,
        };
        Ok(Found { answer, times })
    });
    if as_json {
        print::line(Value::Array(outcomes.into_iter().map(listed).collect()));
    }
    end
}

fn table(item: &Item, Found { answer, times }: &Found) -> String {
    let mut text = format!("{}:", print::shown(&item.path));
    for guess in &answer.classes {
        let _ = write!(text, "\n  {:5.1} %  {}", guess.probability * 100.0, guess.name);
    }
    let layer = &answer.layers[answer.layer];
    let [least, mean, most, above] = answer.channel_says;
    let _ = write!(
        text,
        "\n  {}, channel {}: {least:.3} to {most:.3}, mean {mean:.3}, above zero at {:.0} % of its places",
        layer.name,
        answer.channel,
        above * 100.0
    );
    for (layer, time) in answer.layers.iter().zip(times.iter().flatten()) {
        let _ = write!(text, "\n  {:8.2} ms  {}", time, layer.name);
    }
    text
}

/// What became of a picture, failures at their places.
fn listed(outcome: Outcome<Found>) -> Value {
    let mut row = match outcome.result {
        Err(sentence) => json!({ "error": sentence }),
        Ok(Found { answer, times }) => {
            let [least, mean, most, above] = answer.channel_says;
            json!({
                "classes": answer.classes,
                "layers": answer.layers,
                "milliseconds": times,
                "channel": {
                    "layer": answer.layers[answer.layer].name,
                    "channel": answer.channel,
                    "least": least,
                    "mean": mean,
                    "most": most,
                    "above_zero": above,
                },
            })
        }
    };
    row["file"] = outcome.file.into();
    if let Some(notice) = outcome.notice {
        row["notice"] = notice.into();
    }
    row
}
