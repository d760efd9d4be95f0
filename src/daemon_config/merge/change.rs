//! What happened to one key: the record that plans show, journals keep and reverts undo.
//!
//! It must not know why a key changed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::daemon_config::data_root;
use crate::daemon_config::document::redacted::Redacted;
use crate::daemon_config::schema::{Reload, key};

/// One key before and after; `None` is absent, which is not the same as `null`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub key: String,
    #[serde(default, deserialize_with = "present")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl Change {
    /// Whether the daemon takes this change only when it starts; else a reload is enough.
    pub(crate) fn needs_restart(&self) -> bool {
        match key(&self.key).map(|key| key.reload) {
            Some(Reload::Resets) => false,
            Some(Reload::Reload) => self.after.is_none() || self.moves_image_store(),
            Some(Reload::Restart) | None => true,
        }
    }

    /// Whether the engine looks for its data elsewhere with it, and so knows none of its containers,
    /// images and volumes.
    pub(crate) fn moves_data(&self) -> bool {
        let [before, after] = [&self.before, &self.after].map(Option::as_ref);
        let [from, to] = [before, after].map(|it| it.and_then(Value::as_str).unwrap_or_default());
        match self.key.as_str() {
            "data-root" => data_root(before) != data_root(after),
            "userns-remap" => from != to,
            _ => false,
        }
    }

    /// The one feature that a reload does not switch.
    fn moves_image_store(&self) -> bool {
        let store = |features: &Option<Value>| {
            let features = features.as_ref()?;
            features.get("containerd-snapshotter").cloned()
        };
        self.key == "features" && store(&self.before) != store(&self.after)
    }
}

/// Keeps a `null` that serde would read as absent.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

/// One line, without credentials: `log-driver: absent → "local"`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| match value {
            Some(value) => Redacted::of(&self.key, value).to_string(),
            None => "absent".to_owned(),
        };
        let (before, after) = (shown(&self.before), shown(&self.after));
        write!(f, "{}: {before} → {after}", self.key)
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(key: &str, before: Option<Value>, after: Option<Value>) -> Change {
        Change {
            key: key.to_owned(),
            before,
            after,
        }
    }

    #[test]
    fn a_change_reads_as_one_line() {
        let set = change("log-driver", None, Some(json!("local")));
        assert_eq!(set.to_string(), "log-driver: absent → \"local\"");
        let unset = change("mtu", Some(json!(1400)), None);
        assert_eq!(unset.to_string(), "mtu: 1400 → absent");
    }

    #[test]
    fn a_change_does_not_show_credentials() {
        let proxies = json!({"http-proxy": "http://me:word@proxy.example"});
        let shown = change("proxies", None, Some(proxies)).to_string();
        assert!(
            shown.ends_with(r#"{"http-proxy":"http://***@proxy.example"}"#),
            "{shown}"
        );
        let options = json!({"splunk-token": "s3cret"});
        let shown = change("log-opts", Some(options), None);
        assert!(!format!("{shown}{shown:?}").contains("s3cret"));
    }

    #[test]
    fn null_and_absent_stay_apart_in_the_journal() {
        for before in [None, Some(Value::Null), Some(json!(["a"]))] {
            let written = change("labels", before, Some(json!([])));
            let line = serde_json::to_string(&written).unwrap();
            assert_eq!(serde_json::from_str::<Change>(&line).unwrap(), written);
        }
    }

    #[test]
    fn a_reload_is_enough_for_reloadable_keys() {
        assert!(!change("debug", None, Some(json!(true))).needs_restart());
        assert!(change("data-root", None, Some(json!("/srv"))).needs_restart());
    }

    #[test]
    fn data_moves_when_it_is_looked_for_elsewhere() {
        let moves = |key: &str, before: Option<&str>, after: Option<&str>| {
            change(key, before.map(Value::from), after.map(Value::from)).moves_data()
        };
        assert!(moves("data-root", None, Some("/srv")));
        assert!(moves("data-root", Some("/srv"), None));
        assert!(!moves("data-root", None, Some("/var/lib/docker/")));
        assert!(moves("userns-remap", Some(""), Some("default")));
        assert!(!moves("userns-remap", None, Some("")));
        assert!(!moves("log-driver", None, Some("local")));
    }

    #[test]
    fn a_key_taken_out_needs_a_restart_unless_a_reload_resets_it() {
        assert!(change("debug", Some(json!(true)), None).needs_restart());
        assert!(!change("max-concurrent-uploads", Some(json!(3)), None).needs_restart());
    }

    #[test]
    fn the_image_store_needs_a_restart_and_other_features_do_not() {
        let store = json!({"containerd-snapshotter": true});
        assert!(change("features", None, Some(store)).needs_restart());
        assert!(!change("features", None, Some(json!({"cdi": true}))).needs_restart());
    }
}
