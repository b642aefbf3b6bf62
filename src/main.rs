//! The program: arguments in, exit code out.

use std::process::ExitCode;

use rustix::fs::Mode;

fn main() -> ExitCode {
    // Whatever this process writes is for its owner alone.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    ExitCode::from(leadferry::cli::main(std::env::args_os()))
}
