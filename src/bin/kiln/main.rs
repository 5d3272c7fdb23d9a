//! The command line: whatever the page can do, `kiln` does on files.

mod annotate;
mod bench;
mod cli;
mod convert;
mod recipes;
mod run;
mod search;

use std::process::ExitCode;

use kiln::protocol::params::Lab;

fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    let result = match matches.subcommand() {
        Some(("detect", arguments)) => run::detect(arguments),
        Some(("segment", arguments)) => run::segment(arguments),
        Some(("stylize", arguments)) => run::stylize(arguments),
        Some(("gatys", arguments)) => search::search(Lab::Gatys, arguments),
        Some(("texture", arguments)) => search::search(Lab::Texture, arguments),
        Some(("dream", arguments)) => search::search(Lab::Dream, arguments),
        Some(("models", arguments)) => run::models(arguments),
        Some(("convert", arguments)) => convert::convert(arguments),
        Some(("bench", arguments)) => bench::bench(arguments),
        _ => unreachable!("clap asks for a subcommand"),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("kiln: {sentence}");
            ExitCode::from(2)
        }
    }
}
