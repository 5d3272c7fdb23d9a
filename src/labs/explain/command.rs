//! `kiln saliency` and `kiln occlude`.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::protocol::imagenet::name;
use super::spec::{Answer, LAB, Method, NAMES, Question};
use crate::command::files::{self, Item, Outcome};
use crate::command::session::Session;
use crate::command::{CommandRow, Stop, bench, cli, print, sentence};
use crate::engine::native_host::open_picture;
use crate::job::Request;
use crate::protocol::settings::Settings;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: explain,
    figures: Some(("efficientnet-lite0", figures)),
};

fn flags() -> Command {
    let json = cli::json_argument("print the classes and what is explained as JSON");
    let cut = Arg::new("cut")
        .long("cut")
        .action(ArgAction::SetTrue)
        .help("write what the map points at, cut out, instead of the map");
    cli::on_files(&LAB).args([json, cut])
}

/// The same with the method that covers squares: the one that needs no gradient, by its name.
pub const OCCLUDE: CommandRow = CommandRow {
    flags: || {
        let named = flags().name("occlude");
        let about = named.about("Shows what speaks for a class, by covering one square of the picture after another");
        about.mut_arg(NAMES.method, |method| method.default_value(<&str>::from(Method::Occlusion)).hide(true))
    },
    run: explain,
    figures: None,
};

fn explain(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let items = files::plan(arguments, "saliency", &[])?;
    let as_json = arguments.get_flag("json");
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let tell = |item: &Item, answer: &Answer| (!as_json).then(|| table(item, answer));
    let (outcomes, end) = files::on_each(&items, tell, |item, picture| {
        let run = Request::new(&Question::Run, &settings).with("picture", picture);
        let (reply, _) = session.ask(run)?;
        let answer: Answer = reply.answer()?;
        if let Some(output) = &item.output {
            let question = match arguments.get_flag("cut") {
                true => Question::ExportCut,
                false => Question::Export,
            };
            let (reply, _) = session.ask(Request::new(&question, &settings))?;
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
    for &(class, probability) in &answer.classes {
        let _ = write!(text, "\n  {:5.1} %  {}", probability * 100.0, name(class));
    }
    if !answer.classes.iter().any(|&(class, _)| class == answer.class) {
        let (percent, class) = (answer.probability * 100.0, name(answer.class));
        let _ = write!(text, "\n  {percent:5.1} %  {class}, which is explained");
    }
    if let Some([sum, difference]) = answer.sum {
        let class = name(answer.class);
        let _ = write!(
            text,
            "\n  the map of {class} adds up to {sum:.3}; the logit is {difference:.3} more than the plain picture's"
        );
    }
    if let Some(similarity) = answer.similarity {
        let _ = write!(
            text,
            "\n  rank correlation with the trained network's map: {similarity:.3}"
        );
    }
    text
}

/// What became of a picture, failures at their places.
fn listed(outcome: Outcome<Answer>) -> Value {
    let mut row = match outcome.result {
        Err(sentence) => json!({ "error": sentence }),
        Ok(answer) => {
            let classes = answer.classes.iter().map(|&(class, probability)| {
                json!({ "class": class, "name": name(class), "probability": probability })
            });
            json!({
                "classes": classes.collect::<Vec<_>>(),
                "explained": {
                    "class": answer.class,
                    "name": name(answer.class),
                    "probability": answer.probability,
                    "logit": answer.logit,
                    "largest": answer.largest,
                    "sum": answer.sum.map(|[sum, _]| sum),
                    "similarity": answer.similarity,
                    "difference": answer.sum.map(|[_, difference]| difference),
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

fn figures(session: &mut Session, runs: usize) -> Result<serde_json::Value, String> {
    let picture = open_picture(bench::PHOTOGRAPH.as_ref()).map_err(|f| sentence(&f))?;
    let settings = Settings::new(&LAB);
    bench::of_network(session, runs, || {
        Request::new(&Question::Run, &settings).with("picture", picture.clone())
    })
}
