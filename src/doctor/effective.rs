//! What the engine is told, by the flags of its unit and by daemon.json.

use anyhow::{Result, anyhow};
use serde_json::Value;

use crate::daemon_config::{self, Document};
use crate::engine::unit;
use crate::facts::{Facts, Init};
use crate::host::Host;

/// Both places at once. dockerd takes each value from one of them only.
pub(crate) struct EffectiveConfiguration {
    /// The file and the flags together, as far as these are keys of their own.
    document: Document,
    flags: Vec<String>,
}

impl EffectiveConfiguration {
    /// # Errors
    /// When the file cannot be read as one: what it says is not known then, and another check is
    /// about that.
    pub(crate) fn of(host: &Host, facts: &Facts) -> Result<EffectiveConfiguration> {
        let path = daemon_config::PATH;
        let bytes = host.read(path)?.unwrap_or_default();
        let file =
            Document::parse(&bytes).map_err(|_| anyhow!("{path} is no sound JSON; see DS901"))?;
        let flags = match facts.init {
            Init::Systemd => unit::flags(host)?,
            Init::None => Vec::new(),
        };
        Ok(EffectiveConfiguration {
            document: daemon_config::with_flags(&file, &flags),
            flags,
        })
    }

    /// Both together.
    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// The value of a key that is no list, as a text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        Some(match self.document.get(key)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// Whether anything is said for this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.document.get(key).is_some() || daemon_config::is_said_by_flag(key, &self.flags)
    }

    /// An option of those that are given as `NAME=VALUE`.
    pub(crate) fn option(&self, key: &str, name: &str) -> Option<String> {
        let value = self.document.value_at(&[key, name])?;
        value.as_str().map(str::to_owned)
    }

    /// The items of a list.
    pub(crate) fn list(&self, key: &str) -> Option<Vec<Value>> {
        self.document.get(key)?.as_array().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::CheckOutcome;
    use crate::facts;
    use crate::host::stub::StubHost;

    #[test]
    fn no_check_takes_a_broken_file_for_an_empty_one() {
        let stub = StubHost::noble()
            .program(
                "dpkg-query",
                "echo dpkg 1 amd64 installed ok; echo docker-ce 5:29 amd64 installed ok",
            )
            .program("systemctl", "")
            .file(daemon_config::PATH, "{\"log-driver\": \"local\"");
        let facts = facts::gather(stub.host()).unwrap();
        let diagnosis = crate::doctor::examine(stub.host(), &facts);
        let verdict = |id: &str| {
            let mut checks = diagnosis.checks.iter();
            &checks.find(|check| check.id == id).unwrap().verdict
        };
        assert!(matches!(verdict("DS901"), CheckOutcome::Found(_)));
        for id in ["DS710", "DS902", "DS903"] {
            let text = "/etc/docker/daemon.json is no sound JSON; see DS901";
            assert_eq!(*verdict(id), CheckOutcome::Unseen(text.to_owned()), "{id}");
        }
    }

    #[test]
    fn flags_of_the_unit_count_as_much_as_the_file() {
        let argv = "/usr/bin/dockerd --log-opt max-size=10m --data-root /srv --iptables=false -g/d";
        let stub = StubHost::noble()
            .folder("/run/systemd/system")
            .program("systemctl", &format!("echo '{{ argv[]={argv} ; }}'"))
            .file(
                daemon_config::PATH,
                r#"{"bridge": "none", "log-opts": {"max-file": "3"}}"#,
            );
        let facts = facts::gather(stub.host()).unwrap();
        let effective = EffectiveConfiguration::of(stub.host(), &facts).unwrap();
        assert_eq!(effective.text("data-root").as_deref(), Some("/d"));
        assert_eq!(effective.text("iptables").as_deref(), Some("false"));
        assert_eq!(effective.text("bridge").as_deref(), Some("none"));
        let option = |name| effective.option("log-opts", name);
        assert_eq!(option("max-size").as_deref(), Some("10m"));
        assert_eq!(option("max-file").as_deref(), Some("3"));
        assert!(effective.has("log-opts") && !effective.has("log-driver"));
    }
}
