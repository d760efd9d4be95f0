//! Odd configurations shown to real engines: each starts with what we take, and does not with what we
//! refuse.
//!
//! By default a part of the files is tried, another one in each run; `DOCKSTRAP_LAB_ALL=1` tries all,
//! and `DOCKSTRAP_LAB_SEED` chooses the part. What engine 26.1 did with all of them is in
//! `tests/fixtures/daemon_json/edge/verdicts.tsv`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::host::{LabHost, PROGRAM};

const FILES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/daemon_json/edge"
);

/// Into how many parts the files are divided.
const PARTS: u64 = 4;

/// Tries the files that it is given, and prints of each whether the engine and dockstrap take it. The
/// engine starts under its own unit, from a state without networks.
const TRY: &str = r#"
for file; do
    systemctl stop docker.service docker.socket
    systemctl reset-failed docker.service docker.socket 2>/dev/null || true
    ip link delete docker0 2>/dev/null || true
    rm -rf /var/lib/docker/network
    cp "/srv/edge/$file" /etc/docker/daemon.json
    ours=0
    DOCKSTRAP_KEY_FINGERPRINT=$KEY $PROGRAM plan --preset none >/tmp/plan 2>&1 || ours=$?
    engine=0
    systemctl start docker.service 2>/dev/null || engine=1
    printf '%s\t%s\t%s\t%s\n' "$file" "$engine" "$ours" "$(tail -n 2 /tmp/plan | head -n 1)"
done
"#;

/// The files of this run, and which they are, for people.
fn files() -> (Vec<String>, String) {
    let listed = std::fs::read_dir(FILES).expect("the files");
    let mut names: Vec<String> = listed
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name in UTF-8"))
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    let all = names.len();
    if std::env::var_os("DOCKSTRAP_LAB_ALL").is_some() {
        return (names, format!("all {all} files"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = std::env::var("DOCKSTRAP_LAB_SEED").ok();
    let seed: u64 = seed
        .map(|seed| seed.parse().expect("a number as seed"))
        .unwrap_or(now.expect("a time after 1970").as_secs() % PARTS);
    let mut numbers = 0..;
    names.retain(|_| {
        numbers
            .next()
            .is_some_and(|number: u64| number % PARTS == seed % PARTS)
    });
    let part = format!("{} of {all} files, seed {seed}", names.len());
    (names, part)
}

/// The files of which our verdict is another, each with the reason.
fn otherwise() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(Path::new(FILES).join("otherwise.tsv")).expect("reasons");
    let pairs = text.lines().filter_map(|line| line.split_once('\t'));
    pairs
        .map(|(file, why)| (file.to_owned(), why.to_owned()))
        .collect()
}

fn agree_on(release: &str) {
    let host = LabHost::up(release);
    host.install();
    host.write(
        "/etc/systemd/system/docker.service.d/once.conf",
        "[Service]\nRestart=no\nTimeoutStartSec=45\n",
    );
    host.sh("systemctl daemon-reload; mkdir /srv/edge /srv/target; ln -s /srv/target /srv/link");
    let (names, part) = files();
    let folder = host.lab_path("root").join("srv/edge");
    for name in &names {
        std::fs::copy(Path::new(FILES).join(name), folder.join(name)).expect("copying");
    }
    let settings = format!("KEY={} PROGRAM={PROGRAM}", host.fingerprint());
    let script = format!("{settings}\n{TRY}");
    let mut words = vec!["sh", "-uc", script.as_str(), "sh"];
    words.extend(names.iter().map(String::as_str));
    let tried = host.run_all(&words).exits(0);
    let reasons = otherwise();
    let mut differing = Vec::new();
    let mut wrong = Vec::new();
    for line in tried.stdout.lines() {
        let mut fields = line.split('\t');
        let mut field = || fields.next().unwrap_or_default();
        let (file, engine, ours, said) = (field(), field(), field(), field());
        assert!(matches!(ours, "0" | "4"), "{line}");
        if (engine == "0") == (ours == "0") {
            continue;
        }
        differing.push(file);
        if !reasons.contains_key(file) {
            wrong.push(format!("{file}: engine {engine}, ours {ours}: {said}"));
        }
    }
    assert_eq!(tried.stdout.lines().count(), names.len());
    eprintln!(
        "{release}: {part}: {} agree with the engine, {} differ for a reason",
        names.len() - differing.len(),
        differing.len() - wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_verdict_on_odd_files_is_that_of_engine_26() {
    agree_on("noble");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_verdict_on_odd_files_is_that_of_engine_28() {
    agree_on("resolute");
}
