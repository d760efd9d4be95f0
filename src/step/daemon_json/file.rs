//! The file itself: what it says, and who may read it. With a secret in it, it is root's alone.

use std::os::unix::fs::MetadataExt;

use anyhow::Result;

use crate::daemon_config::{Document, Merged, PATH};
use crate::error::Failure;
use crate::host::Host;

/// The rights of the group and of everybody else.
const OF_OTHERS: u32 = 0o077;

/// Reads the file; one that is not there is an empty one.
///
/// # Errors
/// [`Failure::Blocked`] for anything that is no sound configuration.
pub(crate) fn read(host: &Host) -> Result<Document> {
    let there = std::fs::metadata(host.path(PATH)).ok();
    if there.is_none() && host.exists(PATH)? {
        return Err(unreadable("it is a link to a file that is not there"));
    }
    match there {
        None => Ok(Document::new()),
        Some(there) if there.is_dir() => Err(unreadable("it is a folder, and must be a file")),
        Some(there) if !there.is_file() => Err(unreadable("it is no plain file")),
        Some(_) => {
            let bytes = host.read(PATH)?.unwrap_or_default();
            Document::parse(&bytes).map_err(|refusal| unreadable(&refusal.to_string()))
        }
    }
}

/// The failure for a file that no key can be read from, which the engine may still take.
fn unreadable(fault: &str) -> anyhow::Error {
    Failure::Blocked(format!(
        "{PATH} cannot be used as it is; nothing was changed. Fix it and run this again:\n{fault}"
    ))
    .into()
}

/// What the plan says of the mode, where the change adds a secret and others could read it.
pub(super) fn hiding(host: &Host, current: &Document, merged: &Merged) -> Option<String> {
    if !merged.document.adds_password_to(current) {
        return None;
    }
    let hidden = match mode(host) {
        None => 0o600,
        Some(mode) if mode & OF_OTHERS != 0 => mode & !OF_OTHERS,
        Some(_) => return None,
    };
    let key = merged
        .changes
        .iter()
        .find(|change| {
            let alone = |value: &Option<_>| {
                let mut alone = Document::new();
                value.iter().for_each(|value| alone.set(&change.key, value));
                alone
            };
            alone(&change.after).adds_password_to(&alone(&change.before))
        })
        .map_or("it", |change| &change.key);
    Some(format!(
        "keep {PATH} from other users (mode {hidden:04o}): {key} holds a secret"
    ))
}

/// What is to be said of a secret that was there before, and that others can read. Its owner may
/// want it so, and the mode stays.
pub(super) fn exposed(host: &Host, current: &Document, merged: &Merged) -> Option<String> {
    let is_open = mode(host).is_some_and(|mode| mode & 0o004 != 0);
    let is_left = !merged.document.adds_password_to(current);
    (is_open && is_left && current.holds_password()).then(|| {
        format!(
            "{PATH} holds a secret, and other users can read it; to keep them out: chmod 0600 {PATH}"
        )
    })
}

fn mode(host: &Host) -> Option<u32> {
    let there = std::fs::metadata(host.path(PATH)).ok()?;
    Some(there.mode() & 0o7777)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::step::Step;
    use crate::step::daemon_json::DaemonJson;
    use crate::step::daemon_json::tests::{apply, host, inspect, wanting};
    use serde_json::json;

    fn splunk() -> DaemonJson {
        wanting(json!({"log-driver": "splunk",
            "log-opts": {"splunk-token": "s3cret", "splunk-url": "https://splunk.example"}}))
    }

    #[test]
    fn a_file_that_gets_a_secret_is_kept_from_others_and_the_plan_says_so() {
        for (there, keeps) in [(None, "0600"), (Some(0o644), "0600"), (Some(0o640), "0600")] {
            let stub = host();
            if let Some(mode) = there {
                stub.write(PATH, "{\"debug\": true}");
                stub.set_mode(PATH, mode);
            }
            let before = stub.snapshot();
            let finding = splunk().inspect(stub.host()).unwrap();
            let said =
                format!("keep {PATH} from other users (mode {keeps}): log-opts holds a secret");
            assert!(finding.details.contains(&said), "{:?}", finding.details);
            let json = serde_json::to_string(&finding).unwrap();
            assert!(
                !json.contains("s3cret") && json.contains("splunk-token"),
                "{json}"
            );
            trial::run(stub.host(), |tx| splunk().apply(tx)).unwrap();
            assert_eq!(stub.mode(PATH), 0o600);
            assert!(!stub.read(crate::undo::JOURNAL).contains("s3cret"));
            assert!(splunk().inspect(stub.host()).unwrap().satisfied);
            assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
            assert_eq!(stub.snapshot(), before);
        }
        let stub = host().file(PATH, "{}");
        stub.set_mode(PATH, 0o600);
        let finding = splunk().inspect(stub.host()).unwrap();
        assert!(!finding.details.concat().contains("mode"), "{finding:?}");
    }

    #[test]
    fn a_secret_of_the_users_own_leaves_the_mode_and_is_warned_of() {
        let theirs = r#"{"log-opts": {"splunk-token": "s3cret", "splunk-url": "https://x"},
            "log-driver": "splunk"}"#;
        let stub = host().file(PATH, theirs);
        let finding = inspect(&stub);
        assert!(!finding.satisfied);
        let warnings = finding.warnings.concat();
        assert!(
            warnings.ends_with(&format!("chmod 0600 {PATH}")),
            "{warnings}"
        );
        apply(&stub);
        assert_eq!(stub.mode(PATH), 0o644);
        stub.set_mode(PATH, 0o600);
        assert_eq!(inspect(&stub).warnings, [""; 0]);
    }

    #[test]
    fn a_user_in_a_url_is_no_secret() {
        let stub = host().file(PATH, "{\"debug\": true}");
        let label = wanting(json!({"labels": ["contact=https://ops@example.com"]}));
        let finding = label.inspect(stub.host()).unwrap();
        assert!(!finding.details.concat().contains("mode"), "{finding:?}");
        trial::run(stub.host(), |tx| label.apply(tx)).unwrap();
        assert_eq!(stub.mode(PATH), 0o644);
    }
}
