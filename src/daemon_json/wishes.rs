//! Everything that is wanted of a configuration, layer over layer, each with its reason.
//!
//! Owns which layer stands over which. It must not know where the wishes come from.

use serde_json::{Map, Value};

use super::change::Change;
use super::document::Document;
use super::logging;
use super::merge::{Merged, Rule, Wanted, merge_over};
use super::preset::Entry;

/// The wishes in the order in which they are to be merged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes {
    list: Vec<Wish>,
    /// Entries of ours that stand in the way of what is wanted by now, by key.
    outgoing: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq)]
struct Wish {
    key: String,
    value: Value,
    weight: Wanted,
    reason: String,
}

impl Wishes {
    /// The settings over a preset.
    pub fn new(preset: Vec<Entry>, settings: Map<String, Value>) -> Wishes {
        let mut wishes = Wishes::default();
        let preset = preset
            .into_iter()
            .filter(|entry| !settings.contains_key(entry.key) || entry.weight == Wanted::Default);
        for Entry {
            key,
            value,
            weight,
            reason,
        } in preset
        {
            wishes.list.push(Wish {
                key: key.to_owned(),
                value,
                weight,
                reason: reason.to_owned(),
            });
        }
        for (key, value) in settings {
            wishes.set(&key, value, "the settings' [daemon] says so");
        }
        wishes
    }

    /// Adds a wish that stands over all before.
    pub fn set(&mut self, key: &str, value: Value, reason: &str) {
        self.list.push(Wish {
            key: key.to_owned(),
            value,
            weight: Wanted::Set,
            reason: reason.to_owned(),
        });
    }

    /// Takes out what a preset, and not the user, wants of a key.
    pub fn leave_out(&mut self, is_left_out: impl Fn(&str) -> bool) {
        self.list
            .retain(|wish| !(wish.weight == Wanted::Default && is_left_out(&wish.key)));
    }

    /// Puts back what was ours: values and entries that are wanted still, and were taken out or
    /// edited since. Options of a log driver go with it, when another one is wanted.
    pub fn put_back(&mut self, lost: &Map<String, Value>) {
        for (key, value) in lost {
            let Some(value) = self.still_wanted(key, value) else {
                continue;
            };
            let reason = "dockstrap set it, and it was changed since";
            let wish = Wish {
                key: key.clone(),
                value,
                weight: Wanted::Set,
                reason: reason.to_owned(),
            };
            // Under all others, so that what the settings say by now wins.
            self.list.insert(0, wish);
        }
    }

    /// As much of a value as some wish names, if any does.
    fn still_wanted(&self, key: &str, value: &Value) -> Option<Value> {
        let wanted: Vec<&Value> = self.values(key, Wanted::Default).collect();
        let wanted: Vec<&Value> = wanted
            .into_iter()
            .chain(self.values(key, Wanted::Set))
            .collect();
        let another_driver = self.values("log-driver", Wanted::Set).next().is_some();
        if wanted.is_empty() || (key == "log-opts" && another_driver) {
            return None;
        }
        let part = match (Rule::of(key), value) {
            (Rule::Union, Value::Array(entries)) => {
                let in_list =
                    |list: &&Value, entry| list.as_array().is_some_and(|it| it.contains(entry));
                let entries = entries.iter();
                let entries =
                    entries.filter(|entry| wanted.iter().any(|list| in_list(list, entry)));
                Value::Array(entries.cloned().collect())
            }
            (Rule::Entries, Value::Object(entries)) => {
                let entries = entries.iter();
                let entries =
                    entries.filter(|(name, _)| wanted.iter().any(|map| map.get(name).is_some()));
                Value::Object(
                    entries
                        .map(|(name, entry)| (name.clone(), entry.clone()))
                        .collect(),
                )
            }
            _ => value.clone(),
        };
        (!is_hollow(&part)).then_some(part)
    }

    /// Lets what is ours and stands in the document yet make room for what is wanted by now: the
    /// options of one log driver for another driver, and a label for another of the same name.
    pub fn make_room(&mut self, document: &Document, standing: &Map<String, Value>) {
        let ours = |key: &str| standing.get(key);
        let mut outgoing = Map::new();
        let driver = self.values("log-driver", Wanted::Set).last();
        let is_another =
            driver.is_some_and(|it| it.as_str() != Some(logging::driver(document.root())));
        if let Some(Value::Object(options)) = ours("log-opts").filter(|_| is_another) {
            let named = |name: &str| {
                self.values("log-opts", Wanted::Set)
                    .any(|map| map.get(name).is_some())
            };
            let options = options.iter().filter(|(name, _)| !named(name));
            let options = options.map(|(name, value)| (name.clone(), value.clone()));
            outgoing.insert("log-opts".to_owned(), Value::Object(options.collect()));
        }
        if let Some(Value::Array(labels)) = ours("labels") {
            let wanted = self.values("labels", Wanted::Set);
            let wanted: Vec<&Value> = wanted.filter_map(Value::as_array).flatten().collect();
            let is_replaced = |label: &&Value| {
                let same = |other: &&Value| name_of_label(other) == name_of_label(label);
                !wanted.contains(label) && wanted.iter().any(|other| same(&other))
            };
            let labels = labels.iter().filter(is_replaced).cloned().collect();
            outgoing.insert("labels".to_owned(), labels);
        }
        outgoing.retain(|_, entries| !is_hollow(entries));
        self.outgoing = outgoing;
    }

    /// The values that are wanted for a key with this weight, the one that counts most last.
    fn values(&self, key: &str, weight: Wanted) -> impl Iterator<Item = &Value> {
        let wishes = self.list.iter();
        let wishes = wishes.filter(move |wish| wish.key == key && wish.weight == weight);
        wishes.map(|wish| &wish.value)
    }

    /// Why a key is wanted as it is, of the wish that counts most.
    pub fn reason(&self, key: &str) -> &str {
        let of_key = || self.list.iter().filter(|wish| wish.key == key);
        let set = of_key().rfind(|wish| wish.weight == Wanted::Set);
        let wish = set.or_else(|| of_key().next());
        match (wish, self.outgoing.contains_key(key)) {
            (Some(wish), _) if wish.weight == Wanted::Set => &wish.reason,
            (_, true) => "dockstrap set it, and it does not go with what is wanted by now",
            (wish, false) => wish.map_or("", |wish| wish.reason.as_str()),
        }
    }

    /// Merges what must be first, and then what is only to be there.
    pub fn merged_into(&self, document: Document) -> Merged {
        let mut merged = without(document, &self.outgoing);
        let found = merged.document.root().clone();
        for wish in self.of(Wanted::Set) {
            merged = merged.with(&found, &Map::from_iter([wish]), Wanted::Set);
        }
        let defaults = self.of(Wanted::Default).collect();
        merged.with(&found, &defaults, Wanted::Default)
    }

    fn of(&self, weight: Wanted) -> impl Iterator<Item = (String, Value)> {
        let wishes = self.list.iter().filter(move |wish| wish.weight == weight);
        wishes.map(|wish| (wish.key.clone(), wish.value.clone()))
    }
}

impl Merged {
    /// Merges once more; a key that changes twice stands in the changes once.
    fn with(
        self,
        found: &Map<String, Value>,
        wanted: &Map<String, Value>,
        weight: Wanted,
    ) -> Merged {
        let Merged {
            document,
            mut changes,
        } = self;
        let next = merge_over(found, document, wanted, weight);
        for change in next.changes {
            let earlier = changes
                .iter()
                .position(|known: &Change| known.key == change.key);
            match earlier {
                None => changes.push(change),
                Some(place) => changes[place].after = change.after,
            }
        }
        changes.retain(|change| change.before != change.after);
        Merged {
            document: next.document,
            changes,
        }
    }
}

/// Takes entries out; a list or map goes with its last one.
fn without(document: Document, outgoing: &Map<String, Value>) -> Merged {
    let mut document = document;
    let mut changes = Vec::new();
    for (key, entries) in outgoing {
        let Some(before) = document.get(key).cloned() else {
            continue;
        };
        let mut after = before.clone();
        match (&mut after, entries) {
            (Value::Array(list), Value::Array(entries)) => list.retain(|it| !entries.contains(it)),
            (Value::Object(map), Value::Object(entries)) => {
                map.retain(|name, _| !entries.contains_key(name));
            }
            _ => {}
        }
        let after = Some(after).filter(|after| !is_hollow(after));
        match &after {
            Some(after) => document.set(key, after),
            None => document.remove(key),
        }
        changes.push(Change {
            key: key.clone(),
            before: Some(before),
            after,
        });
    }
    Merged { document, changes }
}

fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn name_of_label(label: &Value) -> Option<&str> {
    Some(label.as_str()?.split('=').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
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
}
