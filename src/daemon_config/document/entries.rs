//! Entries of lists and objects, found as dockerd finds them: names in any case.

use serde_json::Value;

/// The entries of a list or a map, by index or name.
pub(crate) fn children(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Array(list) => (0..).map(|n: usize| n.to_string()).zip(list).collect(),
        Value::Object(map) => map.iter().map(|(name, v)| (name.clone(), v)).collect(),
        _ => Vec::new(),
    }
}

/// An entry of an object by its name, which dockerd reads in any case; `null` when there is none.
/// Of several that differ in case only, the last one counts.
pub(crate) fn entry<'a>(object: &'a Value, name: &str) -> &'a Value {
    named(object, name).map_or(&Value::Null, |(_, value)| value)
}

/// The same with the name as it is written there.
pub(crate) fn named<'a>(object: &'a Value, name: &str) -> Option<(&'a str, &'a Value)> {
    let mut entries = object
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    entries
        .next_back()
        .map(|(name, value)| (name.as_str(), value))
}
