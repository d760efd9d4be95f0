//! A command on a terminal, with someone who reads and types.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::outcome::Outcome;

/// How long something may take to come, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command on a terminal of its own.
pub(crate) struct Terminal {
    text: String,
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    shown: Vec<u8>,
}

impl Terminal {
    pub(crate) fn open(mut command: Command) -> Terminal {
        let text = format!("{:?}", command.get_args());
        let command = command
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("starting scripts/lab");
        let keyboard = child.stdin.take().expect("a pipe");
        let mut output = child.stdout.take().expect("a pipe");
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal {
            text,
            child,
            keyboard,
            screen,
            shown: Vec::new(),
        }
    }

    /// Reads until these words are on the screen.
    #[track_caller]
    pub(crate) fn shows(mut self, words: &str) -> Terminal {
        let deadline = Instant::now() + PATIENCE;
        while !self.on_screen().contains(words) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.shown.extend(bytes),
                Err(_) => panic!("`{words}` never came; shown:\n{}", self.on_screen()),
            }
        }
        self
    }

    pub(crate) fn types(mut self, keys: &str) -> Terminal {
        self.keyboard.write_all(keys.as_bytes()).expect("typing");
        self.keyboard.flush().expect("typing");
        self
    }

    /// Waits for the end of the command.
    pub(crate) fn end(mut self) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let left = || deadline.saturating_duration_since(Instant::now());
        while let Ok(bytes) = self.screen.recv_timeout(left()) {
            self.shown.extend(bytes);
        }
        if Instant::now() >= deadline {
            let _ = self.child.kill();
        }
        let status = self.child.wait().expect("waiting");
        let output = std::process::Output {
            status,
            stdout: self.shown,
            stderr: Vec::new(),
        };
        Outcome::new(self.text, &output)
    }

    fn on_screen(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }
}
