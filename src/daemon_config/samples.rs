//! Configurations made up for property tests. It must not end up in the program.

use proptest::collection::{hash_map, vec};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use serde_json::{Map, Value};

/// Objects of any shape, with few names so that two of them overlap, and one name or two of
/// each rule of a merge.
pub(crate) fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "local|.{0,4}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            hash_map("[a-dé]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    hash_map("[a-cé]|labels|log-opts|log-driver|features", value, 0..6)
        .prop_map(|map| map.into_iter().collect())
}

/// An object and a text of it with any whitespace JSON allows, anywhere it allows it.
pub(crate) fn any_text() -> impl Strategy<Value = (Map<String, Value>, String)> {
    (any_object(), vec("[ \t]{0,2}(\r?\n)?[ \t]{0,3}", 1..6)).prop_map(|(object, gaps)| {
        let mut gaps = gaps.iter().cycle();
        let mut gap = || gaps.next().map_or("", String::as_str);
        let (mut text, mut in_string, mut escaped) = (String::new(), false, false);
        for c in Value::Object(object.clone()).to_string().chars() {
            let structural = !in_string && "{}[]:,".contains(c);
            if structural {
                text.push_str(gap());
            }
            text.push(c);
            if structural {
                text.push_str(gap());
            }
            in_string ^= c == '"' && !escaped;
            escaped = in_string && c == '\\' && !escaped;
        }
        (object, text)
    })
}
