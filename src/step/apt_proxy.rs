//! The proxy of this run as apt's own for good, when that is asked for.

use std::net::IpAddr;

use anyhow::Result;

use super::{Inspection, Step};
use crate::apt::{self, PROXY as PATH};
use crate::change::Tx;
use crate::host::Host;
use crate::host::network::{Network, Proxy};
use crate::redact::redact;

pub(crate) struct AptProxy {
    text: String,
    mode: u32,
}

impl AptProxy {
    pub(crate) fn new(network: &Network) -> Result<AptProxy> {
        let mut text =
            "// Written by dockstrap (proxy-for apt); uninstall removes it.\n".to_owned();
        text += &apt::proxies(network)?;
        // apt has no list of names with all that is under them, so each stands for itself.
        for host in network.direct().iter().filter(|entry| is_host(entry)) {
            for scheme in ["http", "https"] {
                text += &format!("Acquire::{scheme}::Proxy::{host} \"DIRECT\";\n");
            }
        }
        let mut proxies = network.http().into_iter().chain(network.https());
        let mode = if proxies.any(Proxy::has_credentials) {
            0o600
        } else {
            0o644
        };
        Ok(AptProxy { text, mode })
    }
}

impl Step for AptProxy {
    fn id(&self) -> &'static str {
        "apt-proxy"
    }

    fn title(&self) -> &'static str {
        "apt proxy"
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        use std::os::unix::fs::MetadataExt;
        let mode = host.metadata(PATH)?.map(|there| there.mode() & 0o777);
        let current = host.read_text(PATH)?;
        if current.as_ref() == Some(&self.text) && mode == Some(self.mode) {
            return Ok(Inspection::satisfied(format!("{PATH} is as it should be")));
        }
        let verb = match current {
            Some(_) => "replace",
            None => "write",
        };
        let lines = self.text.lines().skip(1);
        let details = lines.map(|line| redact(line).into_owned()).collect();
        Ok(Inspection::pending(format!("{verb} {PATH}"), details))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        tx.write_file(PATH, self.text.as_bytes(), self.mode)
    }

    fn writes(&self, _host: &Host) -> Result<Vec<String>> {
        Ok(vec![PATH.to_owned()])
    }
}

/// Whether an entry of `NO_PROXY` is a plain name or address, which apt can take.
fn is_host(entry: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    !entry.starts_with('.') && (entry.chars().all(plain) || entry.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::STARS;
    use std::path::Path;

    fn step(proxy: &str) -> AptProxy {
        let proxy = Proxy::parse(proxy).unwrap();
        let direct = |name: &str| (name == "NO_PROXY").then(|| "a.example,.b.example".to_owned());
        AptProxy::new(&Network::new(Some(proxy), None, direct).unwrap()).unwrap()
    }

    #[test]
    fn the_file_names_the_proxy_and_the_hosts_without_one() {
        let step = step("http://proxy:3128");
        assert!(
            step.text
                .contains("Acquire::http::Proxy \"http://proxy:3128\";\n")
        );
        assert!(
            step.text
                .contains("Acquire::https::Proxy::a.example \"DIRECT\";\n")
        );
        assert!(!step.text.contains("b.example"), "{}", step.text);
        assert_eq!(step.mode, 0o644);
    }

    #[test]
    fn fault_13_a_password_is_in_the_file_alone_and_only_for_root() {
        let step = step("http://me:s3cret@proxy:3128");
        assert_eq!(step.mode, 0o600);
        let root = tempfile::tempdir().unwrap();
        let finding = step
            .inspect(&Host::at(root.path(), Path::new("/nowhere")))
            .unwrap();
        assert!(!finding.satisfied);
        let shown = finding.details.join("\n");
        assert!(
            shown.contains(STARS) && !shown.contains("s3cret"),
            "{shown}"
        );
    }
}
