//! How old a signed index may be. A signature never grows old by itself, so an index that is kept
//! back from a host looks as good as a new one.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use jiff::Timestamp;

use crate::error::Failure;
use crate::invocation;
use crate::report::{Event, Listener};
use crate::settings::{Settings, Stale};

const DAY: u64 = 24 * 60 * 60;

/// How old an index may be, and what becomes of an older one: Docker's, and Ubuntu's in a bundle
/// alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AgeLimit {
    most: Duration,
    stale: Stale,
}

/// Where an index comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Supply {
    Server,
    Bundle,
}

impl AgeLimit {
    /// The limit that the settings name.
    pub(crate) fn of(settings: &Settings) -> AgeLimit {
        AgeLimit {
            most: settings.max_index_age,
            stale: settings.stale,
        }
    }

    /// Judges an index of this age. This is the one place that does.
    ///
    /// # Errors
    /// [`Failure::Trust`] when it is too old and the settings refuse such an index; otherwise it is
    /// only warned of.
    pub(crate) fn judge(
        self,
        index: &str,
        age: Duration,
        supply: Supply,
        listener: Listener<'_>,
    ) -> Result<()> {
        if age <= self.most {
            return Ok(());
        }
        let days = age.as_secs() / DAY;
        match self.stale {
            Stale::Warn => {
                let advice = match supply {
                    Supply::Server => "is this mirror still kept up to date?",
                    Supply::Bundle => "make a new bundle with: dockstrap bundle create",
                };
                listener(Event::Warning {
                    text: format!("{index} is {days} days old; {advice}"),
                });
                Ok(())
            }
            Stale::Refuse => Err(self.refusal(index, age, supply).into()),
        }
    }

    fn refusal(self, index: &str, age: Duration, supply: Supply) -> Failure {
        let signed = SystemTime::now()
            .checked_sub(age)
            .and_then(|it| Timestamp::try_from(it).ok());
        let date = signed.unwrap_or_default().strftime("%F");
        let (days, most) = (age.as_secs() / DAY, self.most.as_secs() / DAY);
        let advice = match supply {
            Supply::Server => format!(
                "Is this mirror still kept up to date? Try another, or accept an old index this \
                 once: {}",
                invocation::install(&["--stale", "warn"])
            ),
            Supply::Bundle => "Accept an old one with --stale warn, or make a new one on a host \
                               with a network: dockstrap bundle create"
                .to_owned(),
        };
        Failure::Trust(format!(
            "{index} was signed on {date} and is {days} days old; more than {most} days are refused \
             (max-index-age, stale); nothing was changed. {advice}"
        ))
    }
}

#[cfg(test)]
impl AgeLimit {
    pub(crate) fn new(most: Duration) -> AgeLimit {
        let stale = Stale::Warn;
        AgeLimit { most, stale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{exit_code, next_command};
    use std::cell::RefCell;

    const LIMIT: Duration = Duration::from_secs(90 * DAY);

    fn judge(days: u64, supply: Supply, stale: Stale) -> (Result<()>, Vec<String>) {
        let texts = RefCell::new(Vec::new());
        let limit = AgeLimit {
            stale,
            ..AgeLimit::new(LIMIT)
        };
        let age = Duration::from_secs(days * DAY);
        let listener = |event: Event| match event {
            Event::Warning { text } => texts.borrow_mut().push(text),
            other => panic!("{other:?}"),
        };
        let judged = limit.judge("noble", age, supply, &listener);
        (judged, texts.into_inner())
    }

    fn warnings(days: u64, supply: Supply) -> Vec<String> {
        let (judged, warnings) = judge(days, supply, Stale::Warn);
        judged.unwrap();
        warnings
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

    #[test]
    fn an_index_that_is_too_old_is_refused_with_date_age_limit_and_cure() {
        judge(90, Supply::Server, Stale::Refuse).0.unwrap();
        for (supply, next) in [
            (Supply::Server, "sudo dockstrap install --stale warn"),
            (Supply::Bundle, "dockstrap bundle create"),
        ] {
            let (judged, warnings) = judge(91, supply, Stale::Refuse);
            let error = judged.unwrap_err();
            assert_eq!(exit_code(&error), 5);
            let signed = Timestamp::now() - 91 * jiff::SignedDuration::from_hours(24);
            let signed = signed.strftime("noble was signed on %F and is 91 days old");
            let text = error.to_string();
            assert!(text.starts_with(&signed.to_string()), "{text}");
            assert!(text.contains("more than 90 days are refused"), "{text}");
            assert!(text.contains("nothing was changed"), "{text}");
            assert_eq!(next_command(&error, Some("install")), next);
            assert!(warnings.is_empty());
        }
    }
}
