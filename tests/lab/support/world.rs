//! What is around a host: the servers, what they were asked for, and what they serve.

use std::fs;
use std::path::PathBuf;

use crate::host::LabHost;

/// One line of the servers' log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub host: String,
    pub method: String,
    pub path: String,
    pub status: u16,
}

impl LabHost {
    /// Everything the servers were asked for so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let log = fs::read_to_string(self.lab_path("log")).expect("reading the servers' log");
        log.lines().map(request).collect()
    }

    /// Every name the name server was asked for, with the type of the record.
    pub(crate) fn name_queries(&self) -> Vec<(String, String)> {
        let log = fs::read_to_string(self.lab_path("dns")).expect("reading the name server's log");
        log.lines().filter_map(name_query).collect()
    }

    /// What the servers serve as Docker's repository; may be edited.
    pub(crate) fn docker_repository(&self) -> PathBuf {
        self.lab_path("www")
            .join("download.docker.com/linux/ubuntu")
    }

    /// The file of a package in what the servers serve.
    #[track_caller]
    pub(crate) fn served_package(&self, package: &str) -> PathBuf {
        let pool = self
            .docker_repository()
            .join(format!("dists/{}/pool/stable", self.release()));
        let folders = fs::read_dir(&pool).expect("listing the pool").flatten();
        let files =
            folders.flat_map(|folder| fs::read_dir(folder.path()).expect("listing the pool"));
        let is_it = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&format!("{package}_"))
        };
        let mut found = files.flatten().map(|file| file.path()).filter(is_it);
        found.next().expect("a package of that name in the pool")
    }
}

fn request(line: &str) -> Request {
    let fields: Vec<&str> = line.split(' ').collect();
    let [host, method, path, status, _bytes] = fields[..] else {
        panic!("a line of the servers' log that is none: {line}");
    };
    Request {
        host: host.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        status: status.parse().expect("a status in the servers' log"),
    }
}

/// Reads a line like `… query[A] docker.io from 127.0.0.1`.
fn name_query(line: &str) -> Option<(String, String)> {
    let (_, query) = line.split_once(": query[")?;
    let (kind, rest) = query.split_once("] ")?;
    let (name, _) = rest.split_once(" from ")?;
    Some((kind.to_owned(), name.to_owned()))
}
