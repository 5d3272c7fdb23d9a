//! `kiln models`.

use clap::{ArgMatches, Command};

use crate::protocol::card::Manifest;

use super::{Stop, cli, print};

/// The flags of `kiln models`.
pub fn flags() -> Command {
    Command::new("models")
        .about("Lists the weights that ship with Kiln")
        .arg(cli::json_argument("print the manifest"))
}

/// `kiln models`.
///
/// # Errors
/// None.
pub fn models(arguments: &ArgMatches) -> Result<(), Stop> {
    let manifest = Manifest::shipped();
    if arguments.get_flag("json") {
        let text = serde_json::to_string_pretty(&manifest);
        print::line(text.expect("a manifest is plain data"));
        return Ok(());
    }
    for card in manifest.models {
        print::line(format!(
            "{:<10} {:>5.1} MB  {}  [{}]",
            card.name,
            card.bytes as f64 / 1e6,
            card.title,
            card.license
        ));
        print::line(format!("{:<10} {}", "", card.quality));
    }
    Ok(())
}
