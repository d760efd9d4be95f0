//! Our verdict on a set of odd files beside that of a real engine, which was started with each.
//!
//! `verdicts.tsv` beside them has what engine 26.1 did under its packaged unit, and `otherwise.tsv` why
//! ours is another one for some. A lab test starts the lab's engines with the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::daemon_config::{
    Context, Disk, Document, EngineRelease, HostFacts, PathKind, Severity, check, named_paths,
};

const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/daemon_json/edge"
);

/// The flags of the packages' own unit.
const FLAGS: [&str; 3] = [
    "-H",
    "fd://",
    "--containerd=/run/containerd/containerd.sock",
];

/// The host on which the engine was started.
fn host(document: &Document) -> HostFacts {
    let text = |key: &str| {
        document
            .get(key)
            .and_then(|it| it.as_str())
            .unwrap_or_default()
    };
    let paths = named_paths(document).into_iter().map(|path| {
        let found = match path.as_str() {
            "/dev/log" | "/etc/passwd" => PathKind::File,
            "/srv/target" => PathKind::Folder,
            _ => PathKind::Nothing,
        };
        (path, found)
    });
    let absent_group = Some(text("group").to_owned()).filter(|group| group == "nosuchgroup");
    let remap_fault = matches!(text("userns-remap"), "nosuchuser" | "100000:100000")
        .then(|| "there is no such user".to_owned());
    HostFacts {
        has_systemd: true,
        has_cgroups_v2: true,
        paths: paths.collect::<BTreeMap<_, _>>(),
        absent_group,
        absent_plugins: ["nosuch".to_owned()].into(),
        foreign_hosts: ["10.99.0.1", "nosuchhost"].map(str::to_owned).into(),
        remap_fault,
        data_root: Some(Disk {
            folder: "/var/lib/docker".to_owned(),
            mount: "/".to_owned(),
            kind: "ext4".to_owned(),
            has_project_quotas: false,
            is_noexec: false,
            is_read_only: false,
            size: 64 << 30,
        }),
        ..HostFacts::default()
    }
}

/// Why we would refuse the file, if we would.
fn refusal(bytes: &[u8]) -> Option<String> {
    let document = match Document::parse(bytes) {
        Ok(document) => document,
        Err(refusal) => return Some(refusal.to_string()),
    };
    let host = host(&document);
    let context = Context {
        unit_flags: &FLAGS.map(str::to_owned),
        engine: Some(EngineRelease(26, 1)),
        host: Some(&host),
    };
    let findings = check(&document, &context).into_iter();
    let mut errors = findings.filter(|finding| finding.severity == Severity::Error);
    errors.next().map(|error| error.to_string())
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "how far the two agree is shown as a figure"
)]
fn our_verdict_is_the_engines() {
    let verdicts = std::fs::read_to_string(Path::new(FOLDER).join("verdicts.tsv")).unwrap();
    let verdicts = verdicts.lines().filter(|line| !line.starts_with('#'));
    let reasons = std::fs::read_to_string(Path::new(FOLDER).join("otherwise.tsv")).unwrap();
    let reasons = reasons.lines().filter(|line| !line.starts_with('#'));
    let known: BTreeSet<&str> = reasons
        .filter_map(|it| Some(it.split_once('\t')?.0))
        .collect();
    let (mut all, mut differing, mut unexplained) = (0, BTreeSet::new(), Vec::new());
    for line in verdicts {
        let mut fields = line.split('\t');
        let (file, verdict) = (fields.next().unwrap(), fields.next().unwrap());
        let said = fields.next().unwrap_or_default();
        let ours = refusal(&std::fs::read(Path::new(FOLDER).join(file)).unwrap());
        all += 1;
        if ours.is_none() == (verdict == "starts") {
            continue;
        }
        differing.insert(file);
        if !known.contains(file) {
            let ours = ours.as_deref().unwrap_or("taken");
            unexplained.push(format!("{file}: engine {verdict}: {said}; ours: {ours}"));
        }
    }
    let files = std::fs::read_dir(FOLDER).unwrap().count();
    assert_eq!(all + 2, files, "each file has a verdict");
    eprintln!(
        "{} of {all} verdicts agree with those of engine 26.1; {} differ for a reason",
        all - differing.len(),
        known.len()
    );
    assert_eq!(unexplained, [""; 0], "\n{}", unexplained.join("\n"));
    assert_eq!(differing, known, "each reason is needed");
}
