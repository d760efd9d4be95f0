//! Where the engine is to listen: the docker command must reach it, and nobody else should.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::service;
use crate::daemon_config::{self, Document, is_said_by_flag, verifies_tls};
use crate::docker::{SOCKET, SOCKET_UNIT, UNIT};
use crate::engine::obstacle::Obstacle;
use crate::engine::unit::directives::{self, Directive, in_force};
use crate::engine::unit::words;
use crate::host::Host;
use crate::host::listening::Listening;
use crate::report::{Event, Listener};

/// The engine's port on the network, without TLS and with it.
const PORTS: [u16; 2] = [2375, 2376];

/// An engine that would not be reached, or cannot listen. One that runs is not to be judged.
pub(super) fn check(
    host: &Host,
    configuration: &Document,
    flags: &[String],
    listener: Listener<'_>,
) -> Result<Option<Obstacle>> {
    let named = configuration.get("hosts").and_then(Value::as_array);
    let addresses: Vec<&str> = named
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let settings = directives::of_unit(host, UNIT)?;
    let start = in_force(&settings, "ExecStart")
        .pop()
        .filter(|_| is_said_by_flag("hosts", flags));
    let verifies = verifies_tls(configuration);
    let is_open = |address: &str| {
        let socket = tcp(address, verifies);
        socket.is_some_and(|(ip, _)| !ip.is_loopback()) && !verifies
    };
    let open = addresses.iter().copied().find(|address| is_open(address));
    // What a file says that only root may read is not known.
    let is_known = !flags.iter().any(|flag| flag.contains('$'));
    if is_known && !addresses.is_empty() && !addresses.iter().any(|it| is_own(it)) {
        return Ok(Some(unreachable(start, &addresses, open)));
    }
    let elsewhere = by_systemd(host, listener)?;
    if elsewhere.is_some()
        && !addresses.is_empty()
        && addresses.iter().all(|it| it.starts_with("fd://"))
    {
        return Ok(elsewhere);
    }
    if let Some(open) = open {
        let text = format!(
            "{}: {open} is open to the network without tlsverify: whoever reaches it is root on \
             this host",
            place(start)
        );
        listener(Event::Warning { text });
    }
    if !host.runs_systemd()? {
        return Ok(None); // in a chroot, ports are those of the host around it
    }
    for address in &addresses {
        if let Some((ip, port)) = tcp(address, verifies)
            && let Some(taken) = host.listening(ip, port)?
            && !taken.is_of(UNIT)
        {
            return Ok(Some(in_use(start, address, port, &taken)));
        }
    }
    Ok(None)
}

/// What docker.socket listens on in the engine's place: an obstacle where that is not the socket that
/// the docker command looks for. A port is warned of.
fn by_systemd(host: &Host, listener: Listener<'_>) -> Result<Option<Obstacle>> {
    let mut settings = directives::of_unit(host, SOCKET_UNIT)?;
    for setting in &mut settings {
        setting.value = words::resolved(&setting.value);
    }
    let streams = in_force(&settings, "ListenStream");
    for stream in streams.iter().filter(|it| is_open_stream(&it.value)) {
        let text = format!(
            "{}: ListenStream={} is open to the network: whoever reaches it is root on this host",
            stream.place(),
            stream.value
        );
        listener(Event::Warning { text });
    }
    let is_own = |it: &&Directive| is_socket(&it.value);
    let reset = settings
        .iter()
        .rfind(|it| it.name == "ListenStream" && it.value.is_empty());
    let Some(reset) = reset.filter(|_| !streams.iter().any(is_own)) else {
        return Ok(None);
    };
    Ok(Some(Obstacle::new(
        format!(
            "{}: ListenStream= without {SOCKET} after it, where the docker command looks",
            reset.place()
        ),
        format!(
            "Add it: {}",
            service::edit(reset, &format!("#a ListenStream={SOCKET}"))
        ),
    )))
}

/// Whether systemd listens there on the network: a port alone is open on every address.
fn is_open_stream(value: &str) -> bool {
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    is_port(value) || tcp(&format!("tcp://{value}"), false).is_some_and(|(ip, _)| !ip.is_loopback())
}

/// Where the addresses come from: the line of the unit, or the engine's file.
fn place(start: Option<&Directive>) -> String {
    start.map_or_else(|| daemon_config::PATH.to_owned(), Directive::place)
}

fn unreachable(start: Option<&Directive>, addresses: &[&str], open: Option<&str>) -> Obstacle {
    let warning = open.map_or(String::new(), |open| {
        format!("; {open} is open without tlsverify, and whoever reaches it is root on this host")
    });
    let (missing, cure) = match start {
        Some(start) => (
            "-H fd://",
            format!("Add it: {}", service::edit(start, "#s|dockerd|& -H fd://|")),
        ),
        None => (
            "\"fd://\" among hosts",
            format!(
                "Add it: sudo sed -i 's|\"hosts\" *: *\\[|&\"fd://\", |' {}",
                daemon_config::PATH
            ),
        ),
    };
    Obstacle::new(
        format!(
            "{}: the engine is to listen on {} only, where the docker command does not look: \
             {missing} is missing{warning}",
            place(start),
            addresses.join(" and ")
        ),
        cure,
    )
}

fn in_use(start: Option<&Directive>, address: &str, port: u16, taken: &Listening) -> Obstacle {
    let by = taken.to_string();
    Obstacle::new(
        format!("{}: {address}: port {port} is in use by {by}", place(start)),
        match taken.end() {
            Some(end) => format!("Stop that, or name another port: {end}"),
            None => format!(
                "Stop that, or name another port: sudo ss --listening --tcp --processes 'sport = :{port}'"
            ),
        },
    )
}

/// Whether the docker command reaches it by itself.
fn is_own(address: &str) -> bool {
    let path = address.strip_prefix("unix://");
    address.starts_with("fd://") || path.is_some_and(|path| path.is_empty() || is_socket(path))
}

/// Whether it is the path of the socket where the docker command looks, however it is written.
fn is_socket(path: &str) -> bool {
    [SOCKET, "/var/run/docker.sock"]
        .iter()
        .any(|socket| Path::new(path) == Path::new(socket))
}

/// Address and port of what is to listen on the network.
fn tcp(address: &str, is_tls: bool) -> Option<(IpAddr, u16)> {
    let rest = address.strip_prefix("tcp://")?;
    let rest = rest.split('/').next().unwrap_or_default();
    let (ip, port) = match rest.rsplit_once(':') {
        Some((ip, port)) if !port.ends_with(']') => (ip, port.parse().ok()?),
        _ => (rest, PORTS[usize::from(is_tls)]),
    };
    let ip = ip.trim_matches(['[', ']']);
    Some(match ip {
        "" => (Ipv4Addr::LOCALHOST.into(), port), // as dockerd takes it
        "localhost" => (Ipv4Addr::LOCALHOST.into(), port),
        ip => (ip.parse().ok()?, port),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::with_flags;
    use crate::host::stub::StubHost;
    use std::cell::RefCell;

    const DROP_IN: &str = "/etc/systemd/system/docker.service.d/own.conf";

    /// What is in the way of an engine with this file and these flags, and what is warned of.
    fn judged(stub: &StubHost, text: &str, flags: &[&str]) -> (Option<Obstacle>, Vec<Event>) {
        let told = RefCell::new(Vec::new());
        let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
        let document = with_flags(&Document::parse(text.as_bytes()).unwrap(), &flags);
        let listener = |event| told.borrow_mut().push(event);
        let found = check(stub.host(), &document, &flags, &listener).unwrap();
        (found, told.into_inner())
    }

    #[test]
    fn an_engine_that_the_docker_command_reaches_is_let_through() {
        let stub = StubHost::new();
        for (text, flags) in [
            ("{}", &[][..]),
            ("{}", &["-H", "fd://"]),
            ("{}", &["-H", "unix:///var/run/docker.sock"]),
            ("{}", &["-H", "unix:///run//docker.sock"]),
            ("{}", &["-H", "tcp://127.0.0.1:2375", "$HIDDEN"]),
            (r#"{"hosts": ["tcp://127.0.0.1:2375", "fd://"]}"#, &[]),
            (
                "{}",
                &["-H", "tcp://0.0.0.0:2376", "--host=fd://", "--tlsverify"],
            ),
            ("{}", &["-H", "tcp://0.0.0.0:2376", "-H", "fd://", "--tls"]),
        ] {
            assert_eq!(
                judged(&stub, text, flags),
                (None, vec![]),
                "{text} {flags:?}"
            );
        }
    }

    #[test]
    fn one_that_it_does_not_reach_is_refused_with_the_line_to_edit() {
        let start = "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H tcp://0.0.0.0:2375\n";
        let stub = StubHost::new().file(DROP_IN, start);
        let (found, _) = judged(&stub, "{}", &["-H", "tcp://0.0.0.0:2375"]);
        let found = found.unwrap();
        let begin =
            format!("{DROP_IN}, line 3: the engine is to listen on tcp://0.0.0.0:2375 only");
        assert!(found.cause.starts_with(&begin), "{}", found.cause);
        assert!(
            found.cause.contains("-H fd:// is missing"),
            "{}",
            found.cause
        );
        assert!(
            found.cause.contains("is root on this host"),
            "{}",
            found.cause
        );
        let sed = format!("sudo sed -i '3s|dockerd|& -H fd://|' {DROP_IN} && sudo systemctl");
        assert!(found.cure.contains(&sed), "{}", found.cure);

        let hosts = r#"{"hosts": ["tcp://127.0.0.1:2375"]}"#;
        let (found, _) = judged(&StubHost::new(), hosts, &[]);
        let found = found.unwrap();
        assert!(
            found.cause.starts_with(daemon_config::PATH),
            "{}",
            found.cause
        );
        assert!(!found.cause.contains("is root"), "{}", found.cause);
    }

    #[test]
    fn an_open_port_is_warned_of_and_one_in_use_is_refused_with_who_has_it() {
        let flags = ["-H", "fd://", "-H", "tcp://0.0.0.0:2375"];
        let (found, told) = judged(&StubHost::new(), "{}", &flags);
        assert_eq!(found, None);
        assert_eq!(told.len(), 1, "{told:?}");
        let stub = StubHost::new().file(
            "/proc/net/tcp",
            "  sl  local_address\n   0: 0100007F:0947 00000000:0000 0A 0:0 0:0 0 0 0 77 1\n",
        );
        let (found, _) = judged(&stub, "{}", &flags);
        let found = found.unwrap();
        assert!(
            found.cause.contains("port 2375 is in use"),
            "{}",
            found.cause
        );
    }

    #[test]
    fn a_socket_of_systemds_elsewhere_is_refused_and_an_open_one_warned_of() {
        let path = "/etc/systemd/system/docker.socket.d/own.conf";
        let flags = ["-H", "fd://"];
        let moved =
            StubHost::new().file(path, "[Socket]\nListenStream=\nListenStream=/run/x.sock\n");
        let (found, _) = judged(&moved, "{}", &flags);
        let found = found.unwrap();
        assert!(
            found.cause.starts_with(&format!("{path}, line 2: ")),
            "{}",
            found.cause
        );
        assert!(
            found
                .cure
                .contains("sed -i '2a ListenStream=/run/docker.sock'"),
            "{}",
            found.cure
        );
        for own in [
            "%t/docker.sock",
            "/var/run/docker.sock",
            "/run//docker.sock",
        ] {
            let text = format!("[Socket]\nListenStream=\nListenStream={own}\n");
            let stub = StubHost::new().file(path, text);
            assert_eq!(judged(&stub, "{}", &flags), (None, vec![]), "{own}");
        }
        for (stream, warnings) in [("2375", 1), ("0.0.0.0:2375", 1), ("127.0.0.1:2375", 0)] {
            let stub = StubHost::new().file(path, format!("ListenStream={stream}\n"));
            let (found, told) = judged(&stub, "{}", &flags);
            assert_eq!((found, told.len()), (None, warnings), "{stream}");
        }
    }

    #[test]
    fn addresses_are_read_as_dockerd_reads_them() {
        let shown = |text: &str| tcp(text, false).map(|(ip, port)| format!("{ip} {port}"));
        assert_eq!(shown("tcp://0.0.0.0:99").as_deref(), Some("0.0.0.0 99"));
        assert_eq!(shown("tcp://[::1]:99").as_deref(), Some("::1 99"));
        assert_eq!(shown("tcp://10.0.0.1").as_deref(), Some("10.0.0.1 2375"));
        assert_eq!(shown("tcp://:99").as_deref(), Some("127.0.0.1 99"));
        assert_eq!(shown("fd://"), None);
    }
}
