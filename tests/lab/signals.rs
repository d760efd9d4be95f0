//! Signals and readers that go away: the run ends in a known state, or goes on to its end.

use crate::host::{LabHost, PROGRAM};
use crate::interruption::{install_up_to_apt, wait_until};
use crate::terminal::Terminal;

/// What a run that was told to stop may end with: our own code, or that of a process which the
/// signal ended before anything was begun.
fn ended_by(signal: &str) -> i32 {
    match signal {
        "TERM" => 128 + 15,
        "HUP" => 128 + 1,
        _ => 128 + 2,
    }
}

fn send(host: &LabHost, signal: &str) {
    host.run(["pkill", &format!("-{signal}"), "--exact", "dockstrap"])
        .exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_64_a_signal_before_the_first_act_ends_a_run_at_once() {
    let host = LabHost::up("noble");
    let before = host.tree();
    for signal in ["INT", "TERM", "HUP"] {
        // It waits for a lock, with a plan and without a single act.
        let holder = host.holder("aptitude", "/var/lib/dpkg/lock-frontend");
        let mut install = host.start_dockstrap(["install", "--yes"]);
        install.has_come_to("waiting for aptitude");
        send(&host, signal);
        wait_until("its end", || install.has_ended());
        install.end().exits(ended_by(signal));
        holder.release();
        before.is_untouched_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_64_no_signal_cuts_dpkg_short() {
    // Some are impatient, and send it more than once.
    for (signal, times) in [("TERM", 1), ("INT", 3), ("HUP", 3)] {
        let host = LabHost::up("noble");
        let before = host.tree();
        let mut install = install_up_to_apt(&host);
        for _ in 0..times {
            send(&host, signal);
        }
        install.has_come_to("Stopping after dpkg finishes…");
        assert!(
            host.run(["pgrep", "--exact", "apt-get"]).has_succeeded(),
            "it is said while apt is still at work"
        );
        let outcome = install.end().exits(130);
        let told = outcome.all();
        assert_eq!(told.matches("Stopping after").count(), 1, "{told}");
        outcome.says("the host was put back as it was");
        before.is_restored_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_64_a_signal_amid_the_proof_leaves_an_engine_that_can_be_proven_again() {
    let host = LabHost::up("noble");
    let mut install = host.start_dockstrap(["install", "--yes"]);
    wait_until("the proof", || {
        assert!(!install.has_ended(), "it ended before");
        host.run(["docker", "images", "--quiet", "dockstrap-verify"])
            .stdout
            .len()
            > 1
    });
    send(&host, "INT");
    install
        .end()
        .exits(130)
        .says("the engine is not verified. To verify it, run: sudo dockstrap verify");
    let left = host
        .sh("docker ps --all --quiet; docker images --quiet")
        .stdout;
    assert_eq!(left, "", "what the proof had made is still there");
    // What is not proven is not said to work.
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("Nothing to set up: Docker Engine works on this host");
    host.unchanged_by(0, ["install", "--yes"])
        .says("Nothing to do");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_64_an_uninstall_that_has_begun_goes_all_the_way() {
    let host = LabHost::up("noble");
    let before = host.tree();
    host.install();
    let uninstall = host.start_dockstrap(["uninstall", "--yes"]);
    wait_until("apt", || {
        host.run(["pgrep", "--exact", "apt-get"]).has_succeeded()
            && host
                .run(["cat", "/var/lib/dockstrap/journal"])
                .stdout
                .contains("asked-for")
    });
    for signal in ["INT", "TERM", "HUP"] {
        send(&host, signal);
    }
    uninstall
        .end()
        .exits(0)
        .says("The uninstall runs to its end…")
        .says("Undone");
    before.is_restored_in(&host.tree());
}

/// Ctrl-C on a terminal reaches every process there, but not what changes the host.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_64_ctrl_c_does_not_cut_short_what_an_uninstall_has_begun() {
    let host = LabHost::up("noble");
    let before = host.tree();
    host.install();
    // It takes some seconds to stop.
    host.sh(
        "docker run --detach --interactive --tty --stop-timeout 4 --name keeper hello-world /cat",
    );
    let uninstall = host
        .on_a_terminal("NO_COLOR=1", ["uninstall", "--purge-data"])
        .shows("Take this back?")
        .types("y");
    wait_until("the stop of the container", || {
        host.run(["pgrep", "--full", "docker .*stop"])
            .has_succeeded()
    });
    uninstall
        .types("\u{3}")
        .end()
        .exits(0)
        .says("stopping containers keeper")
        .says("The uninstall runs to its end…")
        .says("Undone");
    before.is_restored_in(&host.tree());
}

/// Runs an install on a terminal, and says whether that is the same afterwards. A shell that catches
/// a signal outlives it, and does not hand that down.
const ON_A_TERMINAL: &str = "
    trap : INT TERM
    before=$(stty -g)
    $DOCKSTRAP install --no-verify && code=0 || code=$?
    test \"$before\" = \"$(stty -g)\" && echo \"ended with $code, sane\"";

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_64_a_signal_leaves_the_terminal_sane() {
    let host = LabHost::up("noble");
    let before = host.tree();
    for signal in ["INT", "TERM"] {
        let end = |terminal: Terminal| {
            let outcome = terminal.end().exits(0).says(", sane");
            let shown = outcome.stdout;
            // What was hidden is shown again.
            let (hidden, visible) = (shown.rfind("\u{1b}[?25l"), shown.rfind("\u{1b}[?25h"));
            assert!(hidden <= visible, "{signal}: the cursor is gone: {shown:?}");
        };
        let asking = host.sh_on_a_terminal(ON_A_TERMINAL).shows("Set this up?");
        match signal {
            "INT" => end(asking.types("\u{3}")),
            _ => {
                send(&host, signal);
                end(asking);
            }
        }
        before.is_restored_in(&host.tree());

        let asking = host.sh_on_a_terminal(ON_A_TERMINAL).shows("Set this up?");
        let installing = asking.types("y");
        wait_until("apt", || {
            host.run(["pgrep", "--exact", "dpkg"]).has_succeeded()
        });
        send(&host, signal);
        end(installing.shows("ended with 130"));
        before.is_restored_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_64_a_reader_that_goes_away_does_not_stop_a_run() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let fingerprint = host.fingerprint();
    for (install, uninstall) in [
        (">&- 2>&- <&-", "| head -n 0"),
        ("2>&1 | head -n 0", ">/dev/full 2>&1"),
    ] {
        host.sh(&format!(
            "{PROGRAM} install --yes --no-verify --key-fingerprint {fingerprint} {install}
             docker info
             {PROGRAM} uninstall --yes {uninstall}"
        ));
        before.is_restored_in(&host.tree());
    }
}
