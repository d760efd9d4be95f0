//! The crash matrix: an install or an uninstall is killed after every line of the journal, after
//! changes to files by whatever it has started, and at many random times. Afterwards `install`
//! completes, and `uninstall` gives the host back.
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
    fault_50_an_install_killed_after_any_line_is_completed_by_the_next: completes, at_every_line;
    fault_50_an_install_killed_after_any_line_can_be_taken_back: goes_back, at_every_line;
    fault_50_an_install_killed_after_any_change_is_completed_by_the_next: completes, at_changes;
    fault_50_an_install_killed_after_any_change_can_be_taken_back: goes_back, at_changes;
    fault_50_an_install_killed_at_any_time_is_completed_by_the_next: completes, at_random_times;
    fault_50_an_install_killed_at_any_time_can_be_taken_back: goes_back, at_random_times;
    fault_50_an_uninstall_killed_after_any_line_is_completed_by_the_next: ends, at_every_line;
    fault_50_an_uninstall_killed_after_any_change_is_completed_by_the_next: ends, at_changes;
    fault_50_an_uninstall_killed_at_any_time_is_completed_by_the_next: ends, at_random_times;
}

/// What is done at each cut: it begins and ends with the bare host. Returns how long the run took
/// that was to be cut short, when it had ended before.
type Row = fn(&Ground, Cut) -> Option<Duration>;

/// A host, and all that was on it at first.
struct Ground {
    host: LabHost,
    bare: Tree,
    /// Whether an engine was proven in full there.
    is_proven: Cell<bool>,
}

/// An install is killed, and the next one completes it.
fn completes(ground: &Ground, cut: Cut) -> Option<Duration> {
    let whole = ground.host.cut_short(cut, INSTALL);
    ground.install();
    // All of the proof once in each series, on the first host that was brought to its end.
    let all = whole.is_none() && !ground.is_proven.replace(true);
    if all {
        ground.host.dockstrap(["verify"])
    } else {
        ground.host.dockstrap(["verify", "engine", "run"])
    }
    .exits(0);
    ground.uninstall();
    whole
}

/// An install is killed, and an uninstall takes back what it has done.
fn goes_back(ground: &Ground, cut: Cut) -> Option<Duration> {
    let whole = ground.host.cut_short(cut, INSTALL);
    ground.uninstall();
    whole
}

/// An uninstall is killed, and the next one completes it.
fn ends(ground: &Ground, cut: Cut) -> Option<Duration> {
    ground.install();
    let whole = ground.host.cut_short(cut, UNINSTALL);
    ground.uninstall();
    whole
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
            is_proven: Cell::new(false),
        }
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
    let cuts = cuts
        .take_while(|cut| {
            let _told = Told(cut.to_string());
            row(ground, *cut).is_none()
        })
        .count();
    assert!(cuts >= 4, "only {cuts} runs were cut short");
}

/// This part's share of the random times, of which each second leaves alone what dockstrap had
/// started.
fn at_random_times(part: usize, row: Row) {
    let (times, seed) = (
        number(TIMES, TIMES_BY_DEFAULT),
        number(SEED, SEED_BY_DEFAULT),
    );
    let ground = Ground::new("noble");
    let mut whole = row(&ground, Cut::Alone(Duration::from_secs(3600))).expect("an uncut run");
    for time in (part as u64..times).step_by(PARTS) {
        loop {
            let after = whole.mul_f64(fraction(seed, time));
            let cut = match time / PARTS as u64 % 2 {
                0 => Cut::WithAll(after),
                _ => Cut::Alone(after),
            };
            let _told = Told(format!("{cut}, {SEED}={seed}, time {time} of {times}"));
            // This run was faster; the same again in its measure.
            match row(&ground, cut) {
                None => break,
                Some(faster) => whole = faster.min(after),
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
