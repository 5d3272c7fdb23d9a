//! The commands and their flags; a lab's flags come from its parameter table.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::protocol::message::BackendChoice;
use crate::protocol::params::{Kind, Lab, Param};
use crate::protocol::settings::Settings;

/// Settings of the labs that only the page's view uses.
const PAGE_ONLY: [&str; 3] = ["view", "map", "painting"];

/// The whole command line.
pub fn command() -> Command {
    Command::new("kiln")
        .about("Runs Kiln's models on pictures")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            lab_command(Lab::Detect, "Finds objects and draws boxes around them").arg(
                Arg::new("json")
                    .long("json")
                    .action(ArgAction::SetTrue)
                    .help("print the detections as JSON"),
            ),
        )
        .subcommand(
            lab_command(Lab::Segment, "Finds a person and cuts it out").arg(
                Arg::new("background")
                    .long("background")
                    .value_name("PICTURE")
                    .value_parser(value_parser!(PathBuf))
                    .help("picture behind the person (effect picture)"),
            ),
        )
        .subcommand(
            lab_command(
                Lab::Stylize,
                "Repaints pictures in one of 26 styles, a mixture, or the style of a picture",
            )
            .arg(
                Arg::new("style-picture")
                    .long("style-picture")
                    .value_name("PICTURE")
                    .value_parser(value_parser!(PathBuf))
                    .conflicts_with("style")
                    .help("picture whose style is taken, instead of a built-in one"),
            )
            .arg(
                Arg::new("regions")
                    .long("regions")
                    .value_name("JSON")
                    .value_parser(value_parser!(PathBuf))
                    .help("strokes with styles of their own: [{\"style\": 12, \"width\": 0.2, \"points\": [[x, y, pressure], ...]}, ...], all from 0 to 1; style null for the photograph"),
            ),
        )
        .subcommand(
            search_command(
                Lab::Gatys,
                "Repaints a picture in the style of another, by a search",
            )
            .arg(picture_argument(
                "picture",
                "CONTENT",
                1,
                "what the result shows",
            ))
            .arg(picture_argument(
                "style-picture",
                "STYLE",
                2,
                "how it is painted",
            )),
        )
        .subcommand(
            search_command(Lab::Texture, "Makes a texture like an example, from noise").arg(
                picture_argument("picture", "EXAMPLE", 1, "the texture to be like"),
            ),
        )
        .subcommand(
            search_command(
                Lab::Dream,
                "Grows what a layer of the network sees in a picture",
            )
            .arg(picture_argument(
                "picture",
                "PICTURE",
                1,
                "what is dreamed of",
            )),
        )
        .subcommand(
            Command::new("models")
                .about("Lists the weights that ship with Kiln")
                .arg(
                    Arg::new("json")
                        .long("json")
                        .action(ArgAction::SetTrue)
                        .help("print the manifest"),
                ),
        )
        .subcommand(
            Command::new("convert")
                .about("Fetches source packages and writes weights/*.bpk and the manifest")
                .arg(
                    Arg::new("name")
                        .num_args(0..)
                        .help("models to convert; all if none is given"),
                ),
        )
        .subcommand(super::import::command())
        .subcommand(crate::labs::sample::command::command())
        .subcommand(crate::labs::scores::command::command())
        .subcommand(super::train::command())
        .subcommand(super::publish::command())
        .subcommand(
            Command::new("bench")
                .about("Times the networks on this machine")
                .arg(
                    Arg::new("part")
                        .num_args(0..)
                        .value_parser(super::bench::PARTS.map(|(name, _)| name))
                        .help("networks to time; all if none is given"),
                )
                .arg(backend_argument())
                .arg(weights_argument())
                .arg(
                    Arg::new("runs")
                        .long("runs")
                        .default_value("15")
                        .value_parser(value_parser!(usize))
                        .help("runs of each network"),
                ),
        )
}

fn lab_command(lab: Lab, about: &'static str) -> Command {
    with_settings(lab, about)
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

/// A lab that takes one picture, or two, and many steps.
fn search_command(lab: Lab, about: &'static str) -> Command {
    with_settings(lab, about)
        .arg(out_argument("out", "PNG to write"))
        .arg(out_argument(
            "gif",
            "GIF to write, of how the picture came about",
        ))
        .arg(out_argument("losses", "CSV to write, a line for each step"))
}

fn picture_argument(
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

pub fn out_argument(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

/// A command is a verb.
fn command_name(lab: Lab) -> &'static str {
    match lab {
        Lab::Scores => "score",
        lab => lab.name(),
    }
}

pub fn with_settings(lab: Lab, about: &'static str) -> Command {
    // A lab that has one network; the others choose by a setting.
    let model = (!lab.generates()).then(|| {
        Arg::new("model")
            .long("model")
            .value_parser([lab.model()])
            .default_value(lab.model())
            .help("network")
    });
    let mut command = Command::new(command_name(lab))
        .about(about)
        .args(model)
        .arg(backend_argument())
        .arg(weights_argument());
    for param in flags(lab) {
        let kind = param.kind;
        let help = match kind {
            Kind::Number { min, max, .. } => format!("{} ({min} to {max})", param.help),
            _ => param.help.to_string(),
        };
        command = command.arg(
            Arg::new(param.name)
                .long(param.name)
                .value_name(match kind {
                    Kind::Number { .. } => "NUMBER",
                    Kind::Choice(_) => "WORD",
                    Kind::Color(_) => "RRGGBB",
                    Kind::Mix { .. } => "STYLES",
                    Kind::Row { .. } => "NUMBERS",
                })
                .default_value(kind.format(kind.default_value()))
                .allow_hyphen_values(true)
                .value_parser(move |text: &str| accept(&kind, text))
                .help(help),
        );
    }
    command
}

/// Settings of a lab that are flags. What a lab that generates shows is its output.
fn flags(lab: Lab) -> impl Iterator<Item = &'static Param> {
    let params = lab.params().iter();
    params.filter(move |param| lab.generates() || !PAGE_ONLY.contains(&param.name))
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
        Kind::Row { of } if kind.parse(text).is_none() => Err(format!(
            "give up to {of} numbers from -4 to 4, as 0,1.5,-0.25"
        )),
        Kind::Color(_) if kind.parse(text).is_none() => Err("give a colour as rrggbb".into()),
        Kind::Mix { of, .. } if kind.parse(text).is_none() => Err(format!(
            "give a number from 0 to {}, or several with weights as 3:50,12:50",
            of - 1
        )),
        _ => Ok(text.into()),
    }
}

fn backend_argument() -> Arg {
    Arg::new("backend")
        .long("backend")
        .value_parser(["cpu", "wgpu"])
        .default_value("cpu")
        .help("what the network runs on")
}

fn weights_argument() -> Arg {
    Arg::new("weights")
        .long("weights")
        .value_name("FOLDER")
        .value_parser(value_parser!(PathBuf))
        .default_value("weights")
        .help("folder of the weights files")
}

/// The backend that the flags ask for.
pub fn backend(arguments: &ArgMatches) -> BackendChoice {
    match arguments.get_one::<String>("backend").map(String::as_str) {
        Some("wgpu") => BackendChoice::WebGpu,
        _ => BackendChoice::Cpu,
    }
}

/// The settings that the flags ask for.
pub fn settings(lab: Lab, arguments: &ArgMatches) -> Settings {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_setting_of_the_table_is_a_flag_with_its_default() {
        let matches = command().get_matches_from(["kiln", "detect", "a.jpg"]);
        let (_, arguments) = matches.subcommand().expect("detect");
        assert_eq!(settings(Lab::Detect, arguments), Settings::new(Lab::Detect));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for bad in [["--score", "2"], ["--score", "x"], ["--iou", "-1"]] {
            let line = ["kiln", "detect", "a.jpg", bad[0], bad[1]];
            assert_eq!(
                command()
                    .try_get_matches_from(line)
                    .expect_err("out of range")
                    .exit_code(),
                2
            );
        }
    }
}
