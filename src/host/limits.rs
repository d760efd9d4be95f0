//! How far limits on resources can be raised on this host.

use anyhow::Result;

use super::Host;

/// The bit of `CAP_SYS_RESOURCE`, with which a process may raise its limits; `capabilities(7)`.
const CAP_SYS_RESOURCE: u64 = 1 << 24;

/// The line of `/proc/PID/uid_map` where no user is mapped to another.
const UNMAPPED: [&str; 3] = ["0", "0", "4294967295"];

impl Host {
    /// How many files a process of the engine's may have open at most. `None` where the kernel
    /// does not tell.
    ///
    /// Process 1 stands for all of its services: in a container it may have been born with a
    /// limit, and without the right to raise it.
    pub(crate) fn most_open_files(&self) -> Result<Option<u64>> {
        let read = |path: &str| Ok::<_, anyhow::Error>(self.read_text(path)?.unwrap_or_default());
        let status = read("/proc/1/status")?;
        let bounding = status
            .lines()
            .find_map(|line| line.strip_prefix("CapBnd:"))
            .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        let Some(bounding) = bounding else {
            return Ok(None);
        };
        let may_raise = bounding & CAP_SYS_RESOURCE != 0
            && read("/proc/1/uid_map")?.split_whitespace().eq(UNMAPPED);
        if may_raise {
            return Ok(read("/proc/sys/fs/nr_open")?.trim().parse().ok());
        }
        let limits = read("/proc/1/limits")?;
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"));
        let hard = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(hard.and_then(|hard| hard.parse().ok()))
    }
}

#[cfg(test)]
mod tests {
    use crate::host::stub::StubHost;

    fn host(bounding: &str, uid_map: &str) -> StubHost {
        StubHost::new()
            .file(
                "/proc/1/status",
                format!("Name:\tsystemd\nCapBnd:\t{bounding}\n"),
            )
            .file("/proc/1/uid_map", uid_map)
            .file("/proc/sys/fs/nr_open", "1048576\n")
            .file(
                "/proc/1/limits",
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max open files            1024                 20000                files     \n",
            )
    }

    #[test]
    fn a_host_of_its_own_may_go_as_far_as_the_kernel_does_and_a_container_as_it_was_born() {
        let most = |bounding: &str, uid_map: &str| {
            let stub = host(bounding, uid_map);
            stub.host().most_open_files().unwrap()
        };
        let whole = "         0          0 4294967295\n";
        assert_eq!(most("000001ffffffffff", whole), Some(1_048_576));
        assert_eq!(most("000001fffeffffff", whole), Some(20_000));
        assert_eq!(most("000001ffffffffff", "0 100000 65536\n"), Some(20_000));
        assert_eq!(StubHost::new().host().most_open_files().unwrap(), None);
    }
}
