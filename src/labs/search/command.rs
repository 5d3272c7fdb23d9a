//! The commands of the labs that take steps: `kiln gatys`, `kiln texture`, `kiln dream`, and others.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::rc::Rc;

use clap::{ArgMatches, Command};
use indicatif::{ProgressBar, ProgressStyle};

use super::spec::{Progress, Question, STYLE_LAYERS, Term};
use crate::command::output::Plan;
use crate::command::session::Session;
use crate::command::{Stop, cli, files, print, sentence};
use crate::job::{Reply, Request};
use crate::protocol::failure::Failure;
use crate::protocol::lab::LabSpec;
use crate::protocol::settings::Settings;

/// The flags that all of them have.
pub fn flags(lab: &'static LabSpec) -> Command {
    cli::with_settings(lab)
        .arg(cli::out_argument(
            "out",
            "picture to write, named .png, .jpg or .webp; - for standard output",
        ))
        .arg(cli::force_argument())
        .arg(cli::out_argument(
            "gif",
            "GIF to write, of how the picture came about",
        ))
        .arg(cli::out_argument(
            "losses",
            "CSV to write, a line for each step",
        ))
}

/// Runs a search on the pictures of arguments, each the name of a file of the question and of the
/// argument, and writes what `--out`, `--gif` and `--losses` name. `falls` says what the first number of
/// a step is.
///
/// # Errors
/// Those of the lab and of files.
pub fn search(
    arguments: &ArgMatches,
    settings: &Settings,
    pictures: &[(&str, &str)],
    falls: &str,
) -> Result<(), Stop> {
    let path = |name: &str| arguments.get_one::<PathBuf>(name);
    let Some(out) = path("out") else {
        return Err("there is nowhere to paint to: name a file with --out FILE.".into());
    };
    let mut plan = Plan::new(arguments);
    for (_, argument) in pictures {
        plan.reads_arguments(arguments, &[argument]);
    }
    let inputs = pictures.iter().filter_map(|(_, argument)| path(argument));
    files::once_from_standard_input(inputs)?;
    let out = plan.picture(out)?;
    let gif = path("gif")
        .map(|gif| plan.file(gif, &["gif"]))
        .transpose()?;
    let losses = path("losses")
        .map(|csv| plan.file(csv, &["csv", "txt"]))
        .transpose()?;
    let mut run = Request::new(&Question::Run, settings);
    for (file, argument) in pictures {
        let picture = files::picture_of(arguments, argument)?.expect("a required argument");
        run = run.with(file, picture);
    }
    let bar = ProgressBar::no_length().with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}").expect("a fixed template"),
    );
    let rows: Rc<RefCell<Vec<Vec<f32>>>> = Rc::default();
    let note = {
        let (rows, bar) = (rows.clone(), bar.clone());
        move |progress: &Progress| {
            rows.borrow_mut().extend(progress.losses.iter().cloned());
            bar.set_length(u64::from(progress.steps));
            bar.set_position(u64::from(progress.step));
            if let Some(first) = rows.borrow().last().and_then(|row| row.first()) {
                bar.set_message(format!("{first:.4}"));
            }
        }
    };
    let on_the_way = note.clone();
    let listen = move |_, says: Reply| {
        if let Ok(progress) = says.answer::<Progress>() {
            on_the_way(&progress);
        }
    };
    let mut session = Session::listening(arguments, &crate::labs::engines(), listen)?;
    let said = |failure: Failure| sentence(&failure);
    let (reply, _) = session.ask(run).map_err(said)?;
    let progress: Progress = reply.answer().map_err(said)?;
    note(&progress);
    bar.finish_and_clear();
    let mut ask = |question: Question| {
        let asked = session.ask(Request::new(&question, settings));
        asked.map_err(said)
    };
    let (png, _) = ask(Question::Export)?;
    out.write_png(png.file("png")).map_err(said)?;
    if let Some(output) = gif {
        let (gif, _) = ask(Question::Animate)?;
        output.write(gif.file("gif")).map_err(said)?;
    }
    let rows = rows.borrow();
    if let Some(output) = losses {
        let csv = as_csv(&progress, &rows);
        output.write(csv.as_bytes()).map_err(said)?;
    }
    let ends = [rows.first(), rows.last()].map(|row| row.map_or(f32::NAN, |row| row[0]));
    print::line(format!(
        "{} ({} x {}): {} steps, {falls} {:.4} to {:.4}",
        out.shown(),
        progress.width,
        progress.height,
        progress.step,
        ends[0],
        ends[1],
    ));
    Ok(())
}

/// A line for each step, a column for each term.
fn as_csv(progress: &Progress, rows: &[Vec<f32>]) -> String {
    let name = |term: &Term| {
        String::from(match term {
            Term::Total => "total",
            Term::Content => "content",
            Term::Style(number) => STYLE_LAYERS[*number],
            Term::Variation => "tv",
            Term::Activation => "activation",
            Term::Objective => "objective",
            Term::Probability => "probability",
            Term::Best => "best",
            Term::Features(number) => return progress.captions[*number].clone(),
        })
    };
    let names: Vec<_> = progress.terms.iter().map(name).collect();
    let mut text = format!("step,{}\n", names.join(","));
    for (step, row) in rows.iter().enumerate() {
        let values: Vec<_> = row.iter().map(|value| format!("{value:.6e}")).collect();
        let _ = writeln!(text, "{step},{}", values.join(","));
    }
    text
}
