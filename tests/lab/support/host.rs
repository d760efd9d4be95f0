//! A throwaway host: brought up by its making, taken down by its end.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::outcome::Outcome;
use crate::running::Running;
use crate::terminal::Terminal;

/// The script that makes hosts.
pub(crate) const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lab");
/// Where the program under test lies in a host.
pub(crate) const PROGRAM: &str = "/usr/local/bin/dockstrap";

static COUNT: AtomicUsize = AtomicUsize::new(0);
static SWEEP: Once = Once::new();

/// A host of the lab.
pub(crate) struct LabHost {
    name: String,
    release: String,
    fingerprint: String,
    root: PathBuf,
}

impl LabHost {
    /// Brings up a fresh host of this release, with the program under test in it.
    pub(crate) fn up(release: &str) -> LabHost {
        LabHost::up_with(release, &[])
    }

    /// Brings up the files of such a host, with nothing that runs in it: as an image that is being
    /// built, or a chroot.
    pub(crate) fn up_without_systemd(release: &str) -> LabHost {
        LabHost::up_with(release, &["--no-systemd"])
    }

    /// Brings up a fresh host with these options of `scripts/lab up`.
    pub(crate) fn up_with(release: &str, options: &[&str]) -> LabHost {
        SWEEP.call_once(remove_orphans);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}-{release}", std::process::id());
        let program = std::env::var("DOCKSTRAP_BIN")
            .expect("DOCKSTRAP_BIN must name the static dockstrap that is to be tested");
        let up = [&["up", &name, "--release", release], options].concat();
        lab(&up).exits(0);
        // From here on a failure takes the host down.
        let mut host = LabHost {
            fingerprint: String::new(),
            release: release.to_owned(),
            root: PathBuf::new(),
            name,
        };
        host.fingerprint = one_line(&lab(&["fingerprint"]).exits(0));
        host.root = host.lab_path("root");
        host.put(Path::new(&program), PROGRAM);
        host
    }

    /// What the lab calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where its root lies on this machine.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Boots a host of which there were only the files until now.
    pub(crate) fn boot(&self) {
        lab(&["boot", &self.name]).exits(0);
    }

    /// The codename of the release it presents itself as.
    pub(crate) fn release(&self) -> &str {
        &self.release
    }

    /// The fingerprint of the key that signs the stand-in for Docker's repository.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Runs dockstrap as root, trusting the stand-in's key.
    pub(crate) fn dockstrap<const N: usize>(&self, arguments: [&str; N]) -> Outcome {
        self.run_list(&self.with_program(&arguments), None)
    }

    /// Runs dockstrap as root, which must end with this exit code and leave the host as it is.
    #[track_caller]
    pub(crate) fn unchanged_by<const N: usize>(&self, code: i32, arguments: [&str; N]) -> Outcome {
        let before = self.tree();
        let outcome = self.dockstrap(arguments).exits(code);
        before.is_untouched_in(&self.tree());
        outcome
    }

    /// Installs without the proof at its end: the shortest way to a host with an engine.
    #[track_caller]
    pub(crate) fn install(&self) -> Outcome {
        self.dockstrap(["install", "--yes", "--no-verify"]).exits(0)
    }

    #[track_caller]
    pub(crate) fn uninstall(&self) -> Outcome {
        self.dockstrap(["uninstall", "--yes"]).exits(0)
    }

    /// Runs dockstrap as root by way of another command in the host, which gets its words.
    pub(crate) fn dockstrap_by<const W: usize, const N: usize>(
        &self,
        words: [&str; W],
        arguments: [&str; N],
    ) -> Outcome {
        let program = self.with_program(&arguments);
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        self.run_list(&[words, program].concat(), None)
    }

    /// Runs dockstrap as root under a program of this machine, such as a tracer.
    pub(crate) fn dockstrap_under<const N: usize>(
        &self,
        tracer: &[String],
        arguments: [&str; N],
    ) -> Outcome {
        finish(&mut self.under(tracer, [], arguments))
    }

    /// The command that does so, by way of another command in the host, which gets its words.
    pub(crate) fn under<const W: usize, const N: usize>(
        &self,
        tracer: &[String],
        words: [&str; W],
        arguments: [&str; N],
    ) -> Command {
        let words: Vec<String> = words
            .iter()
            .map(ToString::to_string)
            .chain(self.with_program(&arguments))
            .collect();
        let inner = self.command(&words, None);
        let mut command = Command::new(&tracer[0]);
        command.args(&tracer[1..]).arg(inner.get_program());
        command.args(inner.get_args()).stdin(Stdio::null());
        command
    }

    /// Starts dockstrap as root and does not wait for its end.
    pub(crate) fn start_dockstrap<const N: usize>(&self, arguments: [&str; N]) -> Running {
        self.start_list(&self.with_program(&arguments))
    }

    /// Runs a command as root.
    pub(crate) fn run<const N: usize>(&self, command: [&str; N]) -> Outcome {
        self.run_list(&command, None)
    }

    /// Runs a command of any number of words as root.
    pub(crate) fn run_all(&self, command: &[&str]) -> Outcome {
        self.run_list(command, None)
    }

    /// Runs a command in a fresh login of the user.
    pub(crate) fn run_as<const N: usize>(&self, user: &str, command: [&str; N]) -> Outcome {
        self.run_list(&command, Some(user))
    }

    /// Runs lines for the shell as root; fails unless they succeed.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> Outcome {
        self.run(["sh", "-euc", script]).exits(0)
    }

    /// Starts a command as root and does not wait for its end.
    pub(crate) fn start<const N: usize>(&self, command: [&str; N]) -> Running {
        self.start_list(&command)
    }

    /// Runs dockstrap as root on a terminal; `variable` is one for its environment.
    pub(crate) fn on_a_terminal<const N: usize>(
        &self,
        variable: &str,
        arguments: [&str; N],
    ) -> Terminal {
        let mut command = Command::new(LAB);
        command.args(["run", "--tty", &self.name, "env", variable]);
        command.args(self.with_program(&arguments));
        Terminal::open(command)
    }

    /// Runs lines for the shell as root on a terminal, with `$DOCKSTRAP` for the program under test.
    pub(crate) fn sh_on_a_terminal(&self, script: &str) -> Terminal {
        let mut command = Command::new(LAB);
        command.args(["run", "--tty", &self.name, "env"]);
        command.arg(format!("DOCKSTRAP_KEY_FINGERPRINT={}", self.fingerprint));
        command.arg(format!("DOCKSTRAP={PROGRAM}"));
        command.args(["sh", "-euc", script]);
        Terminal::open(command)
    }

    /// Writes a file in the host, with the folders above it.
    #[track_caller]
    pub(crate) fn write(&self, path: &str, content: &str) {
        let script = format!("mkdir -p \"$(dirname {path})\" && cat >{path}");
        let mut child = self.command(&["sh", "-euc", &script], None);
        let mut child = child.stdin(Stdio::piped()).spawn().expect("starting sh");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(content.as_bytes()).expect("writing");
        drop(input);
        assert!(child.wait().expect("waiting").success(), "writing {path}");
    }

    /// Copies a file of this machine into the host, executable.
    #[track_caller]
    pub(crate) fn put(&self, file: &Path, path: &str) {
        let file = file.to_str().expect("a path in UTF-8");
        lab(&["put", &self.name, file, path]).exits(0);
    }

    /// The content of a file in the host.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        self.run(["cat", path]).exits(0).stdout
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.run(["test", "-e", path]).has_succeeded()
    }

    /// What the engine says of itself.
    #[track_caller]
    pub(crate) fn account(&self) -> serde_json::Value {
        self.run(["docker", "info", "--format", "{{json .}}"])
            .json()
    }

    /// Where something of this host lies on this machine.
    pub(crate) fn lab_path(&self, what: &str) -> PathBuf {
        PathBuf::from(one_line(&lab(&["path", &self.name, what]).exits(0)))
    }

    /// Stops (`stop`) or starts (`start`) the servers around the host.
    pub(crate) fn servers(&self, what: &str) {
        lab(&["servers", &self.name, what]).exits(0);
    }

    fn with_program<'a>(&'a self, arguments: &[&'a str]) -> Vec<String> {
        let fingerprint = format!("DOCKSTRAP_KEY_FINGERPRINT={}", self.fingerprint);
        let words = ["env", &fingerprint, PROGRAM];
        words
            .iter()
            .chain(arguments)
            .map(ToString::to_string)
            .collect()
    }

    fn run_list<S: AsRef<OsStr>>(&self, words: &[S], user: Option<&str>) -> Outcome {
        finish(&mut self.command(words, user))
    }

    fn start_list<S: AsRef<OsStr>>(&self, words: &[S]) -> Running {
        let command = self.command(words, None);
        Running::start(shown(&command), command)
    }

    fn command<S: AsRef<OsStr>>(&self, words: &[S], user: Option<&str>) -> Command {
        let mut command = Command::new(LAB);
        command.arg("run");
        if let Some(user) = user {
            command.args(["--user", user]);
        }
        command.arg(&self.name).args(words).stdin(Stdio::null());
        command
    }

    /// The last lines of the host's logs, for whoever reads why a test failed.
    fn last_words(&self) -> String {
        let mut words = String::new();
        for log in ["log", "dns"] {
            let text = std::fs::read_to_string(self.lab_path(log)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let last = lines[lines.len().saturating_sub(8)..].join("\n");
            words += &format!("--- end of its {log}:\n{last}\n");
        }
        words
    }
}

impl Drop for LabHost {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = std::env::var_os("DOCKSTRAP_LAB_KEEP").is_some();
            eprintln!("host {}:\n{}", self.name, self.last_words());
            if kept {
                eprintln!("kept; look around with: scripts/lab shell {}", self.name);
                return;
            }
        }
        let down = lab(&["down", &self.name]);
        if !down.has_succeeded() {
            eprintln!("{} is not down: {}", self.name, down.all());
        }
    }
}

/// Takes down hosts of test programs that were killed before they could do so.
fn remove_orphans() {
    for line in lab(&["list"]).exits(0).stdout.lines() {
        let name = line.split('\t').next().unwrap_or_default();
        let process = name
            .strip_prefix("test-")
            .and_then(|rest| rest.split('-').next());
        if process.is_some_and(|id| !PathBuf::from("/proc").join(id).exists()) {
            lab(&["down", name]);
        }
    }
}

fn lab(arguments: &[&str]) -> Outcome {
    finish(Command::new(LAB).args(arguments).stdin(Stdio::null()))
}

fn finish(command: &mut Command) -> Outcome {
    let output = command.output().expect("starting scripts/lab");
    Outcome::new(shown(command), &output)
}

/// How a command is shown.
pub(crate) fn shown(command: &Command) -> String {
    let words = command.get_args().map(OsStr::to_string_lossy);
    words.collect::<Vec<_>>().join(" ")
}

fn one_line(outcome: &Outcome) -> String {
    outcome.stdout.trim().to_owned()
}
