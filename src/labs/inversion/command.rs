//! `kiln invert`.

use clap::{ArgMatches, Command};

use super::spec::LAB;
use crate::command::{CommandRow, Stop, cli};
use crate::labs::search::command as search;

/// The command.
pub const ROW: CommandRow = CommandRow {
    flags,
    run,
    figures: None,
};

fn flags() -> Command {
    search::flags(&LAB).arg(cli::picture_argument(
        "picture",
        "PICTURE",
        1,
        "what is rebuilt",
    ))
}

fn run(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    search::search(arguments, &settings, &[("picture", "picture")], "distance of features")
}
