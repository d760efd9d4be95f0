//! Everything there is on a host, so that two moments of it can be compared.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::host::LabHost;

/// What apt, dpkg and systemd keep for themselves, whoever asks them to do something. Each with
/// the reason why it may differ on a host that is otherwise as before. Nothing else is left out.
const THEIR_OWN: &[(&str, &str)] = &[
    ("var/log", "logs and systemd's journal only grow"),
    ("var/cache/apt", "packages fetched and apt's parsed lists"),
    ("var/lib/apt/lists/auxfiles", "apt gives it to its own user"),
    (
        "var/cache/debconf/tmp.ci",
        "where apt unpacks questions asked in advance",
    ),
    ("var/cache/ldconfig", "made by whoever runs ldconfig"),
    (
        "var/lib/apt/extended_states",
        "apt's marks, also of packages that are not here; those of the others are listed",
    ),
    ("var/lib/dpkg/status-old", "dpkg's own backup"),
    (
        "var/lib/dpkg/tmp.ci",
        "what dpkg unpacks first; emptied when it unpacks again",
    ),
    (
        "var/lib/dpkg/updates/tmp.i",
        "a note that dpkg has only begun, which counts for nothing",
    ),
    ("etc/group-", "backup by the account tools"),
    ("etc/gshadow-", "backup by the account tools"),
    ("etc/.pwd.lock", "lock of the account tools"),
    ("var/lib/dpkg/lock", "lock"),
    ("var/lib/dpkg/lock-frontend", "lock"),
    ("var/lib/dpkg/triggers/Lock", "lock"),
    ("var/lib/apt/lists/lock", "lock"),
    (
        "run/dockstrap.lock",
        "lock, on a disk only where nothing has booted",
    ),
];

/// What dockstrap itself leaves on a host that is as before, each with its mode, so that an uninstall
/// is no way past a date that was seen. Nothing else is.
const KEPT: &[(&str, u32)] = &[
    ("var/lib/dockstrap", 0o40_700),
    ("var/lib/dockstrap/freshness.json", 0o100_600),
];

/// The files of a host with what they hold, and what dpkg, the groups and systemd say of it.
#[derive(Clone)]
pub(crate) struct Tree {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    /// Target of a link, hash of a file.
    content: String,
    /// Time of the last change of a file's content, in nanoseconds.
    modified: i128,
}

impl LabHost {
    /// Everything there is on the host, to be compared with later. A table of iptables without
    /// rules is as good as none.
    pub(crate) fn tree(&self) -> Tree {
        let listed = self.sh(
            "dpkg-query --show --showformat='package ${Package} ${Version} ${db:Status-Status}\\n'
             apt-mark showauto | sed 's/^/automatic /'
             apt-mark showhold | sed 's/^/held /'
             getent group | sed 's/^/group /'
             systemctl list-unit-files --no-legend --plain | sed '/^session-/d; s/^/unit file /'
             for rules in iptables ip6tables; do
                 $rules-save | awk -v of=$rules '/^[*]/ { table = $1 }
                     (/^:/ && $2 != \"ACCEPT\") || /^-/ {
                         sub(/ .[0-9:]*.$/, \"\"); print of, table, $0
                     }'
             done
             ip -o link | sed 's/^[0-9]*: \\([^:]*\\): .*/link \\1/'
             sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding",
        );
        Tree::of(self.root(), &listed.stdout)
    }
}

impl Tree {
    /// Takes the tree below `root`; `listed` are lines about the host that stand for themselves.
    pub(crate) fn of(root: &Path, listed: &str) -> Tree {
        let mut entries = BTreeMap::new();
        let mut files = Vec::new();
        walk(root, "", &mut entries, &mut files);
        hash(root, &files, &mut entries);
        for line in listed.lines() {
            let entry = Entry {
                mode: 0,
                owner: (0, 0),
                content: String::new(),
                modified: 0,
            };
            entries.insert(format!("({line})"), entry);
        }
        Tree { entries }
    }

    /// Fails when anything was so much as written again.
    #[track_caller]
    pub(crate) fn is_untouched_in(&self, after: &Tree) {
        none(&self.differences_to(after, true), "untouched");
    }

    /// Fails unless all is as it was; what was taken away and put back has a new time.
    #[track_caller]
    pub(crate) fn is_restored_in(&self, after: &Tree) {
        none(&self.differences_to(after, false), "as before");
    }

    /// What is another in `after`, a line each.
    fn differences_to(&self, after: &Tree, with_times: bool) -> Vec<String> {
        let mut lines = Vec::new();
        // A later date may be kept by now.
        let is_kept = |path: &str, new: &Entry| {
            let kept = (path, new.mode);
            !with_times && KEPT.contains(&kept) && new.owner == (0, 0)
        };
        for (path, old) in &self.entries {
            match after.entries.get(path) {
                None => lines.push(format!("gone: {path}")),
                Some(new) if old.mode == new.mode && is_kept(path, new) => {}
                Some(new) => lines.extend(old.difference(new, path, with_times)),
            }
        }
        let added = after
            .entries
            .iter()
            .filter(|(path, new)| !self.entries.contains_key(*path) && !is_kept(path, new));
        lines.extend(added.map(|(path, _)| format!("new:  {path}")));
        lines
    }
}

impl Entry {
    fn difference(&self, new: &Entry, path: &str, with_times: bool) -> Option<String> {
        let mut line = String::new();
        if self.mode != new.mode {
            let _ = write!(line, " mode {:o} → {:o}", self.mode, new.mode);
        }
        if self.owner != new.owner {
            let _ = write!(line, " owner {:?} → {:?}", self.owner, new.owner);
        }
        if self.content != new.content {
            line += " content";
        }
        if with_times && self.modified != new.modified {
            line += " written";
        }
        (!line.is_empty()).then(|| format!("differs: {path}:{line}"))
    }
}

#[track_caller]
fn none(differences: &[String], expected: &str) {
    assert!(
        differences.is_empty(),
        "the host was to be {expected}:\n{}",
        differences.join("\n")
    );
}

fn walk(root: &Path, folder: &str, entries: &mut BTreeMap<String, Entry>, files: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).expect("listing a folder") {
        let entry = entry.expect("listing a folder");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match folder {
            "" => name,
            folder => format!("{folder}/{name}"),
        };
        if THEIR_OWN.iter().any(|(own, _)| *own == path) {
            continue;
        }
        let Ok(found) = entry.metadata() else {
            continue; // gone meanwhile
        };
        let kind = found.file_type();
        let mut known = Entry {
            mode: found.mode(),
            owner: (found.uid(), found.gid()),
            content: String::new(),
            modified: 0,
        };
        if kind.is_symlink() {
            let target = fs::read_link(entry.path()).expect("reading a link");
            known.content = target.to_string_lossy().into_owned();
        }
        if kind.is_file() {
            known.modified =
                i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec());
            files.push(path.clone());
        }
        entries.insert(path.clone(), known);
        if kind.is_dir() {
            walk(root, &path, entries, files);
        }
    }
}

/// Path, inode, size and the time of the last change of anything: the same content.
type Identity = (String, u64, u64, i64, i64);

/// What was hashed once need not be again: hosts of one release share most of their files.
static HASHES: Mutex<Option<HashMap<Identity, String>>> = Mutex::new(None);

fn hash(root: &Path, files: &[String], entries: &mut BTreeMap<String, Entry>) {
    let mut hashes = HASHES.lock().unwrap_or_else(|error| error.into_inner());
    let hashes = hashes.get_or_insert_default();
    let identify = |path: &String| -> Option<Identity> {
        let found = fs::symlink_metadata(root.join(path)).ok()?;
        let size = found.size();
        Some((
            path.clone(),
            found.ino(),
            size,
            found.ctime(),
            found.ctime_nsec(),
        ))
    };
    let identities: Vec<Identity> = files.iter().filter_map(identify).collect();
    let unknown: Vec<&Identity> = identities
        .iter()
        .filter(|identity| !hashes.contains_key(*identity))
        .collect();
    let sums = sha256(root, unknown.iter().map(|identity| identity.0.as_str()));
    let unknown: Vec<Identity> = unknown.into_iter().cloned().collect();
    for identity in unknown {
        if let Some(sum) = sums.get(&identity.0) {
            hashes.insert(identity, sum.clone());
        }
    }
    for identity in identities {
        let sum = hashes.get(&identity).cloned().unwrap_or_default();
        if let Some(entry) = entries.get_mut(&identity.0) {
            entry.content = sum;
        }
    }
}

fn sha256<'a>(root: &Path, paths: impl Iterator<Item = &'a str>) -> HashMap<String, String> {
    let mut list = tempfile::tempfile().expect("making a temporary file");
    for path in paths {
        write!(list, "{path}\0").expect("writing a temporary file");
    }
    std::io::Seek::rewind(&mut list).expect("rewinding a temporary file");
    let output = Command::new("xargs")
        .args(["--null", "--no-run-if-empty", "sha256sum", "--zero"])
        .current_dir(root)
        .stdin(list)
        .stderr(Stdio::null()) // files that went meanwhile
        .output()
        .expect("running sha256sum");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = printed.split('\0').filter_map(|line| line.split_once("  "));
    lines
        .map(|(sum, path)| (path.to_owned(), sum.to_owned()))
        .collect()
}
