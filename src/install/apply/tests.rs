use super::*;
use crate::change::trial;
use crate::error::{Failure, exit_code};
use crate::facts;
use crate::host::command::Command;
use crate::host::stub::StubHost;
use crate::settings::Layer;
use crate::step::{Inspection, Step};
use crate::undo::Undo;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

/// Owns one file, and does with it what the test says.
struct Writes {
    path: &'static str,
    /// What follows upon the writing.
    then: fn(&mut Tx<'_>) -> Result<()>,
    satisfies: bool,
}

impl Step for Writes {
    fn id(&self) -> &'static str {
        self.path
    }

    fn title(&self) -> &'static str {
        self.path
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        Ok(if self.satisfies && host.exists(self.path)? {
            Inspection::satisfied("there")
        } else {
            Inspection::pending(format!("write {}", self.path), Vec::new())
        })
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        tx.write_file(self.path, b"ours", 0o644)?;
        (self.then)(tx)
    }
}

fn writes(path: &'static str) -> Writes {
    Writes {
        path,
        then: |_| Ok(()),
        satisfies: true,
    }
}

/// Plans and applies these steps; returns what was told as well.
fn apply_all(stub: &StubHost, steps: Vec<Writes>) -> (Result<()>, Vec<Event>) {
    let host = stub.host();
    let plan = Plan {
        schema: 1,
        host: facts::gather(host).unwrap(),
        steps: steps
            .into_iter()
            .map(|step| Planned {
                id: step.id(),
                title: step.title(),
                finding: step.inspect(host).unwrap(),
                transaction: None,
                step: Box::new(step),
            })
            .collect(),
    };
    let settings = Settings::resolve(Layer::default(), Some(Path::new("/dev/null"))).unwrap();
    let told = RefCell::new(Vec::new());
    let outcome = apply(host, &plan, &settings, &|event| {
        told.borrow_mut().push(event)
    });
    (outcome, told.take())
}

fn without_journal(stub: &StubHost) -> BTreeMap<String, (u32, String)> {
    let mut files = stub.snapshot();
    files.remove(crate::undo::JOURNAL);
    files
}

fn causes(outcome: Result<()>) -> Vec<String> {
    let error = outcome.unwrap_err();
    error.chain().map(ToString::to_string).collect()
}

#[test]
fn every_pending_step_is_applied_and_told_of() {
    let stub = StubHost::noble().file("/etc/b", "theirs");
    let steps = ["/etc/a", "/etc/b", "/etc/c"].map(writes);
    let (outcome, told) = apply_all(&stub, steps.into());
    outcome.unwrap();
    assert_eq!(trial::acts(stub.host()), ["write /etc/a", "write /etc/c"]);
    assert_eq!(stub.read("/etc/b"), "theirs");
    let done: Vec<&str> = told
        .iter()
        .filter_map(|event| match event {
            Event::StepDone { step, .. } => Some(*step),
            _ => None,
        })
        .collect();
    assert_eq!(done, ["/etc/a", "/etc/c"]);
}

#[test]
fn when_a_step_fails_this_run_and_only_this_run_is_taken_back() {
    let stub = StubHost::noble();
    apply_all(&stub, vec![writes("/etc/before")]).0.unwrap();
    let before = without_journal(&stub);
    let failing = Writes {
        then: |_| Err(anyhow!("disk on fire")),
        ..writes("/etc/b")
    };
    let steps = vec![writes("/etc/a"), failing, writes("/etc/c")];
    let (outcome, told) = apply_all(&stub, steps);
    assert_eq!(
        causes(outcome),
        [
            "the install failed; the host was put back as it was",
            "setting up the /etc/b",
            "disk on fire"
        ]
    );
    let reverted: Vec<&str> = told
        .iter()
        .filter_map(|event| match event {
            Event::Reverted { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(reverted, ["write /etc/b", "write /etc/a"]);
    assert_eq!(trial::acts(stub.host()), ["write /etc/before"]);
    assert_eq!(without_journal(&stub), before);
}

#[test]
fn a_first_run_that_fails_leaves_no_trace() {
    let stub = StubHost::noble();
    let before = stub.snapshot();
    let failing = Writes {
        then: |_| Err(Failure::Locked("apt is at work".to_owned()).into()),
        ..writes("/etc/apt/a")
    };
    let error = apply_all(&stub, vec![failing]).0.unwrap_err();
    assert_eq!(exit_code(&error), 6, "the cause decides");
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn a_step_that_does_not_bring_about_what_it_should_has_failed() {
    let stub = StubHost::noble();
    let idle = Writes {
        satisfies: false,
        ..writes("/etc/a")
    };
    let causes = causes(apply_all(&stub, vec![idle]).0);
    assert_eq!(
        causes[0],
        "the install failed; the host was put back as it was"
    );
    assert!(
        causes[1].ends_with("still to do: write /etc/a"),
        "{causes:?}"
    );
    assert!(!stub.has("/etc/a"));
}

#[test]
fn what_was_edited_meanwhile_is_kept_and_the_message_says_so() {
    let stub = StubHost::noble();
    let edited = Writes {
        then: |tx| {
            std::fs::write(tx.host().path("/etc/a"), "edited")?;
            Err(anyhow!("disk on fire"))
        },
        ..writes("/etc/a")
    };
    let causes = causes(apply_all(&stub, vec![edited]).0);
    assert_eq!(
        causes[0],
        "the install failed; the host was put back, except for what is listed above as kept"
    );
    assert_eq!(stub.read("/etc/a"), "edited");
}

#[test]
fn when_the_way_back_fails_the_message_says_how_to_go_on() {
    let stub = StubHost::noble()
        .program("groupadd", "exit 10")
        .program("groupdel", "echo the disk is full >&2; exit 10");
    let failing = Writes {
        then: |tx| {
            let undo = Undo::RemoveGroup {
                group: "docker".to_owned(),
            };
            let groupadd = Command::new("groupadd").arg("docker");
            tx.run("create group docker", undo, &groupadd).map(drop)
        },
        ..writes("/etc/a")
    };
    let causes = causes(apply_all(&stub, vec![failing]).0);
    for part in [
        "could not be put back",
        "the disk is full",
        "dockstrap uninstall",
    ] {
        assert!(causes[0].contains(part), "{part}: {}", causes[0]);
    }
    // All the rest is taken back.
    assert_eq!(trial::acts(stub.host()), ["create group docker"]);
}
