//! dpkg's status file, as text that apt is to believe in a private view.

use anyhow::Result;

use crate::facts::{STATUS, notes};
use crate::host::Host;

/// The status with dpkg's notes merged in, as it will be once dpkg has merged them; `None` when
/// there are none. apt itself reads the file alone.
pub(crate) fn merged(host: &Host) -> Result<Option<String>> {
    let notes = notes(host)?;
    if notes.is_empty() {
        return Ok(None);
    }
    let status = host.read_text(STATUS)?.unwrap_or_default();
    let mut stanzas: Vec<&str> = stanzas(&status).collect();
    for note in notes.iter().flat_map(|text| self::stanzas(text)) {
        match stanzas.iter_mut().find(|known| name(known) == name(note)) {
            Some(known) => *known = note,
            None => stanzas.push(note),
        }
    }
    Ok(Some(join(&stanzas)))
}

/// The status as if no package of these names were there.
pub(crate) fn without(host: &Host, is_meant: impl Fn(&str) -> bool) -> Result<String> {
    let status = host.read_text(STATUS)?.unwrap_or_default();
    let left = stanzas(&status).filter(|stanza| {
        let (package, _) = name(stanza);
        !is_meant(package.unwrap_or_default())
    });
    Ok(join(&left.collect::<Vec<_>>()))
}

fn stanzas(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n")
        .map(str::trim_end)
        .filter(|stanza| !stanza.is_empty())
}

/// A package is known by its name together with its architecture.
fn name(stanza: &str) -> (Option<&str>, Option<&str>) {
    let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name));
    (field("Package: "), field("Architecture: "))
}

fn join(stanzas: &[&str]) -> String {
    let mut text = stanzas.join("\n\n");
    text.push_str("\n\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    fn stanza(package: &str, status: &str) -> String {
        format!("Package: {package}\nStatus: {status}\nArchitecture: amd64\n\n")
    }

    #[test]
    fn the_last_note_on_a_package_counts() {
        let stub =
            StubHost::new().file(STATUS, stanza("a", "installed") + &stanza("b", "installed"));
        assert_eq!(merged(stub.host()).unwrap(), None);
        let stub = stub
            .file("/var/lib/dpkg/updates/0000", stanza("c", "half-installed"))
            .file("/var/lib/dpkg/updates/0001", stanza("b", "half-configured"))
            .file("/var/lib/dpkg/updates/0002", stanza("c", "unpacked"))
            .file("/var/lib/dpkg/updates/tmp.i", "Pack");
        let expected =
            stanza("a", "installed") + &stanza("b", "half-configured") + &stanza("c", "unpacked");
        assert_eq!(merged(stub.host()).unwrap(), Some(expected));
    }

    #[test]
    fn packages_are_left_out_by_their_names() {
        let stub = StubHost::new().file(
            STATUS,
            stanza("a", "installed") + &stanza("ab", "installed"),
        );
        let left = without(stub.host(), |package| package == "a").unwrap();
        assert_eq!(left, stanza("ab", "installed"));
    }
}
