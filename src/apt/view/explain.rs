//! Why apt sees no way to install the engine.

use anyhow::Result;

use super::{CONFIGURATION, View};
use crate::apt::refusal::{self, Phase};
use crate::apt::setting::put_aside;
use crate::apt::{pins, unmet};
use crate::error::{Failure, quote};
use crate::host::Host;
use crate::host::command::{Output, Query};
use crate::host::query::Reader;

impl View {
    /// The refusal for what apt says when it is asked for these packages.
    pub(super) fn explain(
        &self,
        host: &Host,
        packages: &[String],
        output: &Output,
    ) -> Result<anyhow::Error> {
        let view = Some(self.folder.path());
        if let Some(refusal) = refusal::of(host, output, view, Phase::Planning)? {
            return Ok(refusal.into());
        }
        if let Some(refusal) = self.forbidden(host, packages, output)? {
            return Ok(refusal.into());
        }
        let lacking = if self.is_offline() {
            " The bundle may lack what this host needs: make one on a host like this."
        } else {
            ""
        };
        let text = format!(
            "apt sees no way to install the engine on this host; nothing was changed.{lacking} apt \
             says:"
        );
        Ok(Failure::Blocked(quote(&text, &said(output))).into())
    }

    /// The refusal where preferences forbid one of these packages, or what they depend on.
    fn forbidden(
        &self,
        host: &Host,
        packages: &[String],
        output: &Output,
    ) -> Result<Option<Failure>> {
        let lacking = unmet::parse(&output.stdout);
        let needed = lacking.iter().map(|it| it.on.as_str());
        let names = packages.iter().map(String::as_str).chain(needed);
        // Without versions, and without what is to be removed.
        let names: Vec<&str> = names
            .filter(|name| !name.ends_with('-'))
            .filter_map(|name| name.split([' ', '=', ':']).next())
            .collect();
        let policy = Query::of(Reader::AptCache)
            .arg("--config-file")
            .arg(self.path(CONFIGURATION))
            .arg("policy");
        let Some(pinned) = pins::forbidden(host, &policy, &names)? else {
            return Ok(None);
        };
        let package = &pinned.package;
        let refusal = match &pinned.place {
            Some(place) => format!(
                "{place}: apt is configured not to take {package}, without which there is no engine; \
                 nothing was changed. Remove that entry, or put the file aside: {}",
                put_aside(&place.file)
            ),
            None => format!(
                "apt is configured not to take {package}, without which there is no engine; nothing was \
                 changed. See by what: apt-cache policy {package}"
            ),
        };
        Ok(Some(Failure::Blocked(refusal)))
    }
}

/// What apt says of the packages, and its errors.
fn said(output: &Output) -> String {
    let lines = output.stdout.lines();
    let lacking: Vec<&str> = lines.filter(|line| line.contains(" but ")).collect();
    format!("{}\n{}", lacking.join("\n"), output.tail())
}
