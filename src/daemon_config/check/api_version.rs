//! The oldest API that clients may speak.
//!
//! Source: `NewVersionMiddleware` and `api/types/versions` of moby.

use std::cmp::Ordering;

use serde_json::Value;

use super::findings::Findings;
use crate::daemon_config::document::Document;
use crate::daemon_config::schema::EngineRelease;

const KEY: &str = "min-api-version";

/// The oldest that an engine can speak.
const OLDEST: &str = "1.24";

/// The newest that an engine up to this one speaks; what later ones do is not known.
const NEWEST: &str = "1.55";
const SPEAKS_NEWEST: EngineRelease = EngineRelease(29, 7);

pub(super) fn check(findings: &mut Findings<'_>, document: &Document) {
    let version = document.get(KEY).and_then(Value::as_str);
    let Some(version) = version.filter(|version| !version.is_empty()) else {
        return;
    };
    let fault = if compare(version, OLDEST).is_lt() {
        format!(
            "dockerd does not start, since its API begins at {OLDEST}; write {OLDEST:?} or later"
        )
    } else if findings.engine <= SPEAKS_NEWEST && compare(version, NEWEST).is_gt() {
        format!("dockerd does not start, since its API ends at {NEWEST} at the latest")
    } else {
        return;
    };
    findings.error(&[KEY], fault);
}

/// dockerd takes a part that is no number for 0, and so a part that is not there.
fn compare(one: &str, other: &str) -> Ordering {
    let parts = |text: &str| -> Vec<i64> {
        let mut parts: Vec<i64> = text
            .split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect();
        while parts.last() == Some(&0) {
            parts.pop();
        }
        parts
    };
    parts(one).cmp(&parts(other))
}

#[cfg(test)]
mod tests {
    use crate::daemon_config::check::tests::findings_of;
    use crate::daemon_config::{Context, EngineRelease};

    #[test]
    fn the_oldest_api_is_one_that_the_engine_speaks() {
        let judged = |version: &str, engine: EngineRelease| {
            let context = Context {
                engine: Some(engine),
                ..Context::default()
            };
            findings_of(&format!(r#"{{"min-api-version": "{version}"}}"#), &context)
        };
        for sound in ["", "1.24", "1.44", "1.44.0", "01.44", "1.55"] {
            assert_eq!(judged(sound, EngineRelease(29, 7)), "", "{sound}");
        }
        for wrong in ["1.23", "1", "v1.44", "latest", "1.x"] {
            let found = judged(wrong, EngineRelease(29, 7));
            assert!(
                found.starts_with("error") && found.contains("1.24"),
                "{found}"
            );
        }
        let newer = |engine: EngineRelease| judged("1.56", engine);
        assert!(newer(EngineRelease(29, 0)).contains("ends at 1.55"));
        assert_eq!(newer(EngineRelease(29, 8)), "", "not known");
        assert_eq!(newer(EngineRelease::NEWEST), "");
    }
}
