//! `kiln detect`.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::annotate;
use super::families::FAMILIES;
use super::spec::{Answer, LAB, Question};
use crate::command::session::Session;
use crate::command::{CommandRow, bench, cli, files};
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
        Arg::new("json")
            .long("json")
            .action(ArgAction::SetTrue)
            .help("print the detections as JSON"),
    )
}

fn detect(arguments: &ArgMatches) -> Result<(), String> {
    let settings = cli::settings(&LAB, arguments);
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let mut listed = Vec::new();
    files::on_each_file(arguments, |path, picture| {
        let request = Request::new(&Question::Run, &settings).with("picture", picture.clone());
        let (reply, _) = session.ask(request)?;
        let answer: Answer = reply.answer()?;
        let family = FAMILIES[answer.family];
        if let Some(target) = files::target(arguments, path, "boxes") {
            let annotated = annotate::draw(&picture, &answer.detections, family);
            files::write_png(&target, &annotated, &settings)?;
        }
        listed.push(json!({
            "file": path.display().to_string(),
            "width": answer.width,
            "height": answer.height,
            "detections": answer.detections.to_json(family),
        }));
        Ok(())
    })?;
    if arguments.get_flag("json") {
        println!("{}", serde_json::Value::Array(listed));
    } else {
        print_table(&listed);
    }
    Ok(())
}

fn print_table(listed: &[serde_json::Value]) {
    for file in listed {
        println!(
            "{} ({} x {})",
            file["file"].as_str().unwrap_or(""),
            file["width"],
            file["height"]
        );
        for found in file["detections"].as_array().into_iter().flatten() {
            let class = found["class"].as_str().unwrap_or("");
            println!(
                "  {class:<20} {:.2}  {}",
                found["score"].as_f64().unwrap_or(0.0),
                found["box"]
            );
        }
    }
}

fn figures(session: &mut Session, runs: usize) -> Result<serde_json::Value, String> {
    let picture = open_picture(bench::PHOTOGRAPH.as_ref()).map_err(|f| f.to_string())?;
    let settings = Settings::new(&LAB);
    bench::of_network(session, runs, || {
        Request::new(&Question::Run, &settings).with("picture", picture.clone())
    })
}
