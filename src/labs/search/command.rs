//! `kiln gatys`, `kiln texture`, `kiln dream`: pictures that are searched for, step by step.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::native_host::{NativeHost, open_device, open_picture};
use crate::engine::runner::Engine;
use crate::job::Job;
use crate::labs::search::spec::{Progress, SOURCE, STYLE_LAYERS, Term};
use crate::labs::stylize::spec::OWN;
use crate::protocol::card::Manifest;
use crate::protocol::message::{Event, LabResult};
use crate::protocol::params::Lab;

use crate::command::cli;
use crate::command::run::write_png;

/// Runs the search of a lab and writes what `--out`, `--gif` and `--losses` name.
pub fn search(lab: Lab, arguments: &ArgMatches) -> Result<(), String> {
    let path = |name: &str| arguments.get_one::<PathBuf>(name);
    let Some(out) = path("out") else {
        return Err("there is nowhere to paint to: name a file with --out FILE.".into());
    };
    let open = |name: &str| {
        let path = path(name).expect("a required argument");
        open_picture(path).map_err(|failure| format!("{}: {failure}", path.display()))
    };
    let picture = open("picture")?;
    let style = if lab == Lab::Gatys {
        Some(open("style-picture")?)
    } else {
        None
    };
    let mut settings = cli::settings(lab, arguments);
    if lab != Lab::Dream {
        // A file gives the style, or the texture: none of the paintings.
        settings.set_text(SOURCE, OWN);
    }
    let (device, backend) = open_device(cli::backend(arguments)).map_err(|f| f.to_string())?;
    let bar = ProgressBar::no_length().with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}").expect("a fixed template"),
    );
    let rows: RefCell<Vec<Vec<f32>>> = RefCell::default();
    let note = |progress: &Progress| {
        rows.borrow_mut().extend(progress.losses.iter().cloned());
        bar.set_length(u64::from(progress.steps));
        bar.set_position(u64::from(progress.step));
        if let Some(first) = rows.borrow().last().and_then(|row| row.first()) {
            bar.set_message(format!("{first:.4}"));
        }
    };
    let host = NativeHost::new(path("weights").expect("has a default"), |event| {
        if let Event::Step(progress) = &event {
            note(progress);
        }
    });
    let mut engine = Engine::new(device, &*backend, Manifest::shipped());
    let job = Job::new(&host, &*backend);
    let run = engine.run(job, &host, &settings, picture, style);
    let (outcome, _) = pollster::block_on(run).map_err(|failure| failure.to_string())?;
    let LabResult::Optimised(progress) = outcome.result else {
        unreachable!("the labs of this command search");
    };
    note(&progress);
    bar.finish_and_clear();
    let reading = Job::new(&host, &*backend);
    let picture = pollster::block_on(engine.export(&reading, &settings, None))
        .map_err(|failure| failure.to_string())?;
    write_png(out, &picture, &settings).map_err(|failure| failure.to_string())?;
    let save = |path: &PathBuf, bytes: &[u8]| {
        fs::write(path, bytes).map_err(|error| {
            format!(
                "{} cannot be written ({error}): check the folder.",
                path.display()
            )
        })
    };
    if let Some(path) = path("gif") {
        let gif = pollster::block_on(engine.animation(&reading, lab)).map_err(|f| f.to_string())?;
        save(path, &gif)?;
    }
    let rows = rows.borrow();
    if let Some(path) = path("losses") {
        save(path, as_csv(&progress.terms, &rows).as_bytes())?;
    }
    let ends = [rows.first(), rows.last()].map(|row| row.map_or(f32::NAN, |row| row[0]));
    println!(
        "{} ({} x {}): {} steps, {} {:.4} to {:.4}",
        out.display(),
        picture.width,
        picture.height,
        progress.step,
        if lab == Lab::Dream {
            "activation"
        } else {
            "loss"
        },
        ends[0],
        ends[1],
    );
    Ok(())
}

/// A line for each step, a column for each term.
fn as_csv(terms: &[Term], rows: &[Vec<f32>]) -> String {
    let name = |term: &Term| match term {
        Term::Total => "total",
        Term::Content => "content",
        Term::Style(number) => STYLE_LAYERS[*number],
        Term::Variation => "tv",
        Term::Activation => "activation",
    };
    let names: Vec<_> = terms.iter().map(name).collect();
    let mut text = format!("step,{}\n", names.join(","));
    for (step, row) in rows.iter().enumerate() {
        let values: Vec<_> = row.iter().map(|value| format!("{value:.6e}")).collect();
        let _ = writeln!(text, "{step},{}", values.join(","));
    }
    text
}
