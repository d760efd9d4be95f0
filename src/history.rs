//! What a run leaves for the next ones to know: how the engine was verified, and whether the run was
//! cut short.

use jiff::Timestamp;

use crate::change::{Journal, Run, VerificationRecord};
use crate::host::Host;
use crate::report::{Event, Listener};
use crate::verify::Verification;

/// Writes down what a verification came to, for `status`. Only root can, and only on a host that
/// dockstrap has set up. That it cannot be written makes the proof no worse.
pub(crate) fn remember(host: &Host, verification: &Verification, listener: Listener<'_>) {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let owned = |stages: Vec<&str>| stages.into_iter().map(str::to_owned).collect();
    let verified = VerificationRecord {
        at: Timestamp::now(),
        passed: owned(verification.passed()),
        failed: owned(verification.failed()),
        skipped: owned(verification.skipped()),
    };
    let noted = Journal::read(host).and_then(|journal| journal.note_verified(host, verified));
    if let Err(error) = noted {
        let text = format!("status will not know of this verification: {error:#}");
        listener(Event::Warning { text });
    }
}

/// Says that the last run never came to its end, and that this one goes on.
pub(crate) fn tell_of_cut_short(journal: &Journal, listener: Listener<'_>) {
    let Some(Run { purpose, at, .. }) = journal.cut_short() else {
        return;
    };
    let purpose = purpose.command();
    let at = at.strftime("%F %T");
    let text = format!(
        "The {purpose} that began at {at} UTC was cut short; going on from what its journal says."
    );
    listener(Event::Note { text });
}
