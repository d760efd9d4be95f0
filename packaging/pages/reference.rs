//! `packaging/manual/reference.md`: all commands, variables, files and exit codes, made from the
//! program as far as it knows them. `tests/cli/reference.rs` holds the rest against the source.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::{Arg, Args, Command, CommandFactory};
use dockstrap::reference::Cli;
use dockstrap::reference::settings::Layer;

const HEAD: &str = "\
# Reference

All commands, variables, files and exit codes. This page is made from the program and held against its
source by a test.
";

/// What clap does not know of.
const OTHER_VARIABLES: &[(&str, &str)] = &[
    (
        "`DOCKSTRAP_REGISTRY_PASSWORD`",
        "the password for `verify --registry-user`",
    ),
    (
        "`https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`",
        "the proxy, where `--proxy` names none; in capitals as well",
    ),
    (
        "`SSL_CERT_FILE`, `SSL_CERT_DIR`",
        "the certificates to trust instead of the host's store, in the downloads of this run and its apt",
    ),
    (
        "`SUDO_USER`, `DOAS_USER`",
        "who called sudo or doas, and becomes a member of group docker",
    ),
    ("`SUDO_UID`", "whom apt's log names as who asked"),
    (
        "`NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`",
        "no colours, or colours also where there is no terminal",
    ),
    (
        "`TERM`, `COLUMNS`, `LINES`",
        "what the terminal can show, and its size",
    ),
    (
        "`JOURNAL_STREAM`",
        "that standard error goes to systemd's journal: lines have their priority then",
    ),
    (
        "`TMPDIR`",
        "the folder for temporary files; one in which other users could exchange them is refused",
    ),
];

/// What the programs that are run find around them.
const CHILDREN: &str = "\
The programs that dockstrap runs, such as apt-get and docker, see none of these. They run in `/` with the
umask 022, and find:

| variable | value |
|---|---|
| `PATH` | `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, where dockstrap itself looks for programs as well |
| `HOME` | `/root`; for users other than root `/nonexistent` |
| `LC_ALL`, `TERM` | `C.UTF-8`, `dumb` |
| `DOCKER_CONFIG` | an empty folder: no user's contexts, credential helpers or plugins are used |
| `DEBIAN_FRONTEND` and others | what keeps apt and needrestart from asking |
| `http_proxy`, `https_proxy`, `no_proxy` | only for an apt-get that downloads, not for one that runs dpkg |
| `SUDO_UID` | for apt-get |

So `APT_CONFIG`, `DPKG_ROOT`, `DOCKER_HOST`, `COMPOSE_FILE`, `LD_PRELOAD` and any other variable of the caller
decide nothing.";

const FILES: &[(&str, &str, &str)] = &[
    (
        "/etc/dockstrap/config.toml",
        "read",
        "the settings, where `--config` names no other file",
    ),
    (
        "/var/lib/dockstrap",
        "written",
        "the journal, copies of what was there before, and, also after `uninstall`, `freshness.json`: how \
         new the repository was when it was last seen",
    ),
    (
        "/run/dockstrap.lock",
        "written",
        "held by a run, so that there is one at a time",
    ),
    ("/etc/apt/keyrings/docker.asc", "written", "Docker's key"),
    (
        "/etc/apt/sources.list.d",
        "written",
        "`docker.sources`; other sources of Docker's repository are taken out",
    ),
    (
        "/etc/apt/sources.list",
        "written",
        "only where it names Docker's repository",
    ),
    (
        "/etc/apt/apt.conf.d/90dockstrap-proxy",
        "written",
        "the proxy, with `--proxy-for apt`",
    ),
    (
        "/etc/apt/preferences",
        "read",
        "pins that keep apt from the engine's packages are named, with their line",
    ),
    ("/etc/apt/preferences.d", "read", "the same"),
    (
        "/etc/apt/apt.conf",
        "read",
        "the line of a setting that apt complains of, or that is in the way, is named",
    ),
    ("/etc/apt/apt.conf.d", "read", "the same"),
    (
        "/etc/docker",
        "checked",
        "its owner and mode: only root may change what is in it",
    ),
    (
        "/etc/docker/daemon.json",
        "written",
        "the engine's configuration, merged into what is there",
    ),
    (
        "/etc/docker/certs.d",
        "written",
        "authorities of private registries; for the time of a run those of `verify --registry`",
    ),
    ("/var/lib/apt/lists", "written", "Docker's index, verified"),
    ("/var/cache/apt/archives", "written", "packages, verified"),
];

/// The page, in Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut cli = Cli::command();
    cli.build();
    page += "\n## Commands\n\n";
    // Writing to a text cannot fail.
    let mut add = |text: &str| writeln!(page, "{text}").unwrap();
    add(
        "Every command takes `--output FORM` and `--help`. Commands with *settings* take the flags of the",
    );
    add("settings below, and `--config FILE`.");
    for command in commands(&cli, "dockstrap") {
        let (name, command) = command;
        add(&format!(
            "\n### `{name}`\n\n{}.",
            text_of(command.get_about().map(ToString::to_string))
        ));
        let long = command
            .get_long_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        for paragraph in long.split("\n\n").skip(1) {
            add(&format!("\n{}", paragraph.replace('\n', " ")));
        }
        let own: Vec<&Arg> = command
            .get_arguments()
            .filter(|it| !is_of_all(it))
            .collect();
        let (settings, own): (Vec<&Arg>, Vec<&Arg>) =
            own.into_iter().partition(|it| is_setting(it));
        if !settings.is_empty() {
            add("\nTakes the settings.");
        }
        table_of(&mut add, "option", &own);
    }
    add(
        "\n## Settings\n\nIn `/etc/dockstrap/config.toml`, under the name of the flag, but for `users`.",
    );
    let layer = Layer::augment_args(Command::new("settings"));
    table_of(&mut add, "flag", &layer.get_arguments().collect::<Vec<_>>());
    add(
        "\nIn the file only: `[daemon]`, keys of [daemon.json](daemon-json.md), and `[registries.\"HOST:PORT\"]`",
    );
    add(
        "with `ca = \"FILE\"`. There is a [sample](../config.toml) and a [schema](../config.schema.json).",
    );

    add("\n## Variables\n\n| variable | what it says |\n|---|---|");
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    for (_, command) in commands(&cli, "dockstrap") {
        for argument in command.get_arguments() {
            if let (Some(variable), Some(long)) = (argument.get_env(), argument.get_long()) {
                let variable = variable.to_string_lossy().into_owned();
                variables.insert(variable, format!("the same as `--{long}`"));
            }
        }
    }
    for (variable, meaning) in variables {
        add(&format!("| `{variable}` | {meaning} |"));
    }
    for (variables, meaning) in OTHER_VARIABLES {
        add(&format!("| {variables} | {meaning} |"));
    }
    add(&format!("\n{CHILDREN}"));

    add(
        "\n## Files\n\nWhat dockstrap changes is in its journal, and `uninstall` takes it back. Beside these",
    );
    add(
        "files it reads what it needs to know of the host: the databases of apt and dpkg, units, users and",
    );
    add("groups, `/proc` and `/sys`. What packages bring is theirs.\n");
    add("| file | | what for |\n|---|---|---|");
    for (file, how, meaning) in FILES {
        add(&format!("| `{file}` | {how} | {meaning} |"));
    }

    add("\n## Exit codes\n\n| code | meaning |\n|---|---|");
    for (code, meaning) in exit_codes() {
        add(&format!("| {code} | {meaning} |"));
    }
    page
}

/// The commands that can be called, with all of their names.
fn commands<'a>(command: &'a Command, name: &str) -> Vec<(String, &'a Command)> {
    let visible = command
        .get_subcommands()
        .filter(|it| !it.is_hide_set() && it.get_name() != "help");
    visible
        .flat_map(|inner| {
            let name = format!("{name} {}", inner.get_name());
            if inner.has_subcommands() {
                commands(inner, &name)
            } else {
                vec![(name, inner)]
            }
        })
        .collect()
}

fn table_of(add: &mut impl FnMut(&str), first: &str, arguments: &[&Arg]) {
    if arguments.is_empty() {
        return;
    }
    add(&format!(
        "\n| {first} | variable | meaning |\n|---|---|---|"
    ));
    for argument in arguments {
        let values = argument.get_value_names().unwrap_or_default();
        let takes_value = argument.get_action().takes_values();
        let value = values
            .first()
            .filter(|_| takes_value)
            .map(ToString::to_string);
        let optional = argument
            .get_num_args()
            .is_some_and(|count| count.min_values() == 0);
        let long = argument.get_long().map(|long| format!("--{long}"));
        let name = match (long, value) {
            (Some(long), Some(value)) if optional && takes_value => format!("{long}[={value}]"),
            (Some(long), Some(value)) => format!("{long} {value}"),
            (Some(long), None) => long,
            (None, value) => value.unwrap_or_default(),
        };
        let short = argument
            .get_short()
            .map(|short| format!("-{short}, "))
            .unwrap_or_default();
        let variable = argument
            .get_env()
            .map(|it| format!("`{}`", it.to_string_lossy()));
        let help = argument
            .get_long_help()
            .or(argument.get_help())
            .map(ToString::to_string);
        let (variable, help) = (variable.unwrap_or_default(), text_of(help));
        add(&format!("| `{short}{name}` | {variable} | {help} |"));
    }
}

/// On one line, and with nothing that ends a cell.
fn text_of(help: Option<String>) -> String {
    let help = help.unwrap_or_default();
    help.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn is_of_all(argument: &Arg) -> bool {
    ["help", "version", "output"].contains(&argument.get_id().as_str())
}

fn is_setting(argument: &Arg) -> bool {
    let layer = Layer::augment_args(Command::new("settings"));
    let id = argument.get_id();
    // The command uninstall has one of them alone.
    id == "config"
        || (layer.get_arguments().any(|it| it.get_id() == id) && is_like_a_setting(argument))
}

fn is_like_a_setting(argument: &Arg) -> bool {
    argument.get_default_values().is_empty() && argument.get_env().is_some()
}

/// What the help says of exit codes, each on one line.
fn exit_codes() -> Vec<(u8, String)> {
    let help = Cli::command().get_after_help().unwrap().to_string();
    let mut codes: Vec<(u8, String)> = Vec::new();
    for line in help.lines().skip(1) {
        let (first, rest) = line.trim().split_once(' ').unwrap();
        match first.parse() {
            Ok(code) => codes.push((code, rest.trim().to_owned())),
            Err(_) => {
                let (_, text) = codes.last_mut().unwrap();
                *text += &format!(" {}", line.trim());
            }
        }
    }
    codes
}
