//! `kiln segment`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::spec::{Effect, LAB, Matte, Question, SegmentSettings};
use crate::command::session::Session;
use crate::command::{CommandRow, bench, cli, files};
use crate::engine::native_host::open_picture;
use crate::job::Request;
use crate::protocol::settings::Settings;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: segment,
    figures: Some(("selfie", figures)),
};

fn flags() -> Command {
    cli::on_files(&LAB).arg(
        Arg::new("background")
            .long("background")
            .value_name("PICTURE")
            .value_parser(value_parser!(PathBuf))
            .help("picture behind the person (effect picture)"),
    )
}

fn segment(arguments: &ArgMatches) -> Result<(), String> {
    let background = files::picture_of(arguments, "background")?;
    let settings = cli::settings(&LAB, arguments);
    if settings.read::<SegmentSettings>().effect == Effect::Picture && background.is_none() {
        return Err(
            "the effect picture needs --background PICTURE: name the picture to put behind.".into(),
        );
    }
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    files::on_each_file(arguments, |path, picture| {
        let run = Request::new(&Question::Run, &settings).with("picture", picture);
        let (reply, _) = session.ask(run)?;
        let matte: Matte = reply.answer()?;
        println!(
            "{}: a person covers {:.1} % of the picture",
            path.display(),
            matte.coverage * 100.0
        );
        let Some(target) = files::target(arguments, path, "cutout") else {
            return Ok(());
        };
        let mut export = Request::new(&Question::Export, &settings);
        if let Some(background) = &background {
            export = export.with("background", background.clone());
        }
        let (reply, _) = session.ask(export)?;
        files::write_file(&target, reply.file("png"))
    })
}

fn figures(session: &mut Session, runs: usize) -> Result<serde_json::Value, String> {
    let picture = open_picture(bench::PHOTOGRAPH.as_ref()).map_err(|f| f.to_string())?;
    let settings = Settings::new(&LAB);
    bench::of_network(session, runs, || {
        Request::new(&Question::Run, &settings).with("picture", picture.clone())
    })
}
