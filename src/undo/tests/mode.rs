use super::*;
use crate::change::trial;
use crate::daemon_config::{Change, Document, PATH};
use serde_json::json;

fn restore(given: Option<u32>) -> Undo {
    Undo::RestoreMode {
        path: PATH.into(),
        mode: 0o644,
        given,
        owner: None,
        open: Vec::new(),
    }
}

#[test]
fn a_mode_that_somebody_changed_since_is_kept() {
    // A journal of an older dockstrap does not say which mode was given.
    for what in [restore(Some(0o600)), restore(None)] {
        let stub = StubHost::new().file(PATH, "{}");
        stub.set_mode(PATH, 0o640);
        let reason = "its mode was changed since, from 0600 to 0640";
        assert_eq!(kept(&stub, &what), reason);
        assert_eq!(stub.mode(PATH), 0o640);
        stub.set_mode(PATH, 0o600);
        for turn in ["once", "twice"] {
            assert_eq!(undo(&stub, &what).unwrap(), Reverted::Done, "{turn}");
            assert_eq!(stub.mode(PATH), 0o644, "{turn}");
        }
    }
}

#[test]
fn an_owner_that_somebody_changed_since_is_kept() {
    let stub = StubHost::new().file(PATH, "{}");
    stub.set_mode(PATH, 0o600);
    let undo = Undo::RestoreMode {
        path: PATH.into(),
        mode: 0o644,
        given: Some(0o600),
        owner: Some((4321, 4321)),
        open: Vec::new(),
    };
    assert!(kept(&stub, &undo).starts_with("its owner was changed since, to "));
    assert_eq!(stub.mode(PATH), 0o600);
}

#[test]
fn the_mode_comes_back_with_what_the_file_held_before_and_with_no_other_secret() {
    let theirs = r#"{"proxies": {"http-proxy": "http://me:theirs@proxy"}}"#;
    let ours = json!({"splunk-token": "s3cret"});
    let mut after = Document::parse(theirs.as_bytes()).unwrap();
    after.set("log-opts", &ours);
    let changes = [Change {
        key: "log-opts".to_owned(),
        before: None,
        after: Some(ours),
    }];
    for (since, reason) in [
        (None, ""),
        (Some("http://me:other@proxy"), "it holds a password"),
    ] {
        let stub = StubHost::new().file(PATH, theirs);
        trial::run(stub.host(), |tx| {
            tx.write_daemon_json(after.text(), &changes)
        })
        .unwrap();
        assert_eq!(stub.mode(PATH), 0o600);
        if let Some(since) = since {
            let edited = stub.read(PATH).replace("http://me:theirs@proxy", since);
            stub.write(PATH, edited);
            stub.set_mode(PATH, 0o600);
        }
        let kept = trial::revert(stub.host()).unwrap();
        assert!(!stub.read(PATH).contains("s3cret"));
        match since {
            None => assert_eq!((kept.len(), stub.mode(PATH)), (0, 0o644), "{kept:?}"),
            Some(_) => {
                assert!(kept[0].contains(reason), "{kept:?}");
                assert_eq!(stub.mode(PATH), 0o600);
            }
        }
    }
}
