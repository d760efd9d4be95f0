//! Ansible on this machine, with hosts of the lab as its inventory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::host::{LAB, LabHost};
use crate::outcome::Outcome;

const CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");

/// A folder with the collection, and the lab's inventory of hosts.
pub(crate) struct Controller {
    folder: TempDir,
    search_path: String,
    /// Where the collection was laid out, with the program under test in it.
    pub collection: PathBuf,
}

impl Controller {
    /// Packs the collection, installs it from its archive, and lets the newest Ansible in on the
    /// hosts.
    pub(crate) fn of(hosts: &[&LabHost]) -> Controller {
        Controller::by(&["ansible"], hosts)
    }

    /// The same, with the oldest Ansible that the collection takes.
    pub(crate) fn oldest_of(hosts: &[&LabHost]) -> Controller {
        Controller::by(&["ansible", "oldest"], hosts)
    }

    fn by(ansible: &[&str], hosts: &[&LabHost]) -> Controller {
        let folder = TempDir::new().expect("a folder");
        let programs = run(Command::new(LAB).args(ansible)).exits(0).stdout;
        let before = std::env::var("PATH").unwrap_or_default();
        let laid_out = folder.path().join("laid-out");
        let program = std::env::var("DOCKSTRAP_BIN").expect("DOCKSTRAP_BIN names the program");
        let lay_out = Path::new(CHECKOUT).join("scripts/collection");
        run(Command::new(lay_out).arg(&laid_out).arg(program)).exits(0);
        let controller = Controller {
            search_path: format!("{}:{before}", programs.trim()),
            collection: laid_out.join("ansible_collections/dockstrap/docker"),
            folder,
        };
        let archives = controller.path("archives");
        let from = controller.collection.to_string_lossy().into_owned();
        let build = ["collection", "build", "--output-path", &archives, &from];
        controller.run("ansible-galaxy", build).exits(0);
        let archive = format!(
            "{archives}/dockstrap-docker-{}.tar.gz",
            env!("CARGO_PKG_VERSION")
        );
        let install = ["collection", "install", "--offline", &archive];
        controller.run("ansible-galaxy", install).exits(0);
        if !hosts.is_empty() {
            let mut inventory = Command::new(LAB);
            inventory.arg("inventory");
            inventory.args(hosts.iter().map(|host| host.name()));
            let inventory = run(&mut inventory).exits(0).stdout;
            std::fs::write(controller.path("inventory.yml"), inventory).expect("writing");
        }
        controller
    }

    /// Runs one of Ansible's programs.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Outcome {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", &self.search_path)
            .env("LC_ALL", "C.UTF-8")
            .env("ANSIBLE_HOME", self.path("home"))
            .env("ANSIBLE_COLLECTIONS_PATH", self.path("collections"))
            .env("ANSIBLE_INVENTORY", self.path("inventory.yml"))
            .env("ANSIBLE_NOCOLOR", "1");
        run(&mut command)
    }

    /// Runs a playbook.
    pub(crate) fn play<const N: usize>(&self, playbook: &str, arguments: [&str; N]) -> Outcome {
        self.run("ansible-playbook", [&[playbook][..], &arguments].concat())
    }

    /// Has one module run, as root on the hosts.
    pub(crate) fn module(&self, hosts: &str, name: &str, options: &Value) -> Outcome {
        let options = options.to_string();
        let mut arguments = vec![hosts, "--become", "-m", name];
        if options != "{}" {
            arguments.extend(["-a", &options]);
        }
        self.run("ansible", arguments)
    }

    /// The path of something in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }
}

fn run(command: &mut Command) -> Outcome {
    let words = command.get_args().map(OsStr::to_string_lossy);
    let shown = words.collect::<Vec<_>>().join(" ");
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    Outcome::new(format!("{program} {shown}"), &output.expect("starting it"))
}
