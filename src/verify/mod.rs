//! Verifying the engine, stage by stage, with containers made of this very program.
//!
//! Every object is labelled and removed again, also after a failure or Ctrl-C. To add a stage: a
//! file here with its function, and its row in [`STAGES`].

mod addresses;
mod build;
mod compose;
mod container;
mod cure;
mod defaults;
mod engine;
mod group;
mod hub;
mod image;
mod logs;
mod network;
mod objects;
pub(crate) mod probe;
mod reach;
mod registry;
mod restart;
mod run;
mod schedule;
mod unavailable;
mod verifier;
mod volume;

use anyhow::Result;
use serde::Serialize;

use crate::error::Failure;
use crate::report::{Outcome, StageReport};

pub(crate) use registry::{Login, TestRegistry};
pub(crate) use schedule::verify;
use unavailable::Unavailable;
use verifier::Verifier;

/// One thing to prove.
pub struct Stage {
    pub id: &'static str,
    /// What is proven, for people.
    pub title: &'static str,
    when: When,
    /// Whether other stages must not run meanwhile.
    alone: bool,
    verify: fn(&Verifier<'_>) -> Result<Outcome>,
}

/// When a stage is run that nobody named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum When {
    /// Also at the end of an install: it is quick, and leaves everybody else alone.
    Quick,
    /// Needs nothing beyond the host.
    Default,
    /// Only with `--all`.
    All,
}

/// Every stage, in order.
pub const STAGES: &[Stage] = &[
    Stage {
        id: "engine",
        title: "the engine runs, and the docker command belongs to it",
        when: When::Quick,
        alone: true,
        verify: engine::verify,
    },
    Stage {
        id: "group",
        title: "members of group docker may use the engine, others may not",
        when: When::Quick,
        alone: false,
        verify: group::verify,
    },
    Stage {
        id: "run",
        title: "a container runs, from an image made of this program",
        when: When::Quick,
        alone: false,
        verify: run::verify,
    },
    Stage {
        id: "container",
        title: "containers have a layer of their own, and leave the image as it is",
        when: When::Default,
        alone: false,
        verify: container::verify,
    },
    Stage {
        id: "volume",
        title: "a volume outlives its containers",
        when: When::Default,
        alone: false,
        verify: volume::verify,
    },
    Stage {
        id: "network",
        title: "containers reach each other by name, the host reaches them, they the outside",
        when: When::Quick,
        alone: false,
        verify: network::verify,
    },
    Stage {
        id: "logs",
        title: "what containers say is kept, and does not fill the disk",
        when: When::Default,
        alone: false,
        verify: logs::verify,
    },
    Stage {
        id: "restart",
        title: "a container outlives a restart of the engine",
        when: When::Default,
        alone: true,
        verify: restart::verify,
    },
    Stage {
        id: "build",
        title: "an image is built from a Dockerfile, the second time from the cache",
        when: When::Default,
        alone: false,
        verify: build::verify,
    },
    Stage {
        id: "image",
        title: "images are listed, tagged, saved, loaded and removed",
        when: When::Default,
        alone: false,
        verify: image::verify,
    },
    Stage {
        id: "compose",
        title: "two services come up in order, talk and leave nothing behind",
        when: When::Default,
        alone: false,
        verify: compose::verify,
    },
    Stage {
        id: "registry",
        title: "an image goes to a private registry and comes back as the same",
        when: When::All,
        alone: false,
        verify: registry::verify,
    },
    Stage {
        id: "hub",
        title: "an image is pulled from Docker Hub and runs",
        when: When::All,
        alone: false,
        verify: hub::verify,
    },
];

/// What is to be proven.
#[derive(Debug)]
pub(crate) struct Choice {
    /// The stages that were named. For them, what cannot be proven has failed.
    pub named: Vec<String>,
    /// How far to go where none is named.
    pub when: When,
    /// Those to leave out.
    pub skip: Vec<String>,
    /// A private registry to try.
    pub registry: Option<TestRegistry>,
    /// The command that asks for this again.
    pub again: String,
}

/// How the whole verification went.
#[derive(Debug, Serialize)]
pub(crate) struct Verification {
    /// The version of this structure, for those who read it as JSON.
    pub schema: u32,
    pub stages: Vec<StageReport>,
    pub seconds: f64,
    /// The stages that were asked for.
    #[serde(skip)]
    asked_for: Vec<String>,
    /// What kept every stage from being tried.
    #[serde(skip)]
    unavailable: Option<Unavailable>,
    /// The command that asks for the same verification again.
    #[serde(skip)]
    again: String,
    /// The stages that were left out on request.
    #[serde(skip)]
    left_out: Vec<String>,
}

impl Choice {
    /// What needs nothing beyond the host, quick and without touching what others run.
    pub(crate) fn quick() -> Choice {
        Choice {
            named: Vec::new(),
            when: When::Quick,
            skip: Vec::new(),
            registry: None,
            again: "sudo dockstrap verify".to_owned(),
        }
    }

    /// Whether the stage is one to be run.
    pub(crate) fn includes(&self, stage: &Stage) -> bool {
        if self.named.is_empty() {
            stage.when <= self.when || (stage.id == "registry" && self.registry.is_some())
        } else {
            self.names(stage.id)
        }
    }

    fn names(&self, id: &str) -> bool {
        self.named.iter().any(|name| name == id)
    }

    /// The stages that were asked for: a registry's address asks for that stage as well.
    fn asked_for(&self) -> Vec<String> {
        let registry = self.registry.iter().map(|_| "registry".to_owned());
        self.named.iter().cloned().chain(registry).collect()
    }

    fn skips(&self, id: &str) -> bool {
        self.skip.iter().any(|name| name == id)
    }
}

impl Verification {
    /// A verification of all that these stages report.
    #[cfg(test)]
    pub(crate) fn of(stages: Vec<StageReport>) -> Verification {
        Verification {
            schema: 1,
            stages,
            seconds: 1.0,
            asked_for: Vec::new(),
            unavailable: None,
            again: "sudo dockstrap verify".to_owned(),
            left_out: Vec::new(),
        }
    }

    /// The stages that passed.
    pub(crate) fn passed(&self) -> Vec<&'static str> {
        let passed = self.stages.iter().filter(|report| report.passed());
        passed.map(|report| report.stage).collect()
    }

    /// The stages that failed.
    pub(crate) fn failed(&self) -> Vec<&'static str> {
        let reports = self.stages.iter().filter(|report| self.has_failed(report));
        reports.map(|report| report.stage).collect()
    }

    /// The stages that were run and found nothing to try on this host.
    pub(crate) fn skipped(&self) -> Vec<&'static str> {
        if self.failed().contains(&engine::ID) {
            return Vec::new(); // then no other was run
        }
        let is_skipped = |report: &&StageReport| {
            !report.passed() && !self.has_failed(report) && !self.is_left_out(report.stage)
        };
        let skipped = self.stages.iter().filter(is_skipped);
        skipped.map(|report| report.stage).collect()
    }

    fn is_left_out(&self, id: &str) -> bool {
        self.left_out.iter().any(|it| it == id)
    }

    /// Whether a stage failed. That a registry is out of reach is none, unless it was asked for.
    pub(crate) fn has_failed(&self, report: &StageReport) -> bool {
        match report.outcome {
            Outcome::Failed(_) => true,
            Outcome::Unreachable(_) | Outcome::RateLimited(_) => {
                self.asked_for.iter().any(|name| name == report.stage)
            }
            Outcome::Passed(_) | Outcome::Skipped(_) => false,
        }
    }

    /// An error when a stage failed, or none could be tried.
    ///
    /// # Errors
    /// [`Failure::Blocked`] with what is in the way, or [`Failure::Unproven`] with the stages that
    /// failed.
    pub(crate) fn require(&self) -> Result<(), Failure> {
        if let Some(Unavailable { reason, cure }) = &self.unavailable {
            let cure = cure.unwrap_or(&self.again);
            return Err(Failure::Blocked(format!("{reason}. Run: {cure}")));
        }
        match self.failed().as_slice() {
            [] => Ok(()),
            failed => Err(Failure::Unproven(format!(
                "the verification failed: {}. After fixing it, run: {}",
                failed.join(", "),
                self.again
            ))),
        }
    }
}
