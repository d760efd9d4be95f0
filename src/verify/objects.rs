//! What a verification makes in the engine: how it is marked, and how it goes again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::host::authority::Authority;
use crate::host::command::Command;
use crate::host::mark::Mark;
use crate::host::temporary;

/// The label on everything that a verification makes. Its value says which run made it.
pub(crate) const LABEL: &str = "io.github.dockstrap.verify";

/// How the names of all of them begin; the mark follows.
pub(crate) const PREFIX: &str = "dockstrap-verify-";

/// Every kind of object but images, in an order in which they can be removed: the commands that list
/// those with a label, and that remove them.
const KINDS: &[(&[&str], &[&str])] = &[
    (
        &["ps", "--all", "--quiet", "--no-trunc"],
        &["rm", "--force", "--volumes"],
    ),
    (&["network", "ls", "--quiet"], &["network", "rm"]),
    (&["volume", "ls", "--quiet"], &["volume", "rm", "--force"]),
];

/// The names of images, and the identifiers of those without one.
const IMAGE: &str = "{{if eq .Tag \"<none>\"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}";

/// A mark that no other run has.
pub(crate) fn token() -> String {
    Mark::own().to_string()
}

/// Removes all that is left of a run. It goes on where something cannot be removed: the stages
/// have their outcomes already, and the next run tries again.
pub(crate) fn remove(host: &Authority<'_>, docker: &Command, token: &str) {
    let filter = format!("label={LABEL}={token}");
    for (list, remove) in KINDS {
        let list = sheltered(docker).args(*list).args(["--filter", &filter]);
        remove_listed(host, &list, &sheltered(docker).args(*remove), |_| true);
    }
    // An image that somebody made of ours has our label too, but a name of its own.
    let is_ours = |name: &str| {
        let end = name.rsplit('/').next().unwrap_or_default();
        name.starts_with("sha256:") || end.starts_with(&format!("dockstrap-verify:{token}"))
    };
    let list = sheltered(docker).args(["image", "ls", "--no-trunc", "--format", IMAGE]);
    let remove = sheltered(docker).args(["image", "rm", "--force"]);
    remove_listed(host, &list.args(["--filter", &filter]), &remove, is_ours);
}

fn remove_listed(
    host: &Authority<'_>,
    list: &Command,
    remove: &Command,
    is_ours: impl Fn(&str) -> bool,
) {
    // A command that was cut short may still be obeyed while its objects are listed.
    for _ in 0..3 {
        let listed = list
            .run_on(host)
            .map(|output| output.stdout)
            .unwrap_or_default();
        let found: BTreeSet<&str> = listed.lines().filter(|line| is_ours(line)).collect();
        if found.is_empty() {
            break;
        }
        let _ = remove.clone().args(found).run_on(host);
    }
}

/// Removes what is left of this user's runs whose process is gone: they were killed, or the engine
/// did not come back in their time. Root removes what any user's runs left.
pub(crate) fn remove_strays(host: &Authority<'_>, docker: &Command) -> Result<()> {
    let mut tokens = BTreeSet::new();
    let label = format!("{{{{.Label \"{LABEL}\"}}}}");
    for list in [["ps", "--all"], ["network", "ls"], ["volume", "ls"]] {
        let filter = format!("label={LABEL}");
        let list = docker.clone().args(list).args(["--filter", &filter]);
        let listed = list.args(["--format", &label]).run_on(host)?.success()?;
        tokens.extend(listed.stdout.lines().map(str::to_owned));
    }
    tokens.extend(of_images(host, docker)?);
    for mark in tokens.iter().filter_map(|token| Mark::parse(token)) {
        if mark.is_left_behind() {
            remove(host, docker, &mark.to_string());
        }
    }
    temporary::sweep_in(&temporary::folder()?, PREFIX);
    Ok(())
}

/// The marks of images: unlike other objects, they do not show them in a list.
fn of_images(host: &Authority<'_>, docker: &Command) -> Result<BTreeSet<String>> {
    let filter = format!("label={LABEL}");
    let list = ["image", "ls", "--quiet", "--no-trunc", "--filter", &filter];
    let listed = docker.clone().args(list).run_on(host)?.success()?.stdout;
    let images: BTreeSet<&str> = listed.lines().collect();
    if images.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mark = format!("{{{{index .Config.Labels \"{LABEL}\"}}}}");
    let inspect = docker.clone().args(["image", "inspect", "--format", &mark]);
    // One that another run has removed meanwhile is left out of the answer.
    let marks = inspect.args(images).run_on(host)?.stdout;
    Ok(marks.lines().map(str::to_owned).collect())
}

/// Out of reach of Ctrl-C in the terminal.
pub(crate) fn sheltered(docker: &Command) -> Command {
    let never = Arc::default();
    let docker = docker.clone().stopped_by(&never);
    docker.deadline(Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::mark;
    use crate::host::stub::StubHost;

    #[test]
    fn of_images_those_go_that_have_a_name_of_ours_or_none() {
        let token = token();
        let stub = StubHost::new().program(
            "docker",
            &format!(
                "case \"$*\" in
                    *image*ls*) [ -e $ROOT/gone ] || echo dockstrap-verify:{token}
                        echo 127.0.0.1:5000/a/dockstrap-verify:{token}
                        echo mine:latest ;;
                    *image*rm*) touch $ROOT/gone ;;
                esac"
            ),
        );
        remove(
            &Authority::of_test(stub.host()),
            &Command::new("docker"),
            &token,
        );
        let removes = |call: &&String| call.contains("image rm");
        let calls = stub.calls();
        let first = calls.iter().find(removes).unwrap();
        let names = format!("127.0.0.1:5000/a/dockstrap-verify:{token} dockstrap-verify:{token}");
        assert!(first.ends_with(&names), "{first}");
        assert!(!calls.join(" ").contains("rm --force mine"), "{calls:?}");
    }

    #[test]
    fn what_a_run_at_work_has_stays_and_what_is_left_behind_goes() {
        let (own, gone) = (token(), mark::gone());
        let stub = StubHost::new().program(
            "docker",
            &format!(
                "case \"$*\" in
                    *'volume ls --filter label={LABEL} '*) echo {own}; echo 7-18a; echo {gone} ;;
                esac"
            ),
        );
        remove_strays(&Authority::of_test(stub.host()), &Command::new("docker")).unwrap();
        let calls = stub.calls().join("\n");
        assert!(calls.contains(&format!("label={LABEL}={gone}")), "{calls}");
        for other in [own.as_str(), "7-18a"] {
            assert!(
                !calls.contains(&format!("label={LABEL}={other}")),
                "{calls}"
            );
        }
    }
}
