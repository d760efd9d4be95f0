//! Private registries: the authority of each, where the engine looks for it.

use anyhow::Result;

use super::{Inspection, Step};
use crate::change::Tx;
use crate::daemon_config::Change;
use crate::docker::authority;
use crate::host::Host;
use crate::host::http::Http;
use crate::host::network::{CaCert, Network};
use crate::settings::Registry;

/// As the CIS Docker Benchmark has it (3.7).
const MODE: u32 = 0o444;

pub(crate) struct Registries {
    registries: Vec<Registry>,
}

impl Registries {
    pub(crate) fn new(registries: &[Registry]) -> Registries {
        Registries {
            registries: registries.to_vec(),
        }
    }

    /// The registries whose authority is not there yet.
    fn missing(&self, host: &Host) -> Result<Vec<&Registry>> {
        let mut missing = Vec::new();
        for registry in &self.registries {
            let there = host.read(path(registry))?.unwrap_or_default();
            if CaCert::parse(&there).ok().as_ref() != Some(&registry.ca) {
                missing.push(registry);
            }
        }
        Ok(missing)
    }
}

impl Step for Registries {
    fn id(&self) -> &'static str {
        "registries"
    }

    fn title(&self) -> &'static str {
        "registries"
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let missing = self.missing(host)?;
        if missing.is_empty() {
            return Ok(Inspection::satisfied("their authorities are trusted"));
        }
        let hosts: Vec<&str> = missing
            .iter()
            .map(|registry| registry.host.as_str())
            .collect();
        Ok(Inspection::pending(
            format!("trust the authority of {}", hosts.join(", ")),
            missing.iter().map(|registry| path(registry)).collect(),
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        for registry in self.missing(tx.host())? {
            tx.write_file(&path(registry), registry.ca.pem().as_bytes(), MODE)?;
        }
        Ok(())
    }

    fn writes(&self, host: &Host) -> Result<Vec<String>> {
        Ok(self.missing(host)?.into_iter().map(path).collect())
    }
}

fn path(registry: &Registry) -> String {
    authority(&registry.host)
}

/// Asks the registries that are new, and the mirrors that are new to daemon.json, whether they are
/// there; what is said of those that are not. Mirrors may be among the `known` registries.
pub(crate) fn silent(
    network: &Network,
    known: &[Registry],
    news: &[Registry],
    changes: &[Change],
) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut ask = |name: &str, url: &str, network: &Network| {
        if let Err(error) = Http::new(network).find_registry(url) {
            warnings.push(format!(
                "the registry {name} does not answer, and so no image comes from there: {error:#}"
            ));
        }
    };
    for registry in news {
        let url = format!("https://{}", registry.host);
        ask(&registry.host, &url, &network.trusting(&registry.ca));
    }
    let mirrors = changes
        .iter()
        .filter(|change| change.key == "registry-mirrors")
        .flat_map(|change| change.after.as_ref()?.as_array())
        .flatten()
        .filter_map(|mirror| mirror.as_str());
    for mirror in mirrors {
        let host = mirror.split_once("://").map_or(mirror, |(_, rest)| rest);
        let host = host.split('/').next();
        let registry = known.iter().find(|known| Some(known.host.as_str()) == host);
        match registry {
            Some(registry) => ask(mirror, mirror, &network.trusting(&registry.ca)),
            None => ask(mirror, mirror, network),
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::docker::CERTIFICATES;
    use crate::host::stub::StubHost;

    fn step() -> Registries {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/ca.pem");
        Registries::new(&[Registry {
            host: "registry.lab:5000".to_owned(),
            ca: CaCert::read(file.as_ref()).unwrap(),
        }])
    }

    const PATH: &str = "/etc/docker/certs.d/registry.lab:5000/ca.crt";

    proptest::proptest! {
        #[test]
        fn the_name_of_a_registry_leads_to_a_folder_of_its_own(
            any in proptest::prelude::any::<String>(),
            odd in "[a-z0-9./:\\\\\\[\\]%-]{0,12}",
        ) {
            for host in [any, odd] {
                if crate::settings::registry_host(&host).is_ok() {
                    let registry = Registry { host, ..step().registries.remove(0) };
                    let path = path(&registry);
                    let folder = std::path::Path::new(&path).parent().unwrap();
                    proptest::prop_assert_eq!(folder.parent().unwrap(), std::path::Path::new(CERTIFICATES));
                    proptest::prop_assert_eq!(folder.file_name().unwrap(), &*registry.host);
                }
            }
        }
    }

    #[test]
    fn an_authority_that_is_absent_is_written_and_taken_back() {
        let stub = StubHost::new();
        let before = stub.snapshot();
        let finding = step().inspect(stub.host()).unwrap();
        assert_eq!(finding.summary, "trust the authority of registry.lab:5000");
        trial::run(stub.host(), |tx| step().apply(tx)).unwrap();
        assert_eq!(stub.mode(PATH), 0o444);
        assert!(step().inspect(stub.host()).unwrap().satisfied);
        trial::revert(stub.host()).unwrap();
        assert_eq!(stub.snapshot(), before);
    }

    #[test]
    fn one_that_was_there_before_is_left_and_another_comes_back() {
        let pem = format!("# Our own authority\n{}", step().registries[0].ca.pem());
        let stub = StubHost::new().file(PATH, &pem);
        assert!(step().inspect(stub.host()).unwrap().satisfied);
        // With its key beside it, others could read that.
        let key = include_str!("../../tests/fixtures/tls/server.key");
        stub.write(PATH, pem + key);
        trial::run(stub.host(), |tx| step().apply(tx)).unwrap();
        assert!(!stub.read(PATH).contains("PRIVATE KEY"));
        let other = StubHost::new().file(PATH, "another");
        trial::run(other.host(), |tx| step().apply(tx)).unwrap();
        let acts = trial::acts(other.host());
        trial::run(other.host(), |tx| step().apply(tx)).unwrap();
        assert_eq!(
            trial::acts(other.host()),
            acts,
            "applied twice, written once"
        );
        trial::revert(other.host()).unwrap();
        assert_eq!(other.read(PATH), "another");
    }
}
