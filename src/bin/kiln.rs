//! The command line.

fn main() -> std::process::ExitCode {
    kiln::command::main()
}
