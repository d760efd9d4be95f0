//! Who has packets forwarded on a host, beside the engine.
//!
//! Each answer is a reason for people. It is asked once the engine's own rules and links are gone.

use anyhow::Result;

use super::{IpVersion, KernelSetting, NetworkBaseline, is_engine_bridge, nft};
use crate::host::Host;
use crate::host::links::is_forwarded;

/// Where networkd has its files.
const NETWORKD: &[&str] = &["/etc/systemd/network", "/run/systemd/network"];

/// Rules that are there again after the next boot: of netfilter-persistent.
const PERSISTENT: [(IpVersion, &str); 2] = [
    (IpVersion::V4, "/etc/iptables/rules.v4"),
    (IpVersion::V6, "/etc/iptables/rules.v6"),
];

impl Host {
    /// Why a setting is to stay as the engine made it: somebody else wants it so by now.
    pub(crate) fn wants_setting(
        &self,
        setting: &KernelSetting,
        before: &NetworkBaseline,
    ) -> Result<Option<String>> {
        let asks = |value: &str| value == setting.value;
        if let Some(configured) = self.configured_sysctl(setting.names)?
            && asks(&configured.value)
        {
            return Ok(Some(format!("{} sets it", configured.file)));
        }
        let below = setting.path.trim_start_matches("/proc/sys/");
        if let Some(configured) = self.ufw_sysctl(below)?
            && asks(&configured.value)
        {
            return Ok(Some(format!("ufw sets it by {}", configured.file)));
        }
        match setting.forwards {
            Some(family) => self.forwards(family, before),
            None => Ok(None),
        }
    }

    /// Why packets between other hosts are to be dropped by the rules of a family.
    pub(crate) fn wants_closed(&self, family: IpVersion) -> Result<Option<String>> {
        if self.ufw_closes_forwarding()? {
            return Ok(Some("ufw sets it".to_owned()));
        }
        for (of_family, file) in PERSISTENT {
            let text = self.read_text(file)?.unwrap_or_default();
            if of_family == family && text.lines().any(|line| line.starts_with(":FORWARD DROP")) {
                return Ok(Some(format!("{file} sets it")));
            }
        }
        Ok(None)
    }

    /// Why packets are forwarded, by what was not there before the engine.
    fn forwards(&self, family: IpVersion, before: &NetworkBaseline) -> Result<Option<String>> {
        if let Some(file) = self.networkd_forwards()? {
            return Ok(Some(format!("{file} has packets forwarded")));
        }
        if let Some(name) = self.firewalld_forwards()? {
            return Ok(Some(format!("{name} of firewalld has packets forwarded")));
        }
        let links = self.links()?;
        let is_new = |link: &&String| is_forwarded(link) && !before.links.contains(link);
        if let Some(link) = links.iter().find(is_new) {
            return Ok(Some(format!("{link} is there by now and may need it")));
        }
        for program in self.firewall_programs() {
            if program.family != family {
                continue;
            }
            let known = before.known_rules(program);
            let mut rules = self
                .rules_of(program)?
                .unwrap_or_default()
                .of_forwarding(is_engine_bridge)
                .into_iter();
            if let Some(rule) = rules.find(|rule| !known.contains(rule)) {
                return Ok(Some(format!("rule `{} {rule}` may need it", program.shown)));
            }
        }
        let mut tables = nft::tables(self)?.into_iter();
        let table = tables.find(|it| !nft::is_engines(it) && !before.tables.contains(it));
        Ok(table.map(|table| format!("table {table} of nftables may need it")))
    }

    /// The file by which systemd-networkd turns forwarding on.
    fn networkd_forwards(&self) -> Result<Option<String>> {
        for folder in NETWORKD {
            for name in self.list(folder)? {
                let file = format!("{folder}/{name}");
                let is_network = name.ends_with(".network");
                let text = if is_network {
                    self.read_text(&file)
                        .unwrap_or_default()
                        .unwrap_or_default()
                } else {
                    continue;
                };
                if text.lines().any(forwards_in_networkd) {
                    return Ok(Some(file));
                }
            }
        }
        Ok(None)
    }
}

/// See `systemd.network(5)`.
fn forwards_in_networkd(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else {
        return false;
    };
    let is_on = !matches!(value.trim(), "" | "no" | "false" | "off" | "0");
    matches!(
        key.trim(),
        "IPForward" | "IPv4Forwarding" | "IPv6Forwarding" | "IPMasquerade"
    ) && is_on
}
