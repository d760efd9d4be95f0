//! Every setting in force, with its value and where that came from.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::file::Below;
use super::table::table;
use super::{LOCK_WAIT, Layer, MAX_INDEX_AGE, MIRROR, Origin, Origins, Settings, Stale};
use crate::daemon_config::{DaemonKeys, Preset};
use crate::redact::redact_value;
use crate::trust::DOCKER_KEY_FINGERPRINT;

/// All settings.
#[derive(Debug, Serialize)]
pub(crate) struct Effective {
    /// The version of this structure, for those who read it as JSON.
    pub schema: u32,
    /// The settings file that was read.
    pub file: Option<String>,
    pub settings: Vec<EffectiveSetting>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct EffectiveSetting {
    pub key: &'static str,
    /// Without secrets; `null` where there is none.
    pub value: Value,
    pub source: SettingSource,
    /// The name of the flag, of the variable, or of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SettingSource {
    Default,
    File,
    Variable,
    Flag,
}

impl Effective {
    /// What `install` would go by, of these flags (with the variables under them) and this file.
    ///
    /// # Errors
    /// As [`Settings::resolve`].
    pub(crate) fn of(flags: Layer, file: Option<&Path>, by_flags: Origins) -> Result<Effective> {
        let Below {
            layer: below,
            mut given,
            ..
        } = Below::read(file)?;
        let read = given.values().find_map(|origin| match origin {
            Origin::File(path) => Some(path.display().to_string()),
            _ => None,
        });
        given.extend(by_flags);
        let layer = flags.without_empty_users().over(below);
        let Settings { preset, .. } = Settings::of(layer.clone())?;
        let defaults = defaults(preset);
        let mut values = Value::Object(layer.over(defaults).values());
        redact_value(&mut values);
        let settings = table().into_iter().map(|setting| {
            let (source, name) = match given.get(setting.key) {
                None => (SettingSource::Default, None),
                Some(Origin::File(path)) => (SettingSource::File, Some(path.display().to_string())),
                Some(Origin::Variable) => (SettingSource::Variable, setting.variable),
                // The options of a task are flags.
                Some(Origin::Flag | Origin::Task) => (SettingSource::Flag, setting.flag),
            };
            EffectiveSetting {
                key: setting.key,
                value: values[setting.key].take(),
                source,
                name,
            }
        });
        Ok(Effective {
            schema: 1,
            settings: settings.collect(),
            file: read,
        })
    }
}

/// What holds with a preset where nobody says anything else. What is not here has no value then.
fn defaults(preset: Preset) -> Layer {
    Layer {
        mirror: Some(MIRROR.to_owned()),
        key_fingerprint: Some(DOCKER_KEY_FINGERPRINT.to_string()),
        suite: None,
        engine_version: None,
        bundle: None,
        users: None,
        ca_cert: None,
        proxy: None,
        proxy_for: Some(Vec::new()),
        preset: Some(preset),
        daemon: DaemonKeys::default(),
        registries: Default::default(),
        lock_wait: Some(LOCK_WAIT),
        max_index_age: std::num::NonZeroU32::new(MAX_INDEX_AGE),
        stale: Some(Stale::by_default(preset)),
        replace: Some(false),
        repair: Some(false),
        no_start: Some(false),
        first_boot: Some(false),
        first_boot_jitter: Some(0),
        allow_downgrade: Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(flags: Layer, text: &str, by_flags: Origins) -> Effective {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Effective::of(flags, Some(file.path()), by_flags).unwrap()
    }

    fn setting(in_force: &Effective, key: &str) -> EffectiveSetting {
        let found = in_force.settings.iter().find(|setting| setting.key == key);
        found.unwrap().clone()
    }

    #[test]
    fn each_value_comes_with_who_gave_it() {
        let flags = Layer {
            lock_wait: Some(7),
            replace: Some(false),
            ..Layer::default()
        };
        let given = Origins::from([
            ("lock-wait".to_owned(), Origin::Flag),
            ("replace".to_owned(), Origin::Variable),
        ]);
        let text = "lock-wait = 5\nreplace = true\nsuite = 'noble'\n[daemon]\nmtu = 1400\n";
        let in_force = of(flags, text, given);
        let file = in_force.file.clone().unwrap();
        let said = |key: &str| {
            let EffectiveSetting {
                value,
                source,
                name,
                ..
            } = setting(&in_force, key);
            (value.to_string(), source, name)
        };
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(
            said("lock-wait"),
            ("7".to_owned(), SettingSource::Flag, name("--lock-wait"))
        );
        let variable = name("DOCKSTRAP_REPLACE");
        assert_eq!(
            said("replace"),
            ("false".to_owned(), SettingSource::Variable, variable)
        );
        assert_eq!(
            said("suite"),
            (
                "\"noble\"".to_owned(),
                SettingSource::File,
                Some(file.clone())
            )
        );
        assert_eq!(
            said("daemon"),
            ("{\"mtu\":1400}".to_owned(), SettingSource::File, Some(file))
        );
        assert_eq!(
            said("max-index-age"),
            ("90".to_owned(), SettingSource::Default, None)
        );
        assert_eq!(
            said("bundle"),
            ("null".to_owned(), SettingSource::Default, None)
        );
        assert_eq!(in_force.settings.len(), table().len());
    }

    #[test]
    fn the_defaults_that_are_shown_are_those_in_force() {
        for preset in [None, Some(Preset::Hardened)] {
            let chosen = Layer {
                preset,
                ..Layer::default()
            };
            let defaults = defaults(preset.unwrap_or_default());
            let shown = format!("{:?}", Settings::of(defaults).unwrap());
            assert_eq!(shown, format!("{:?}", Settings::of(chosen).unwrap()));
        }
    }

    #[test]
    fn fault_13_no_password_is_shown() {
        let text = "proxy = 'http://me:s3cret@proxy:3128'\n\
                    [daemon]\nproxies = { http-proxy = 'http://me:s3cret@proxy:3128' }\n";
        let in_force = of(Layer::default(), text, Origins::new());
        let proxy = setting(&in_force, "proxy").value;
        assert_eq!(proxy, "http://***@proxy:3128");
        let daemon = setting(&in_force, "daemon").value;
        assert!(!daemon.to_string().contains("s3cret"), "{daemon}");
        for (given, shown) in [
            ("me:s3cret@proxy:3128", "http://***@proxy:3128"),
            ("http://me:s3\"cret@proxy", "http://***@proxy"),
            ("http://me:s3cret x@proxy", "http://***@proxy"),
            ("http:me:s3cret@proxy", "http://***@proxy"),
            ("proxy:3128", "proxy:3128"),
        ] {
            let text = format!("proxy = '{given}'\n");
            let proxy = setting(&of(Layer::default(), &text, Origins::new()), "proxy").value;
            assert_eq!(proxy, shown, "{given}");
        }
        let text = "[daemon]\nlog-driver = 'splunk'\n[daemon.log-opts]\nsplunk-token = 's3cret'\n\
                    splunk-url = 'https://splunk.example'\ntag = 'x'\n";
        let daemon = setting(&of(Layer::default(), text, Origins::new()), "daemon").value;
        assert_eq!(daemon["log-opts"]["splunk-token"], "***");
        assert_eq!(daemon["log-opts"]["tag"], "x");
    }
}
