//! Passwords that a change would take out of the file: to put them back some day, the journal would
//! have to keep them.

use anyhow::Result;
use serde_json::Value;

use crate::daemon_config::{Change, PATH, secrets};
use crate::error::Failure;

/// Refuses to replace a password that somebody else has set.
///
/// # Errors
/// [`Failure::Blocked`] with the key that has it.
pub(crate) fn refuse_to_lose(changes: &[Change], ours: &[Change]) -> Result<()> {
    let lost = changes
        .iter()
        .find(|change| loses_password(change) && !replaces_ours(change, ours));
    let Some(Change { key, .. }) = lost else {
        return Ok(());
    };
    let otherwise = match key.as_str() {
        "proxies" => "leave `engine` out of --proxy-for",
        _ => "leave it out of the settings",
    };
    Err(Failure::Blocked(format!(
        "{PATH} has another value of `{key}`, with a password, which would be lost; nothing was \
         changed. Remove `{key}` there, or {otherwise}"
    ))
    .into())
}

/// The changes as they are to be journaled: a password of our own that is replaced goes for good,
/// and the way back leads to what was there before the first.
pub(crate) fn without_ours(mut changes: Vec<Change>, ours: &[Change]) -> Vec<Change> {
    for change in changes.iter_mut().filter(|change| loses_password(change)) {
        if let Some(first) = ours.iter().find(|earlier| earlier.key == change.key) {
            change.before.clone_from(&first.before);
        }
    }
    changes
}

fn loses_password(change: &Change) -> bool {
    let all = |value: &Option<Value>| -> Vec<String> {
        let secrets = value.iter().flat_map(|it| secrets(&change.key, it));
        secrets.map(str::to_owned).collect()
    };
    let after = all(&change.after);
    let mut before = all(&change.before).into_iter();
    before.any(|secret| !after.contains(&secret))
}

/// Whether what is replaced is as we have set it.
fn replaces_ours(change: &Change, ours: &[Change]) -> bool {
    let mut earlier = ours.iter().filter(|earlier| earlier.key == change.key);
    let last = earlier.next_back();
    last.is_some_and(|last| last.after == change.before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(before: Option<Value>, after: &str) -> Change {
        Change {
            key: "proxies".to_owned(),
            before,
            after: Some(proxy(after)),
        }
    }

    fn proxy(url: &str) -> Value {
        json!({"https-proxy": url})
    }

    const OLD: &str = "http://me:old@proxy:3128";
    const NEW: &str = "http://me:new@proxy:3128";

    #[test]
    fn a_password_of_others_is_not_replaced_and_one_of_ours_is() {
        let rotated = [change(Some(proxy(OLD)), NEW)];
        let error = refuse_to_lose(&rotated, &[]).unwrap_err();
        assert!(error.to_string().contains("`proxies`"), "{error}");
        let ours = [change(None, OLD)];
        refuse_to_lose(&rotated, &ours).unwrap();
        // Edited since, it is no longer ours.
        let edited = [change(Some(proxy("http://me:x@proxy:3128")), NEW)];
        refuse_to_lose(&edited, &ours).unwrap_err();
    }

    #[test]
    fn the_way_back_from_a_new_password_leads_to_before_the_first() {
        let ours = [change(Some(proxy("http://first")), OLD)];
        let journaled = without_ours(vec![change(Some(proxy(OLD)), NEW)], &ours);
        assert_eq!(journaled, [change(Some(proxy("http://first")), NEW)]);
        let kept = vec![change(Some(proxy("http://plain")), NEW)];
        assert_eq!(without_ours(kept.clone(), &ours), kept);
    }
}
