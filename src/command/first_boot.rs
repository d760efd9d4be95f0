//! `dockstrap first-boot`: what the unit of that name runs. It installs, and tries again until it
//! has succeeded or somebody has to see to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{DONE, require_root, resolve};
use crate::cli::{RestoreArgs, SettingsArgs};
use crate::error::{Failure, exit_code};
use crate::host::Host;
use crate::host::signal::stop_flag;
use crate::install::PreparedInstall;
use crate::settings::Settings;
use crate::ui::{self, Live};

/// How long it waits after the first failure. It doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// And at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(10 * 60);

/// How long a signal may go unnoticed.
const TICK: Duration = Duration::from_millis(100);

pub(crate) fn run(host: &Host, mut arguments: SettingsArgs) -> Result<u8> {
    require_root("first-boot")?;
    let stop = stop_flag()?;
    // The settings of the image may say that nothing is to be started in it.
    arguments.layer.no_start = Some(false);
    let file = arguments.config.as_deref();
    let settings = Settings::resolve(arguments.layer.clone(), file)?;
    let jitter = random_part_of(settings.first_boot_jitter);
    if !jitter.is_zero() {
        ui::unit_status(format!(
            "Waiting for {} before the first try",
            words(jitter)
        ));
        pause(jitter, &stop)?;
    }
    for tries in 1.. {
        ui::unit_status(format!("Setting up Docker Engine, try {tries}"));
        let error = match install(host, arguments.clone()) {
            Ok(()) => {
                ui::unit_status("Docker Engine works on this host");
                return Ok(DONE);
            }
            Err(error) => error,
        };
        if needs_somebody(&error) {
            ui::unit_status(format!("Given up, see to it: {error}"));
            return Err(error);
        }
        let wait = pause_after(tries);
        let again = format!("try {tries} failed, the next is in {}", words(wait));
        ui::warn(format!("{again}: {error:#}"));
        ui::unit_status(format!("{again}: {error}"));
        pause(wait, &stop)?;
    }
    Ok(DONE)
}

/// Installs, with nobody there to be asked. The settings file is read at each try.
fn install(host: &Host, arguments: SettingsArgs) -> Result<()> {
    let settings = resolve(arguments, RestoreArgs::default())?;
    let live = Live::new();
    let show = |event| live.show(event);
    let prepared = PreparedInstall::new(host, &settings, &show)?;
    if prepared.plan.is_pending() {
        live.pause(|| ui::print_plan(&prepared.plan));
    }
    let installed = prepared.carry_out(true, &show)?;
    ui::report_of(|| installed.report())?;
    installed.require()?;
    drop(live);
    ui::print_installed(&installed)
}

/// Whether trying again is of no use: the settings or the host must be mended, or it was stopped.
/// What has to do with servers and their certificates can pass, as the host's clock is set.
fn needs_somebody(error: &anyhow::Error) -> bool {
    matches!(exit_code(error), 2 | 4 | 130)
}

/// How long to wait after so many tries: twice as long each time, and up to half as much again, so
/// that hosts that booted together do not come together.
fn pause_after(tries: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries - 1));
    let pause = doubled.min(LONGEST_PAUSE);
    pause + random_part_of(pause / 2)
}

fn random_part_of(whole: Duration) -> Duration {
    whole.mul_f64(fastrand::f64())
}

fn words(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}

/// # Errors
/// [`Failure::Cancelled`] once a signal asks to stop.
fn pause(duration: Duration, stop: &Arc<AtomicBool>) -> Result<()> {
    let end = Instant::now() + duration;
    while Instant::now() < end {
        if stop.load(Ordering::Relaxed) {
            let text = "stopped while it waited; nothing was changed by it since the last try";
            return Err(Failure::Cancelled(text.to_owned()).into());
        }
        sleep(TICK.min(end.saturating_duration_since(Instant::now())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_longer_up_to_the_longest() {
        let mut least = FIRST_PAUSE;
        for tries in 1..100 {
            let pause = pause_after(tries);
            assert!(
                pause >= least && pause <= least + least / 2,
                "{tries}: {pause:?}"
            );
            least = (least * 2).min(LONGEST_PAUSE);
        }
        assert_eq!(least, LONGEST_PAUSE);
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_and_what_does_not_is_not() {
        let failure = |failure: Failure| needs_somebody(&failure.into());
        for passes in [Failure::Trust, Failure::Locked, Failure::Unproven] {
            assert!(!failure(passes(String::new())));
        }
        for stays in [Failure::Usage, Failure::Blocked, Failure::Cancelled] {
            assert!(failure(stays(String::new())));
        }
        assert!(!needs_somebody(&anyhow::anyhow!("no route to host")));
    }

    #[test]
    fn a_signal_ends_a_pause() {
        let stop = Arc::new(AtomicBool::new(true));
        let begun = Instant::now();
        let error = pause(LONGEST_PAUSE, &stop).unwrap_err();
        assert_eq!(exit_code(&error), 130);
        assert!(begun.elapsed() < LONGEST_PAUSE);
    }
}
