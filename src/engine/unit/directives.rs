//! What the files of a unit say: each setting with the file and the line that says it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use anyhow::Result;

use crate::host::{Host, is_forbidden};

/// Where systemd looks for units and drop-ins; a file in an earlier folder replaces one of the same
/// name in a later folder.
pub(crate) const FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// One `NAME=VALUE` of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    pub name: String,
    /// Lines that a backslash continues are one.
    pub value: String,
    pub file: String,
    /// Where it begins, counted from 1.
    pub line: usize,
}

impl Directive {
    /// The place, as every message names it.
    pub(crate) fn place(&self) -> String {
        format!("{}, line {}", self.file, self.line)
    }

    /// Whether a drop-in says it, and not the unit's own file.
    pub(crate) fn is_of_drop_in(&self) -> bool {
        let folder = Path::new(&self.file).parent();
        folder.is_some_and(|folder| folder.to_string_lossy().ends_with(".d"))
    }
}

/// The words that systemd reads as a boolean, in any case.
pub(crate) const YES: &[&str] = &["1", "yes", "y", "true", "t", "on"];
pub(crate) const NO: &[&str] = &["0", "no", "n", "false", "f", "off"];

/// Settings without whose unit a service does not start.
pub(crate) const NEEDS: &[&str] = &["BindsTo", "Requires", "Requisite"];

/// What the files of a unit say, and which of them say nothing.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// In the order in which systemd reads them: those of the unit's own file, then those of its
    /// drop-ins. There may be drop-ins before there is a unit.
    pub settings: Vec<Directive>,
    /// Files and folders that only root may read.
    pub hidden: Vec<String>,
    /// What is no file, with its kind. systemd passes over it when it starts the unit, or waits at a
    /// pipe for ever, and cannot enable the unit.
    pub odd: Vec<(String, Odd)>,
}

/// The settings of a unit, as far as they can be read.
pub(crate) fn of_unit(host: &Host, unit: &str) -> Result<Vec<Directive>> {
    Ok(files_of(host, unit)?.settings)
}

/// The files of a unit.
pub(crate) fn files_of(host: &Host, unit: &str) -> Result<Files> {
    let mut found = Files::default();
    let mut files = Vec::new();
    for folder in FOLDERS {
        let path = format!("{folder}/{unit}");
        if host.exists(&path)? {
            files.push(path);
            break;
        }
    }
    files.extend(drop_ins(host, unit, &mut found.hidden)?);
    for file in files {
        match content(host, &file)? {
            UnitFile::Text(text) => found.settings.extend(parse(&file, &text)),
            UnitFile::Hidden => found.hidden.push(file),
            UnitFile::Odd(kind) => found.odd.push((file, kind)),
            UnitFile::Nothing => {}
        }
    }
    Ok(found)
}

/// What a file of a unit is to systemd.
pub(crate) enum UnitFile {
    Text(String),
    /// Only root may read it.
    Hidden,
    Odd(Odd),
    /// It is gone meanwhile.
    Nothing,
}

/// What may stand in the place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Odd {
    Folder,
    Pipe,
    Socket,
    /// One that leads nowhere.
    Link,
}

pub(crate) fn content(host: &Host, file: &str) -> Result<UnitFile> {
    let odd = match std::fs::metadata(host.path(file)).map(|there| there.file_type()) {
        Ok(kind) if kind.is_dir() => Some(Odd::Folder),
        Ok(kind) if kind.is_fifo() => Some(Odd::Pipe),
        Ok(kind) if kind.is_socket() => Some(Odd::Socket),
        Err(error) if error.kind() == ErrorKind::NotFound && host.path(file).is_symlink() => {
            Some(Odd::Link)
        }
        _ => None,
    };
    if let Some(odd) = odd {
        return Ok(UnitFile::Odd(odd));
    }
    // `/dev/null`, to which a unit or a drop-in is linked that does not count, is empty.
    Ok(match host.read_text(file) {
        Err(error) if is_forbidden(&error) => UnitFile::Hidden,
        text => text?.map_or(UnitFile::Nothing, UnitFile::Text),
    })
}

/// The settings of this name that are in force: an empty value removes those before it.
pub(crate) fn in_force<'a>(settings: &'a [Directive], name: &str) -> Vec<&'a Directive> {
    let mut found = Vec::new();
    for setting in settings.iter().filter(|setting| setting.name == name) {
        if setting.value.is_empty() {
            found.clear()
        } else {
            found.push(setting)
        }
    }
    found
}

/// The drop-ins of a unit in the order in which they are read: by name, whatever the folder. Of two
/// with one name the first folder counts, and one of this unit before one of all units of its type.
/// Folders that only root may read are added to `hidden`.
fn drop_ins(host: &Host, unit: &str, hidden: &mut Vec<String>) -> Result<Vec<String>> {
    let kind = unit.rsplit('.').next().unwrap_or_default();
    let mut files = BTreeMap::new();
    for of in [unit, kind] {
        for folder in FOLDERS {
            let folder = format!("{folder}/{of}.d");
            let names = match host.list(&folder) {
                Err(error) if is_forbidden(&error) => {
                    hidden.push(folder);
                    continue;
                }
                names => names?,
            };
            for name in names {
                let path = format!("{folder}/{name}");
                files.entry(name).or_insert(path);
            }
        }
    }
    files.retain(|name, _| name.ends_with(".conf"));
    Ok(files.into_values().collect())
}

/// Reads the text of a unit, as `systemd.syntax(7)` has it.
pub(crate) fn parse(file: &str, text: &str) -> Vec<Directive> {
    let is_comment = |line: &str| line.starts_with(['#', ';']);
    let mut lines = text.lines().map(str::trim).enumerate();
    let mut settings = Vec::new();
    while let Some((number, line)) = lines.next() {
        if is_comment(line) {
            continue;
        }
        let mut whole = line.to_owned();
        while let Some(begun) = whole.strip_suffix('\\') {
            let mut rest = lines.by_ref().map(|(_, line)| line);
            let next = rest.find(|line| !is_comment(line)).unwrap_or_default();
            whole = format!("{begun} {next}");
        }
        let Some((name, value)) = whole.split_once('=') else {
            continue;
        };
        settings.push(Directive {
            name: name.trim_end().to_owned(),
            value: value.trim().to_owned(),
            file: file.to_owned(),
            line: number + 1,
        });
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn settings_come_in_the_order_in_which_systemd_reads_them() {
        let stub = StubHost::new()
            .file(
                "/usr/lib/systemd/system/x.service",
                "[Service]\nUser=unit\n",
            )
            .file("/etc/systemd/system/x.service.d/b.conf", "User=b\n")
            .file(
                "/usr/lib/systemd/system/x.service.d/b.conf",
                "User=hidden\n",
            )
            .file("/run/systemd/system/x.service.d/a.conf", "User=a\n")
            .file("/etc/systemd/system/service.d/c.conf", "User=c\n")
            .file("/etc/systemd/system/service.d/a.conf", "User=hidden\n")
            .file("/etc/systemd/system/x.service.d/notes.txt", "User=no\n");
        let said = of_unit(stub.host(), "x.service").unwrap();
        let values: Vec<&str> = said.iter().map(|it| it.value.as_str()).collect();
        assert_eq!(values, ["unit", "a", "b", "c"]);
        let drop_ins: Vec<bool> = said.iter().map(Directive::is_of_drop_in).collect();
        assert_eq!(drop_ins, [false, true, true, true]);
        let stub = stub.file("/etc/systemd/system/x.service", "User=own\n");
        let said = of_unit(stub.host(), "x.service").unwrap();
        assert_eq!(said[0].value, "own");
    }

    #[test]
    fn what_is_no_file_is_told_from_what_says_something() {
        let folder = "/etc/systemd/system/x.service.d";
        let stub = StubHost::new()
            .folder(&format!("{folder}/a.conf"))
            .file(&format!("{folder}/b.conf"), "User=b\n")
            .link(&format!("{folder}/c.conf"), "/nonexistent");
        let pipe = stub.host().path(format!("{folder}/d.conf"));
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
        let found = files_of(stub.host(), "x.service").unwrap();
        assert_eq!(found.settings.len(), 1);
        let odd = [("a", Odd::Folder), ("c", Odd::Link), ("d", Odd::Pipe)]
            .map(|(name, kind)| (format!("{folder}/{name}.conf"), kind));
        assert_eq!(found.odd, odd);
        assert!(found.hidden.is_empty());
    }

    #[test]
    fn a_unit_that_leads_to_dev_null_says_nothing() {
        let stub = StubHost::new().link("/etc/systemd/system/x.service", "/dev/null");
        assert_eq!(of_unit(stub.host(), "x.service").unwrap(), []);
    }

    #[test]
    fn each_setting_knows_its_line_and_continued_lines_are_one() {
        let text =
            "# x\n[Service]\nExecStart=/a \\\n  # between\n  --b \\\n  -c\n ; y\nUser = root\nno\n";
        let said = parse("/f", text);
        let shown: Vec<(String, &str)> = said
            .iter()
            .map(|it| (it.place(), it.value.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("/f, line 3".to_owned(), "/a  --b  -c"),
                ("/f, line 8".to_owned(), "root")
            ]
        );
        assert_eq!(said[1].name, "User");
    }

    #[test]
    fn an_empty_value_removes_those_before_it() {
        let said = parse("/f", "A=1\nA=2\nB=3\nA=\nA=4\n");
        let values: Vec<&str> = in_force(&said, "A")
            .iter()
            .map(|it| it.value.as_str())
            .collect();
        assert_eq!(values, ["4"]);
        assert!(in_force(&parse("/f", "A=1\nA=\n"), "A").is_empty());
    }
}
