//! The desired configuration: what daemon.json should say, layer over layer, each value with its reason.
//!
//! Owns which layer overrides which. It must not know where the values come from.

use serde_json::{Map, Value};

use super::change::Change;
use super::preset::PresetValue;
use super::{Merged, Weight, merge_over};
use crate::daemon_config::check::logging;
use crate::daemon_config::document::Document;
use crate::daemon_config::schema::Rule;

/// The desired values, in the order in which they are merged.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DesiredConfig {
    list: Vec<DesiredValue>,
    /// Entries of ours that stand in the way of what is wanted by now, by key.
    outgoing: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq)]
struct DesiredValue {
    key: String,
    value: Value,
    weight: Weight,
    reason: String,
    /// Whether a preset wants it, and not the user.
    is_presets: bool,
}

impl DesiredConfig {
    /// The settings over a preset.
    pub(crate) fn new(preset: Vec<PresetValue>, settings: Map<String, Value>) -> DesiredConfig {
        let mut desired = DesiredConfig::default();
        let preset = preset
            .into_iter()
            .filter(|entry| !settings.contains_key(entry.key) || entry.weight == Weight::Default);
        for PresetValue {
            key,
            value,
            weight,
            reason,
        } in preset
        {
            desired.list.push(DesiredValue {
                key: key.to_owned(),
                value,
                weight,
                reason: reason.to_owned(),
                is_presets: true,
            });
        }
        for (key, value) in settings {
            desired.set(&key, value, "the settings' [daemon] says so");
        }
        desired
    }

    /// Adds a value that overrides all before.
    pub(crate) fn set(&mut self, key: &str, value: Value, reason: &str) {
        self.list.push(DesiredValue {
            key: key.to_owned(),
            value,
            weight: Weight::Set,
            reason: reason.to_owned(),
            is_presets: false,
        });
    }

    /// Takes out of the preset what somebody has decided otherwise since it was set: keys, and
    /// entries of lists and maps that are merged by entries. Options go with the log driver that
    /// they are for. What the settings name as well is nobody else's decision.
    pub(crate) fn leave(&mut self, theirs: &Map<String, Value>) {
        let mut theirs = theirs.clone();
        theirs.retain(|key, value| {
            let is_named = |desired: &DesiredValue| !desired.is_presets && desired.key == *key;
            !self.list.iter().any(is_named) || has_entries(key, value)
        });
        let their_driver = theirs.contains_key("log-driver");
        let desired = std::mem::take(&mut self.list).into_iter();
        let left = desired.filter_map(|desired| match theirs.get(&desired.key) {
            _ if !desired.is_presets => Some(desired),
            _ if desired.key == "log-opts" && their_driver => None,
            Some(theirs) => {
                let value = rest(&desired.key, &desired.value, theirs)?;
                Some(DesiredValue { value, ..desired })
            }
            None => Some(desired),
        });
        self.list = left.collect();
    }

    /// Sets what was ours and somebody changed since, under all that the settings say. The options
    /// of a log driver stay away when the settings name another one.
    pub(crate) fn restore(&mut self, lost: &Map<String, Value>) {
        let names_driver = self.values("log-driver", Weight::Set).next().is_some();
        for (key, value) in lost {
            if key == "log-opts" && names_driver {
                continue;
            }
            let desired = DesiredValue {
                key: key.clone(),
                value: value.clone(),
                weight: Weight::Set,
                reason: "--restore puts it back".to_owned(),
                is_presets: false,
            };
            self.list.insert(0, desired);
        }
    }

    /// Lets what is ours and stands in the document yet make room for what is wanted by now: the
    /// options of one log driver for another driver, and a label for another of the same name.
    pub(crate) fn make_room(&mut self, document: &Document, standing: &Map<String, Value>) {
        let ours = |key: &str| standing.get(key);
        let mut outgoing = Map::new();
        let driver = self.values("log-driver", Weight::Set).last();
        let is_another =
            driver.is_some_and(|it| it.as_str() != Some(logging::driver(document.root())));
        if let Some(Value::Object(options)) = ours("log-opts").filter(|_| is_another) {
            let named = |name: &str| {
                self.values("log-opts", Weight::Set)
                    .any(|map| map.get(name).is_some())
            };
            let options = options
                .iter()
                .filter(|(name, _)| !named(name))
                .map(|(name, value)| (name.clone(), value.clone()));
            outgoing.insert("log-opts".to_owned(), Value::Object(options.collect()));
        }
        if let Some(Value::Array(labels)) = ours("labels") {
            let wanted: Vec<&Value> = self
                .values("labels", Weight::Set)
                .filter_map(Value::as_array)
                .flatten()
                .collect();
            let is_replaced = |label: &&Value| {
                let same = |other: &&Value| name_of_label(other) == name_of_label(label);
                !wanted.contains(label) && wanted.iter().any(same)
            };
            let labels = labels.iter().filter(is_replaced).cloned().collect();
            outgoing.insert("labels".to_owned(), labels);
        }
        outgoing.retain(|_, entries| !is_hollow(entries));
        self.outgoing = outgoing;
    }

    /// The values that are wanted for a key with this weight, the one that counts most last.
    fn values(&self, key: &str, weight: Weight) -> impl Iterator<Item = &Value> {
        let desired = self
            .list
            .iter()
            .filter(move |desired| desired.key == key && desired.weight == weight);
        desired.map(|desired| &desired.value)
    }

    /// Why a key is wanted as it is, by the value that counts most.
    pub(crate) fn reason(&self, key: &str) -> &str {
        let of_key = || self.list.iter().filter(|desired| desired.key == key);
        let set = of_key().rfind(|desired| desired.weight == Weight::Set);
        let desired = set.or_else(|| of_key().next());
        match (desired, self.outgoing.contains_key(key)) {
            (Some(desired), _) if desired.weight == Weight::Set => &desired.reason,
            (_, true) => "dockstrap set it, and it does not go with what is wanted by now",
            (desired, false) => desired.map_or("", |desired| desired.reason.as_str()),
        }
    }

    /// Merges what must be first, and then what is only to be there.
    pub(crate) fn merged_into(&self, document: Document) -> Merged {
        let mut merged = without(document, &self.outgoing);
        let found = merged.document.root().clone();
        for desired in self.of(Weight::Set) {
            merged = merged.with(&found, &Map::from_iter([desired]), Weight::Set);
        }
        let defaults = self.of(Weight::Default).collect();
        merged.with(&found, &defaults, Weight::Default)
    }

    fn of(&self, weight: Weight) -> impl Iterator<Item = (String, Value)> {
        let desired = self
            .list
            .iter()
            .filter(move |desired| desired.weight == weight);
        desired.map(|desired| (desired.key.clone(), desired.value.clone()))
    }
}

impl Merged {
    /// Merges once more; a key that changes twice stands in the changes once.
    fn with(
        self,
        found: &Map<String, Value>,
        wanted: &Map<String, Value>,
        weight: Weight,
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

/// Whether the value of a key is merged entry by entry.
fn has_entries(key: &str, value: &Value) -> bool {
    matches!(
        (Rule::of(key), value),
        (Rule::Union, Value::Array(_)) | (Rule::Entries, Value::Object(_))
    )
}

/// What is left of a key's value without these entries of it; `None` when nothing is.
fn rest(key: &str, value: &Value, without: &Value) -> Option<Value> {
    let mut rest = value.clone();
    match (Rule::of(key), &mut rest, without) {
        (Rule::Union, Value::Array(list), Value::Array(without)) => {
            list.retain(|entry| !without.contains(entry));
        }
        (Rule::Entries, Value::Object(map), Value::Object(without)) => {
            map.retain(|name, _| !without.contains_key(name));
        }
        _ => return None,
    }
    (!is_hollow(&rest)).then_some(rest)
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
mod tests;
