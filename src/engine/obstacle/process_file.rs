//! The file with the number of the engine's process. An engine does not start while it names one
//! that runs, whatever program that is.

use anyhow::Result;

use super::Obstacle;
use crate::daemon_config::Document;
use crate::docker::UNIT;
use crate::host::Host;
use crate::host::lock::Holder;
use crate::shell::quoted;

/// Where the engine writes it when no other place is configured.
const PATH: &str = "/run/docker.pid";

/// The process that keeps an engine from starting. The engine's unit must not run.
pub(crate) fn problem(host: &Host, configuration: &Document) -> Result<Option<Obstacle>> {
    let named = configuration
        .get("pidfile")
        .and_then(|value| value.as_str());
    let path = named.filter(|path| path.starts_with('/')).unwrap_or(PATH);
    if host.path(path).is_dir() {
        let from = quoted(path);
        return Ok(Some(Obstacle::new(
            format!("{path} is a folder, and the engine does not start without its file there"),
            format!("Move it away and run this again: sudo mv {from} {from}.before"),
        )));
    }
    let text = host.read_text(path)?.unwrap_or_default();
    let Ok(pid) = text.trim().parse::<i32>() else {
        return Ok(None);
    };
    // A number that nobody has does no harm, and one of the unit's own may be about to start or stop.
    let service = host.service_of(pid);
    let is_of_unit = service.as_ref().is_some_and(|it| it.is_of_system(UNIT));
    let Some(Holder { program, .. }) = host.process(pid).filter(|_| !is_of_unit) else {
        return Ok(None);
    };
    Ok(Some(if program == "dockerd" {
        Obstacle::new(
            format!("an engine runs already, outside of its unit (dockerd, pid {pid})"),
            format!(
                "Stop it and run this again: {}",
                service.map_or_else(|| format!("sudo kill {pid}"), |it| it.stop())
            ),
        )
    } else {
        Obstacle::new(
            format!(
                "{path} names pid {pid}, which is {program} and not the engine; the engine does \
                 not start while that process runs"
            ),
            format!(
                "Remove the file and run this again: sudo rm {}",
                quoted(path)
            ),
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn a_folder_in_its_place_is_refused() {
        let stub = StubHost::new().folder(PATH);
        let found = problem(stub.host(), &Document::new()).unwrap().unwrap();
        assert!(
            found.cause.starts_with("/run/docker.pid is a folder"),
            "{found:?}"
        );
        let end = ": sudo mv /run/docker.pid /run/docker.pid.before";
        assert!(found.cure.ends_with(end), "{found:?}");
    }

    #[test]
    fn a_number_counts_while_a_process_has_it() {
        let document = |text: &str| Document::parse(text.as_bytes()).unwrap();
        let stub = StubHost::new()
            .file(PATH, "77\n")
            .file("/srv/pid", "78")
            .file("/proc/78/comm", "dockerd\n");
        assert_eq!(problem(stub.host(), &document("{}")).unwrap(), None);
        let stub = stub.file("/proc/77/comm", "sleep\n");
        let found = problem(stub.host(), &document("{}")).unwrap().unwrap();
        assert!(found.cause.contains("pid 77, which is sleep"), "{found:?}");
        assert!(
            found.cure.ends_with(": sudo rm /run/docker.pid"),
            "{found:?}"
        );
        let own = stub.file("/proc/77/cgroup", "0::/system.slice/docker.service\n");
        assert_eq!(problem(own.host(), &document("{}")).unwrap(), None);
        let elsewhere = document(r#"{"pidfile": "/srv/pid"}"#);
        let found = problem(own.host(), &elsewhere).unwrap().unwrap();
        assert!(found.cure.ends_with(": sudo kill 78"), "{found:?}");
        let other = own.file(
            "/proc/78/cgroup",
            "0::/system.slice/snap.docker.dockerd.service\n",
        );
        let found = problem(other.host(), &elsewhere).unwrap().unwrap();
        let stop = ": sudo systemctl stop snap.docker.dockerd.service";
        assert!(found.cure.ends_with(stop), "{found:?}");
    }
}
