//! The source that names Docker's repository, exactly once.

use anyhow::Result;

use super::repository::Repository;
use super::{Finding, Step};
use crate::apt::{Source, existing_sources};
use crate::change::Tx;
use crate::error::Failure;
use crate::host::Host;

pub struct AptSource {
    source: Source,
    keyring: String,
}

impl AptSource {
    pub fn new(repository: &Repository) -> AptSource {
        AptSource {
            source: repository.source.clone(),
            keyring: repository.keyring.clone(),
        }
    }

    fn text(&self) -> String {
        self.source.text(&self.keyring)
    }
}

impl Step for AptSource {
    fn id(&self) -> &'static str {
        "apt-source"
    }

    fn title(&self) -> &'static str {
        "apt source"
    }

    fn inspect(&self, host: &Host) -> Result<Finding> {
        let existing = existing_sources(host, &self.source.uri)?;
        let (serving, others): (Vec<_>, Vec<_>) = existing
            .into_iter()
            .partition(|existing| existing.serves(&self.source, &self.keyring));
        let foreign = others.iter().find(|other| other.path != Source::PATH);
        if let Some(other) = foreign {
            return Err(Failure::Blocked(format!(
                "{} names Docker's repository ({}) in another way than it is to be used here; \
                 apt refuses to work with two keyrings for one repository. Nothing was changed. \
                 Move it out of the way and run this again: mv {} /root/",
                other.path, other.uri, other.path
            ))
            .into());
        }
        if let (Some(serving), true) = (serving.first(), others.is_empty()) {
            let summary = format!("{} names {}", serving.path, self.source.uri);
            return Ok(Finding::satisfied(summary));
        }
        let verb = match host.exists(Source::PATH)? {
            true => "replace",
            false => "write",
        };
        let Source {
            uri,
            suite,
            architecture,
        } = &self.source;
        Ok(Finding::pending(
            format!("{verb} {}", Source::PATH),
            vec![format!("{uri} {suite} stable [{architecture}]")],
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        tx.write_file(Source::PATH, self.text().as_bytes(), 0o644)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;

    const URI: &str = "https://download.docker.com/linux/ubuntu";
    const KEYRING: &str = "/etc/apt/keyrings/docker.asc";
    const LIST: &str = "/etc/apt/sources.list.d/docker.list";

    fn source() -> AptSource {
        AptSource {
            source: Source {
                uri: URI.to_owned(),
                suite: "noble".to_owned(),
                architecture: "amd64".to_owned(),
            },
            keyring: KEYRING.to_owned(),
        }
    }

    fn inspect(stub: &StubHost) -> Finding {
        source().inspect(stub.host()).unwrap()
    }

    fn apply(stub: &StubHost) {
        trial::run(stub.host(), |tx| source().apply(tx)).unwrap();
    }

    #[test]
    fn absent_it_is_written() {
        let stub = StubHost::new();
        let finding = inspect(&stub);
        assert_eq!(finding.summary, format!("write {}", Source::PATH));
        assert_eq!(finding.details, [format!("{URI} noble stable [amd64]")]);
        apply(&stub);
        assert!(inspect(&stub).satisfied);
        assert_eq!(stub.mode(Source::PATH), 0o644);
    }

    #[test]
    fn there_before_us_under_another_name_it_satisfies() {
        let line = format!("deb [arch=amd64 signed-by={KEYRING}] {URI} noble stable\n");
        let stub = StubHost::new().file(LIST, line);
        let finding = inspect(&stub);
        assert!(finding.satisfied);
        assert_eq!(finding.summary, format!("{LIST} names {URI}"));
    }

    #[test]
    fn the_suite_of_another_release_is_replaced_and_comes_back() {
        let old = source().text().replace("noble", "jammy");
        let stub = StubHost::new().file(Source::PATH, old);
        let before = stub.snapshot();
        assert_eq!(inspect(&stub).summary, format!("replace {}", Source::PATH));
        apply(&stub);
        assert!(inspect(&stub).satisfied);
        trial::revert(stub.host()).unwrap();
        assert_eq!(stub.snapshot(), before);
    }

    #[test]
    fn a_source_of_another_hand_is_refused_with_the_way_out() {
        for line in [
            format!("deb [signed-by=/usr/share/keyrings/docker.gpg] {URI} noble stable\n"),
            format!("deb {URI} noble stable\n"),
            format!("deb [signed-by={KEYRING}] {URI} jammy stable\n"),
        ] {
            let stub = StubHost::new()
                .file(LIST, &line)
                .file(Source::PATH, source().text());
            let error = source().inspect(stub.host()).unwrap_err();
            assert_eq!(exit_code(&error), 4, "{line}");
            assert!(error.to_string().contains(&format!("mv {LIST}")), "{error}");
        }
    }

    #[test]
    fn applied_twice_it_is_written_once() {
        let stub = StubHost::new();
        apply(&stub);
        let acts = trial::acts(stub.host());
        apply(&stub);
        assert_eq!(trial::acts(stub.host()), acts);
    }

    #[test]
    fn reverted_it_goes_unless_it_was_edited() {
        let stub = StubHost::new().folder("/etc/apt/sources.list.d");
        let before = stub.snapshot();
        apply(&stub);
        trial::revert(stub.host()).unwrap();
        assert_eq!(stub.snapshot(), before);
        apply(&stub);
        let edited = stub.read(Source::PATH) + "Enabled: no\n";
        stub.write(Source::PATH, &edited);
        assert_eq!(trial::revert(stub.host()).unwrap().len(), 1);
        assert_eq!(stub.read(Source::PATH), edited);
    }
}
