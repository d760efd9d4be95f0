//! Who listens on a port of this host.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::Result;

use super::Host;
use super::lock::Holder;
use super::service::Service;

/// The state of a socket that listens; see `proc_net_tcp(5)`.
const LISTENS: &str = "0A";

/// A process that listens, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listening {
    holder: Option<Holder>,
    /// The service to which it belongs.
    service: Option<Service>,
}

impl Listening {
    /// Whether it belongs to this service of the system.
    pub(crate) fn is_of(&self, unit: &str) -> bool {
        let service = self.service.as_ref();
        service.is_some_and(|service| service.is_of_system(unit))
    }

    /// The command that ends it.
    pub(crate) fn end(&self) -> Option<String> {
        match (&self.service, &self.holder) {
            (Some(service), _) => Some(service.stop()),
            (None, Some(holder)) => Some(format!("sudo kill {}", holder.pid)),
            (None, None) => None,
        }
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Some(Holder { pid, program }) => write!(formatter, "{program} (pid {pid})")?,
            None => formatter.write_str("another program")?,
        }
        match self.service.as_ref().and_then(Service::user) {
            Some(user) => write!(formatter, " of user {user}"),
            None => Ok(()),
        }
    }
}

impl Host {
    /// Who listens where a program could then not listen on this address.
    pub(crate) fn listening(&self, ip: IpAddr, port: u16) -> Result<Option<Listening>> {
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let text = self.read_text(table)?.unwrap_or_default();
            let mut sockets = text.lines().skip(1).filter_map(parse);
            let taken = sockets.find(|socket| {
                let meets = socket.ip.is_unspecified() || ip.is_unspecified() || socket.ip == ip;
                socket.port == port && meets
            });
            if let Some(socket) = taken {
                let holder = self.holder_of(&socket.inode)?;
                let service = holder
                    .as_ref()
                    .and_then(|holder| self.service_of(holder.pid));
                return Ok(Some(Listening { holder, service }));
            }
        }
        Ok(None)
    }

    /// The process that has this socket open; only root can find those of others.
    fn holder_of(&self, inode: &str) -> Result<Option<Holder>> {
        let link = format!("socket:[{inode}]");
        let has_it = |pid: &i32| {
            let folder = format!("/proc/{pid}/fd");
            let mut files = self
                .list(&folder)
                .unwrap_or_default()
                .into_iter()
                .map(|name| std::fs::read_link(self.path(&folder).join(name)));
            files.any(|file| file.is_ok_and(|file| file.as_os_str() == link.as_str()))
        };
        let pid = self.pids()?.into_iter().find(has_it);
        Ok(pid.and_then(|pid| self.process(pid)))
    }
}

struct Socket {
    ip: IpAddr,
    port: u16,
    inode: String,
}

/// Reads `N: ADDRESS:PORT ADDRESS:PORT STATE … INODE …` of a socket that listens. Addresses are in
/// hexadecimal and lie in memory as they are sent, in words that on our machines read backwards.
fn parse(line: &str) -> Option<Socket> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = fields.get(1)?.split_once(':')?;
    if *fields.get(3)? != LISTENS {
        return None;
    }
    let word = |at: usize| {
        let word = u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok()?;
        Some(word.swap_bytes())
    };
    let ip: IpAddr = match address.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        _ => {
            let words = (0..4).map(word).collect::<Option<Vec<u32>>>()?;
            let number = words
                .iter()
                .fold(0_u128, |all, word| (all << 32) | u128::from(*word));
            Ipv6Addr::from(number).to_canonical()
        }
    };
    Some(Socket {
        ip,
        port: u16::from_str_radix(port, 16).ok()?,
        inode: (*fields.get(9)?).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use crate::host::stub::StubHost;

    #[test]
    fn whoever_listens_is_named_with_what_ends_it() {
        let stub = StubHost::new()
            .file(
                "/proc/net/tcp",
                "  sl  local_address rem_address   st\n   \
                 0: 0100007F:0947 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1\n   \
                 1: 0100007F:0950 0100007F:0947 01 00000000:00000000 00:00000000 00000000 0 0 78 1\n",
            )
            .file(
                "/proc/net/tcp6",
                "  sl\n   0: 00000000000000000000000000000000:0051 \
                 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 79 1\n",
            )
            .file("/proc/9/comm", "python3\n")
            .file("/proc/9/cgroup", "0::/user.slice/session-1.scope\n")
            .link("/proc/9/fd/3", "socket:[77]")
            .file("/proc/8/comm", "nginx\n")
            .file("/proc/8/cgroup", "0::/system.slice/nginx.service\n")
            .link("/proc/8/fd/3", "socket:[79]");
        let at = |ip: &str, port: u16| stub.host().listening(ip.parse().unwrap(), port).unwrap();
        let local = at("0.0.0.0", 2375).unwrap();
        assert_eq!(local.to_string(), "python3 (pid 9)");
        assert_eq!(local.end().unwrap(), "sudo kill 9");
        assert_eq!(at("192.0.2.1", 2375), None);
        assert_eq!(at("127.0.0.1", 2384), None, "a connection");
        let all = at("192.0.2.1", 81).unwrap();
        assert_eq!(all.end().unwrap(), "sudo systemctl stop nginx.service");
        assert_eq!(at("127.0.0.1", 80), None);
        let group = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service\n";
        let stub = stub
            .program("getent", "echo alice:x:1000:1000::/:")
            .file("/proc/9/comm", "dockerd\n")
            .file("/proc/9/cgroup", group);
        let ip = "127.0.0.1".parse().unwrap();
        let rootless = stub.host().listening(ip, 2375).unwrap().unwrap();
        assert!(!rootless.is_of("docker.service"));
        assert_eq!(rootless.to_string(), "dockerd (pid 9) of user alice");
        let end = rootless.end().unwrap();
        assert_eq!(
            end,
            "sudo systemctl --user --machine=alice@ stop docker.service"
        );
    }
}
