//! Where apt and dpkg write when they install packages.

use anyhow::Result;

use crate::apt;
use crate::facts::STATUS;
use crate::host::Host;

/// One of the files that packages bring.
const PROGRAM: &str = "/usr/bin/docker";

/// A place on each file system that must be writable. apt itself may see to that.
pub(super) fn written(host: &Host) -> Result<Vec<String>> {
    let archives = format!("{}/lock", apt::ARCHIVES);
    let mut written = Vec::new();
    for place in [PROGRAM, STATUS, &archives] {
        if !apt::makes_writable(host, place)? {
            written.push(place.to_owned());
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn what_a_hook_of_apts_remounts_need_not_be_writable_before() {
        let written = |hook: &str| {
            let stub = StubHost::new()
                .folder("/usr/bin")
                .file(
                    "/proc/self/mountinfo",
                    "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
                     23 22 8:2 / /usr ro shared:2 - ext4 /dev/sda2 ro\n",
                )
                .program("apt-config", &format!("echo 'DPkg::{hook}';"));
            let refused = stub.host().refuse_immutable(PROGRAM);
            assert!(refused.is_err(), "it is mounted read-only");
            written(stub.host()).unwrap()
        };
        let archives = "/var/cache/apt/archives/lock";
        let remounts = "Pre-Invoke:: \"mount -o remount,rw /usr\";";
        assert_eq!(written(remounts), [STATUS, archives]);
        let elsewhere = "Pre-Invoke:: \"mount -o remount,rw /boot\";";
        assert_eq!(written(elsewhere), [PROGRAM, STATUS, archives]);
    }
}
