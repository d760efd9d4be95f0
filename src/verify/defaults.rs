//! What the host's own defaults lack. The stages do without them, so that a log collector which is
//! down, or a runtime that is broken, does not keep the engine from being verified; but containers
//! that people start have them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;

use super::verifier::Verifier;
use crate::daemon_config::{self, Document, log_collector, with_flags};
use crate::engine::unit;
use crate::host::Host;

/// Log drivers that need nothing beyond the engine and systemd.
const OF_THE_HOST: &[&str] = &["", "json-file", "journald", "local", "none"];

/// How long such a container may take: a driver may try again and again.
const PATIENCE: Duration = Duration::from_secs(30);

/// The runtime that comes with the engine.
const STOCK_RUNTIME: &str = "runc";

/// Starts a container with all of the host's defaults, where one of them may keep it from starting.
/// What keeps this one from being tried is found by the stages.
pub(super) fn look(verifier: &Verifier<'_>) {
    let _ = start_with_defaults(verifier);
}

fn start_with_defaults(verifier: &Verifier<'_>) -> Result<()> {
    let Some(account) = verifier.host.engine_account()? else {
        return Ok(());
    };
    let driver = account["LoggingDriver"].as_str().unwrap_or_default();
    let runtime = account["DefaultRuntime"].as_str().unwrap_or(STOCK_RUNTIME);
    if OF_THE_HOST.contains(&driver) && runtime == STOCK_RUNTIME {
        return Ok(());
    }
    let container = verifier
        .container_with_defaults("run")
        .deadline(PATIENCE)
        .args(["--rm", "--network=none"]);
    let run = verifier.probe(container, &["hello", &verifier.token])?;
    let said = match verifier.run(&run) {
        Ok(output) if output.code == 0 => return Ok(()),
        Ok(output) => output.tail(),
        Err(error) if verifier.stopped.load(Ordering::Relaxed) => return Err(error),
        Err(error) => format!("{error:#}"),
    };
    let is_of_runtime = runtime != STOCK_RUNTIME && !said.contains("logging driver");
    verifier.find(if is_of_runtime {
        format!(
            "containers do not start with the host's defaults (runtime {runtime}, log driver \
             {driver}): {said}"
        )
    } else {
        format!(
            "containers do not start with the default log driver ({driver}){}: {said}",
            collector(verifier.host).unwrap_or_default()
        )
    });
    Ok(())
}

/// Who it is that does not answer, as far as it can be told.
fn collector(host: &Host) -> Option<String> {
    let bytes = host.read(daemon_config::PATH).ok()??;
    let file = Document::parse(&bytes).ok()?;
    let collector = log_collector(&with_flags(&file, &unit::flags(host).ok()?))?;
    Some(format!(
        ", since the log collector at {} does not answer",
        collector.address
    ))
}
