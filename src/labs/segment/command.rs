//! `kiln segment`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::spec::{Effect, LAB, Matte, Question, SegmentSettings};
use crate::command::session::Session;
use crate::command::files::{self, Item};
use crate::command::{CommandRow, Stop, bench, cli, print, sentence};
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

fn segment(arguments: &ArgMatches) -> Result<(), Stop> {
    let items = files::plan(arguments, "cutout", &["background"])?;
    let background = files::picture_of(arguments, "background")?;
    let settings = cli::settings(&LAB, arguments);
    if settings.read::<SegmentSettings>().effect == Effect::Picture && background.is_none() {
        return Err(
            "the effect picture needs --background PICTURE: name the picture to put behind.".into(),
        );
    }
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let tell = |item: &Item, matte: &Matte| {
        let (name, share) = (print::shown(&item.path), matte.coverage * 100.0);
        Some(format!("{name}: a person covers {share:.1} % of the picture"))
    };
    let (_, end) = files::on_each(&items, tell, |item, picture| {
        let run = Request::new(&Question::Run, &settings).with("picture", picture);
        let (reply, _) = session.ask(run)?;
        let matte: Matte = reply.answer()?;
        let Some(output) = &item.output else {
            return Ok(matte);
        };
        let mut export = Request::new(&Question::Export, &settings);
        if let Some(background) = &background {
            export = export.with("background", background.clone());
        }
        let (reply, _) = session.ask(export)?;
        output.write_png(reply.file("png"))?;
        Ok(matte)
    });
    end
}

fn figures(session: &mut Session, runs: usize) -> Result<serde_json::Value, String> {
    let picture = open_picture(bench::PHOTOGRAPH.as_ref()).map_err(|f| sentence(&f))?;
    let settings = Settings::new(&LAB);
    bench::of_network(session, runs, || {
        Request::new(&Question::Run, &settings).with("picture", picture.clone())
    })
}
