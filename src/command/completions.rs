//! `dockstrap completions`: the script with which a shell completes what is typed.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::daemon_config::schema::keys;

/// The script for this shell.
pub fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dockstrap", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Fish {
        // Of positional arguments clap_complete gives fish no values.
        let names: Vec<&str> = keys().map(|key| key.name).collect();
        script += &format!(
            "complete -c dockstrap -n \"__fish_dockstrap_using_subcommand explain\" -f -a \"{}\"\n",
            names.join(" ")
        );
    }
    script
}
