//! What a verification makes in the engine: how it is marked, and how it goes again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::host::Host;
use crate::host::command::Command;

/// The label on everything that a verification makes. Its value says which run made it.
pub const LABEL: &str = "io.github.dockstrap.verify";

/// How the names of all of them begin; the mark follows.
pub const PREFIX: &str = "dockstrap-verify-";

/// Every kind of object, in an order in which they can be removed: the commands that list those
/// with a label, and that remove them.
const KINDS: &[(&[&str], &[&str])] = &[
    (
        &["ps", "--all", "--quiet", "--no-trunc"],
        &["rm", "--force", "--volumes"],
    ),
    (&["network", "ls", "--quiet"], &["network", "rm"]),
    (&["volume", "ls", "--quiet"], &["volume", "rm", "--force"]),
    (
        &["image", "ls", "--quiet", "--no-trunc"],
        &["image", "rm", "--force"],
    ),
];

/// A mark that no other run has: the process and the time.
pub fn token() -> String {
    let time = jiff::Timestamp::now().as_nanosecond();
    format!("{}-{time:x}", std::process::id())
}

/// Removes all that is left of a run. It goes on where something cannot be removed: the stages
/// have their outcomes already, and the next run tries again.
pub fn remove(host: &Host, docker: &Command, token: &str) {
    let filter = format!("label={LABEL}={token}");
    for (list, remove) in KINDS {
        // A command that was cut short may still be obeyed while its objects are listed.
        for _ in 0..3 {
            let list = sheltered(docker).args(*list).args(["--filter", &filter]);
            let listed = host.query(&list).map(|output| output.stdout);
            let listed = listed.unwrap_or_default();
            let found: BTreeSet<&str> = listed.lines().collect();
            if found.is_empty() {
                break;
            }
            let _ = host.query(&sheltered(docker).args(*remove).args(found));
        }
    }
}

/// Removes what is left of runs whose process is gone: they were killed, or the engine did not
/// come back in their time.
pub fn remove_strays(host: &Host, docker: &Command) -> Result<()> {
    let mut tokens = BTreeSet::new();
    let label = format!("{{{{.Label \"{LABEL}\"}}}}");
    for list in [["ps", "--all"], ["network", "ls"], ["volume", "ls"]] {
        let filter = format!("label={LABEL}");
        let list = docker.clone().args(list).args(["--filter", &filter]);
        let listed = host.query(&list.args(["--format", &label]))?.success()?;
        tokens.extend(listed.stdout.lines().map(str::to_owned));
    }
    tokens.extend(of_images(host, docker)?);
    for token in tokens {
        if is_gone(host, &token)? {
            remove(host, docker, &token);
        }
    }
    for folder in std::env::temp_dir().read_dir()?.flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        if let Some(token) = name.strip_prefix(PREFIX)
            && is_gone(host, token)?
        {
            let _ = std::fs::remove_dir_all(folder.path()); // it may be another user's
        }
    }
    Ok(())
}

/// The marks of images: unlike other objects, they do not show them in a list.
fn of_images(host: &Host, docker: &Command) -> Result<BTreeSet<String>> {
    let filter = format!("label={LABEL}");
    let list = ["image", "ls", "--quiet", "--no-trunc", "--filter", &filter];
    let listed = host.query(&docker.clone().args(list))?.success()?.stdout;
    let images: BTreeSet<&str> = listed.lines().collect();
    if images.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mark = format!("{{{{index .Config.Labels \"{LABEL}\"}}}}");
    let inspect = docker.clone().args(["image", "inspect", "--format", &mark]);
    // One that another run has removed meanwhile is left out of the answer.
    let marks = host.query(&inspect.args(images))?.stdout;
    Ok(marks.lines().map(str::to_owned).collect())
}

/// Whether the process that made this mark is gone.
fn is_gone(host: &Host, token: &str) -> Result<bool> {
    let process = token.split('-').next().unwrap_or_default();
    Ok(!process.is_empty() && !host.exists(format!("/proc/{process}"))?)
}

/// Out of reach of Ctrl-C in the terminal.
pub fn sheltered(docker: &Command) -> Command {
    let never = Arc::default();
    let docker = docker.clone().stopped_by(&never);
    docker.deadline(Duration::from_secs(60))
}
