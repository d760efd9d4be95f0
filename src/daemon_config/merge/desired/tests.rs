use super::*;
use crate::daemon_config::check::host_facts::HostFacts;
use crate::daemon_config::merge::drift::{drifted, unchanged};
use crate::daemon_config::merge::preset::Preset;
use crate::daemon_config::revert;
use crate::daemon_config::samples::{any_object, any_text};
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;
use serde_json::json;

fn desired(preset: Preset, settings: Value) -> DesiredConfig {
    let settings = settings.as_object().cloned().unwrap_or_default();
    DesiredConfig::new(preset.entries(&HostFacts::default()), settings)
}

fn root_after(text: &str, desired: &DesiredConfig) -> Value {
    let document = Document::parse(text.as_bytes()).unwrap();
    Value::Object(desired.merged_into(document).document.root().clone())
}

#[test]
fn settings_stand_over_a_preset_and_a_hardened_one_over_what_is_there() {
    let theirs = r#"{"icc": true, "live-restore": false, "log-level": "debug"}"#;
    let desired = desired(Preset::Hardened, json!({"log-level": "warn", "mtu": 1400}));
    let after = root_after(theirs, &desired);
    assert_eq!(after["icc"], false);
    assert_eq!(
        after["live-restore"], false,
        "what is recommended only fills"
    );
    assert_eq!(after["log-level"], "warn");
    assert_eq!(after["mtu"], 1400);
}

#[test]
fn options_of_the_recommended_driver_are_not_given_to_the_one_of_the_settings() {
    let other = desired(Preset::Recommended, json!({"log-driver": "journald"}));
    assert_eq!(root_after("{}", &other).get("log-opts"), None);
    let same = desired(Preset::Recommended, json!({"log-driver": "local"}));
    assert_eq!(root_after("{}", &same)["log-opts"]["max-file"], "5");
}

#[test]
fn every_wish_has_its_reason() {
    let mut desired = desired(Preset::Hardened, json!({"icc": true}));
    assert!(desired.reason("userland-proxy").starts_with("CIS 2.16"));
    assert!(desired.reason("icc").contains("[daemon]"));
    desired.restore(json!({"live-restore": true}).as_object().unwrap());
    assert_eq!(desired.reason("live-restore"), "--restore puts it back");
}

#[test]
fn what_was_changed_since_is_left_by_a_preset_and_restored_when_that_is_asked_for() {
    let theirs = json!({"live-restore": true, "log-opts": {"max-file": "5"}, "icc": false});
    let now = r#"{"live-restore": false, "log-driver": "local", "log-opts": {"max-size": "9m"}}"#;
    let mut left = desired(Preset::Hardened, json!({}));
    left.leave(theirs.as_object().unwrap());
    let after = root_after(now, &left);
    assert_eq!(after["live-restore"], false);
    assert_eq!(after["log-opts"], json!({"max-size": "9m"}));
    assert_eq!(after.get("icc"), None);
    assert_eq!(after["userland-proxy"], false, "nobody has changed that");

    let mut restored = desired(Preset::Recommended, json!({"live-restore": false}));
    restored.restore(theirs.as_object().unwrap());
    let after = root_after(now, &restored);
    assert_eq!(after["live-restore"], false, "the settings say so");
    assert_eq!(
        after["log-opts"],
        json!({"max-size": "9m", "max-file": "5"})
    );
    assert_eq!(after["icc"], false, "also what no preset wants by now");
}

#[test]
fn what_the_settings_say_is_set_again_whoever_changed_it() {
    let mut desired = desired(
        Preset::Recommended,
        json!({"mtu": 1400, "log-opts": {"tag": "x"}}),
    );
    let theirs = json!({"mtu": 1400, "log-opts": {"tag": "x", "max-size": "20m"}});
    desired.leave(theirs.as_object().unwrap());
    let now = r#"{"mtu": 9000, "log-driver": "local", "log-opts": {"max-file": "5"}}"#;
    let after = root_after(now, &desired);
    assert_eq!(after["mtu"], 1400);
    assert_eq!(after["log-opts"], json!({"max-file": "5", "tag": "x"}));
}

/// J1: a logging of one's own, written after the install.
#[test]
fn a_logging_that_somebody_wrote_since_stays_and_nothing_is_left_to_do() {
    let first = desired(Preset::Recommended, json!({})).merged_into(Document::new());
    for edited in [
        r#"{"log-driver":"json-file","log-opts":{"max-size":"10m"}}"#,
        r#"{"log-driver":"json-file"}"#,
        r#"{"log-driver":"journald"}"#,
        r#"{"log-opts":{"max-size":"10m"}}"#,
        r#"{"log-driver":"local"}"#,
        r#"{"live-restore":false}"#,
        "{}",
        "",
    ] {
        let after = again(desired(Preset::Recommended, json!({})), &first, edited);
        assert_eq!(after.changes, [], "{edited}");
        assert_eq!(after.document.text(), edited);
    }
}

/// Merges these values over `merged`, which earlier ones and then somebody else made.
fn again(mut desired: DesiredConfig, merged: &Merged, now: &str) -> Merged {
    let now = Document::parse(now.as_bytes()).unwrap();
    desired.leave(&drifted(&now, &merged.changes));
    desired.make_room(&now, &unchanged(&now, &merged.changes));
    desired.merged_into(now)
}

#[test]
fn options_of_our_own_driver_make_room_for_another_one_and_are_not_restored() {
    let first = desired(Preset::Recommended, json!({})).merged_into(Document::new());
    let syslog = || desired(Preset::Recommended, json!({"log-driver": "syslog"}));
    let after = again(syslog(), &first, first.document.text());
    assert_eq!(after.document.get("log-driver"), Some(&json!("syslog")));
    assert_eq!(after.document.get("log-opts"), None);
    let changed = after.changes.iter().find(|it| it.key == "log-opts");
    assert_eq!(changed.unwrap().after, None);

    let mut emptied = first.document.clone();
    emptied.remove("log-opts");
    let after = again(syslog(), &first, emptied.text());
    assert_eq!(after.document.get("log-opts"), None);

    let mut edited = first.document.clone();
    edited.set("log-opts", &json!({"max-size": "9m", "max-file": "5"}));
    let after = again(syslog(), &first, edited.text());
    let theirs = json!({"max-size": "9m"});
    assert_eq!(after.document.get("log-opts"), Some(&theirs), "not ours");
}

#[test]
fn a_label_of_ours_makes_room_for_one_of_the_same_name() {
    let labelled = |labels| desired(Preset::None, json!({ "labels": labels }));
    let theirs = Document::parse(br#"{"labels": ["rack=1"]}"#).unwrap();
    let first = labelled(json!(["site=lab", "a=1"])).merged_into(theirs);
    let after = again(
        labelled(json!(["site=prod", "rack=2"])),
        &first,
        first.document.text(),
    );
    assert_eq!(
        after.document.get("labels"),
        Some(&json!(["rack=1", "a=1", "site=prod", "rack=2"])),
        "a label that is not ours stays, and is then objected to"
    );
}

#[test]
fn an_entry_that_is_no_longer_wanted_does_not_come_back() {
    let mirrors = |url| desired(Preset::None, json!({"registry-mirrors": [url]}));
    let first = mirrors("https://old.example").merged_into(Document::new());
    let after = again(mirrors("https://new.example"), &first, "{}");
    let new = json!(["https://new.example"]);
    assert_eq!(after.document.get("registry-mirrors"), Some(&new));
}

#[test]
fn options_of_the_settings_get_the_recommended_driver_where_the_file_names_none() {
    let sized = desired(
        Preset::Recommended,
        json!({"log-opts": {"max-size": "10m"}}),
    );
    let merged = sized.merged_into(Document::new());
    let after = merged.document.root();
    assert_eq!(after["log-driver"], "local");
    assert_eq!(
        after["log-opts"],
        json!({"max-size": "10m", "max-file": "5"})
    );
    assert_eq!(sized.merged_into(merged.document.clone()).changes, []);
}

fn any_preset() -> impl Strategy<Value = Preset> {
    select(vec![Preset::None, Preset::Recommended, Preset::Hardened])
}

proptest! {
    /// Of any file, any preset and any settings.
    #[test]
    fn a_merge_settles_at_once_keeps_foreign_keys_and_is_undone(
        (old, text) in any_text(),
        settings in any_object(),
        preset in any_preset(),
    ) {
        let desired = DesiredConfig::new(preset.entries(&HostFacts::default()), settings);
        let document = Document::parse(text.as_bytes()).unwrap();
        let merged = desired.merged_into(document);
        let settled = desired.merged_into(merged.document.clone());
        prop_assert!(settled.changes.is_empty(), "{:?}", settled.changes);
        prop_assert_eq!(&settled.document, &merged.document);
        for (key, value) in &old {
            if desired.reason(key).is_empty() {
                prop_assert_eq!(merged.document.get(key), Some(value));
            }
        }
        let reverted = revert(merged.document, &merged.changes);
        prop_assert_eq!(reverted.document.root(), &old);
        prop_assert!(reverted.kept.is_empty());
    }

    /// Whatever somebody makes of a file that was set up, the next install leaves it, but for what its
    /// own settings say, and the one after that finds nothing to do.
    #[test]
    fn an_install_after_any_edit_converges_at_once_and_loses_no_edit(
        (_, text) in any_text(),
        first in any_object(),
        (now, edited) in any_text(),
        keeps in any_object(),
        second in any_object(),
        presets in (any_preset(), any_preset()),
        edits_ours in proptest::bool::ANY,
    ) {
        let entries = |preset: Preset| preset.entries(&HostFacts::default());
        let document = |text: &str| Document::parse(text.as_bytes()).unwrap();
        let before = DesiredConfig::new(entries(presets.0), first).merged_into(document(&text));
        // Another file altogether, or the same with some keys replaced and others removed.
        let now = if edits_ours {
                let mut file = before.document.clone();
                now.iter().for_each(|(key, value)| file.set(key, value));
                keeps.keys().for_each(|key| file.remove(key));
                file
            } else {
document(&edited)
};
        let install = |now: &Document, changes: &[Change]| {
            let mut desired = DesiredConfig::new(entries(presets.1), second.clone());
            desired.leave(&drifted(now, changes));
            desired.make_room(now, &unchanged(now, changes));
            desired.merged_into(now.clone())
        };
        let after = install(&now, &before.changes);
        for (key, set) in drifted(&now, &before.changes) {
            if second.contains_key(&key) {
                continue;
            }
            match (Rule::of(&key), set) {
                // Entries beside those that were changed may be new.
                (Rule::Entries, Value::Object(set)) if now.get(&key).is_none_or(Value::is_object) => {
                    for entry in set.keys() {
                        let path = [key.as_str(), entry.as_str()];
                        prop_assert_eq!(after.document.value_at(&path), now.value_at(&path));
                    }
                }
                _ => prop_assert_eq!(after.document.get(&key), now.get(&key), "{}", key),
            }
        }
        let changes = [before.changes, after.changes].concat();
        let again = install(&after.document, &changes);
        prop_assert!(again.changes.is_empty(), "{:?}", again.changes);
    }

    /// What was changed since and is restored is what it was, and the next install has nothing to do.
    #[test]
    fn what_is_restored_is_as_it_was_set(
        (_, text) in any_text(),
        settings in any_object(),
        (_, edited) in any_text(),
        preset in any_preset(),
    ) {
        let entries = || preset.entries(&HostFacts::default());
        let document = Document::parse(text.as_bytes()).unwrap();
        let before = DesiredConfig::new(entries(), settings.clone()).merged_into(document);
        let now = Document::parse(edited.as_bytes()).unwrap();
        let mut desired = DesiredConfig::new(entries(), settings);
        let wanted = drifted(&now, &before.changes);
        let names_driver = desired.values("log-driver", Weight::Set).next().is_some();
        desired.restore(&wanted);
        let after = desired.merged_into(now);
        for key in drifted(&after.document, &before.changes).keys() {
            prop_assert!(key == "log-opts" && names_driver, "{}", key);
        }
    }
}
