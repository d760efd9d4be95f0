//! Everything that is wanted of a configuration, layer over layer, each with its reason.
//!
//! Owns which layer stands over which. It must not know where the wishes come from.

use serde_json::{Map, Value};

use super::change::Change;
use super::document::Document;
use super::merge::{Merged, Wanted, merge};
use super::preset::Entry;

/// The wishes in the order in which they are to be merged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes {
    list: Vec<Wish>,
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

    /// Puts back what was ours: values that are wanted still, and were taken out or edited since.
    pub fn put_back(&mut self, lost: &Map<String, Value>) {
        for (key, value) in lost {
            if self.list.iter().any(|wish| wish.key == *key) {
                let reason = "dockstrap set it, and it was changed since";
                let wish = Wish {
                    key: key.clone(),
                    value: value.clone(),
                    weight: Wanted::Set,
                    reason: reason.to_owned(),
                };
                // Under all others, so that what the settings say by now wins.
                self.list.insert(0, wish);
            }
        }
    }

    /// Why a key is wanted as it is, of the wish that counts most.
    pub fn reason(&self, key: &str) -> &str {
        let of_key = || self.list.iter().filter(|wish| wish.key == key);
        let set = of_key().rfind(|wish| wish.weight == Wanted::Set);
        let wish = set.or_else(|| of_key().next());
        wish.map_or("", |wish| wish.reason.as_str())
    }

    /// Merges what must be first, and then what is only to be there.
    pub fn merged_into(&self, document: Document) -> Merged {
        let mut merged = Merged {
            document,
            changes: Vec::new(),
        };
        for wish in self.of(Wanted::Set) {
            merged = merged.with(&Map::from_iter([wish]), Wanted::Set);
        }
        merged.with(&self.of(Wanted::Default).collect(), Wanted::Default)
    }

    fn of(&self, weight: Wanted) -> impl Iterator<Item = (String, Value)> {
        let wishes = self.list.iter().filter(move |wish| wish.weight == weight);
        wishes.map(|wish| (wish.key.clone(), wish.value.clone()))
    }
}

impl Merged {
    /// Merges once more; a key that changes twice stands in the changes once.
    fn with(self, wanted: &Map<String, Value>, weight: Wanted) -> Merged {
        let Merged {
            document,
            mut changes,
        } = self;
        let next = merge(document, wanted, weight);
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

#[cfg(test)]
mod tests {
    use super::*;
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
