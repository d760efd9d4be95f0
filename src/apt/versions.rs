//! Versions of packages, ordered as dpkg orders them.

use anyhow::{Result, ensure};

use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;

/// The newest of these versions; nothing when there is none.
pub(crate) fn newest<'a>(host: &Host, versions: impl Iterator<Item = &'a str>) -> Result<String> {
    let mut newest = "";
    for version in versions {
        if newest.is_empty() || is_older(host, newest, version)? {
            newest = version;
        }
    }
    Ok(newest.to_owned())
}

/// These versions, the newest first.
pub(crate) fn newest_first<'a>(
    host: &Host,
    versions: impl Iterator<Item = &'a str>,
) -> Result<Vec<&'a str>> {
    let mut sorted: Vec<&str> = Vec::new();
    for version in versions {
        let mut place = 0;
        while place < sorted.len() && !is_older(host, sorted[place], version)? {
            place += 1;
        }
        sorted.insert(place, version);
    }
    Ok(sorted)
}

/// Whether one Debian version is older than another, by dpkg's own reckoning.
pub(crate) fn is_older(host: &Host, version: &str, than: &str) -> Result<bool> {
    let compare = Query::of(Reader::DpkgCompareVersions).args([version, "lt", than]);
    let compared = host.query(&compare)?;
    // It compares some texts that are no versions as well, and only complains.
    ensure!(
        compared.stderr.is_empty(),
        "dpkg cannot compare `{version}` with `{than}`: {}",
        compared.tail()
    );
    match compared.code {
        0 => Ok(true),
        1 => Ok(false),
        _ => compared.success().map(|_| false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        let newest = |versions: &[&str]| newest(&Host::real(), versions.iter().copied()).unwrap();
        assert_eq!(
            newest(&["5:29.9.1-1", "5:29.10.0-1", "5:28.0.0-1"]),
            "5:29.10.0-1"
        );
        assert_eq!(newest(&["5:1.0~rc1", "5:1.0"]), "5:1.0");
        assert_eq!(newest(&[]), "");
    }

    #[test]
    fn a_comparison_that_fails_is_no_answer() {
        for text in ["5:", "a:1", "x1", "5:1_0"] {
            assert!(is_older(&Host::real(), text, "5:29").is_err(), "{text}");
            assert!(is_older(&Host::real(), "5:29", text).is_err(), "{text}");
        }
        for body in ["exit 2", "exit 127", "kill -9 $$", "echo no >&2; exit 1"] {
            let stub = StubHost::new().program("dpkg", body);
            assert!(is_older(stub.host(), "1", "2").is_err(), "{body}");
        }
        assert!(
            is_older(StubHost::new().host(), "1", "2").is_err(),
            "no dpkg"
        );
    }
}
