//! The command line: whatever the page can do, `kiln` does on files. The labs' commands come with their
//! rows; this folder knows none by name.

pub mod bench;
pub mod cli;
pub mod convert;
pub mod files;
pub mod import;
pub mod models;
pub mod output;
pub mod photographs;
pub mod print;
pub mod recipes;
pub mod session;
pub mod train;
pub mod train_detector;
pub mod train_svm;
pub mod weights_file;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::engine::lab::EngineRow;
use crate::protocol::failure::Failure;
use session::Session;

/// A command.
#[derive(Clone, Copy)]
pub struct CommandRow {
    /// Its name and its flags.
    pub flags: fn() -> Command,
    /// What it does.
    pub run: fn(&ArgMatches) -> Result<(), Stop>,
    /// What `kiln bench` times of it: the name of a network, and milliseconds by what was timed.
    pub figures: Option<(&'static str, Figures)>,
}

/// Why a command ended without success: one sentence that says what to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing could be done as it was asked for.
    Refused(String),
    /// Some of it was done.
    Partly(String),
}

impl From<String> for Stop {
    fn from(sentence: String) -> Self {
        Self::Refused(sentence)
    }
}

impl From<&str> for Stop {
    fn from(sentence: &str) -> Self {
        Self::Refused(sentence.into())
    }
}

/// What to say of a failure. Some sentences are the page's, and say what helps there.
pub fn sentence(failure: &Failure) -> String {
    match failure {
        Failure::WeightsTruncated {
            name,
            got,
            expected,
        } => format!(
            "The weights \"{name}\" are cut short ({got} of {expected} bytes): copy them anew, or name another folder with --weights."
        ),
        Failure::WeightsChanged { name } => format!(
            "The weights \"{name}\" do not match their checksum and were not used: copy them anew, or name another folder with --weights."
        ),
        Failure::WeightsUnfit { name } => format!(
            "The weights \"{name}\" do not fit this version of the network: name the folder of those that came with it with --weights."
        ),
        Failure::DataUnfit { name } => format!(
            "The data \"{name}\" cannot be used: it is damaged or not a data set of Kiln; run `make data` again."
        ),
        other => other.to_string(),
    }
}

/// Times something so many times.
pub type Figures = fn(&mut Session, usize) -> Result<serde_json::Value, String>;

/// What the command line is made of beside its own commands.
pub struct Parts {
    /// The labs' commands, in the order of `kiln --help`.
    pub commands: Vec<CommandRow>,
    /// The labs' sides of the engine.
    pub engines: fn() -> Vec<EngineRow>,
}

/// Commands that belong to no lab.
const HOUSE: [CommandRow; 4] = [
    CommandRow {
        flags: models::flags,
        run: models::models,
        figures: None,
    },
    CommandRow {
        flags: convert::flags,
        run: convert::convert,
        figures: None,
    },
    CommandRow {
        flags: import::command,
        run: import::import,
        figures: None,
    },
    CommandRow {
        flags: train::command,
        run: train::train,
        figures: None,
    },
];

/// The whole command line.
pub fn command(parts: &Parts) -> Command {
    let rows = parts.commands.iter().chain(&HOUSE);
    Command::new("kiln")
        .about("Runs Kiln's models on pictures")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(rows.map(|row| (row.flags)()))
        .subcommand(bench::flags(parts))
}

/// Runs the command line.
pub fn main(parts: &Parts) -> ExitCode {
    let matches = command(parts).get_matches();
    let (name, arguments) = matches.subcommand().expect("clap asks for a subcommand");
    let mut rows = parts.commands.iter().chain(&HOUSE);
    let result = match rows.find(|row| (row.flags)().get_name() == name) {
        Some(row) => (row.run)(arguments),
        None => bench::bench(parts, arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Refused(sentence)) => {
            print::note(format!("kiln: {sentence}"));
            ExitCode::from(2)
        }
        Err(Stop::Partly(sentence)) => {
            print::note(format!("kiln: {sentence}"));
            ExitCode::from(1)
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
