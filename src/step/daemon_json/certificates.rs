//! Where the engine looks for its certificate when a flag asks for TLS, and what it finds there.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;

use crate::daemon_config::{CERTIFICATE_FILES, Certificates, Document, speaks_tls};
use crate::engine::unit;
use crate::host::Host;

/// The home of root, whose folder it is where the environment names none.
const HOME: &str = "/root";

/// `None` where it does not matter, or stands in a file that only root may read.
///
/// Source: `daemon/command/options.go` of moby.
pub(super) fn look(host: &Host, document: &Document) -> Result<Option<Certificates>> {
    if !speaks_tls(document) || !host.has_program("systemctl") {
        return Ok(None);
    }
    let environment = unit::environment(host)?;
    let value = |name: &str| environment.value(name).filter(|it| !it.is_empty());
    let names = [
        "DOCKER_CERT_PATH",
        "DOCKER_CONFIG",
        "HOME",
        "DOCKER_TLS_VERIFY",
    ];
    if names.iter().any(|name| environment.value(name).is_none()) {
        return Ok(None);
    }
    let home = || Path::new(value("HOME").unwrap_or(HOME)).join(".docker");
    let named = value("DOCKER_CERT_PATH").or(value("DOCKER_CONFIG"));
    let folder = Path::new("/").join(named.map_or_else(home, Into::into));
    let is_absent = |file: &&str| {
        let there = std::fs::metadata(host.path(folder.join(file)));
        there.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    };
    Ok(Some(Certificates {
        absent: CERTIFICATE_FILES.into_iter().filter(is_absent).collect(),
        folder: folder.display().to_string(),
        is_asked_for: value("DOCKER_TLS_VERIFY").is_some(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const DROP_IN: &str = "/etc/systemd/system/docker.service.d/own.conf";

    fn seen(stub: &StubHost) -> Certificates {
        let document = Document::parse(br#"{"tlsverify": true}"#).unwrap();
        look(stub.host(), &document).unwrap().unwrap()
    }

    #[test]
    fn the_environment_says_where_certificates_are_looked_for() {
        let stub = StubHost::new()
            .program("systemctl", "")
            .file("/etc/docker/tls/cert.pem", "")
            .file("/etc/docker/tls/key.pem", "");
        let usual = seen(&stub);
        assert_eq!(usual.folder, "/root/.docker");
        assert_eq!(usual.absent, CERTIFICATE_FILES);
        for (environment, folder) in [
            (
                "DOCKER_CERT_PATH=/etc/docker/tls DOCKER_CONFIG=/x",
                "/etc/docker/tls",
            ),
            ("DOCKER_CONFIG=/etc/docker/tls", "/etc/docker/tls"),
            ("HOME=/srv", "/srv/.docker"),
        ] {
            stub.write(DROP_IN, format!("[Service]\nEnvironment={environment}\n"));
            assert_eq!(seen(&stub).folder, folder, "{environment}");
        }
        stub.write(
            DROP_IN,
            "Environment=DOCKER_CERT_PATH=/etc/docker/tls DOCKER_TLS_VERIFY=1\n",
        );
        let named = seen(&stub);
        assert_eq!(named.absent, ["ca.pem"]);
        assert!(named.is_asked_for);
        let loaded = stub.program(
            "systemctl",
            "case \"$*\" in *ExecStart*) echo '{ argv[]=/usr/bin/dockerd ; }' ;;
             *) echo Environment=DOCKER_CERT_PATH=/loaded ;; esac",
        );
        assert_eq!(seen(&loaded).folder, "/loaded");
        let plain = Document::parse(b"{}").unwrap();
        assert_eq!(look(loaded.host(), &plain).unwrap(), None);
    }
}
