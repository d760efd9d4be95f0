//! The sizes of the cache that the builder keeps.
//!
//! Source: `getGCPolicy` of dockerd, tried with dockerd 26.1 and 28.5.

use serde_json::Value;

use super::findings::Findings;
use super::values::share_fault;
use crate::daemon_config::document::Document;
use crate::daemon_config::document::entries::{children, entry, named};
use crate::daemon_config::schema::EngineRelease;

/// Since this engine, the cache is cleaned where nothing else is said.
const CLEANS_CACHE: EngineRelease = EngineRelease(28, 0);

/// dockerd reads the sizes only where it cleans the cache, and does not start with a wrong one then.
pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    let builder = document.get("builder").unwrap_or(&Value::Null);
    let Some((gc_name, gc)) = named(builder, "gc") else {
        return;
    };
    let engine = findings.engine;
    let is_cleaned = match entry(gc, "enabled") {
        Value::Bool(enabled) => *enabled,
        _ => engine >= CLEANS_CACHE,
    };
    for (path, value) in sizes(gc) {
        let Some(fault) = value.as_str().and_then(|text| share_fault(text, engine)) else {
            continue;
        };
        let path = path.iter().map(String::as_str);
        let path: Vec<&str> = ["builder", gc_name].into_iter().chain(path).collect();
        if is_cleaned {
            findings.error(&path, fault);
        } else {
            findings.warn(
                &path,
                format!("{fault}; the engine does not clean this cache"),
            );
        }
    }
}

/// The entries that are sizes, each with its place, of the whole and of each rule.
fn sizes(gc: &Value) -> Vec<(Vec<String>, &Value)> {
    let whole = children(gc)
        .into_iter()
        .map(|(name, value)| (vec![name], value));
    let (policy, rules) = named(gc, "policy").unwrap_or(("policy", &Value::Null));
    let rules = children(rules).into_iter().flat_map(|(index, rule)| {
        let place = vec![policy.to_owned(), index];
        children(rule)
            .into_iter()
            .map(move |(name, value)| ([place.clone(), vec![name]].concat(), value))
    });
    let is_size = |path: &[String]| {
        let name = path
            .last()
            .map(|name| name.to_lowercase())
            .unwrap_or_default();
        name.ends_with("storage") || name.ends_with("space")
    };
    let sizes = whole.chain(rules);
    sizes.filter(|(path, _)| is_size(path)).collect()
}

#[cfg(test)]
mod tests {
    use crate::daemon_config::check::tests::findings_of;
    use crate::daemon_config::{Context, EngineRelease};

    #[test]
    fn a_wrong_size_of_the_cache_stops_an_engine_that_cleans_it() {
        let under = |engine, gc: &str| {
            let context = Context {
                engine: Some(engine),
                ..Context::default()
            };
            findings_of(&format!(r#"{{"builder": {{"gc": {gc}}}}}"#), &context)
        };
        let lots = r#"{"defaultKeepStorage": "lots"}"#;
        let policy = r#"{"policy": [{"keepStorage": "10q"}], "enabled": true}"#;
        let share = r#"{"enabled": true, "defaultKeepStorage": "10%"}"#;
        assert!(under(EngineRelease(26, 1), lots).starts_with("warning"));
        assert!(under(EngineRelease(28, 5), lots).starts_with("error"));
        assert!(
            under(EngineRelease(26, 1), policy)
                .contains("policy.0.keepStorage: \"10q\" is no size")
        );
        assert!(under(EngineRelease(26, 1), share).starts_with("error"));
        assert!(under(EngineRelease(28, 5), share).starts_with("error"));
        assert_eq!(under(EngineRelease(29, 0), share), "");
    }
}
