//! The version of the engine that is asked for: which packages carry it, whether it is there, and
//! what apt is to be told.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::apt::{self, Transaction};
use crate::error::Failure;
use crate::facts::{ENGINE_PACKAGES, HostPackage};
use crate::host::Host;
use crate::settings::EngineVersion;
use crate::trust::PackageIndex;

/// The packages that have the engine's own version. The others go their own ways, and each goes
/// with every engine.
///
/// Source: <https://docs.docker.com/engine/install/ubuntu/#install-using-the-repository>.
const VERSIONED: [&str; 2] = ["docker-ce", "docker-ce-cli"];

/// Those of the engine's packages that are missing, or are there in another version than the one
/// that is asked for.
pub(crate) fn unmet(
    known: &BTreeMap<String, HostPackage>,
    asked_for: Option<&EngineVersion>,
) -> Vec<&'static str> {
    let unmet = |name: &&&str| {
        let Some(package) = known.get(**name).filter(|it| it.is_installed()) else {
            return true;
        };
        let asked_for = asked_for.filter(|_| VERSIONED.contains(*name));
        asked_for.is_some_and(|it| !it.includes(&package.version))
    };
    ENGINE_PACKAGES.iter().filter(unmet).copied().collect()
}

/// The packages as apt is to be asked for them. Of the versions that are meant, the newest is
/// taken.
///
/// # Errors
/// [`Failure::Blocked`] with the versions there are, when none of them is meant.
pub(crate) fn request(
    host: &Host,
    packages: &[&str],
    asked_for: Option<&EngineVersion>,
    offered: &PackageIndex,
) -> Result<Vec<String>> {
    let name = |package: &&str| match asked_for.filter(|_| VERSIONED.contains(package)) {
        None => Ok((*package).to_owned()),
        Some(wish) => Ok(format!(
            "{package}={}",
            choose(host, package, wish, offered)?
        )),
    };
    packages.iter().map(name).collect()
}

fn choose(
    host: &Host,
    package: &str,
    wish: &EngineVersion,
    offered: &PackageIndex,
) -> Result<String> {
    let versions = || offered.versions(package).map(|it| it.version.as_str());
    let chosen = apt::newest(host, versions().filter(|version| wish.includes(version)))?;
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let there = apt::newest_first(host, versions())?;
    Err(Failure::Blocked(format!(
        "the repository has no {package} {wish}; nothing was changed. Ask for one that it has, or \
         for a part of it such as 29.5: --engine-version VERSION. It has:\n  {}",
        there.join("\n  ")
    ))
    .into())
}

/// Whether apt would replace a package with an older one.
///
/// # Errors
/// [`Failure::Blocked`] when it would, and that is not meant.
pub(crate) fn goes_back(host: &Host, transaction: &Transaction, allowed: bool) -> Result<bool> {
    for install in &transaction.installs {
        let Some(there) = &install.replaces else {
            continue;
        };
        if !apt::is_older(host, &install.version, there)? {
            continue;
        }
        if allowed {
            return Ok(true);
        }
        return Err(Failure::Blocked(format!(
            "{} {there} is installed, and {} is asked for, which is older; nothing was changed. An \
             older engine may not understand what a newer one has written. If that is meant, say \
             --allow-downgrade",
            install.package, install.version
        ))
        .into());
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::facts::PackageState;
    use crate::trust::{ExpectedFile, Sha256, verify_file};

    fn version(text: &str) -> EngineVersion {
        EngineVersion::parse(text).unwrap()
    }

    fn offered() -> PackageIndex {
        let stanza = |version: &str| {
            format!(
                "Package: docker-ce\nVersion: {version}\nArchitecture: amd64\nSize: 1\n\
                 Filename: pool/{version}.deb\nSHA256: {}\n\n",
                Sha256::of(b"")
            )
        };
        let text = ["5:28.9.0-1~x", "5:29.10.0-1~x", "5:29.9.0-1~x"]
            .map(stanza)
            .concat();
        let entry = ExpectedFile {
            path: "Packages".parse().unwrap(),
            size: text.len() as u64,
            sha256: Sha256::of(text.as_bytes()),
        };
        PackageIndex::parse(verify_file(text.as_bytes(), &entry).unwrap()).unwrap()
    }

    #[test]
    fn the_newest_of_what_is_meant_is_asked_for() {
        let host = Host::real();
        let ask = |text: &str| {
            let packages = ["docker-ce", "containerd.io"];
            request(&host, &packages, Some(&version(text)), &offered()).unwrap()
        };
        assert_eq!(ask("29"), ["docker-ce=5:29.10.0-1~x", "containerd.io"]);
        assert_eq!(ask("28.9.0"), ["docker-ce=5:28.9.0-1~x", "containerd.io"]);
        let none = request(&host, &["docker-ce"], None, &offered()).unwrap();
        assert_eq!(none, ["docker-ce"]);
    }

    #[test]
    fn fault_26_a_version_that_is_missing_is_answered_with_those_there_are() {
        let error = request(
            &Host::real(),
            &["docker-ce"],
            Some(&version("27")),
            &offered(),
        )
        .unwrap_err();
        assert_eq!(exit_code(&error), 4);
        let newest_first = "It has:\n  5:29.10.0-1~x\n  5:29.9.0-1~x\n  5:28.9.0-1~x";
        assert!(error.to_string().ends_with(newest_first), "{error}");
    }

    #[test]
    fn fault_27_an_older_one_is_taken_only_when_that_is_meant() {
        let transaction = |old: &str| {
            let line = format!("Inst docker-ce [{old}] (5:29.9.0 Docker CE:noble [amd64])");
            Transaction::parse(&line)
        };
        let host = Host::real();
        assert!(!goes_back(&host, &transaction("5:29.8.0"), false).unwrap());
        assert!(goes_back(&host, &transaction("5:29.10.0"), true).unwrap());
        let error = goes_back(&host, &transaction("5:29.10.0"), false).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        assert!(error.to_string().contains("--allow-downgrade"), "{error}");
    }

    #[test]
    fn what_is_there_suffices_as_long_as_it_is_what_is_meant() {
        let known = |name: &&str| {
            let package = HostPackage {
                version: "5:29.9.0-1~x".to_owned(),
                architecture: "amd64".to_owned(),
                state: PackageState::Installed,
            };
            ((*name).to_owned(), package)
        };
        let known: BTreeMap<String, HostPackage> = ENGINE_PACKAGES.iter().map(known).collect();
        assert!(unmet(&known, None).is_empty());
        assert!(unmet(&known, Some(&version("29"))).is_empty());
        assert_eq!(unmet(&known, Some(&version("29.10"))), VERSIONED);
    }
}
