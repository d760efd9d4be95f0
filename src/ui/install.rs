//! How an install went, for people.

use anyhow::Result;

use super::{line, note};
use crate::host::network::Proxy;
use crate::install::Installed;
use crate::invocation;

/// Prints how the engine is now, and what the user has to know or do.
pub(crate) fn print_installed(installed: &Installed<'_>) -> Result<()> {
    let summary = installed.summary()?;
    if !installed.plan().is_pending() {
        line(format!("{summary}."));
        let steps = installed.plan().steps.iter();
        steps.flat_map(|it| &it.finding.kept).for_each(note);
        return Ok(());
    }
    let seconds = installed.applied.as_secs_f64();
    line(format!("{summary} (set up in {seconds:.1} s)."));
    if !installed.is_running {
        let again = invocation::install(&["--no-start=false"]);
        note(format!(
            "It starts at the next boot. To verify it then: {again}"
        ));
    }
    if installed.has_new_members() {
        line("New members of group docker must log in again before they can use it.");
    }
    if let Some(proxy) = installed.passing_proxy()? {
        note(proxy_hint(&proxy));
    }
    Ok(())
}

/// How to keep a proxy that this run went through.
fn proxy_hint(proxy: &Proxy) -> String {
    let login = if proxy.has_credentials() {
        ", with the login still in its variable"
    } else {
        ""
    };
    let keep = invocation::install(&["--proxy-for", "apt,engine"]);
    format!(
        "The proxy {proxy} was for this run. To give it to apt and the engine for \
         good{login}: {keep}"
    )
}
