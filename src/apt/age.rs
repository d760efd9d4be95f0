//! How old a signed index may be. A signature never grows old by itself, so an index that is kept
//! back from a host looks as good as a new one.

use std::time::Duration;

use anyhow::Result;

use crate::report::{Event, Listener};
use crate::settings::Settings;

const DAY: u64 = 24 * 60 * 60;

/// How old an index may be: Docker's, and Ubuntu's in a bundle alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeLimit(Duration);

/// Where an index comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    Server,
    Bundle,
}

impl AgeLimit {
    /// The limit that the settings name.
    pub fn of(settings: &Settings) -> AgeLimit {
        AgeLimit(settings.max_index_age)
    }

    /// Judges an index of this age, and warns when it is too old. This is the one place that does.
    ///
    /// # Errors
    /// None yet: an old index is only warned of.
    pub fn judge(
        self,
        index: &str,
        age: Duration,
        supply: Supply,
        listener: Listener<'_>,
    ) -> Result<()> {
        if age <= self.0 {
            return Ok(());
        }
        let days = age.as_secs() / DAY;
        let advice = match supply {
            Supply::Server => "is this mirror still kept up to date?",
            Supply::Bundle => "make a new bundle with: dockstrap bundle create",
        };
        listener(Event::Warning {
            text: format!("{index} is {days} days old; {advice}"),
        });
        Ok(())
    }
}

#[cfg(test)]
impl AgeLimit {
    pub(crate) fn new(limit: Duration) -> AgeLimit {
        AgeLimit(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn warnings(days: u64, supply: Supply) -> Vec<String> {
        let texts = RefCell::new(Vec::new());
        let limit = AgeLimit::new(Duration::from_secs(90 * DAY));
        let age = Duration::from_secs(days * DAY);
        let listener = |event: Event| match event {
            Event::Warning { text } => texts.borrow_mut().push(text),
            other => panic!("{other:?}"),
        };
        limit.judge("noble", age, supply, &listener).unwrap();
        texts.into_inner()
    }

    #[test]
    fn an_index_is_warned_of_once_it_is_older_than_it_may_be() {
        assert!(warnings(90, Supply::Server).is_empty());
        let [mirror] = &warnings(91, Supply::Server)[..] else {
            panic!("one warning");
        };
        assert!(mirror.starts_with("noble is 91 days old; is this mirror"));
        let [bundle] = &warnings(100, Supply::Bundle)[..] else {
            panic!("one warning");
        };
        assert!(bundle.ends_with("dockstrap bundle create"), "{bundle}");
    }
}
