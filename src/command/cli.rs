//! Flags; a lab's come from its parameter table.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

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
                .help("pictures: PNG, JPEG, WebP, GIF or BMP"),
        )
        .arg(out_argument(
            "out",
            "PNG to write; a folder if there are several pictures",
        ))
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
        Kind::Search(words) if kind.parse(text).is_none() => Err(format!(
            "give one of {} words, such as {}",
            words.len(),
            words[0]
        )),
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
        // From whatever folder it is called, those of the checkout that it was built from.
        .default_value(concat!(env!("CARGO_MANIFEST_DIR"), "/weights"))
        .hide_default_value(true)
        .help("folder of the weights files; those of Kiln's own checkout if none is given")
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
