//! dockstrap on a terminal: it shows the plan and asks.

use crate::host::LabHost;

const QUESTION: &str = "Set this up?";
const CURSOR_HIDDEN: &str = "\u{1b}[?25l";

/// Whether there are escape sequences that set a colour.
fn is_coloured(text: &str) -> bool {
    let sequences = text.split("\u{1b}[").skip(1);
    let ends = sequences.filter_map(|rest| rest.split_once('m'));
    ends.map(|(codes, _)| codes)
        .filter(|codes| codes.chars().all(|c| c.is_ascii_digit() || c == ';'))
        .any(|codes| {
            codes
                .split(';')
                .any(|code| code.len() == 2 && "349".contains(&code[..1]))
        })
}

/// Whether the cursor, hidden while a question stands, is there again.
fn shows_the_cursor(text: &str) -> bool {
    let hidden = text.rfind(CURSOR_HIDDEN);
    hidden.is_none_or(|hidden| {
        text.rfind("\u{1b}[?25h")
            .is_some_and(|shown| shown > hidden)
    })
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_no_or_ctrl_c_at_the_question_cancels() {
    let host = LabHost::up("noble");
    let before = host.tree();
    for keys in ["n", "\u{3}"] {
        let ended = host
            .on_a_terminal("COLORTERM=", ["install"])
            .shows("install 7 packages")
            .shows(QUESTION)
            .shows(CURSOR_HIDDEN) // from then on keys are read one by one
            .types(keys)
            .end()
            .exits(130);
        assert!(is_coloured(&ended.stdout), "{ended:?}");
        assert!(shows_the_cursor(&ended.stdout), "after {keys:?}: {ended:?}");
        before.is_untouched_in(&host.tree());
    }
    host.dockstrap(["install", "--yes"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_signal_at_the_question_cancels() {
    let host = LabHost::up("noble");
    let before = host.tree();
    for signal in ["-TERM", "-INT"] {
        let asking = host
            .on_a_terminal("NO_COLOR=1", ["install"])
            .shows(QUESTION)
            .shows(CURSOR_HIDDEN);
        host.run(["pkill", signal, "--exact", "dockstrap"]).exits(0);
        let ended = asking.end().exits(130);
        assert!(shows_the_cursor(&ended.stdout), "{ended:?}");
        before.is_untouched_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_yes_at_the_question_installs_and_uninstalls() {
    let host = LabHost::up("noble");
    let installed = host
        .on_a_terminal("NO_COLOR=1", ["install"])
        .shows(QUESTION)
        .types("y")
        .end()
        .exits(0)
        .says("works on this host");
    assert!(!is_coloured(&installed.stdout), "{installed:?}");
    assert!(shows_the_cursor(&installed.stdout), "{installed:?}");
    host.sh("docker info");

    // Where no terminal is, nothing is drawn.
    host.install().never_says("\u{1b}");

    let before = host.tree();
    host.dockstrap(["uninstall"]).exits(2).says("--yes");
    host.on_a_terminal("NO_COLOR=1", ["uninstall"])
        .shows("Take this back?")
        .types("n")
        .end()
        .exits(130);
    before.is_untouched_in(&host.tree());

    host.on_a_terminal("NO_COLOR=1", ["uninstall"])
        .shows("Take this back?")
        .types("y")
        .end()
        .exits(0)
        .says("Undone");
    host.run(["docker", "info"]).exits(127);
}

/// Nobody can agree to a plan that goes to a file.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn with_redirected_output_the_plan_and_the_question_are_on_the_terminal() {
    let host = LabHost::up("resolute");
    let before = host.tree();
    for redirected in [
        ">/dev/null",
        "2>/dev/null",
        ">/dev/null 2>&1",
        ">&-",
        "--output json >/run/out",
        "--output json >/run/out 2>/run/err",
    ] {
        host.sh_on_a_terminal(&format!("$DOCKSTRAP install {redirected}"))
            .shows("install 7 packages")
            .shows(QUESTION)
            .shows(CURSOR_HIDDEN)
            .types("n")
            .end()
            .exits(130);
    }
    // Without a way to answer, there is nobody to ask.
    for redirected in ["</dev/null", "<&-"] {
        host.sh_on_a_terminal(&format!("$DOCKSTRAP install {redirected}"))
            .end()
            .exits(2)
            .says("there is no terminal to ask on; nothing was changed. Pass --yes");
    }
    before.is_untouched_in(&host.tree());
    host.sh_on_a_terminal("$DOCKSTRAP install >/run/out")
        .shows(QUESTION)
        .types("y")
        .end()
        .exits(0);
    host.sh("grep 'works on this host' /run/out");
    host.sh_on_a_terminal("$DOCKSTRAP uninstall >/dev/null 2>/run/err")
        .shows("group docker")
        .shows("Take this back?")
        .types("n")
        .end()
        .exits(130);
}
