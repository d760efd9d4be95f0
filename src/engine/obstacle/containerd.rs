//! containerd's configuration: one that containerd does not take keeps the engine waiting for more
//! than two minutes, and then the engine is blamed.

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use super::Obstacle;
use crate::daemon_config::Document;
use crate::docker::CONTAINERD_CONFIG;
use crate::error::quote;
use crate::host::Host;
use crate::host::command::Query;

/// The part of the file whose types stop containerd when they are others.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read for their types")]
struct ContainerdConfig {
    version: Option<u64>,
    root: Option<String>,
    state: Option<String>,
    imports: Option<Vec<String>>,
    disabled_plugins: Option<Vec<String>>,
    required_plugins: Option<Vec<String>>,
    oom_score: Option<i64>,
    plugins: Option<toml::Table>,
    grpc: Option<Grpc>,
}

#[derive(Deserialize)]
struct Grpc {
    address: Option<String>,
}

/// The newest version of the file that each containerd takes, by what the containerd's version is
/// below. Source: `CurrentConfigVersion` in containerd's `cmd/containerd/server/config`.
const VERSIONS: &[((u32, u32), u64)] = &[((2, 0), 2), ((2, 3), 3)];

/// What containerd would not start with; `coming` is the version of the containerd that is going to
/// be installed, if one is.
pub(crate) fn problem(host: &Host, coming: Option<&str>) -> Result<Option<Obstacle>> {
    let Some(text) = host.read_text(CONTAINERD_CONFIG)? else {
        return Ok(None);
    };
    let read = toml::from_str::<ContainerdConfig>(&text);
    if let (
        Some(coming),
        Ok(ContainerdConfig {
            version: Some(version),
            ..
        }),
    ) = (coming, &read)
    {
        return Ok(too_new(*version, coming));
    }
    let fault = match &read {
        Ok(config) if config.version.is_none_or(|version| version <= 2) => return Ok(None),
        Ok(_) => None,
        Err(error) => {
            let (line, column) = position(&text, error.span().map_or(0, |span| span.start));
            let fault = error.message().trim_end();
            Some(format!(
                "{CONTAINERD_CONFIG}, line {line}, column {column}: {fault}"
            ))
        }
    };
    // Other readers of TOML are not as strict, so that containerd has the last word where it is there.
    Ok(match (refusal(host)?, fault) {
        (Some(Acceptance::Accepted), _) | (None, None) => None,
        (Some(Acceptance::Refused(said)), _) => Some(Obstacle::new(
            format!("{CONTAINERD_CONFIG}: containerd does not start with this file"),
            quote(&format!("{}; containerd says:", cure()), &said),
        )),
        (None, Some(fault)) => Some(Obstacle::new(fault, cure())),
    })
}

/// A socket of containerd's that is not where the engine looks for it.
pub(crate) fn elsewhere(host: &Host, configuration: &Document) -> Result<Option<Obstacle>> {
    let text = host.read_text(CONTAINERD_CONFIG)?.unwrap_or_default();
    let config = toml::from_str::<ContainerdConfig>(&text).ok();
    let listens = config.and_then(|config| config.grpc?.address);
    let looks = configuration.get("containerd").and_then(Value::as_str);
    let (Some(listens), Some(looks)) = (listens, looks) else {
        return Ok(None);
    };
    let plain = |path: &str| {
        path.trim_start_matches("unix://")
            .replace("/var/run/", "/run/")
    };
    if listens.is_empty() || plain(&listens) == plain(looks) {
        return Ok(None);
    }
    Ok(Some(Obstacle::new(
        format!(
            "{CONTAINERD_CONFIG}: containerd is to listen on {listens}, and the engine looks for \
             it at {looks}"
        ),
        format!(
            "Let both name one path: sudo sed -i 's|{listens}|{looks}|' {CONTAINERD_CONFIG} && \
             sudo systemctl restart containerd"
        ),
    )))
}

fn too_new(version: u64, coming: &str) -> Option<Obstacle> {
    let mut numbers = coming
        .rsplit(':')
        .next()
        .unwrap_or(coming)
        .split(['.', '-', '~', '+'])
        .map(str::parse::<u32>);
    let release = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let mut known = VERSIONS.iter();
    let (_, newest) = known.find(|(below, _)| release < *below)?;
    (version > *newest).then(|| {
        Obstacle::new(
            format!(
                "{CONTAINERD_CONFIG}: version = {version}, but containerd {coming} takes at most \
                 {newest}"
            ),
            cure(),
        )
    })
}

fn cure() -> String {
    format!(
        "Fix the file, or move it away, and containerd starts with its defaults: sudo mv \
         {CONTAINERD_CONFIG} {CONTAINERD_CONFIG}.before"
    )
}

enum Acceptance {
    Accepted,
    Refused(String),
}

/// What the containerd that is there says of its file; `None` where there is none to ask.
fn refusal(host: &Host) -> Result<Option<Acceptance>> {
    if !host.has_program("containerd") {
        return Ok(None);
    }
    let dumped = host.query(&Query::containerd_configuration(CONTAINERD_CONFIG))?;
    Ok(Some(match dumped.code {
        0 => Acceptance::Accepted,
        _ => Acceptance::Refused(dumped.tail()),
    }))
}

/// Line and column of a place in a text, counted from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    fn found(text: &str, coming: Option<&str>) -> Option<Obstacle> {
        let stub = StubHost::new().file(CONTAINERD_CONFIG, text);
        problem(stub.host(), coming).unwrap()
    }

    #[test]
    fn what_is_no_toml_or_has_other_types_is_named_with_its_place() {
        for (text, start) in [
            ("version = 2\nroot = '/a\n", "line 2, column "),
            ("version = 2\n[plugins\n", "line 2, column "),
            ("root = 5\n", "line 1, column 8"),
            ("disabled_plugins = 'cri'\n", "line 1, column 20"),
        ] {
            let found = found(text, None).expect(text);
            let start = format!("{CONTAINERD_CONFIG}, {start}");
            assert!(found.cause.starts_with(&start), "{}", found.cause);
            let end = format!(": sudo mv {CONTAINERD_CONFIG} {CONTAINERD_CONFIG}.before");
            assert!(found.cure.ends_with(&end), "{}", found.cure);
        }
        for text in [
            "",
            "disabled_plugins = [\"cri\"]\n",
            "version = 2\n[grpc]\nuid = 0\n",
        ] {
            assert_eq!(found(text, None), None, "{text}");
        }
    }

    #[test]
    fn a_version_that_the_coming_containerd_does_not_know_is_refused() {
        let is_refused = |version: u64, coming: &str| {
            found(&format!("version = {version}\n"), Some(coming)).is_some()
        };
        assert!(is_refused(3, "1.7.24-1~ubuntu.24.04~noble"));
        assert!(!is_refused(2, "1.7.24-1"));
        assert!(!is_refused(3, "2.1.5-1"));
        assert!(is_refused(4, "2.2.0-1"));
        assert!(!is_refused(4, "2.3.0-1"));
        assert_eq!(found("version = 3\n", None), None, "nobody to ask");
    }

    #[test]
    fn a_containerd_that_is_there_has_the_last_word() {
        let stub = StubHost::new()
            .file(CONTAINERD_CONFIG, "version = 3\n")
            .program(
                "containerd",
                "echo 'containerd: expected version' >&2; exit 1",
            );
        let found = problem(stub.host(), None).unwrap().unwrap();
        assert!(
            found.cure.ends_with("containerd: expected version"),
            "{found:?}"
        );
        let lenient = stub
            .file(CONTAINERD_CONFIG, "a = = b")
            .program("containerd", "");
        assert_eq!(problem(lenient.host(), None).unwrap(), None);
    }

    #[test]
    fn engine_and_containerd_must_name_one_socket() {
        let stub = StubHost::new().file(CONTAINERD_CONFIG, "[grpc]\naddress = '/run/c.sock'\n");
        let engine = |path: &str| {
            let text = format!("{{\"containerd\": \"{path}\"}}");
            elsewhere(stub.host(), &Document::parse(text.as_bytes()).unwrap()).unwrap()
        };
        assert_eq!(engine("/var/run/c.sock"), None);
        let found = engine("/run/containerd/containerd.sock").unwrap();
        assert!(
            found.cause.contains("listen on /run/c.sock"),
            "{}",
            found.cause
        );
    }
}
