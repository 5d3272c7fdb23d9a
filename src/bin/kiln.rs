//! The command line.

use kiln::command::{self, Parts};
use kiln::labs;

fn main() -> std::process::ExitCode {
    command::main(&Parts {
        commands: labs::commands(),
        engines: labs::engines,
    })
}
