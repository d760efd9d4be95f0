//! firewalld: whether it runs and forwards, and what the engine adds to it.

use anyhow::Result;

use super::Host;
use super::command::Query;
use super::query::Reader;

const UNIT: &str = "firewalld.service";

/// The engine's zone.
const ZONE: &str = "docker";

/// The files of what the engine adds, a policy before the zone that it names, with the elements
/// that the engine gives each.
///
/// Source: `daemon/libnetwork/iptables/firewalld.go` in <https://github.com/moby/moby>.
const OF_THE_ENGINE: &[(&str, &[&str])] = &[
    (
        "/etc/firewalld/policies/docker-forwarding.xml",
        &[
            "policy",
            "short",
            "description",
            "ingress-zone",
            "egress-zone",
        ],
    ),
    (
        "/etc/firewalld/zones/docker.xml",
        &["zone", "short", "description", "interface", "forward"],
    ),
];

/// A file of firewalld that has the name of one of the engine's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Addition {
    pub path: &'static str,
    /// Whether there is more in it than the engine writes.
    pub is_extended: bool,
}

impl Host {
    pub(crate) fn runs_firewalld(&self) -> Result<bool> {
        let is_active = Query::of(Reader::SystemctlIsActive).arg(UNIT);
        Ok(self.runs_systemd()? && self.query(&is_active)?.code == 0)
    }

    /// The files that an engine adds to firewalld, those that are there.
    pub(crate) fn firewalld_additions(&self) -> Result<Vec<Addition>> {
        let mut additions = Vec::new();
        for (path, elements) in OF_THE_ENGINE {
            if let Some(text) = self.read_text(path)? {
                let is_extended = element_names(&text).any(|it| !elements.contains(&it));
                additions.push(Addition { path, is_extended });
            }
        }
        Ok(additions)
    }

    /// The zone or policy by which a running firewalld translates addresses for others than the
    /// engine, which has it turn forwarding on.
    pub(crate) fn firewalld_forwards(&self) -> Result<Option<String>> {
        if !self.runs_firewalld()? {
            return Ok(None);
        }
        for list in [Reader::FirewalldZones, Reader::FirewalldPolicies] {
            let listed = self.query(&Query::of(list))?.stdout;
            if let Some(name) = translating(&listed) {
                return Ok(Some(name.to_owned()));
            }
        }
        Ok(None)
    }
}

/// The names of the elements of a simple XML document.
fn element_names(text: &str) -> impl Iterator<Item = &str> {
    let tags = text.split('<').skip(1);
    let names = tags.map(|tag| {
        let end = tag.find(|letter: char| letter.is_whitespace() || "/>".contains(letter));
        &tag[..end.unwrap_or(tag.len())]
    });
    names.filter(|name| !name.is_empty() && !name.starts_with(['?', '!']))
}

/// The first of the listed, each under a line with its name, that translates addresses.
fn translating(listed: &str) -> Option<&str> {
    let mut name = "";
    for line in listed.lines() {
        if !line.starts_with(char::is_whitespace) {
            name = line.split_whitespace().next().unwrap_or_default();
        } else if let Some((key, value)) = line.split_once(':')
            && name != ZONE
        {
            let value = value.trim();
            match key.trim() {
                "masquerade" if value == "yes" => return Some(name),
                "forward-ports" if !value.is_empty() => return Some(name),
                _ => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn what_the_engine_writes_is_told_from_what_somebody_added() {
        let path = "/etc/firewalld/zones/docker.xml";
        let own = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone version=\"1.0\" \
             target=\"ACCEPT\">\n  <short>docker</short>\n  <description>zone for docker bridge \
             network interfaces</description>\n</zone>\n";
        let additions = |text: &str| {
            let stub = StubHost::new().file(path, text);
            stub.host().firewalld_additions().unwrap()
        };
        let is_extended = false;
        assert_eq!(additions(own), [Addition { path, is_extended }]);
        let more = own.replace("</zone>", "<service name=\"ssh\"/></zone>");
        assert!(additions(&more)[0].is_extended);
        assert_eq!(StubHost::new().host().firewalld_additions().unwrap(), []);
    }

    #[test]
    fn a_zone_of_others_that_masquerades_forwards() {
        let zones = |name: &str, masquerade: &str| {
            format!(
                "block\n  target: %%REJECT%%\n  masquerade: no\n  forward-ports: \n\n\
                 {name} (active)\n  masquerade: {masquerade}\n  forward-ports: \n"
            )
        };
        assert_eq!(translating(&zones("public", "yes")), Some("public"));
        assert_eq!(translating(&zones("public", "no")), None);
        assert_eq!(translating(&zones("docker", "yes")), None);
        let port = "public\n  forward-ports: \n\tport=80:proto=tcp:toport=8080:toaddr=\n";
        assert_eq!(translating(port), None);
    }
}
