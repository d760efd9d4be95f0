//! Whether apt makes a file system writable that is mounted read-only, for as long as it works: a
//! hook in its configuration can do that.

use anyhow::Result;

use super::setting;
use crate::host::Host;

/// The hooks that apt runs before dpkg writes anything, in lower case.
const BEFORE_DPKG: &[&str] = &["dpkg::pre-invoke", "dpkg::pre-install-pkgs"];

/// Whether the file system of this path is mounted read-only, and a hook of apt's changes that.
///
/// # Errors
/// Where apt cannot read its configuration.
pub(crate) fn makes_writable(host: &Host, path: &str) -> Result<bool> {
    match host.disk_under(path)? {
        Some(disk) if disk.is_read_only => remounts(host, &disk.mount),
        _ => Ok(false),
    }
}

/// Whether a hook remounts what is mounted at this place.
fn remounts(host: &Host, at: &str) -> Result<bool> {
    if !host.has_program("apt-config") {
        return Ok(false);
    }
    let values = setting::values(host, "DPkg")?;
    Ok(values.iter().any(|(name, command)| {
        let name = name.to_ascii_lowercase();
        let is_before = BEFORE_DPKG.iter().any(|hook| name.starts_with(hook));
        is_before && is_remount(command, at)
    }))
}

/// Whether one of the commands of a hook is such as `mount -o remount,rw /usr`.
fn is_remount(hook: &str, at: &str) -> bool {
    let ends_command = |c: char| ";&|\n(){}".contains(c);
    hook.split(ends_command).any(|command| {
        let plain = |c: char| c.is_whitespace() || "'\"\\".contains(c);
        let words = || command.split(plain).filter(|word| !word.is_empty());
        let option = |wanted: &str| {
            let options = words().flat_map(|word| word.split([',', '=']));
            let mut names = options.map(|it| it.strip_prefix("-o").unwrap_or(it));
            names.any(|name| name == wanted)
        };
        let is_place = |word: &str| word == at || word.strip_suffix('/') == Some(at);
        let mut writable = ["rw", "-w", "--rw", "--read-write"].iter();
        words().any(|word| word == "mount" || word.ends_with("/mount"))
            && option("remount")
            && writable.any(|it| option(it))
            && words().any(is_place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn a_remount_is_known_however_it_is_written() {
        for hook in [
            "mount -o remount,rw /usr",
            "/usr/bin/mount -n -oremount,rw /usr/ || true",
            "mount /usr -o rw,remount",
            "mount --options=remount,rw /usr",
            "mount -w -o remount /usr",
            "test -e /no && exit 0; mount -o 'remount,rw' '/usr'",
        ] {
            assert!(is_remount(hook, "/usr"), "{hook}");
        }
        for hook in [
            "mount -o remount,ro /usr",
            "mount -o remount,rw /boot",
            "mount -o remount,rw /usr/local",
            "mount -o remount,exec /usr",
            "mount -o remount,rw / && touch /usr",
            "echo remount,rw /usr",
        ] {
            assert!(!is_remount(hook, "/usr"), "{hook}");
        }
    }

    #[test]
    fn only_a_hook_that_runs_before_dpkg_counts() {
        let remounts = |name: &str| {
            let body = format!("echo '{name}:: \"mount -o remount,rw /usr\";'");
            remounts(StubHost::new().program("apt-config", &body).host(), "/usr").unwrap()
        };
        assert!(remounts("DPkg::Pre-Invoke"));
        assert!(remounts("Dpkg::Pre-Install-Pkgs"));
        assert!(!remounts("DPkg::Post-Invoke"));
        assert!(!super::remounts(StubHost::new().host(), "/usr").unwrap());
    }
}
