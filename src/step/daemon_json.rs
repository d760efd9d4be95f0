//! The engine's configuration file, with sane defaults merged into what is there.

use anyhow::Result;
use serde_json::{Map, Value};

use super::unit::Unit;
use super::{Finding, Step};
use crate::change::{Tx, Undo};
use crate::daemon_json::{
    self, Change, Context, Document, Merged, PATH, Severity, Wanted, is_said_by_flag,
};
use crate::error::Failure;
use crate::host::Host;
use crate::host::network::{Network, Proxy};
use crate::redact::has_credentials;

/// There when this host is a member of a swarm.
const SWARM_STATE: &str = "/var/lib/docker/swarm/docker-state.json";

#[derive(Clone)]
pub struct DaemonJson {
    /// What the unit tells the engine already; saying it twice stops the engine.
    unit_flags: Vec<String>,
    /// What the engine is to be told of proxies, if anything.
    proxies: Option<Value>,
}

impl DaemonJson {
    pub fn new(unit_flags: Vec<String>) -> DaemonJson {
        DaemonJson {
            unit_flags,
            proxies: None,
        }
    }

    /// The same with the proxies of this network, which stand over those that are there.
    pub fn with_proxies(self, network: &Network) -> DaemonJson {
        let url = |proxy: Option<&Proxy>| proxy.map(|proxy| proxy.with_credentials().to_owned());
        let direct = Some(network.direct().join(",")).filter(|list| !list.is_empty());
        let entries = [
            ("http-proxy", url(network.http())),
            ("https-proxy", url(network.https())),
            ("no-proxy", direct),
        ];
        let entries = entries.into_iter();
        let entries = entries.filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
        DaemonJson {
            proxies: Some(Value::Object(entries.collect())),
            ..self
        }
    }

    /// What the file is to say: what is there, with what is missing added. A setting that is
    /// there is the user's and stays.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the engine would not start with what is there.
    pub fn merged(&self, host: &Host) -> Result<Merged> {
        let current = read(host)?;
        self.check(&current)?;
        let mut wanted = daemon_json::recommended().values();
        if is_said_by_flag("log-driver", &self.unit_flags) {
            // The options are those of the driver.
            wanted.shift_remove("log-opts");
        }
        wanted.retain(|key, _| !is_said_by_flag(key, &self.unit_flags));
        // Only root may look; a plan that someone else makes takes it that there is no swarm.
        if host.exists(SWARM_STATE).unwrap_or(false) {
            // A member of a swarm does not start with live-restore.
            wanted.shift_remove("live-restore");
        }
        let merged = daemon_json::merge(current, &wanted, Wanted::Default);
        match &self.proxies {
            None => Ok(merged),
            Some(proxies) => with_proxies(merged, proxies),
        }
    }

    fn check(&self, document: &Document) -> Result<()> {
        let context = Context {
            unit_flags: &self.unit_flags,
            ..Context::default()
        };
        let problems = daemon_json::check(document, &context);
        let errors: Vec<String> = problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .map(ToString::to_string)
            .collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(blocked(&errors.join("\n"))),
        }
    }
}

impl Step for DaemonJson {
    fn id(&self) -> &'static str {
        "daemon-json"
    }

    fn title(&self) -> &'static str {
        "daemon.json"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let changes = self.merged(host)?.changes;
        if changes.is_empty() {
            return Ok(Finding::satisfied(format!("{PATH} is as it should be")));
        }
        let verb = match host.exists(PATH)? {
            true => "merge into",
            false => "write",
        };
        Ok(Finding::pending(
            format!("{verb} {PATH}"),
            changes.iter().map(Change::to_string).collect(),
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let Merged { document, changes } = self.merged(tx.host())?;
        if changes.is_empty() {
            return Ok(());
        }
        if Unit::query(tx.host())?.is_some_and(|unit| unit.active) {
            tx.note(
                "change the configuration of a running engine",
                Undo::RestartEngine,
            )?;
        }
        tx.write_daemon_json(document.text(), &changes)
    }
}

/// Sets the proxies. Those that are there and hold a password are not replaced: to put them back
/// some day, the journal would have to keep it.
fn with_proxies(merged: Merged, proxies: &Value) -> Result<Merged> {
    let before = merged.document.get("proxies");
    if before.is_some_and(|there| there != proxies && has_credentials(&there.to_string())) {
        return Err(Failure::Blocked(format!(
            "{PATH} names other proxies, with a password, which would be lost; nothing was \
             changed. Remove `proxies` there, or leave `engine` out of --proxy-for"
        ))
        .into());
    }
    let wanted = Map::from_iter([("proxies".to_owned(), proxies.clone())]);
    let Merged { document, changes } = merged;
    let set = daemon_json::merge(document, &wanted, Wanted::Set);
    Ok(Merged {
        document: set.document,
        changes: changes.into_iter().chain(set.changes).collect(),
    })
}

fn read(host: &Host) -> Result<Document> {
    let Some(bytes) = host.read(PATH)? else {
        return match host.exists(PATH)? {
            true => Err(blocked("it is a link to a file that is not there")),
            false => Ok(Document::new()),
        };
    };
    Document::parse(&bytes).map_err(|refusal| blocked(&refusal.to_string()))
}

fn blocked(problems: &str) -> anyhow::Error {
    Failure::Blocked(format!(
        "the engine would not start with {PATH} as it is; nothing was changed. \
         Mend it and run this again:\n{problems}"
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;

    fn host() -> StubHost {
        StubHost::new().program("systemctl", "")
    }

    fn step() -> DaemonJson {
        DaemonJson::new(Vec::new())
    }

    fn inspect(stub: &StubHost) -> Finding {
        step().inspect(stub.host()).unwrap()
    }

    fn apply(stub: &StubHost) {
        trial::run(stub.host(), |tx| step().apply(tx)).unwrap();
    }

    #[test]
    fn absent_it_is_written_with_every_key_shown() {
        let stub = host();
        let finding = inspect(&stub);
        assert_eq!(finding.summary, format!("write {PATH}"));
        assert_eq!(finding.details.len(), 3);
        assert_eq!(finding.details[0], "log-driver: absent → \"local\"");
        apply(&stub);
        assert!(inspect(&stub).satisfied);
        assert!(stub.read(PATH).contains("\"live-restore\": true"));
        assert_eq!(stub.mode(PATH), 0o644);
    }

    #[test]
    fn what_differs_is_the_users_and_stays() {
        let theirs = "{\n  \"live-restore\": false,\n  \"debug\": true\n}\n";
        let stub = host().file(PATH, theirs);
        stub.set_mode(PATH, 0o600);
        let before = stub.snapshot();
        let finding = inspect(&stub);
        assert_eq!(finding.summary, format!("merge into {PATH}"));
        assert!(!finding.details.concat().contains("live-restore"));
        apply(&stub);
        assert!(inspect(&stub).satisfied);
        assert!(stub.read(PATH).contains("\"live-restore\": false"));
        assert_eq!(stub.mode(PATH), 0o600);
        trial::revert(stub.host()).unwrap();
        assert_eq!(stub.snapshot(), before);
    }

    #[test]
    fn there_before_us_it_satisfies() {
        let stub = host();
        apply(&stub);
        let text = stub.read(PATH);
        let stub = host().file(PATH, text);
        assert!(inspect(&stub).satisfied);
    }

    #[test]
    fn applied_twice_it_is_written_once() {
        let stub = host();
        apply(&stub);
        let acts = trial::acts(stub.host());
        apply(&stub);
        assert_eq!(trial::acts(stub.host()), acts);
    }

    #[test]
    fn reverted_it_goes_but_for_what_was_edited_since() {
        let stub = host();
        let before = stub.snapshot();
        apply(&stub);
        trial::revert(stub.host()).unwrap();
        assert_eq!(stub.snapshot(), before);

        apply(&stub);
        stub.write(PATH, stub.read(PATH).replace("\"local\"", "\"journald\""));
        let kept = trial::revert(stub.host()).unwrap();
        assert_eq!(kept[0], format!("write {PATH}: edited since: log-driver"));
        assert!(stub.read(PATH).contains("journald"));
        assert!(!stub.read(PATH).contains("live-restore"));
    }

    #[test]
    fn with_a_file_that_stops_the_engine_nothing_is_done() {
        for broken in ["{", "[]", "{\"live-restore\": \"yes\"}"] {
            let stub = host().file(PATH, broken);
            let error = step().inspect(stub.host()).unwrap_err();
            assert_eq!(exit_code(&error), 4, "{broken}");
            assert!(error.to_string().contains(PATH), "{error}");
        }
    }

    #[test]
    fn fault_33_a_link_to_nothing_is_refused() {
        let stub = host().folder("/etc/docker");
        std::os::unix::fs::symlink("/no/such/file", stub.host().path(PATH)).unwrap();
        let error = step().inspect(stub.host()).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        assert!(error.to_string().contains("a link to a file"), "{error}");
    }

    #[test]
    fn what_the_unit_says_by_flag_is_not_said_again() {
        let flags = ["--log-driver=journald", "--live-restore"];
        let step = DaemonJson::new(flags.map(str::to_owned).to_vec());
        assert!(step.inspect(host().host()).unwrap().satisfied);
    }

    #[test]
    fn a_member_of_a_swarm_gets_no_live_restore() {
        let stub = host().file(SWARM_STATE, "{}");
        apply(&stub);
        assert!(!stub.read(PATH).contains("live-restore"));
        assert!(inspect(&stub).satisfied);
    }

    #[test]
    fn a_running_engine_reads_its_configuration_again_on_the_way_back() {
        let running = "LoadState=loaded\\nUnitFileState=enabled\\nActiveState=active\\n";
        let systemctl = format!("case $1 in show) printf '{running}';; is-failed) exit 1;; esac");
        let stub = host().program("systemctl", &systemctl);
        apply(&stub);
        stub.calls();
        trial::revert(stub.host()).unwrap();
        assert!(!stub.has(PATH));
        let restart = "systemctl restart docker.service".to_owned();
        assert_eq!(stub.calls().last(), Some(&restart));
    }
}
