//! What apt would do: the packages it would install, upgrade and remove, and their download.

use serde::Serialize;

/// One run of apt, as apt itself simulates it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Transaction {
    pub installs: Vec<PackageInstall>,
    /// Names of packages that would go.
    pub removals: Vec<String>,
    pub download: Download,
}

/// A package that would be installed or upgraded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PackageInstall {
    pub package: String,
    pub version: String,
    /// The version that is installed now, if any.
    pub replaces: Option<String>,
    /// Where apt would take it from, as apt words it.
    pub origin: String,
}

/// What would be fetched; what is in apt's cache already does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Download {
    pub files: usize,
    pub bytes: u64,
}

impl Transaction {
    /// Reads what `apt-get --simulate` prints.
    pub(crate) fn parse(simulated: &str) -> Transaction {
        let mut transaction = Transaction::default();
        for line in simulated.lines() {
            if let Some(rest) = line.strip_prefix("Inst ") {
                transaction.installs.extend(parse_install(rest));
            } else if let Some(rest) = line
                .strip_prefix("Remv ")
                .or_else(|| line.strip_prefix("Purg "))
            {
                let name = rest.split(' ').next().unwrap_or_default();
                transaction.removals.push(name.to_owned());
            }
        }
        transaction
    }

    /// Whether apt would do the same to the host's packages; how much of it is in the cache
    /// already does not matter.
    pub(crate) fn equals(&self, other: &Transaction) -> bool {
        self.installs == other.installs && self.removals == other.removals
    }

    /// Packages that are not on the host yet.
    pub(crate) fn new_packages(&self) -> Vec<String> {
        let new = self
            .installs
            .iter()
            .filter(|install| install.replaces.is_none());
        new.map(|install| install.package.clone()).collect()
    }

    /// Packages that are on the host in another version, each as `NAME OLD → NEW`.
    pub(crate) fn upgrades(&self) -> Vec<String> {
        let upgrade = |install: &PackageInstall| {
            // The same version again: dpkg has only a part of it.
            let old = install
                .replaces
                .as_ref()
                .filter(|old| **old != install.version)?;
            Some(format!("{} {old} → {}", install.package, install.version))
        };
        self.installs.iter().filter_map(upgrade).collect()
    }

    /// Those of `packages` that would be installed, each with its version, as apt takes them.
    pub(crate) fn pinned(&self, packages: &[&str]) -> Vec<String> {
        self.installs
            .iter()
            .filter(|install| packages.contains(&install.package.as_str()))
            .map(|install| format!("{}={}", install.package, install.version))
            .collect()
    }
}

/// Reads `NAME [OLD] (NEW ORIGIN [ARCH])`, of which `[OLD]` may be missing.
fn parse_install(text: &str) -> Option<PackageInstall> {
    let (before, offer) = text.split_once(" (")?;
    let (package, replaces) = match before.split_once(" [") {
        Some((package, old)) => (package, Some(old.trim_end_matches(']').to_owned())),
        None => (before, None),
    };
    let (version, origin) = offer.split_once(' ')?;
    let origin = origin
        .rsplit_once(" [")
        .map_or(origin, |(origin, _)| origin);
    Some(PackageInstall {
        package: package.to_owned(),
        version: version.to_owned(),
        replaces,
        origin: origin.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIMULATED: &str = "\
NOTE: This is only a simulation!
Remv docker.io [26.1.5+dfsg1-9]
Inst pigz (2.8-1 Ubuntu:24.04/noble [amd64])
Inst docker-ce [5:28.0.0-1~ubuntu.24.04~noble] (5:29.5.3-1~ubuntu.24.04~noble Docker CE:noble [amd64]) []
Conf pigz (2.8-1 Ubuntu:24.04/noble [amd64])
";

    #[test]
    fn installs_upgrades_and_removals_are_told_apart() {
        let transaction = Transaction::parse(SIMULATED);
        assert_eq!(transaction.removals, ["docker.io"]);
        assert_eq!(transaction.new_packages(), ["pigz"]);
        let engine = &transaction.installs[1];
        assert_eq!(
            engine.replaces.as_deref(),
            Some("5:28.0.0-1~ubuntu.24.04~noble")
        );
        assert_eq!(engine.version, "5:29.5.3-1~ubuntu.24.04~noble");
        assert!(
            engine.origin.starts_with("Docker CE:noble"),
            "{}",
            engine.origin
        );
    }
}
