//! The command line: whatever the page can do, `kiln` does on files.

mod annotate;
mod bench;
mod cli;
mod convert;
mod import;
mod latents;
mod publish;
mod recipes;
mod run;
mod sample;
mod score;
mod search;
mod train;
mod weights_file;

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
        Some(("import", arguments)) => import::import(arguments),
        Some(("sample", arguments)) => sample::sample(arguments),
        Some(("score", arguments)) => score::score(arguments),
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
fn read_now<const D: usize>(tensor: burn::tensor::Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data().convert::<f32>();
    data.try_into_vec()
        .expect("numbers of the type just converted to")
}
