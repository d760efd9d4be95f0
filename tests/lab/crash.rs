//! The crash matrix: an install or an uninstall is killed after every line of the journal, after
//! changes to files by whatever it has started, and at many random times. Afterwards `install`
//! completes, and `uninstall` leaves the host as it was.
//!
//! A host is used for another run only when it was just shown to be as it was at first, in every
//! file.

use std::cell::Cell;
use std::time::Duration;

use crate::cut::Cut;
use crate::host::LabHost;
use crate::tree::Tree;

/// At how many random times the runs of each row are killed.
const TIMES: &str = "DOCKSTRAP_CRASH_TIMES";
const TIMES_BY_DEFAULT: u64 = 6;

/// After one in how many changes of files the runs of each row are killed.
const STRIDE: &str = "DOCKSTRAP_CRASH_STRIDE";
const STRIDE_BY_DEFAULT: u64 = 40;

/// What the random times are drawn from.
const SEED: &str = "DOCKSTRAP_CRASH_SEED";
const SEED_BY_DEFAULT: u64 = 1;

/// How many tests share a row of the matrix, so that they run side by side.
const PARTS: usize = 3;

/// Makes the tests that share a row out of what is to be done at each cut.
macro_rules! rows {
    ($($row:ident: $cut:ident, $cuts:ident;)*) => {$(
        mod $row {
            use super::*;

            #[test]
            #[ignore = "needs root and the lab: sudo scripts/test"]
            fn first_part() {
                $cuts(0, $cut);
            }

            #[test]
            #[ignore = "needs root and the lab: sudo scripts/test"]
            fn second_part() {
                $cuts(1, $cut);
            }

            #[test]
            #[ignore = "needs root and the lab: sudo scripts/test"]
            fn third_part() {
                $cuts(2, $cut);
            }
        }
    )*};
}

rows! {
    fault_50_what_is_killed_after_any_line_is_completed_by_the_next: COMPLETED, at_every_line;
    fault_50_an_install_killed_after_any_line_can_be_undone: UNDONE, at_every_line;
    fault_50_what_is_killed_after_any_change_is_completed_by_the_next: COMPLETED, at_changes;
    fault_50_an_install_killed_after_any_change_can_be_undone: UNDONE, at_changes;
    fault_50_what_is_killed_at_any_time_is_completed_by_the_next: COMPLETED, at_random_times;
    fault_50_an_install_killed_at_any_time_can_be_undone: UNDONE, at_random_times;
}

/// What is done at each cut. It begins and ends with the bare host.
#[derive(Clone, Copy)]
struct Row {
    walk: fn(&Ground, Cuts) -> Ended,
    /// Whether the uninstall is killed as well.
    kills_uninstall: bool,
}

/// Where the install and the uninstall are killed; not at all where it is `None`.
type Cuts = [Option<Cut>; 2];

/// How long each of them took that had ended before its cut.
type Ended = [Option<Duration>; 2];

/// An install is killed, and the next one completes it; then an uninstall is killed, and the next one
/// completes that.
const COMPLETED: Row = Row {
    walk: |ground, [install, uninstall]| {
        let installed = ground.killed(install, INSTALL);
        ground.install();
        // All of the verification once in each series, on the first host that was brought to its end.
        let all = installed.is_some() && !ground.is_verified.replace(true);
        if all {
            ground.host.dockstrap(["verify"])
        } else {
            ground.host.dockstrap(["verify", "engine", "run"])
        }
        .exits(0);
        let uninstalled = ground.killed(uninstall, UNINSTALL);
        ground.uninstall();
        [installed, uninstalled]
    },
    kills_uninstall: true,
};

/// An install is killed, and an uninstall undoes what it has done.
const UNDONE: Row = Row {
    walk: |ground, [install, _]| {
        let installed = ground.killed(install, INSTALL);
        ground.uninstall();
        [installed, None]
    },
    kills_uninstall: false,
};

/// A host, and all that was on it at first.
struct Ground {
    host: LabHost,
    bare: Tree,
    /// Whether an engine was verified in full there.
    is_verified: Cell<bool>,
}

const INSTALL: [&str; 5] = ["install", "--yes", "--user", "alice", "--no-verify"];
const UNINSTALL: [&str; 3] = ["uninstall", "--yes", "--purge-data"];

impl Ground {
    fn new(release: &str) -> Ground {
        let host = LabHost::up(release);
        let bare = host.tree();
        Ground {
            host,
            bare,
            is_verified: Cell::new(false),
        }
    }

    /// Runs a command that is killed at this cut. Returns how long it took when it had ended before.
    fn killed<const N: usize>(&self, cut: Option<Cut>, command: [&str; N]) -> Option<Duration> {
        self.host.cut_short(cut?, command)
    }

    fn install(&self) {
        self.host.dockstrap(INSTALL).exits(0);
    }

    /// Afterwards the host must be as at first.
    fn uninstall(&self) {
        self.host.dockstrap(UNINSTALL).exits(0).never_says("kept:");
        self.bare.is_restored_in(&self.host.tree());
    }
}

/// This part's share of the lines of the journal.
fn at_every_line(part: usize, row: Row) {
    let lines = (1 + part..).step_by(PARTS);
    one_after_the_other(&Ground::new("noble"), lines.map(Cut::AfterLine), row);
}

/// One in so many changes to files, in each part on another release: the programs that change them
/// are others.
fn at_changes(part: usize, row: Row) {
    let stride: usize = number(STRIDE, STRIDE_BY_DEFAULT).try_into().expect(STRIDE);
    let changes = (1 + part * stride / PARTS..).step_by(stride);
    let ground = Ground::new(["noble", "jammy", "resolute"][part]);
    one_after_the_other(&ground, changes.map(Cut::AfterChange), row);
}

/// Walks the row at each of the cuts, until there is no more to be cut short.
fn one_after_the_other(ground: &Ground, cuts: impl Iterator<Item = Cut>, row: Row) {
    let mut count = [0; 2];
    let mut open = [true, row.kills_uninstall];
    for cut in cuts {
        let _told = Told(cut.to_string());
        let ended = (row.walk)(ground, open.map(|is_open| is_open.then_some(cut)));
        for run in 0..2 {
            open[run] &= ended[run].is_none();
            count[run] += usize::from(open[run]);
        }
        if open == [false; 2] {
            break;
        }
    }
    assert!(count[0] >= 4, "only {} installs were cut short", count[0]);
    assert!(
        count[1] >= 4 || !row.kills_uninstall,
        "only {} uninstalls were cut short",
        count[1]
    );
}

/// This part's share of the random times, of which each second leaves alone what dockstrap had
/// started.
fn at_random_times(part: usize, row: Row) {
    let (times, seed) = (
        number(TIMES, TIMES_BY_DEFAULT),
        number(SEED, SEED_BY_DEFAULT),
    );
    let ground = Ground::new("noble");
    let uncut = Some(Cut::Alone(Duration::from_secs(3600)));
    let mut whole = (row.walk)(&ground, [uncut; 2]).map(Option::unwrap_or_default);
    assert!(!whole[0].is_zero(), "an uncut run");
    for time in (part as u64..times).step_by(PARTS) {
        let mut open = [true, row.kills_uninstall];
        while open != [false; 2] {
            let after = whole.map(|whole| whole.mul_f64(fraction(seed, time)));
            let cut = |after| match time / PARTS as u64 % 2 {
                0 => Cut::WithAll(after),
                _ => Cut::Alone(after),
            };
            let cuts = [0, 1].map(|run| open[run].then(|| cut(after[run])));
            let shown = cuts.iter().flatten().map(Cut::to_string);
            let shown = shown.collect::<Vec<_>>().join(", ");
            let _told = Told(format!("{shown}, {SEED}={seed}, time {time} of {times}"));
            let ended = (row.walk)(&ground, cuts);
            for run in 0..2 {
                // Where this run was faster, it is the same again in its measure.
                open[run] &= ended[run].is_some();
                whole[run] = ended[run].map_or(whole[run], |faster| faster.min(after[run]));
            }
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect(variable))
}

/// A number from 0 to 1, without the 1, that looks random: SplitMix64.
fn fraction(seed: u64, number: u64) -> f64 {
    let mut bits = (seed << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Says what went before when a test fails.
struct Told(String);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("it failed with a run that was {}", self.0);
        }
    }
}
