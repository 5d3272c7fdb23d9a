//! Pictures in, one after the other.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::native_host::{decode_picture, read_file, read_limited};
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;
use crate::protocol::picture_file;

use super::output::{Output, Plan, STANDARD};
use super::{Stop, print, sentence};

/// A picture of a batch, and where its result goes, if anywhere.
#[derive(Debug)]
pub struct Item {
    /// As it was given.
    pub path: PathBuf,
    /// What `--out` makes of it.
    pub output: Option<Output>,
}

/// What became of a picture of a batch.
#[derive(Debug)]
pub struct Outcome<T> {
    /// Its name, for JSON.
    pub file: String,
    /// What is odd about it.
    pub notice: Option<&'static str>,
    /// What the command found, or a sentence.
    pub result: Result<T, String>,
}

/// The pictures that the arguments name, with the places of their results: `--out`, or inside it if
/// there are several or it is a folder. `others` are arguments that name files which are read, too.
///
/// # Errors
/// A sentence where a result has no place.
pub fn plan(arguments: &ArgMatches, suffix: &str, others: &[&str]) -> Result<Vec<Item>, String> {
    let files: Vec<&PathBuf> = arguments.get_many("files").expect("at least one").collect();
    let mut plan = Plan::new(arguments);
    plan.reads_arguments(arguments, &["files"]);
    plan.reads_arguments(arguments, others);
    let others = others.iter().filter_map(|name| arguments.get_one(name));
    once_from_standard_input(files.iter().copied().chain(others))?;
    let out = arguments.get_one::<PathBuf>("out");
    let several = files.len() > 1;
    if let Some(out) = out.filter(|out| several && is_file_name(out)) {
        return Err(format!(
            "{} pictures do not fit one file: let --out name a folder instead of {}.",
            files.len(),
            print::shown(out)
        ));
    }
    let mut items = Vec::new();
    for path in files {
        let output = match out {
            None => None,
            Some(out) if several || is_folder(out) => {
                let stem = match path.as_os_str() {
                    input if input == STANDARD => "picture".as_ref(),
                    _ => path.file_stem().unwrap_or_default(),
                };
                Some(plan.in_folder(out, stem, suffix))
            }
            Some(out) => Some(plan.picture(out)?),
        };
        let path = path.clone();
        items.push(Item { path, output });
    }
    Ok(items)
}

/// A name that is no folder's, though several results are to go there.
fn is_file_name(path: &Path) -> bool {
    let pictures = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];
    let ending = path.extension().and_then(|ending| ending.to_str());
    let named = ending.is_some_and(|end| pictures.contains(&&*end.to_ascii_lowercase()));
    path.as_os_str() == STANDARD || (!path.is_dir() && (path.exists() || named))
}

/// A folder that is there, or one that is called so.
fn is_folder(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    let called = text
        .last()
        .is_some_and(|&c| std::path::is_separator(c.into()));
    path.is_dir() || called
}

/// Sees that standard input is named once at most.
///
/// # Errors
/// A sentence where it is not.
pub fn once_from_standard_input<'a>(
    paths: impl Iterator<Item = &'a PathBuf>,
) -> Result<(), String> {
    match paths.filter(|path| path.as_os_str() == STANDARD).count() {
        0 | 1 => Ok(()),
        _ => Err("standard input holds one picture: name - only once.".into()),
    }
}

/// Opens each picture and hands it to `each`. What `tell` makes of the answer is printed at once; a
/// picture that fails is told on standard error, and the next one is taken.
///
/// The second value says how the command is to end: with an error if any picture failed, or if
/// something failed that the others need, too, such as weights.
pub fn on_each<T>(
    items: &[Item],
    tell: impl Fn(&Item, &T) -> Option<String>,
    mut each: impl FnMut(&Item, Picture) -> Result<T, Failure>,
) -> (Vec<Outcome<T>>, Result<(), Stop>) {
    let bar = ProgressBar::new(items.len() as u64);
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("a fixed template"),
    );
    let mut outcomes = Vec::new();
    let mut end = Ok(());
    let mut seen = HashSet::new();
    for item in items {
        bar.set_message(print::shown(&item.path));
        let mut notice = None;
        let result = read(&item.path).and_then(|(picture, of_file)| {
            notice = of_file;
            each(item, picture)
        });
        bar.suspend(|| {
            // The same file twice is told once.
            if let Some(notice) = notice.filter(|_| seen.insert(&item.path)) {
                print::note(about(&item.path, notice));
            }
            match &result {
                Ok(answer) => tell(item, answer).into_iter().for_each(print::line),
                Err(_) if items.len() == 1 => {}
                Err(failure) => print::note(of_failure(&item.path, failure)),
            }
        });
        let failure = result.as_ref().err().cloned();
        outcomes.push(Outcome {
            file: print::in_json(&item.path),
            notice,
            result: result.map_err(|failure| sentence(&failure)),
        });
        match failure {
            // One picture is no batch.
            Some(failure) if items.len() == 1 => {
                end = Err(Stop::Refused(of_failure(&item.path, &failure)));
            }
            Some(failure) if is_of_all(&failure) => {
                end = Err(Stop::Refused(sentence(&failure)));
                break;
            }
            _ => {}
        }
        // Nobody listens, and nothing is written.
        if print::reader_is_gone() && item.output.is_none() {
            break;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let failed = outcomes.iter().filter(|done| done.result.is_err()).count();
    if end.is_ok() && failed > 0 {
        end = Err(Stop::Partly(format!(
            "{failed} of {} pictures failed: see above.",
            items.len()
        )));
    }
    (outcomes, end)
}

/// What would fail for the next picture, too.
fn is_of_all(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::WeightsMissing { .. }
            | Failure::WeightsNotFound { .. }
            | Failure::WeightsTruncated { .. }
            | Failure::WeightsChanged { .. }
            | Failure::WeightsUnfit { .. }
            | Failure::NoGpu { .. }
            | Failure::BadRegions { .. }
    )
}

/// Something about a file.
fn about(path: &Path, text: &str) -> String {
    format!("{}: {text}", print::shown(path))
}

/// A failure of a file, with its name.
fn of_failure(path: &Path, failure: &Failure) -> String {
    match failure {
        // Its sentence begins with the name.
        Failure::Unreadable { .. } => sentence(failure),
        _ => about(path, &sentence(failure)),
    }
}

/// The picture that an argument names, if it names one. What is odd about it is told.
///
/// # Errors
/// The failures about files and pictures, with the file.
pub fn picture_of(arguments: &ArgMatches, name: &str) -> Result<Option<Picture>, String> {
    let Some(path) = arguments.get_one::<PathBuf>(name) else {
        return Ok(None);
    };
    let (picture, notice) = read(path).map_err(|failure| of_failure(path, &failure))?;
    if let Some(notice) = notice {
        print::note(about(path, notice));
    }
    Ok(Some(picture))
}

/// The picture in a file or at standard input, and what is odd about it.
fn read(path: &Path) -> Result<(Picture, Option<&'static str>), Failure> {
    let bytes = match path.as_os_str() {
        input if input == STANDARD => read_limited(io::stdin().lock()).map_err(|error| {
            let (path, reason) = ("standard input".into(), error.to_string());
            Failure::Unreadable { path, reason }
        }),
        _ => read_file(path),
    };
    let bytes = bytes.map_err(|failure| match failure {
        Failure::Unreadable { reason, .. } if path.as_os_str() != STANDARD => {
            let path = print::shown(path);
            Failure::Unreadable { path, reason }
        }
        other => other,
    })?;
    let picture = decode_picture(&bytes)?;
    let cut = "the end of the file is missing; the picture is used as far as it goes.";
    Ok((picture, (!picture_file::is_whole(&bytes)).then_some(cut)))
}
