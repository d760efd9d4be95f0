//! What the host is, found out once, before anything is planned.

mod packages;

use std::collections::BTreeMap;

use anyhow::Result;
use os_release::OsRelease;
use serde::{Serialize, Serializer};

use crate::error::Failure;
use crate::host::{Host, UserName};
use crate::release::{self, Release};

#[cfg(test)]
pub(crate) use packages::PackageState;
pub(crate) use packages::{
    CONFLICTING_PACKAGES, ENGINE_PACKAGES, HostPackage, STATUS, UnfinishedPackages, are_installed,
    configured_packages, dpkg_query, known_packages, notes, package_states, status_cure,
    unfinished_packages,
};

/// What the host is.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Facts {
    /// The name the host gives itself, such as `Ubuntu 24.04.3 LTS`.
    pub name: String,
    /// The codename of the Ubuntu release, or of the one a derivative stands on.
    pub codename: String,
    /// That release; `None` when it is newer than the table of releases.
    pub release: Option<&'static Release>,
    /// Debian's name for the architecture, such as `amd64`.
    pub architecture: String,
    pub init: Init,
    /// Those of [`ENGINE_PACKAGES`] and [`CONFLICTING_PACKAGES`] that dpkg knows.
    pub packages: BTreeMap<String, HostPackage>,
    /// What dpkg has begun with any package, and not brought to an end.
    pub unfinished: UnfinishedPackages,
    /// The user who called `sudo`, unless that was root.
    #[serde(serialize_with = "shown")]
    pub(crate) invoking_user: Option<UserName>,
}

/// What runs as process 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Init {
    Systemd,
    /// A chroot, an image build or a container: nothing can be started here.
    None,
}

impl Facts {
    /// Whether the package is installed completely.
    pub(crate) fn has(&self, package: &str) -> bool {
        self.packages
            .get(package)
            .is_some_and(HostPackage::is_installed)
    }

    /// The packages on the host that conflict with Docker's.
    pub(crate) fn conflicting_packages(&self) -> Vec<&'static str> {
        let there = |package: &&&str| self.has(package);
        CONFLICTING_PACKAGES.iter().filter(there).copied().collect()
    }

    /// The parts of the engine that are not installed.
    pub(crate) fn missing_packages(&self) -> Vec<&'static str> {
        let missing = |package: &&&str| !self.has(package);
        ENGINE_PACKAGES.iter().filter(missing).copied().collect()
    }
}

/// Finds out what the host is.
///
/// # Errors
/// [`Failure::Blocked`] when it is one that dockstrap does not set up.
pub(crate) fn gather(host: &Host) -> Result<Facts> {
    let release = detect_release(host)?;
    let mut asked = packages::ask(host)?;
    let Some(dpkg) = asked.0.remove("dpkg") else {
        return Err(packages::lost_status(host)?.into());
    };
    facts(host, release, check_architecture(dpkg.architecture)?, asked)
}

/// As [`gather`], but also of a host that dockstrap does not set up, or that has no dpkg: what
/// cannot be found out is empty then.
pub(crate) fn gather_anyway(host: &Host) -> Result<Facts> {
    let release = detect_release(host).unwrap_or_default();
    let mut asked = if host.has_program("dpkg-query") {
        packages::ask(host)?
    } else {
        Default::default()
    };
    let dpkg = asked.0.remove("dpkg");
    let architecture = dpkg.map_or_else(String::new, |dpkg| dpkg.architecture);
    facts(host, release, architecture, asked)
}

fn facts(
    host: &Host,
    (name, codename): (String, String),
    architecture: String,
    (packages, unfinished): (BTreeMap<String, HostPackage>, UnfinishedPackages),
) -> Result<Facts> {
    Ok(Facts {
        name,
        release: Release::by_codename(&codename),
        codename,
        architecture,
        init: detect_init(host)?,
        packages,
        unfinished,
        invoking_user: invoking_user(),
    })
}

/// The host's name for itself, and the codename of its Ubuntu. One that the table of releases
/// does not have is taken for a newer one: all old ones are known to have ended.
fn detect_release(host: &Host) -> Result<(String, String)> {
    let text = match host.read_text("/etc/os-release")? {
        Some(text) => text,
        None => host.read_text("/usr/lib/os-release")?.unwrap_or_default(),
    };
    let os = parse_os_release(&text);
    let base = os.extra.get("UBUNTU_CODENAME").map(String::as_str);
    let of_ubuntu = os.id == "ubuntu" || os.id_like.split(' ').any(|id| id == "ubuntu");
    let codename = match base {
        Some(base) => base,
        None if of_ubuntu => &os.version_codename,
        None => "",
    };
    let name = match os.pretty_name.as_str() {
        "" => "a system without an os-release file".to_owned(),
        name => name.to_owned(),
    };
    if codename.is_empty() || release::has_ended(codename) {
        return Err(Failure::Blocked(format!(
            "this host is {name}, which dockstrap does not set up; \
             it sets up Ubuntu {}, and what is built on them",
            release::supported()
        ))
        .into());
    }
    Ok((name, codename.to_owned()))
}

/// Reads an os-release file with the `os-release` crate, which wants vetted lines: it panics on
/// a value that is a lone quote, takes a comment for a key, and leaves the quotes on keys that
/// it does not know itself.
fn parse_os_release(text: &str) -> OsRelease {
    let vetted = text.lines().map(str::trim).filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim_matches(['"', '\'']);
        let is_key = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        (!key.is_empty() && key.chars().all(is_key)).then(|| format!("{key}={value}"))
    });
    vetted.collect()
}

/// Refuses an architecture for which there are no packages.
fn check_architecture(architecture: String) -> Result<String> {
    if release::ARCHITECTURES.contains(&architecture.as_str()) {
        return Ok(architecture);
    }
    Err(Failure::Blocked(format!(
        "this host's architecture is {architecture}, for which Docker publishes no packages \
         that dockstrap sets up; it sets up {}",
        release::ARCHITECTURES.join(" and ")
    ))
    .into())
}

/// Whether systemd runs.
pub(crate) fn detect_init(host: &Host) -> Result<Init> {
    Ok(if host.runs_systemd()? {
        Init::Systemd
    } else {
        Init::None
    })
}

/// Both programs set these themselves, so that what is no name comes from nobody whom it would help.
pub(crate) fn invoking_user() -> Option<UserName> {
    named_user(|variable| std::env::var(variable).ok())
}

fn named_user(variable: impl Fn(&str) -> Option<String>) -> Option<UserName> {
    let user = ["SUDO_USER", "DOAS_USER"].into_iter().find_map(variable)?;
    UserName::new(&user)
        .ok()
        .filter(|user| user.as_str() != "root")
}

fn shown<S: Serializer>(user: &Option<UserName>, serializer: S) -> Result<S::Ok, S::Error> {
    user.as_ref().map(UserName::as_str).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;

    fn detected(os_release: &str) -> Result<(String, String)> {
        detect_release(StubHost::new().file("/etc/os-release", os_release).host())
    }

    #[test]
    fn ubuntu_is_known_by_its_codename() {
        let (name, codename) = detected(
            "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nID=ubuntu\nID_LIKE=debian\n\
             VERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n",
        )
        .unwrap();
        assert_eq!(name, "Ubuntu 24.04.3 LTS");
        assert_eq!(codename, "noble");
    }

    #[test]
    fn who_called_sudo_is_a_user_and_no_option_of_a_program() {
        let named = |variable: &str, user: &str| {
            let user = named_user(|name| (name == variable).then(|| user.to_owned()));
            user.map(|user| user.to_string())
        };
        assert_eq!(named("SUDO_USER", "alice").as_deref(), Some("alice"));
        assert_eq!(
            named("DOAS_USER", "EXAMPLE\\bob").as_deref(),
            Some("EXAMPLE\\bob")
        );
        for none in ["", "root", "--help", "-sfiles", "0", "1000", "a b", "a:b"] {
            assert_eq!(named("SUDO_USER", none), None, "{none}");
        }
    }

    #[test]
    fn fault_57_a_derivative_is_taken_for_the_ubuntu_it_stands_on() {
        let (name, codename) = detected(
            "PRETTY_NAME='Linux Mint 21.3'\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n\
             VERSION_CODENAME=virginia\nUBUNTU_CODENAME=\"jammy\"\n",
        )
        .unwrap();
        assert_eq!(name, "Linux Mint 21.3");
        assert_eq!(codename, "jammy");
    }

    #[test]
    fn a_release_that_is_not_known_is_taken_for_a_newer_one() {
        let (_, codename) = detected(
            "PRETTY_NAME=\"Ubuntu 26.10\"\nID=ubuntu\nVERSION_ID=\"26.10\"\n\
             VERSION_CODENAME=stonking\nUBUNTU_CODENAME=stonking\n",
        )
        .unwrap();
        assert_eq!(codename, "stonking");
    }

    #[test]
    fn fault_58_an_architecture_without_packages_is_refused_with_those_that_have_some() {
        for known in ["amd64", "arm64"] {
            assert_eq!(check_architecture(known.to_owned()).unwrap(), known);
        }
        for other in ["i386", "riscv64", "armhf", ""] {
            let error = check_architecture(other.to_owned()).unwrap_err();
            assert_eq!(exit_code(&error), 4);
            let text = error.to_string();
            assert!(
                text.contains(&format!("architecture is {other},")),
                "{text}"
            );
            assert!(text.contains("amd64 and arm64"), "{text}");
        }
    }

    #[test]
    fn another_system_is_refused_with_what_is_supported() {
        for text in [
            "PRETTY_NAME=\"Debian GNU/Linux 13\"\nID=debian\nVERSION_CODENAME=trixie\n",
            "PRETTY_NAME=\"Ubuntu 20.04 LTS\"\nID=ubuntu\nVERSION_CODENAME=focal\n",
            "NAME=\"\n# FOO=bar\nnot a line\n",
            "",
        ] {
            let error = detected(text).unwrap_err();
            assert_eq!(exit_code(&error), 4);
            assert!(error.to_string().contains("24.04 (noble)"), "{error}");
        }
    }
}
