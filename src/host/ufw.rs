//! What ufw, Ubuntu's own front end to the firewall, asks for.

use anyhow::Result;

use super::Host;
use super::sysctl::{Configured, assignments};

const CONFIG: &str = "/etc/ufw/ufw.conf";
const DEFAULTS: &str = "/etc/default/ufw";

/// The kernel settings that it makes, unless its defaults name another file.
const SYSCTL: &str = "/etc/ufw/sysctl.conf";

impl Host {
    /// Whether ufw is on. One that was removed but not purged leaves its settings behind.
    pub(crate) fn ufw_is_on(&self) -> Result<bool> {
        if !self.has_program("ufw") {
            return Ok(false);
        }
        let text = self.read_text(CONFIG)?.unwrap_or_default();
        let enabled = value_of(&text, "ENABLED").unwrap_or_default();
        Ok(enabled.eq_ignore_ascii_case("yes"))
    }

    /// Whether ufw is on and has packets between other hosts dropped. It does unless it is told
    /// otherwise.
    pub(crate) fn ufw_closes_forwarding(&self) -> Result<bool> {
        if !self.ufw_is_on()? {
            return Ok(false);
        }
        let text = self.read_text(DEFAULTS)?.unwrap_or_default();
        let policy = value_of(&text, "DEFAULT_FORWARD_POLICY");
        Ok(policy.is_none_or(|policy| !policy.eq_ignore_ascii_case("ACCEPT")))
    }

    /// The value that an enabled ufw gives a kernel setting, which is a path below `/proc/sys`.
    pub(crate) fn ufw_sysctl(&self, setting: &str) -> Result<Option<Configured>> {
        if !self.ufw_is_on()? {
            return Ok(None);
        }
        let defaults = self.read_text(DEFAULTS)?.unwrap_or_default();
        let file = value_of(&defaults, "IPT_SYSCTL").unwrap_or_else(|| SYSCTL.to_owned());
        let text = self.read_text(&file)?.unwrap_or_default();
        let asked = assignments(&text).filter(|(key, _)| key == setting).last();
        Ok(asked.map(|(_, value)| {
            let value = value.to_owned();
            Configured { value, file }
        }))
    }
}

/// The last value of a variable in a file that a shell would read.
fn value_of(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let values = lines.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    values
        .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    fn ufw(enabled: &str, defaults: &str) -> StubHost {
        StubHost::new()
            .program("ufw", "")
            .file(CONFIG, format!("# on or off\nENABLED={enabled}\n"))
            .file(DEFAULTS, defaults)
    }

    #[test]
    fn an_enabled_ufw_closes_forwarding_unless_it_accepts() {
        let closes = |stub: &StubHost| stub.host().ufw_closes_forwarding().unwrap();
        assert!(closes(&ufw("yes", "")));
        assert!(closes(&ufw("yes", "DEFAULT_FORWARD_POLICY=\"REJECT\"\n")));
        assert!(!closes(&ufw("yes", "DEFAULT_FORWARD_POLICY=\"ACCEPT\"\n")));
        assert!(!closes(&ufw("no", "DEFAULT_FORWARD_POLICY=\"DROP\"\n")));
        let removed = StubHost::new().file(CONFIG, "ENABLED=yes\n");
        assert!(!closes(&removed), "its settings alone do nothing");
    }

    #[test]
    fn its_kernel_settings_are_read_from_the_file_that_it_names() {
        let asked = |stub: &StubHost| {
            let asked = stub.host().ufw_sysctl("net/ipv4/ip_forward").unwrap();
            asked.map(|asked| (asked.value, asked.file))
        };
        let stub = ufw("yes", "").file(SYSCTL, "#net/ipv4/ip_forward=1\n");
        assert_eq!(asked(&stub), None);
        let stub = stub.file(SYSCTL, "net/ipv4/ip_forward=1\n");
        assert_eq!(asked(&stub), Some(("1".to_owned(), SYSCTL.to_owned())));
        let stub = stub.file(DEFAULTS, "IPT_SYSCTL=/etc/other\n");
        assert_eq!(asked(&stub), None);
        let off = ufw("no", "").file(SYSCTL, "net/ipv4/ip_forward=1\n");
        assert_eq!(asked(&off), None);
    }
}
