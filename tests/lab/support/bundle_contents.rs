//! A bundle taken apart, and put together again as somebody hostile would.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Archive, Builder, EntryType, Header};

/// A file in a bundle.
#[derive(Clone)]
pub(crate) struct Member {
    pub path: String,
    pub kind: EntryType,
    pub content: Vec<u8>,
}

/// What a bundle consists of.
#[derive(Clone)]
pub(crate) struct Contents {
    pub manifest: Value,
    pub members: Vec<Member>,
}

impl Contents {
    pub(crate) fn of(bundle: &[u8]) -> Contents {
        let mut members = Vec::new();
        for entry in Archive::new(bundle).entries().expect("a tar") {
            let mut entry = entry.expect("a file in it");
            let path = entry
                .path()
                .expect("its path")
                .to_str()
                .expect("in UTF-8")
                .to_owned();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).expect("reading it");
            members.push(Member {
                path,
                kind: EntryType::Regular,
                content,
            });
        }
        let manifest = members.remove(0).content;
        Contents {
            manifest: serde_json::from_slice(&manifest).expect("a manifest"),
            members,
        }
    }

    /// The bytes of a tar of these, whatever they are.
    pub(crate) fn packed(&self) -> Vec<u8> {
        let mut tar = Builder::new(Vec::new());
        let manifest = Member {
            path: "bundle.json".to_owned(),
            kind: EntryType::Regular,
            content: serde_json::to_vec(&self.manifest).expect("a manifest"),
        };
        for member in std::iter::once(&manifest).chain(&self.members) {
            if member.path.len() > 100 {
                let name = format!("{}\0", member.path);
                append(
                    &mut tar,
                    "././@LongLink",
                    EntryType::GNULongName,
                    name.as_bytes(),
                );
            }
            append(&mut tar, &member.path, member.kind, &member.content);
        }
        tar.into_inner().expect("a tar")
    }

    /// Adds a file, which the manifest names.
    pub(crate) fn with(mut self, path: &str, content: &[u8]) -> Contents {
        let files = self.manifest["files"].as_array_mut().expect("a list");
        files.push(named(path, content));
        self.with_unnamed(path, EntryType::Regular, content)
    }

    /// Adds a member, which the manifest does not name.
    pub(crate) fn with_unnamed(mut self, path: &str, kind: EntryType, content: &[u8]) -> Contents {
        self.members.push(Member {
            path: path.to_owned(),
            kind,
            content: content.to_vec(),
        });
        self
    }

    /// Another content of the file whose path ends so.
    #[track_caller]
    pub(crate) fn replacing(mut self, end: &str, content: &[u8]) -> Contents {
        let is_it = |path: &str| path.ends_with(end);
        let member = self.members.iter_mut().find(|member| is_it(&member.path));
        member.expect("such a member").content = content.to_vec();
        let files = self.manifest["files"].as_array_mut().expect("a list");
        let file = files
            .iter_mut()
            .find(|file| is_it(file["path"].as_str().unwrap_or_default()));
        let file = file.expect("such a file");
        *file = named(file["path"].as_str().expect("a path"), content);
        self
    }

    /// Another value in the manifest, such as at `/archives/0/suite`.
    #[track_caller]
    pub(crate) fn saying(mut self, pointer: &str, value: Value) -> Contents {
        *self.manifest.pointer_mut(pointer).expect("such a field") = value;
        self
    }

    /// The same for hosts of another architecture, with every path as a bundle for those has it.
    pub(crate) fn for_architecture(mut self, from: &str, to: &str) -> Contents {
        let (from_folder, to_folder) = (format!("/binary-{from}/"), format!("/binary-{to}/"));
        self.manifest["architecture"] = json!(to);
        for file in self.manifest["files"].as_array_mut().expect("a list") {
            let path = file["path"].as_str().expect("a path");
            file["path"] = json!(path.replace(&from_folder, &to_folder));
        }
        for member in &mut self.members {
            member.path = member.path.replace(&from_folder, &to_folder);
        }
        self
    }

    /// The content of the file whose path ends so.
    #[track_caller]
    pub(crate) fn text(&self, end: &str) -> String {
        let mut members = self.members.iter();
        let member = members.find(|member| member.path.ends_with(end));
        String::from_utf8(member.expect("such a member").content.clone()).expect("a text")
    }
}

fn named(path: &str, content: &[u8]) -> Value {
    let sha256: String = Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({ "path": path, "size": content.len(), "sha256": sha256 })
}

fn append(tar: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, content: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    // Not by `set_path`, which refuses what an attacker would write.
    let name = &path.as_bytes()[..path.len().min(100)];
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_cksum();
    tar.append(&header, content).expect("writing a tar");
}
