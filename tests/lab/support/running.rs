//! A command that may not have ended yet.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, Output};

use crate::interruption::wait_until;
use crate::outcome::Outcome;

/// What it says goes to files, so that it can be read meanwhile.
pub(crate) struct Running {
    text: String,
    child: Child,
    stdout: File,
    stderr: File,
}

impl Running {
    pub(crate) fn start(text: String, mut command: Command) -> Running {
        let file = || tempfile::tempfile().expect("making a temporary file");
        let (stdout, stderr) = (file(), file());
        let share = |file: &File| file.try_clone().expect("sharing a file");
        let command = command.stdout(share(&stdout)).stderr(share(&stderr));
        let child = command.spawn().expect("starting a command");
        Running {
            text,
            child,
            stdout,
            stderr,
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("waiting").is_some()
    }

    /// Waits until it has said this.
    #[track_caller]
    pub(crate) fn has_come_to(&mut self, words: &str) {
        let mut has_ended = false;
        wait_until(words, || {
            let said = [all_of(&self.stdout), all_of(&self.stderr)].concat();
            let said = String::from_utf8_lossy(&said).contains(words);
            assert!(said || !has_ended, "it ended and never said `{words}`");
            has_ended = self.has_ended();
            said
        });
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Outcome {
        let output = Output {
            status: self.child.wait().expect("waiting"),
            stdout: all_of(&self.stdout),
            stderr: all_of(&self.stderr),
        };
        Outcome::new(self.text, &output)
    }
}

/// Everything that is in a file by now, without moving the place where the command goes on writing.
fn all_of(file: &File) -> Vec<u8> {
    let length = file.metadata().expect("looking at a file").len();
    let mut bytes = vec![0; usize::try_from(length).expect("a length")];
    file.read_exact_at(&mut bytes, 0).expect("reading a file");
    bytes
}
