//! What is no file in the place of one of a unit's files.

use anyhow::Result;

use super::units;
use crate::engine::obstacle::Obstacle;
use crate::engine::unit::directives::{self, Odd};
use crate::host::Host;
use crate::shell::quoted;

/// What is no file in the place of a unit or a drop-in. With it systemd cannot enable the unit; a pipe
/// it reads when it loads the unit, and then does nothing else any more.
pub(super) fn odd(host: &Host) -> Result<Option<Obstacle>> {
    for unit in units::UNITS {
        let odd = directives::files_of(host, unit)?.odd.into_iter().next();
        let Some((path, kind)) = odd else {
            continue;
        };
        let from = quoted(&path);
        let (what, cure) = match kind {
            Odd::Folder => ("a folder", format!("sudo mv {from} {from}.before")),
            Odd::Pipe => ("a pipe", format!("sudo rm {from}")),
            Odd::Socket => ("a socket", format!("sudo rm {from}")),
            Odd::Link => ("a link that leads nowhere", format!("sudo rm {from}")),
        };
        let fault = match kind {
            Odd::Pipe => "at which systemd would wait for ever".to_owned(),
            _ => format!("with which systemd cannot enable {unit}"),
        };
        return Ok(Some(Obstacle::new(
            format!("{path} is {what}, {fault}"),
            format!("Remove it and run this again: {cure}"),
        )));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    const DROP_IN: &str = "/etc/systemd/system/docker.service.d/own.conf";

    #[test]
    fn what_is_no_file_is_refused_with_the_command_that_removes_it() {
        let stub = StubHost::new().folder("/etc/systemd/system/docker.service.d");
        assert_eq!(odd(stub.host()).unwrap(), None);
        let path = stub.host().path(DROP_IN);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).unwrap();
        let pipe = odd(stub.host()).unwrap().unwrap();
        assert!(
            pipe.cause
                .starts_with(&format!("{DROP_IN} is a pipe, at which"))
        );
        assert!(pipe.cure.ends_with(&format!(": sudo rm {DROP_IN}")));
        std::fs::remove_file(path).unwrap();
        let stub = stub.folder(DROP_IN);
        let folder = odd(stub.host()).unwrap().unwrap();
        let fault = "is a folder, with which systemd cannot enable docker.service";
        assert!(folder.cause.ends_with(fault), "{}", folder.cause);
        assert!(
            folder
                .cure
                .ends_with(&format!(": sudo mv {DROP_IN} {DROP_IN}.before"))
        );
        let link = StubHost::new().link(DROP_IN, "/nonexistent");
        let link = odd(link.host()).unwrap().unwrap();
        assert!(link.cause.contains("a link that leads nowhere"));
        let mask = StubHost::new().link(DROP_IN, "/dev/null");
        assert_eq!(odd(mask.host()).unwrap(), None);
    }
}
