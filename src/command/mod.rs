//! The command line: whatever the page can do, `kiln` does on files.

pub mod bench;
pub mod cli;
pub mod convert;
pub mod import;
pub mod latents;
pub mod publish;
pub mod recipes;
pub mod run;
pub mod train;
pub mod weights_file;

use std::process::ExitCode;

use crate::protocol::params::Lab;

/// Runs the command line.
pub fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    let result = match matches.subcommand() {
        Some(("detect", arguments)) => run::detect(arguments),
        Some(("segment", arguments)) => run::segment(arguments),
        Some(("stylize", arguments)) => run::stylize(arguments),
        Some(("gatys", arguments)) => crate::labs::search::command::search(Lab::Gatys, arguments),
        Some(("texture", arguments)) => {
            crate::labs::search::command::search(Lab::Texture, arguments)
        }
        Some(("dream", arguments)) => crate::labs::search::command::search(Lab::Dream, arguments),
        Some(("models", arguments)) => run::models(arguments),
        Some(("convert", arguments)) => convert::convert(arguments),
        Some(("import", arguments)) => import::import(arguments),
        Some(("sample", arguments)) => crate::labs::sample::command::sample(arguments),
        Some(("score", arguments)) => crate::labs::scores::command::score(arguments),
        Some(("publish", arguments)) => publish::publish(arguments),
        Some(("train", arguments)) => train::train(arguments),
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

/// Reads a tensor at once: the command line waits for nothing else.
#[allow(clippy::disallowed_methods)]
pub fn read_now<const D: usize>(tensor: burn::tensor::Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data().convert::<f32>();
    data.try_into_vec()
        .expect("numbers of the type just converted to")
}
