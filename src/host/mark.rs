//! What marks things that a run makes and removes again, so that what a killed run left is told
//! from what a run at work has: its user and its process, which has a number that others had
//! before and will have after it.

use std::fmt;
use std::fs;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::{Pid, geteuid};

/// How many letters stand for the boot.
const BOOT_LENGTH: usize = 6;

/// A process and its user. As text it is made of hexadecimal digits and three dashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    uid: u32,
    pid: i32,
    /// When it started, in the kernel's ticks since the boot.
    start: u64,
    /// The beginning of the boot's identifier.
    boot: String,
    /// The namespace in which its number is its own.
    namespace: u64,
}

impl Mark {
    /// The mark of this process.
    pub(crate) fn own() -> Mark {
        let pid = Pid::this().as_raw();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/pid")
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let digits = namespace.trim_matches(|letter: char| !letter.is_ascii_digit());
        Mark {
            uid: geteuid().as_raw(),
            pid,
            start: start_of("self").unwrap_or_default(),
            boot: boot.chars().take(BOOT_LENGTH).collect(),
            namespace: digits.parse().unwrap_or_default(),
        }
    }

    /// Reads a mark from the beginning of a text, behind which another dash may follow.
    pub(crate) fn parse(text: &str) -> Option<Mark> {
        let mut parts = text.splitn(5, '-');
        let (uid, pid, start, place) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (boot, namespace) = place.split_at_checked(BOOT_LENGTH)?;
        Some(Mark {
            uid: uid.parse().ok()?,
            pid: pid.parse().ok().filter(|pid| *pid > 0)?,
            start: u64::from_str_radix(start, 16).ok()?,
            boot: boot.to_owned(),
            namespace: u64::from_str_radix(namespace, 16).ok()?,
        })
    }

    /// Whether this process may remove what has the mark: its run is over, and was this user's.
    /// Root may remove what any user left.
    pub(crate) fn is_left_behind(&self) -> bool {
        let own = Mark::own();
        (own.uid == 0 || own.uid == self.uid) && self.is_gone(&own)
    }

    /// Whether the process is gone for certain. Not to be found in `/proc` says nothing: it hides
    /// the processes of others where it is mounted with `hidepid`.
    fn is_gone(&self, own: &Mark) -> bool {
        if self.boot != own.boot {
            return true;
        }
        if self.namespace != own.namespace {
            return false; // in a container, whose processes have other numbers here
        }
        match kill(Pid::from_raw(self.pid), None) {
            Err(Errno::ESRCH) => true,
            _ => start_of(&self.pid.to_string()).is_some_and(|start| start != self.start),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mark {
            uid,
            pid,
            start,
            boot,
            namespace,
        } = self;
        write!(formatter, "{uid}-{pid}-{start:x}-{boot}{namespace:x}")
    }
}

/// When a process started; `None` where that is not shown. See `proc_pid_stat(5)`.
fn start_of(process: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may have any letter in it.
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

/// For tests: the mark of a process of this user's that is gone.
#[cfg(test)]
pub(crate) fn gone() -> Mark {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    child.wait().unwrap();
    Mark { pid, ..Mark::own() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_is_written() {
        let own = Mark::own();
        assert!(own.start > 0 && own.namespace > 0, "{own:?}");
        assert_eq!(own.boot.len(), BOOT_LENGTH);
        assert_eq!(Mark::parse(&own.to_string()), Some(own.clone()));
        assert_eq!(Mark::parse(&format!("{own}-Xy7-1")), Some(own));
        for text in [
            "",
            "7",
            "7-18a",
            "0-7-1",
            "0-7-1-2",
            "0--1-2-abcdef1",
            "0-0-1-abcdef1",
        ] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_process_that_ended_or_gave_its_number_to_another_is_gone() {
        let own = Mark::own();
        assert!(!own.is_left_behind());
        assert!(gone().is_left_behind());
        let reused = Mark {
            start: own.start + 1,
            ..own.clone()
        };
        assert!(reused.is_left_behind());
        let earlier = Mark {
            boot: "------".to_owned(),
            ..own.clone()
        };
        assert!(earlier.is_left_behind());
    }

    #[test]
    fn what_is_of_others_or_cannot_be_judged_stays() {
        let contained = Mark {
            namespace: 1,
            ..gone()
        };
        assert!(!contained.is_left_behind());
        let init = Mark {
            pid: 1,
            start: start_of("1").unwrap_or_default(),
            ..Mark::own()
        };
        assert!(!init.is_left_behind());
        let of_other = Mark {
            uid: Mark::own().uid + 1,
            ..gone()
        };
        assert_eq!(of_other.is_left_behind(), Mark::own().uid == 0);
    }
}
