//! `kiln classify`.

use std::fmt::Write as _;

use clap::{ArgMatches, Command};
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
    cli::on_files(&LAB).arg(
        cli::json_argument("print classes, layers and the channel as JSON")
    )
}

fn run(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let items = files::plan(arguments, "layer", &[])?;
    let as_json = arguments.get_flag("json");
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let tell = |item: &Item, answer: &Answer| (!as_json).then(|| table(item, answer));
    let (outcomes, end) = files::on_each(&items, tell, |item, picture| {
        let run = Request::new(&Question::Run, &settings).with("picture", picture);
        let (reply, _) = session.ask(run)?;
        let answer: Answer = reply.answer()?;
        if let Some(output) = &item.output {
            let (reply, _) = session.ask(Request::new(&Question::Export, &settings))?;
            output.write_png(reply.file("png"))?;
        }
        Ok(answer)
    });
    if as_json {
        print::line(Value::Array(outcomes.into_iter().map(listed).collect()));
    }
    end
}

fn table(item: &Item, answer: &Answer) -> String {
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
    text
}

/// What became of a picture, failures at their places.
fn listed(outcome: Outcome<Answer>) -> Value {
    let mut row = match outcome.result {
        Err(sentence) => json!({ "error": sentence }),
        Ok(answer) => {
            let [least, mean, most, above] = answer.channel_says;
            json!({
                "classes": answer.classes,
                "layers": answer.layers,
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
