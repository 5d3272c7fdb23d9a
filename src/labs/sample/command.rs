//! `kiln sample`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};

use super::engine::{code, noises};
use super::spec::{LAB, Question, SampleSettings};
use crate::command::session::Session;
use crate::command::output::Plan;
use crate::command::{CommandRow, Stop, cli, sentence};
use crate::engine::lab::Bench;
use crate::engine::shelf::Shelf;
use crate::job::Request;
use crate::labs::generate::networks::{LatentModel, picture_of, sheet};
use crate::protocol::picture::Sheet;
use crate::protocol::card::FILES;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run: sample,
    figures: None,
};

fn flags() -> Command {
    cli::with_settings(&LAB)
        .arg(cli::out_argument(
            "out",
            "picture to write, named .png, .jpg or .webp; - for standard output",
        ))
        .arg(cli::force_argument())
        .arg(
            Arg::new("grid")
                .long("grid")
                .value_name("COLUMNSxROWS")
                .help("so many different pictures, instead of what --view says"),
        )
}

fn sample(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    let out = arguments
        .get_one::<PathBuf>("out")
        .ok_or("say where to write: --out picture.png")?;
    let out = Plan::new(arguments).picture(out)?;
    let mut session = Session::open(arguments, &crate::labs::engines())?;
    let said = |failure: Failure| sentence(&failure);
    let picture = match arguments.get_one::<String>("grid") {
        Some(grid) => {
            let sides = grid.split_once('x');
            let sides = sides.and_then(|(c, r)| Some([c.parse().ok()?, r.parse().ok()?]));
            let sides: [usize; 2] = sides
                .filter(|sides: &[usize; 2]| sides.iter().all(|side| (1..=64).contains(side)))
                .ok_or("give --grid as 8x8, at most 64x64")?;
            pollster::block_on(many(&session, &settings.read(), sides)).map_err(said)?
        }
        None => {
            let request = Request::new(&Question::Sheet, &settings);
            let (mut reply, _) = session.ask(request).map_err(said)?;
            let sheet: Sheet = reply.answer().map_err(said)?;
            picture_of(sheet, reply.take("rgba"))
        }
    };
    out.write_picture(&picture, &settings).map_err(said)?;
    Ok(())
}

/// So many pictures of one seed.
async fn many(
    session: &Session,
    settings: &SampleSettings,
    [columns, rows]: [usize; 2],
) -> Result<Picture, Failure> {
    let job = session.job();
    let mut shelf = Shelf::new(session.device.clone(), FILES);
    let mut bench = Bench {
        job: &job,
        shelf: &mut shelf,
    };
    let shipped = settings.shipped();
    let model = LatentModel::open(&mut bench, shipped).await?;
    let points = noises(settings.seed, shipped.latent, settings.spread, columns * rows);
    let codes = points.iter().map(|noise| code(&model, settings, noise, &[]));
    let codes: Vec<_> = codes.collect();
    let drawn = model
        .decode(&job, &codes, settings.class, &session.device)
        .await?;
    let data = shipped.data;
    let (sheet, rgba) = sheet(&drawn, data.side(), data.channels(), columns);
    Ok(picture_of(sheet, rgba))
}
