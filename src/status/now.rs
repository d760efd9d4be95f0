//! What is on the host by now, of which `status` tells: asked of dpkg, apt and the files, by means
//! that need no network.

use anyhow::Result;
use serde::Serialize;

use crate::docker::GROUP;
use crate::facts::{self, ENGINE_PACKAGES};
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;
use crate::trust::claimed_fingerprint;

/// The path of Docker's repository under its server, and under every mirror.
const REPOSITORY: &str = "/linux/ubuntu/";

/// The engine's package.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct EnginePackage {
    /// The version that is installed.
    pub installed: Option<String>,
    /// The version that apt would install, by the indexes that it has.
    pub newest: Option<String>,
    /// Packages of the engine that apt is told to hold as they are.
    pub held: Vec<String>,
}

/// A source that names Docker's repository.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct DockerSource {
    pub path: String,
    pub uri: String,
    pub suite: String,
    pub keyring: String,
    /// The fingerprint of the key in it. A claim: `install` verifies it.
    pub fingerprint: Option<String>,
}

impl EnginePackage {
    pub(crate) fn of(host: &Host) -> Result<EnginePackage> {
        let packages = facts::known_packages(host)?;
        let engine = packages.get(ENGINE_PACKAGES[0]);
        let policy = Query::of(Reader::AptCache).args(["policy", ENGINE_PACKAGES[0]]);
        let policy = answer(host, &policy);
        let candidate = policy
            .lines()
            .find_map(|line| line.trim().strip_prefix("Candidate: "));
        let held = Query::of(Reader::AptHeld);
        let held = answer(host, &held);
        Ok(EnginePackage {
            installed: engine
                .filter(|engine| engine.is_installed())
                .map(|engine| engine.version.clone()),
            newest: candidate
                .filter(|version| *version != "(none)")
                .map(str::to_owned),
            held: held
                .lines()
                .filter(|name| ENGINE_PACKAGES.contains(name))
                .map(str::to_owned)
                .collect(),
        })
    }
}

impl DockerSource {
    /// Every source of Docker's repository that apt reads.
    pub(crate) fn all(host: &Host) -> Result<Vec<DockerSource>> {
        let format = "$(SOURCESENTRY)\t$(REPO_URI)\t$(RELEASE)\t$(SIGNED_BY)";
        let list = Query::of(Reader::AptIndexTargets)
            .args(["--format", format])
            .arg("Created-By: Packages");
        let mut sources = Vec::new();
        for line in answer(host, &list).lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [entry, uri, suite, keyring] = fields[..] else {
                continue;
            };
            if !uri.ends_with(REPOSITORY) {
                continue;
            }
            let bytes = if keyring.starts_with('/') {
                host.read(keyring)?.unwrap_or_default()
            } else {
                Vec::new()
            };
            sources.push(DockerSource {
                path: entry.split(':').next().unwrap_or_default().to_owned(),
                uri: uri.trim_end_matches('/').to_owned(),
                suite: suite.to_owned(),
                keyring: keyring.to_owned(),
                fingerprint: claimed_fingerprint(&bytes).map(|it| it.to_string()),
            });
        }
        Ok(sources)
    }
}

/// What a program prints; nothing where it fails: the rest of the status is worth telling then.
fn answer(host: &Host, query: &Query) -> String {
    host.query(query)
        .map_or_else(|_| String::new(), |output| output.stdout)
}

/// The members of the group that may use the engine.
pub(crate) fn members(host: &Host) -> Result<Vec<String>> {
    Ok(host.group(GROUP)?.unwrap_or_default().everyone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;
    use crate::trust::fixture;

    #[test]
    fn the_engine_is_told_with_what_apt_would_install_and_holds() {
        let stub = StubHost::new()
            .program("dpkg-query", "echo docker-ce 5:29.5.3 amd64 installed ok")
            .program("apt-cache", "echo docker-ce:; echo '  Candidate: 5:29.6.0'")
            .program("apt-mark", "echo docker-ce; echo linux-image");
        let engine = EnginePackage::of(stub.host()).unwrap();
        assert_eq!(engine.installed.as_deref(), Some("5:29.5.3"));
        assert_eq!(engine.newest.as_deref(), Some("5:29.6.0"));
        assert_eq!(engine.held, ["docker-ce"]);
    }

    #[test]
    fn a_source_of_dockers_is_told_with_its_key_and_others_are_not() {
        let keyring = "/etc/apt/keyrings/docker.asc";
        let stub = StubHost::new()
            .file(keyring, fixture::bytes("docker.asc"))
            .program(
                "apt-get",
                &format!(
                    "printf '/etc/apt/a.sources:1\\thttp://a/ubuntu/\\tnoble\\t\\n'
                     printf '/etc/apt/d.sources:2\\thttps://d/linux/ubuntu/\\tnoble\\t{keyring}\\n'"
                ),
            );
        let sources = DockerSource::all(stub.host()).unwrap();
        let [source] = sources.as_slice() else {
            panic!("{sources:?}");
        };
        assert_eq!(source.path, "/etc/apt/d.sources");
        assert_eq!(source.uri, "https://d/linux/ubuntu");
        let fingerprint = fixture::fingerprints("docker")[0].to_string();
        assert_eq!(source.fingerprint.as_ref(), Some(&fingerprint));
    }
}
