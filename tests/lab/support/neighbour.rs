//! Servers of a test's own, in the network of a host.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::host::LabHost;

/// How long one may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// A server on this machine in the network of a host. It ends with the test, of which it knows
/// by its input.
pub(crate) struct Neighbour(Child);

impl Neighbour {
    /// Starts a server that prints a line once it listens.
    pub(crate) fn start<const N: usize>(host: &LabHost, command: [&str; N]) -> Neighbour {
        let mut entered = Command::new("nsenter");
        entered.arg(format!("--net={}", host.lab_path("netns").display()));
        entered.args(command).stdin(Stdio::piped());
        let mut child = entered
            .stdout(Stdio::piped())
            .spawn()
            .expect("running nsenter");
        let output = child.stdout.take().expect("a pipe");
        let neighbour = Neighbour(child);
        let line = BufReader::new(output).lines().next();
        line.expect("it did not begin to listen")
            .expect("reading from it");
        neighbour
    }

    /// Its process on this machine.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // One that has started others ends them when its input does.
        drop(self.0.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && matches!(self.0.try_wait(), Ok(None)) {
            sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
