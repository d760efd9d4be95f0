//! The main job and the way back, on every release.

use crate::host::LabHost;
use crate::world::Request;

on_each_release! {
    /// From a bare host to a proven engine, twice, and back.
    fn a_bare_host_gets_an_engine_and_loses_it_again(host) {
        let bare = host.tree();
        host.dockstrap(["install", "--yes", "--user", "alice"])
            .exits(0)
            .says("works on this host");

        let hello = ["docker", "run", "--rm", "hello-world"];
        host.run_as("alice", hello).exits(0).says("Hello from Docker!");
        host.run_as("bob", hello).exits(126).says("permission denied");

        let installed = host.tree();
        let requests = host.requests();
        host.dockstrap(["install", "--yes", "--user", "alice"])
            .exits(0)
            .says("Nothing to do");
        installed.is_untouched_in(&host.tree());
        assert_eq!(host.requests(), requests, "a second install uses no network");

        host.uninstall().says("Undone").says("--purge-data removes them");
        bare.is_restored_in(&host.tree());
        host.uninstall().says("Nothing to do");
    }

    /// What the servers and the name server saw of an install.
    fn everything_is_asked_for_once_and_of_known_servers_only(host) {
        host.dockstrap(["install", "--yes"]).exits(0);
        let requests = host.requests();
        let docker = |end: &str| count(&requests, "download.docker.com", end);
        assert_eq!(docker("/gpg"), 1, "the key: {requests:#?}");
        // At the end apt alone asks whether this is still the newest, and needs nothing more.
        assert_eq!(docker("/InRelease"), 2, "the index's signature: {requests:#?}");
        let last = requests.iter().rfind(|request| request.host == "download.docker.com");
        assert!(last.is_some_and(|it| it.path.ends_with("/InRelease")), "{requests:#?}");
        let indexes = requests.iter().filter(|request| is_index(&request.path));
        assert_eq!(indexes.count(), 1, "Docker's index only: {requests:#?}");
        let packages: Vec<&str> = paths(&requests).filter(|path| path.ends_with(".deb")).collect();
        for package in [
            "/docker-ce_", "/docker-ce-cli_", "/docker-ce-rootless-extras_", "/containerd.io_",
            "/docker-buildx-plugin_", "/docker-compose-plugin_", "/pigz_",
        ] {
            let times = packages.iter().filter(|path| path.contains(package)).count();
            assert_eq!(times, 1, "{package}: {packages:#?}");
        }
        assert_eq!(packages.len(), 7, "no other package: {packages:#?}");
        let archive = requests.iter().filter(|request| request.host == "archive.ubuntu.com");
        assert_eq!(archive.count(), 1, "of Ubuntu's archive only pigz: {requests:#?}");
        assert!(requests.iter().all(|request| request.status < 400), "{requests:#?}");

        let known = ["download.docker.com", "archive.ubuntu.com", "registry-1.docker.io"];
        for Request { host, .. } in &requests {
            assert!(known.contains(&host.as_str()), "{host} is none of {known:?}");
        }
        for (kind, name) in host.name_queries() {
            assert!(may_be_asked(&kind, &name), "who asks for {name} ({kind})?");
        }
    }
}

/// The names that may be looked up past the host's own list of hosts.
fn may_be_asked(kind: &str, name: &str) -> bool {
    const SERVERS: &[&str] = &[
        "download.docker.com",
        "archive.ubuntu.com",
        "registry-1.docker.io",
        "auth.docker.io",
        // The engine looks up the registry by its short name when it pulls.
        "docker.io",
        "index.docker.io",
    ];
    // apt asks for the service first (RFC 2782), under the scheme of its source.
    let service = name
        .strip_prefix("_https._tcp.")
        .or_else(|| name.strip_prefix("_http._tcp."));
    match service {
        Some(server) => kind == "SRV" && SERVERS.contains(&server),
        None => SERVERS.contains(&name),
    }
}

/// An index may be asked for in any compression.
fn is_index(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name == "Packages" || name.starts_with("Packages.") || path.contains("/by-hash/")
}

fn paths(requests: &[Request]) -> impl Iterator<Item = &str> {
    requests.iter().map(|request| request.path.as_str())
}

fn count(requests: &[Request], host: &str, end: &str) -> usize {
    let asked = requests.iter().filter(|request| request.host == host);
    asked.filter(|request| request.path.ends_with(end)).count()
}
