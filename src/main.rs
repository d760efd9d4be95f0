//! The program; the library is all of it.

use std::process::ExitCode;

fn main() -> ExitCode {
    dockstrap::run()
}
