//! `kiln ascend`.

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
    search::flags(&LAB)
}

fn run(arguments: &ArgMatches) -> Result<(), Stop> {
    let settings = cli::settings(&LAB, arguments);
    search::search(arguments, &settings, &[], "objective")
}
