//! Flags; a lab's come from its parameter table.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::protocol::lab::LabSpec;
use crate::protocol::message::BackendChoice;
use crate::protocol::param::{Kind, Param, TEXT_MAX};
use crate::protocol::settings::Settings;

/// The command of a lab that works on one picture after the other.
pub fn on_files(lab: &'static LabSpec) -> Command {
    with_settings(lab)
        .arg(
            Arg::new("files")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf))
                .help("pictures: PNG, JPEG, WebP, GIF or BMP; - for standard input"),
        )
        .arg(out_argument(
            "out",
            "picture to write, named .png, .jpg or .webp; a folder if there are several; - for standard output",
        ))
        .arg(force_argument())
}

/// A picture that the command needs, at a place of its own.
pub fn picture_argument(
    name: &'static str,
    shown: &'static str,
    index: usize,
    help: &'static str,
) -> Arg {
    Arg::new(name)
        .value_name(shown)
        .index(index)
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

/// A file to write.
pub fn out_argument(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

/// Whether what was found is printed as JSON.
pub fn json_argument(help: &'static str) -> Arg {
    Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help(help)
}

/// Leave to lose what is read.
pub fn force_argument() -> Arg {
    Arg::new("force")
        .long("force")
        .action(ArgAction::SetTrue)
        .help("write even over a file that is read")
}

/// The command of a lab with a flag for each setting.
pub fn with_settings(lab: &'static LabSpec) -> Command {
    // A lab that has one network; the others choose by a setting.
    let model = lab.network.map(|network| {
        Arg::new("model")
            .long("model")
            .value_parser([network])
            .default_value(network)
            .help("network")
    });
    let mut command = Command::new(lab.verb)
        .about(lab.about)
        .args(model)
        .arg(backend_argument())
        .arg(weights_argument());
    for param in flags(lab) {
        let kind = param.kind;
        let help = match kind {
            Kind::Number { min, max, .. } => format!("{} ({min} to {max})", param.help),
            Kind::Choice(_)
            | Kind::Search(_)
            | Kind::Open
            | Kind::Text { .. }
            | Kind::Color(_)
            | Kind::Mix { .. }
            | Kind::Row { .. } => param.help.to_string(),
        };
        command = command.arg(
            Arg::new(param.name)
                .long(param.name)
                .value_name(match kind {
                    Kind::Number { .. } => "NUMBER",
                    Kind::Choice(_) | Kind::Search(_) => "WORD",
                    Kind::Open => "NAME",
                    Kind::Text { .. } => "TEXT",
                    Kind::Color(_) => "RRGGBB",
                    Kind::Mix { .. } => "STYLES",
                    Kind::Row { .. } => "NUMBERS",
                })
                .default_value(kind.format(&kind.default_value()))
                .allow_hyphen_values(true)
                .value_parser(move |text: &str| accept(&kind, text))
                .help(help),
        );
    }
    command
}

/// Settings of a lab that are flags.
fn flags(lab: &LabSpec) -> impl Iterator<Item = &'static Param> {
    lab.params.iter().filter(|param| !param.page_only)
}

/// On the command line a number out of range is an error: nobody sees a slider move.
fn accept(kind: &Kind, text: &str) -> Result<String, String> {
    match *kind {
        Kind::Number { min, max, .. } => match text.parse::<f32>() {
            Ok(number) if (min..=max).contains(&number) => Ok(text.into()),
            _ => Err(format!("give a number from {min} to {max}")),
        },
        Kind::Choice(words) if kind.parse(text).is_none() => {
            Err(format!("give one of {}", words.join(", ")))
        }
        Kind::Search(words) if kind.parse(text).is_none() => {
            let like = alike(words, text);
            let such = if like.is_empty() { &words[..2] } else { &like };
            Err(format!(
                "give one of {} words, such as {}, or a number from 0 to {}",
                words.len(),
                such.join(" or "),
                words.len() - 2
            ))
        }
        Kind::Open | Kind::Text { .. } if kind.parse(text).is_none() => Err(format!(
            "give a line of at most {TEXT_MAX} bytes without control characters"
        )),
        Kind::Row { of } if kind.parse(text).is_none() => Err(format!(
            "give up to {of} numbers from -4 to 4, as 0,1.5,-0.25"
        )),
        Kind::Color(_) if kind.parse(text).is_none() => Err("give a colour as rrggbb".into()),
        Kind::Mix { of, .. } if kind.parse(text).is_none() => Err(format!(
            "give a number from 0 to {}, or several with weights as 3:50,12:50",
            of - 1
        )),
        Kind::Choice(_)
        | Kind::Search(_)
        | Kind::Open
        | Kind::Text { .. }
        | Kind::Color(_)
        | Kind::Mix { .. }
        | Kind::Row { .. } => Ok(text.into()),
    }
}

/// Words that a text is part of, a few.
fn alike<'a>(words: &[&'a str], text: &str) -> Vec<&'a str> {
    const MOST: usize = 4;
    let sought = text.to_lowercase();
    let known = words.iter().copied();
    known
        .filter(|word| !sought.is_empty() && word.to_lowercase().contains(&sought))
        .take(MOST)
        .collect()
}

/// What the network runs on.
pub fn backend_argument() -> Arg {
    Arg::new("backend")
        .long("backend")
        .value_parser(["cpu", "wgpu"])
        .default_value("cpu")
        .help("what the network runs on")
}

/// Where the weights are.
pub fn weights_argument() -> Arg {
    Arg::new("weights")
        .long("weights")
        .value_name("FOLDER")
        .value_parser(value_parser!(PathBuf))
        .help(format!(
            "folder of the weights files; otherwise the variable {WEIGHTS_VARIABLE}, then weights or ../share/kiln/weights beside the program, then the checkout that it was built from"
        ))
}

/// Names the folder of the weights where no flag does.
const WEIGHTS_VARIABLE: &str = "KILN_WEIGHTS";

/// The folders that weights may be in, the likeliest first. What the user names is the only one:
/// weights from elsewhere would be a surprise.
pub fn weights_folders(arguments: &ArgMatches) -> Vec<PathBuf> {
    if let Some(folder) = arguments.get_one::<PathBuf>("weights") {
        return vec![folder.clone()];
    }
    let variable = std::env::var_os(WEIGHTS_VARIABLE).filter(|folder| !folder.is_empty());
    if let Some(folder) = variable {
        return vec![folder.into()];
    }
    let mut folders = Vec::new();
    // Where the program lies, not a link to it.
    let program = std::env::current_exe().and_then(std::fs::canonicalize);
    if let Some(beside) = program.ok().as_deref().and_then(Path::parent) {
        folders.push(beside.join("weights"));
        if let Some(prefix) = beside.parent() {
            folders.push(prefix.join("share/kiln/weights"));
        }
    }
    folders.push(concat!(env!("CARGO_MANIFEST_DIR"), "/weights").into());
    folders
}

/// A whole number above 0 that a flag may be, up to the largest that makes sense.
pub fn whole_number(most: u32) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |text: &str| {
        let number = text
            .parse()
            .ok()
            .filter(|number| (1..=most).contains(number));
        number.ok_or(format!("must be a whole number above 0, up to {most}"))
    }
}

/// A number that a flag may be.
pub fn number(least: f64, most: f64) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text: &str| {
        let number = text.parse().ok();
        let number = number.filter(|number| (least..=most).contains(number));
        number.ok_or(format!("must be a number from {least} to {most}"))
    }
}

/// The backend that the flags ask for.
pub fn backend(arguments: &ArgMatches) -> BackendChoice {
    match arguments.get_one::<String>("backend").map(String::as_str) {
        Some("wgpu") => BackendChoice::WebGpu,
        _ => BackendChoice::Cpu,
    }
}

/// The settings that the flags ask for.
pub fn settings(lab: &'static LabSpec, arguments: &ArgMatches) -> Settings {
    let mut settings = Settings::new(lab);
    for param in flags(lab) {
        let text = arguments
            .get_one::<String>(param.name)
            .expect("every setting has a default");
        assert!(
            settings.set_text(param.name, text),
            "`accept` let {text} through for {}",
            param.name
        );
    }
    settings
}
