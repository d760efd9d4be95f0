//! Tests on real hosts: the whole program against real apt, dpkg, systemd and Docker.
//!
//! Each test brings up a throwaway host of its own with `scripts/lab`, whose servers stand in for
//! Docker's and Ubuntu's, and leaves nothing behind. They need root, so plain `cargo test` only
//! names them; run them with
//!
//! ```text
//! DOCKSTRAP_BIN=path/to/dockstrap cargo test --test lab -- --ignored --test-threads=3
//! ```
//!
//! where `DOCKSTRAP_BIN` is the static binary under test. `DOCKSTRAP_LAB_KEEP=1` leaves the hosts
//! of failed tests up, to look around in them with `scripts/lab shell NAME`.

#![allow(clippy::disallowed_methods, reason = "what tests write is their own")]
#![expect(
    clippy::print_stderr,
    reason = "a failed test shows the logs of its host"
)]

/// Makes a test of its own for every release out of one that takes a host, which `$up` brings up.
macro_rules! per_release {
    ($up:ident: $($(#[$doc:meta])* fn $test:ident($host:ident) $body:block)*) => {$(
        $(#[$doc])*
        mod $test {
            use super::*;

            fn on($host: &LabHost) $body

            #[test]
            #[ignore = "needs root and the lab: sudo scripts/test"]
            fn jammy() {
                on(&LabHost::$up("jammy"));
            }

            #[test]
            #[ignore = "needs root and the lab: sudo scripts/test"]
            fn noble() {
                on(&LabHost::$up("noble"));
            }

            #[test]
            #[ignore = "needs root and the lab: sudo scripts/test"]
            fn resolute() {
                on(&LabHost::$up("resolute"));
            }
        }
    )*};
}

/// Tests that take a fresh host.
macro_rules! on_each_release {
    ($($tests:tt)*) => { per_release! { up: $($tests)* } };
}

/// Tests that take the files of a fresh host, in which nothing runs.
macro_rules! on_each_unbooted {
    ($($tests:tt)*) => { per_release! { up_without_systemd: $($tests)* } };
}

mod support;

use support::{
    bundle_contents, controller, cut, gpg, host, neighbour, outcome, packed, releases, running,
    signing, terminal, tree, world,
};

mod accounts;
mod adopted;
mod ansible;
mod apt_state;
mod bundle;
mod certificates;
mod cloud_init;
mod configuration;
mod configuration_plan;
mod crash;
mod cures;
mod cures_of_apt;
mod dates;
mod doctor;
mod doctor_fix;
mod elsewhere;
mod engine;
mod engine_version;
mod examples;
mod first_boot;
mod full_disk;
mod hostile;
mod hostile_bundle;
mod images;
mod interruption;
mod journal;
mod kept_sources;
mod locks;
mod network;
mod obstacles;
mod one_shot;
mod one_shot_limits;
mod one_shot_refusals;
mod output;
mod own_defaults;
mod ownership;
mod package;
mod packages;
mod planning;
mod planted;
mod program;
mod prompt;
mod proxy;
mod reach;
mod refusals;
mod registries;
mod release;
mod reload;
mod replaced;
mod rollback;
mod secrets;
mod signals;
mod sources;
mod status;
mod strangers;
mod surroundings;
mod survival;
mod taking_up;
mod tomorrow;
mod trust;
mod unpacking;
mod upgrade;
mod verdicts;
mod verify;
mod verify_causes;
mod verify_interruption;
mod verify_obstacles;
mod verify_registry;
mod verify_strays;
mod whole_way;
