//! The plan: what every step found, and so what is going to be done. Making one changes nothing.

use anyhow::Result;
use serde::Serialize;

use crate::apt::Transaction;
use crate::facts::Facts;
use crate::host::Host;
use crate::report::{Event, Listener};
use crate::settings::Settings;
use crate::step::{self, Finding, Inspected, Step};

/// What is going to be done to a host.
#[derive(Serialize)]
pub struct Plan {
    /// The version of this structure, for those who read it as JSON.
    pub schema: u32,
    pub host: Facts,
    pub steps: Vec<Planned>,
}

/// One step with what it found.
#[derive(Serialize)]
pub struct Planned {
    pub id: &'static str,
    pub title: &'static str,
    #[serde(flatten)]
    pub finding: Finding,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    #[serde(skip)]
    pub(crate) step: Box<dyn Step>,
}

impl Plan {
    /// Looks at the host and says what is to be done for these settings.
    pub fn make(
        host: &Host,
        facts: Facts,
        settings: &Settings,
        listener: Listener<'_>,
    ) -> Result<Plan> {
        for text in settings.warnings.clone() {
            listener(Event::Warning { text });
        }
        let inspected = step::inspect_all(host, &facts, settings, listener)?;
        let planned = inspected
            .into_iter()
            .map(|Inspected { step, finding }| Planned {
                id: step.id(),
                title: step.title(),
                finding,
                transaction: step.transaction().cloned(),
                step,
            });
        Ok(Plan {
            schema: 1,
            steps: planned.collect(),
            host: facts,
        })
    }

    /// The steps that have something to do.
    pub fn pending(&self) -> impl Iterator<Item = &Planned> {
        self.steps
            .iter()
            .filter(|planned| !planned.finding.satisfied)
    }

    /// Whether there is anything to do.
    pub fn is_pending(&self) -> bool {
        self.pending().next().is_some()
    }
}
