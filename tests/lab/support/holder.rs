//! Someone in a host who holds a lock, as package managers and the account tools do.

use std::time::{Duration, Instant};

use crate::host::LabHost;
use crate::running::Running;

/// Takes a record lock under a name of its own, says so, and keeps it.
const HOLD: &str = r#"
    use Fcntl;
    my ($path, $name) = @ARGV;
    $0 = $name;
    open(my $file, ">>", $path) or die $!;
    my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
    fcntl($file, F_SETLKW, $lock) or die $!;
    open(my $note, ">", "/run/held.new") or die $!;
    print $note $$;
    close($note);
    rename("/run/held.new", "/run/held");
    sleep(600);
"#;

/// A process that holds a lock until it is told to release it.
pub(crate) struct Holder<'a> {
    host: &'a LabHost,
    pub pid: String,
    process: Running,
}

impl LabHost {
    /// Someone of this name who holds a lock.
    pub(crate) fn holder(&self, name: &str, lock: &str) -> Holder<'_> {
        self.run(["rm", "--force", "/run/held"]).exits(0);
        let mut process = self.start(["perl", "-e", HOLD, lock, name]);
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let pid = self.run(["cat", "/run/held"]).stdout;
            if !pid.is_empty() {
                return Holder {
                    host: self,
                    pid,
                    process,
                };
            }
            assert!(
                !process.has_ended() && Instant::now() < deadline,
                "nobody took {lock}"
            );
        }
    }
}

impl Holder<'_> {
    /// Releases the lock.
    pub(crate) fn release(self) {
        self.host.run(["kill", &self.pid]).exits(0);
        self.process.end();
    }
}
