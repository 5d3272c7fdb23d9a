//! `kiln models`.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::protocol::card::Manifest;

/// The flags of `kiln models`.
pub fn flags() -> Command {
    Command::new("models")
        .about("Lists the weights that ship with Kiln")
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("print the manifest"),
        )
}

/// `kiln models`.
///
/// # Errors
/// None.
pub fn models(arguments: &ArgMatches) -> Result<(), String> {
    let manifest = Manifest::shipped();
    if arguments.get_flag("json") {
        println!(
            "{}",
            serde_json::to_string_pretty(&manifest).expect("a manifest is plain data")
        );
        return Ok(());
    }
    for card in manifest.models {
        println!(
            "{:<10} {:>5.1} MB  {}  [{}]",
            card.name,
            card.bytes as f64 / 1e6,
            card.title,
            card.license
        );
        println!("{:<10} {}", "", card.quality);
    }
    Ok(())
}
