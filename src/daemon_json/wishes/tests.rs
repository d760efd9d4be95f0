use super::*;
use crate::daemon_json::drift::{lost, standing};
use crate::daemon_json::preset::Preset;
use crate::daemon_json::revert;
use crate::daemon_json::samples::{any_object, any_text};
use crate::daemon_json::surroundings::Surroundings;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;
use serde_json::json;

fn wishes(preset: Preset, settings: Value) -> Wishes {
    let settings = settings.as_object().cloned().unwrap_or_default();
    Wishes::new(preset.entries(&Surroundings::default()), settings)
}

fn root_after(text: &str, wishes: &Wishes) -> Value {
    let document = Document::parse(text.as_bytes()).unwrap();
    Value::Object(wishes.merged_into(document).document.root().clone())
}

#[test]
fn settings_stand_over_a_preset_and_a_hardened_one_over_what_is_there() {
    let theirs = r#"{"icc": true, "live-restore": false, "log-level": "debug"}"#;
    let wishes = wishes(Preset::Hardened, json!({"log-level": "warn", "mtu": 1400}));
    let after = root_after(theirs, &wishes);
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
    let other = wishes(Preset::Recommended, json!({"log-driver": "journald"}));
    assert_eq!(root_after("{}", &other).get("log-opts"), None);
    let same = wishes(Preset::Recommended, json!({"log-driver": "local"}));
    assert_eq!(root_after("{}", &same)["log-opts"]["max-file"], "5");
}

#[test]
fn every_wish_has_its_reason() {
    let mut wishes = wishes(Preset::Hardened, json!({"icc": true}));
    assert!(wishes.reason("userland-proxy").starts_with("CIS 2.16"));
    assert!(wishes.reason("icc").contains("[daemon]"));
    wishes.put_back(json!({"live-restore": true}).as_object().unwrap());
    assert!(wishes.reason("live-restore").contains("changed since"));
}

#[test]
fn what_was_ours_is_put_back_as_long_as_it_is_wanted() {
    let lost = json!({"live-restore": true, "mtu": 1400});
    let mut wishes = wishes(Preset::Recommended, json!({}));
    wishes.put_back(lost.as_object().unwrap());
    let after = root_after(r#"{"live-restore": false, "mtu": 9000}"#, &wishes);
    assert_eq!(after["live-restore"], true);
    assert_eq!(after["mtu"], 9000);
}

/// Merges these wishes over `merged`, which earlier ones and then somebody else made.
fn again(mut wishes: Wishes, merged: &Merged, now: &str) -> Merged {
    let now = Document::parse(now.as_bytes()).unwrap();
    wishes.put_back(&lost(&now, &merged.changes));
    wishes.make_room(&now, &standing(&now, &merged.changes));
    wishes.merged_into(now)
}

#[test]
fn options_of_our_own_driver_make_room_for_another_one_and_are_not_put_back() {
    let first = wishes(Preset::Recommended, json!({})).merged_into(Document::new());
    let syslog = || wishes(Preset::Recommended, json!({"log-driver": "syslog"}));
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
    let labelled = |labels| wishes(Preset::None, json!({ "labels": labels }));
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
    let mirrors = |url| wishes(Preset::None, json!({"registry-mirrors": [url]}));
    let first = mirrors("https://old.example").merged_into(Document::new());
    let after = again(mirrors("https://new.example"), &first, "{}");
    let new = json!(["https://new.example"]);
    assert_eq!(after.document.get("registry-mirrors"), Some(&new));
}

#[test]
fn options_of_the_settings_get_the_recommended_driver_where_the_file_names_none() {
    let sized = wishes(
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

proptest! {
    /// Of any file, any preset and any settings.
    #[test]
    fn a_merge_settles_at_once_keeps_foreign_keys_and_is_undone(
        (old, text) in any_text(),
        settings in any_object(),
        preset in select(vec![Preset::None, Preset::Recommended, Preset::Hardened]),
    ) {
        let wishes = Wishes::new(preset.entries(&Surroundings::default()), settings);
        let document = Document::parse(text.as_bytes()).unwrap();
        let merged = wishes.merged_into(document);
        let settled = wishes.merged_into(merged.document.clone());
        prop_assert!(settled.changes.is_empty(), "{:?}", settled.changes);
        prop_assert_eq!(&settled.document, &merged.document);
        for (key, value) in &old {
            if wishes.reason(key).is_empty() {
                prop_assert_eq!(merged.document.get(key), Some(value));
            }
        }
        let reverted = revert(merged.document, &merged.changes);
        prop_assert_eq!(reverted.document.root(), &old);
        prop_assert!(reverted.kept.is_empty());
    }
}
