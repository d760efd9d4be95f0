//! Reloads and restarts of a running engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[test]
fn an_engine_that_differs_from_its_file_is_reloaded_and_then_restarted() {
    let stub = host("loaded", "enabled", "active").engine(engine("json-file"));
    let finding = inspect(&stub);
    assert_eq!(finding.summary, "restart docker.service");
    assert!(finding.details[0].starts_with("3 running containers"));
    // This one differs still, and so it is not done.
    let error = apply(&stub).unwrap_err();
    assert!(error.to_string().contains("log-driver"), "{error}");
    let commands = ["reload", "reset-failed", "restart"]
        .map(|verb| format!("systemctl {verb} docker.service"));
    let mut changes = changes(&stub);
    changes.retain(|call| call.starts_with("systemctl"));
    assert_eq!(changes, commands);
}

#[test]
fn with_containers_running_a_restart_waits_until_the_reload_before_it_is_through() {
    // The engine tells of its reload at the third question only.
    let questions = Arc::new(AtomicUsize::new(0));
    let asked = questions.clone();
    let stub = host("loaded", "enabled", "active")
        .program(
            "docker",
            "case \"$*\" in *ps*) echo 0123456789abcdef;; esac",
        )
        .engine_answering(move |question| {
            if !question.contains("/events") {
                engine("json-file").to_string()
            } else if asked.fetch_add(1, Ordering::Relaxed) < 2 {
                String::new()
            } else {
                "{}".to_owned()
            }
        });
    let error = apply(&stub).unwrap_err(); // it never says that it has the driver of its file
    assert!(error.to_string().contains("log-driver"), "{error}");
    let systemctl = changes(&stub);
    let verbs: Vec<&str> = systemctl
        .iter()
        .filter_map(|call| call.strip_prefix("systemctl "))
        .filter_map(|call| call.split(' ').next())
        .collect();
    assert_eq!(verbs, ["reload", "reset-failed", "restart"]);
    assert_eq!(questions.load(Ordering::Relaxed), 3);
}

#[test]
fn an_engine_older_than_what_was_written_takes_it_up_even_in_a_later_run() {
    for (theirs, summary) in [
        ("\"live-restore\": false", "reload docker.service"),
        ("\"log-driver\": \"none\"", "restart docker.service"),
    ] {
        let stub = host("loaded", "enabled", "active").engine(engine("local"));
        let text = stub.read(daemon_config::PATH);
        let key = theirs.split(": ").next().unwrap();
        let line = text.lines().find(|line| line.contains(key)).unwrap();
        stub.write(
            daemon_config::PATH,
            text.replace(line.trim().trim_end_matches(','), theirs),
        );
        trial::run(stub.host(), |tx| {
            let document = Document::parse(text.as_bytes()).unwrap();
            let name = key.trim_matches('"');
            let change = Change {
                key: name.to_owned(),
                before: None,
                after: document.get(name).cloned(),
            };
            tx.write_daemon_json(&text, &[change])
        })
        .unwrap();
        assert!(inspect(&stub).satisfied, "it was started since");
        stub.write("/unit", stub.read("/unit").replace("2099", "1999"));
        stub.write("/unit", stub.read("/unit").replace("Fri", "Sat"));
        assert_eq!(inspect(&stub).summary, summary);
    }
}

#[test]
fn what_a_reload_is_enough_for_leaves_the_engine_running() {
    let mut account = engine("local");
    account["LiveRestoreEnabled"] = false.into();
    let stub = host("loaded", "enabled", "active").engine(account);
    assert_eq!(inspect(&stub).summary, "reload docker.service");
    assert!(inspect(&stub).details.is_empty());
    // This one never turns it on, and so says no to the question whether it has.
    let error = apply(&stub).unwrap_err();
    assert!(error.to_string().contains("live-restore"), "{error}");
    assert_eq!(
        changes(&stub)[..1],
        ["systemctl reload docker.service".to_owned()]
    );
}

#[test]
fn an_engine_with_a_secret_is_reloaded_for_running_containers_only() {
    for (running, is_live, summary, verbs) in [
        (
            0,
            false,
            "restart docker.service",
            ["reset-failed", "restart"],
        ),
        (
            3,
            true,
            "restart docker.service",
            ["reset-failed", "restart"],
        ),
        (3, false, "reload docker.service", ["reload", ""]),
    ] {
        let mut account = engine("local");
        account["ContainersRunning"] = running.into();
        account["LiveRestoreEnabled"] = is_live.into();
        account["Debug"] = true.into();
        let stub = host("loaded", "enabled", "active").engine(account);
        let text = stub.read(daemon_config::PATH);
        let secret =
            "{\"debug\": false, \"proxies\": {\"http-proxy\": \"http://me:s3cret@192.0.2.1\"},";
        stub.write(daemon_config::PATH, text.replacen('{', secret, 1));
        let finding = inspect(&stub);
        assert_eq!(finding.summary, summary);
        let is_logged = finding.details.concat().contains("with the secret in it");
        assert_eq!(is_logged, verbs[0] == "reload", "{:?}", finding.details);
        apply(&stub).unwrap_err(); // it never says that it has what its file says
        let systemctl = changes(&stub);
        let done: Vec<&str> = systemctl
            .iter()
            .filter_map(|call| call.strip_prefix("systemctl ")?.split(' ').next())
            .collect();
        assert_eq!(
            done,
            verbs
                .into_iter()
                .filter(|it| !it.is_empty())
                .collect::<Vec<_>>()
        );
    }
}
