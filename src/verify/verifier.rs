//! What a stage has to work with: the docker command, containers of the smoke image, a folder.

#![expect(
    clippy::disallowed_methods,
    reason = "a verification has a folder of the run, and the right to what has its label"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

use super::{Choice, addresses, objects};
use crate::error::Failure;
use crate::facts::invoking_user;
use crate::host::Host;
use crate::host::authority::Authority;
use crate::host::command::{Command, Output};
use crate::host::engine;
use crate::host::signal::stop_flag;
use crate::host::temporary;
use crate::report::Outcome;

/// How long the log of a container that has ended may take to be written.
const LOG_PATIENCE: Duration = Duration::from_secs(3);

/// How long something may take that should be so at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// What every container is started with, so that it does not depend on the host's defaults: a log
/// driver and a runtime that every engine has, and no other program as process 1.
pub(super) const OWN_DEFAULTS: [&str; 3] =
    ["--log-driver=json-file", "--runtime=runc", "--init=false"];

/// What a stage needs to prove something. What it made is removed when this goes.
pub(crate) struct Verifier<'a> {
    pub host: &'a Host,
    pub authority: Authority<'a>,
    pub choice: &'a Choice,
    /// Marks the objects of this run.
    pub token: String,
    /// Set by a signal: every command ends at once.
    pub stopped: Arc<AtomicBool>,
    folder: TempDir,
    /// The smoke image, made when a stage first asks for it; or why it could not be.
    image: OnceLock<Result<String, String>>,
    /// What the host's own defaults lack, each once.
    findings: Mutex<BTreeSet<String>>,
}

impl<'a> Verifier<'a> {
    pub(crate) fn begin(host: &'a Host, choice: &'a Choice) -> Result<Verifier<'a>> {
        let token = objects::token();
        let folder = temporary::make_folder(&format!("{}{token}-", objects::PREFIX))
            .context("making a folder for the verification")?;
        Ok(Verifier {
            host,
            authority: Authority::over_labelled(host),
            choice,
            token,
            stopped: stop_flag()?,
            folder,
            image: OnceLock::new(),
            findings: Mutex::default(),
        })
    }

    /// The docker command, with nothing of the user's configuration.
    pub(crate) fn docker(&self) -> Command {
        docker(&self.folder).stopped_by(&self.stopped)
    }

    /// The docker command for cleaning up: out of reach of signals.
    pub(crate) fn sheltered(&self) -> Command {
        objects::sheltered(&docker(&self.folder))
    }

    /// Runs a command on objects of this run.
    pub(super) fn run(&self, command: &Command) -> Result<Output> {
        command.run_on(&self.authority)
    }

    /// Runs a command, which must exit with 0, and returns what it printed.
    pub(crate) fn ask(&self, command: &Command) -> Result<String> {
        Ok(self.run(command)?.success()?.stdout.trim().to_owned())
    }

    /// Runs a command that must fail.
    pub(crate) fn refused(&self, command: &Command, what: &str) -> Result<Output> {
        let output = self.run(command)?;
        match output.code {
            0 => bail!("{what}, but `{command}` did it"),
            _ => Ok(output),
        }
    }

    /// A name that no other object has.
    pub(crate) fn name(&self, of: &str) -> String {
        format!("{}{}-{of}", objects::PREFIX, self.token)
    }

    /// The label that every object gets.
    pub(crate) fn label(&self) -> String {
        format!("{}={}", objects::LABEL, self.token)
    }

    /// A command of docker that makes a container of the smoke image: `run` or `create`. Options
    /// can be added to it, then [`probe`](Verifier::probe).
    pub(crate) fn container(&self, verb: &str) -> Command {
        self.container_with_defaults(verb).args(OWN_DEFAULTS)
    }

    /// The same with the host's own defaults, which may be broken.
    pub(super) fn container_with_defaults(&self, verb: &str) -> Command {
        let label = self.label();
        self.docker()
            .args([verb, "--pull=never", "--label", &label])
    }

    /// Makes a network, with a range of its own where the engine has none to give.
    pub(super) fn network(&self, of: &str) -> Result<String> {
        let name = self.name(of);
        let create = || {
            let create = self.docker().args(["network", "create", "--label"]);
            create.arg(self.label())
        };
        let made = self.run(&create().arg(&name))?;
        if made.code != 0 && addresses::are_exhausted(&made.tail()) {
            self.find(addresses::shortage(&made.tail()));
            self.ask(&create().args(["--subnet", &addresses::own_range(0), &name]))?;
        } else {
            made.success()?;
        }
        Ok(name)
    }

    /// Notes something that the host's own defaults lack.
    pub(super) fn find(&self, text: String) {
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.insert(text);
    }

    /// What was noted.
    pub(super) fn findings(&self) -> Vec<String> {
        let findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.iter().cloned().collect()
    }

    /// Why docker lacks a command that it has from a plugin, with what helps. Without it, docker
    /// takes its arguments for its own.
    pub(crate) fn plugin_fault(&self, command: &str) -> Result<Option<Outcome>> {
        let fault = self.host.plugin_fault(command, invoking_user().as_ref())?;
        Ok(fault.map(Outcome::Failed))
    }

    /// The name of the smoke image.
    pub(crate) fn image(&self) -> Result<&str> {
        let image = self
            .image
            .get_or_init(|| self.make_image().map_err(|error| format!("{error:#}")));
        image.as_deref().map_err(|reason| anyhow!("{reason}"))
    }

    /// Makes an image of an archive.
    pub(super) fn import(&self, name: &str, archive: Vec<u8>) -> Result<()> {
        let label = format!("LABEL {}", self.label());
        let import = self
            .docker()
            .args(["import", "--change", "ENTRYPOINT [\"/dockstrap\"]"])
            .args(["--change", &label, "-", name])
            .input(archive)
            .deadline(Duration::from_secs(120));
        self.ask(&import)?;
        Ok(())
    }

    /// Makes the smoke image of this program, which is static, without a registry and without a
    /// network, and returns its name.
    fn make_image(&self) -> Result<String> {
        let program = fs::read("/proc/self/exe").context("reading this program's own file")?;
        let name = format!("dockstrap-verify:{}", self.token);
        self.import(&name, archive("dockstrap", &program)?)
            .context("making an image of this program")?;
        Ok(name)
    }

    /// Ends a command of [`container`](Verifier::container) with what is to run in it.
    pub(crate) fn probe(&self, container: Command, arguments: &[&str]) -> Result<Command> {
        let container = container.args([self.image()?, "probe"]);
        Ok(container.args(arguments.iter().copied()))
    }

    /// Runs a new container of this name to its end, by a command that makes it, and removes it.
    pub(crate) fn run_to_end(&self, name: &str, run: &Command) -> Result<Output> {
        let output = self.output_of(name, run)?;
        // There is none where none could be made.
        self.run(&self.docker().args(["rm", "--force", name]))?;
        Ok(output)
    }

    /// Runs a new container to its end, reads what its probe reports, and removes it.
    pub(crate) fn report<T: DeserializeOwned>(
        &self,
        of: &str,
        container: Command,
        probe: &[&str],
    ) -> Result<T> {
        let name = self.name(of);
        let run = self.probe(container.args(["--name", &name]), probe)?;
        read(self.run_to_end(&name, &run)?)
    }

    /// Runs a command that runs a probe, and reads what that reports. A probe that has something
    /// to report may still exit with another code than 0.
    pub(crate) fn read<T: DeserializeOwned>(&self, command: &Command) -> Result<T> {
        read(self.run(command)?)
    }

    /// Reads what a container of this name reports, which the command runs to its end.
    pub(crate) fn report_of<T: DeserializeOwned>(
        &self,
        name: &str,
        command: &Command,
    ) -> Result<T> {
        read(self.output_of(name, command)?)
    }

    /// What a container of this name prints, which the command runs to its end. docker may be
    /// attached too late to one that is through at once; then its log has what it said, on a busy
    /// host a moment later.
    fn output_of(&self, name: &str, command: &Command) -> Result<Output> {
        let mut output = self.run(command)?;
        let begun = Instant::now();
        while output.stdout.trim().is_empty() && begun.elapsed() < LOG_PATIENCE {
            let logs = self.run(&self.docker().args(["logs", name]))?;
            // A container that could not be made has no log.
            if logs.code != 0 && output.code != 0 {
                break;
            }
            output.stdout = logs.success()?.stdout;
            sleep(Duration::from_millis(50));
        }
        Ok(output)
    }

    /// A folder of its own for a stage.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(folder)
    }

    /// Asks again and again until there is an answer; `what` says what was waited for.
    ///
    /// # Errors
    /// [`Failure::Cancelled`] once a signal asks to stop; also when it takes too long.
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        mut ask: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask()? {
                return Ok(answer);
            }
            if self.stopped.load(Ordering::Relaxed) {
                return Err(Failure::Cancelled(format!("{what} was not waited for")).into());
            }
            if begun.elapsed() > PATIENCE {
                bail!("{what} took more than {} seconds", PATIENCE.as_secs());
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Removes what runs that were killed have left behind.
    pub(crate) fn remove_strays(&self) -> Result<()> {
        objects::remove_strays(&self.authority, &docker(&self.folder))
    }
}

impl Drop for Verifier<'_> {
    fn drop(&mut self) {
        objects::remove(&self.authority, &docker(&self.folder), &self.token);
    }
}

/// Reads what a probe reports: the last of what is there, since one that was started again has
/// reported before.
fn read<T: DeserializeOwned>(output: Output) -> Result<T> {
    let reports = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
    match reports.last() {
        Some(Ok(report)) => parse(&report.to_string()),
        Some(Err(_)) => parse(&output.stdout),
        None => parse(&output.success()?.stdout),
    }
}

/// Reads what a probe reports.
pub(crate) fn parse<T: DeserializeOwned>(said: &str) -> Result<T> {
    serde_json::from_str(said).with_context(|| format!("reading the answer `{}`", said.trim()))
}

/// A tar archive with one program.
pub(super) fn archive(name: &str, content: &[u8]) -> Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_data(&mut header, name, content)
        .and_then(|()| archive.into_inner())
        .with_context(|| format!("packing {name}"))
}

fn docker(folder: &TempDir) -> Command {
    let config = folder.path().join("config").display().to_string();
    engine::docker().env("DOCKER_CONFIG", &config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn the_last_report_counts_and_none_is_an_error() {
        let report = |said: &str| {
            let stub = StubHost::new().program("docker", &format!("printf '%s' '{said}'"));
            let host = Authority::of_test(stub.host());
            let output = Command::new("docker").run_on(&host).unwrap();
            read::<Value>(output).map_err(|error| error.to_string())
        };
        assert_eq!(
            report("{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n").unwrap()["a"],
            2
        );
        assert_eq!(report("").unwrap_err(), "reading the answer ``");
        assert!(report("{\"a\": 1}\nno report").is_err());
    }
}
