//! For tests: a host made of a temporary folder, and of programs that do what the test says.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::Host;
use super::authority::Authority;
use crate::docker::SOCKET;

/// A host for one test; it goes when it is dropped.
pub(crate) struct StubHost {
    folder: TempDir,
    host: Host,
}

impl StubHost {
    /// A bare host: the folders that every system has, and not one program.
    pub(crate) fn new() -> StubHost {
        crate::host::environment::fix_umask();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let folders = [
            "root/etc",
            "root/run/systemd/system",
            "root/var/lib",
            "programs",
            "bodies",
        ];
        for name in folders {
            fs::create_dir_all(at(name)).unwrap();
        }
        let host = Host::at(&at("root"), &at("programs"));
        // No user, no group and no package that was asked for, until a test says otherwise.
        StubHost { folder, host }
            .program("getent", "exit 2")
            .program("apt-mark", "")
            .program("dpkg-query", "exit 1")
    }

    /// What `facts` asks of an Ubuntu 24.04 under systemd that has nothing of Docker's.
    pub(crate) fn noble() -> StubHost {
        StubHost::new()
            .file("/etc/os-release", "ID=ubuntu\nVERSION_CODENAME=noble\n")
            .program("dpkg-query", "echo dpkg 1.22.6 amd64 installed ok; exit 1")
    }

    /// As in a chroot, or in an image that is being built: nothing runs.
    pub(crate) fn without_systemd(self) -> StubHost {
        fs::remove_dir(self.host.path("/run/systemd/system")).unwrap();
        self
    }

    pub(crate) fn folder(self, path: &str) -> StubHost {
        fs::create_dir_all(self.host.path(path)).unwrap();
        self
    }

    /// A file and the folders it stands in; its mode is 0644.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> StubHost {
        self.write(path, content);
        self
    }

    /// A symbolic link, in the place of what is there.
    pub(crate) fn link(self, path: &str, target: &str) -> StubHost {
        let link = self.host.path(path);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&link);
        symlink(target, link).unwrap();
        self
    }

    /// A process of root's that runs `program` of this host, with the words of `line`.
    pub(crate) fn shim(self, pid: i32, program: &str, line: &str) -> StubHost {
        let at = |name: &str| format!("/proc/{pid}/{name}");
        let target = self.host.path(program);
        let mut stub = self
            .file(program, "")
            .file(&at("cmdline"), line)
            .file(&at("status"), "Name:\tx\nUid:\t0\t0\t0\t0\n")
            .link(&at("exe"), target.to_str().unwrap());
        for kind in ["user", "pid", "mnt"] {
            for process in [pid.to_string(), "self".to_owned()] {
                let link = format!("/proc/{process}/ns/{kind}");
                stub = stub.link(&link, &format!("{kind}:[1]"));
            }
        }
        stub
    }

    /// A program whose body is a line of `sh`, with the host's files under `$ROOT`.
    pub(crate) fn program(self, name: &str, body: &str) -> StubHost {
        let stub = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stub");
        let link = self.folder.path().join("programs").join(name);
        if !link.exists() {
            symlink(stub, link).unwrap();
        }
        fs::write(self.folder.path().join("bodies").join(name), body).unwrap();
        self
    }

    /// An engine that answers everyone who asks about it with `info`.
    pub(crate) fn engine(self, info: Value) -> StubHost {
        self.engine_answering(move |_| info.to_string())
    }

    /// An engine with an answer to each question, such as `GET /info HTTP/1.1`.
    pub(crate) fn engine_answering(
        self,
        answer: impl Fn(&str) -> String + Send + 'static,
    ) -> StubHost {
        let listener = UnixListener::bind(self.host.path(SOCKET)).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(&stream)
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty());
                let question = lines.next().unwrap_or_default();
                lines.for_each(drop);
                let body = answer(&question);
                let length = body.len();
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length";
                let _ = write!(&stream, "{head}: {length}\r\n\r\n{body}");
            }
        });
        self
    }

    /// The host, with the right to change it.
    pub(crate) fn authority(&self) -> Authority<'_> {
        Authority::of_test(self.host())
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// The commands that were run since this was last asked, such as `groupadd --system docker`.
    pub(crate) fn calls(&self) -> Vec<String> {
        let log = self.folder.path().join("calls");
        let text = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    /// Puts a file there as anybody may, past every journal.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let target = self.host.path(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(&target, content).unwrap();
        self.set_mode(path, 0o644);
    }

    pub(crate) fn set_mode(&self, path: &str, mode: u32) {
        // A link of the stub's may lead to a file of the machine that the tests run on.
        let target = self.host.path(path).canonicalize().unwrap();
        let root = self.host.path("/").canonicalize().unwrap();
        assert!(target.starts_with(root), "{path} leads to {target:?}");
        fs::set_permissions(target, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The text of a file that must be there.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.host.path(path)).unwrap()
    }

    /// The permissions of what must be there.
    pub(crate) fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.host.path(path)).unwrap().mode() & 0o7777
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.host.exists(path).unwrap()
    }

    /// Everything on the host, each path with its mode and content, to compare with later.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, (u32, String)> {
        let mut all = BTreeMap::new();
        let mut folders = vec!["/".to_owned()];
        while let Some(folder) = folders.pop() {
            for name in self.host.list(&folder).unwrap() {
                let path = format!("{}/{name}", folder.trim_end_matches('/'));
                if self.host.path(&path).is_dir() {
                    folders.push(path.clone());
                }
                let content = fs::read(self.host.path(&path)).unwrap_or_default();
                let content = String::from_utf8_lossy(&content).into_owned();
                all.insert(path.clone(), (self.mode(&path), content));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command::Query;
    use crate::host::query::Reader;

    #[test]
    fn a_stub_notes_its_arguments_and_does_what_it_is_told() {
        let stub = StubHost::new()
            .file("/etc/group", "docker:x:990:\n")
            .program("getent", "grep \"^$2:\" $ROOT/etc/$1 || exit 2");
        let getent = |name: &str| Query::of(Reader::Getent).args(["group", name]);
        assert_eq!(stub.host().query(&getent("docker")).unwrap().code, 0);
        assert_eq!(stub.host().query(&getent("wheel")).unwrap().code, 2);
        assert_eq!(stub.calls(), ["getent group docker", "getent group wheel"]);
    }
}
