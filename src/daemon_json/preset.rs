//! Configurations worth recommending, each value with its reason.
//!
//! Owns the values. It must not know how they get into a file.

use serde_json::{Map, Value, json};

/// A named set of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    pub name: &'static str,
    pub entries: Vec<Entry>,
}

/// One key of a preset.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: &'static str,
    pub value: Value,
    /// Why, in one line.
    pub reason: &'static str,
}

impl Preset {
    /// The keys and values alone, for [`merge`](super::merge()).
    pub fn values(&self) -> Map<String, Value> {
        let pair = |entry: &Entry| (entry.key.to_owned(), entry.value.clone());
        self.entries.iter().map(pair).collect()
    }
}

/// What a host should have when nobody asked for anything else.
pub fn recommended() -> Preset {
    Preset {
        name: "recommended",
        entries: vec![
            Entry {
                key: "log-driver",
                value: json!("local"),
                reason: "compressed logs; dockerd's own default grows without end",
            },
            Entry {
                key: "log-opts",
                value: json!({"max-size": "20m", "max-file": "5"}),
                reason: "a container's logs take 100 MB at most",
            },
            Entry {
                key: "live-restore",
                value: json!(true),
                reason: "containers keep running while the daemon is upgraded or restarted",
            },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_json::{Context, Document, Wanted, check, merge};

    #[test]
    fn the_recommended_values_pass_our_own_check() {
        let merged = merge(Document::new(), &recommended().values(), Wanted::Default);
        assert_eq!(check(&merged.document, &Context::default()), []);
        assert_eq!(merged.changes.len(), recommended().entries.len());
    }
}
