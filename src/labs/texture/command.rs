//! `kiln texture`.

use clap::{ArgMatches, Command};

use super::spec::{LAB, NAMES};
use crate::command::{CommandRow, Stop, cli};
use crate::labs::search::command as search;
use crate::labs::stylize::paintings::OWN;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run,
    figures: None,
};

fn flags() -> Command {
    search::flags(&LAB).arg(cli::picture_argument(
        "picture",
        "EXAMPLE",
        1,
        "the texture to be like",
    ))
}

fn run(arguments: &ArgMatches) -> Result<(), Stop> {
    let mut settings = cli::settings(&LAB, arguments);
    // A file gives the texture: none of the paintings.
    settings.set_text(NAMES.source, OWN);
    search::search(arguments, &settings, &[("style", "picture")], "loss")
}
