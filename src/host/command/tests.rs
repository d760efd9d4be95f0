use super::*;
use crate::error::exit_code;
use std::sync::atomic::Ordering;
use std::time::Instant;

const PATH: &str = "/usr/bin:/bin";

fn run(command: &Command) -> Result<Output> {
    command.run(OsStr::new(PATH))
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error = run(&Command::new("no-such-program")).unwrap_err();
    assert!(format!("{error:#}").contains("no-such-program"));
}

#[test]
fn a_failure_shows_the_command_its_code_and_its_last_lines() {
    let output = run(&Command::new("ls").arg("/no/such/folder")).unwrap();
    let error = output.success().unwrap_err().to_string();
    assert!(
        error.starts_with("`ls /no/such/folder` exited with 2:"),
        "{error}"
    );
    assert!(error.contains("No such file"), "{error}");
}

#[test]
fn a_command_is_shown_without_its_options_for_apt() {
    let command = Command::new("apt-get").args(["-o", "A=b", "-oC=d", "install", "pigz"]);
    assert_eq!(command.to_string(), "apt-get install pigz");
}

#[test]
fn fault_13_no_error_shows_a_password() {
    let command = Command::new("ls")
        .arg("http://me:word@proxy")
        .env("https_proxy", "http://me:word@proxy");
    let error = run(&command).unwrap().success().unwrap_err().to_string();
    assert!(error.contains("`ls http://***@proxy`"), "{error}");
    assert!(!format!("{error} {command:?}").contains("word"), "{error}");
}

#[test]
fn arguments_reach_the_program_as_they_are() {
    let output = run(&Command::new("printf").args(["%s|", "a b", "$HOME;ls"])).unwrap();
    assert_eq!(output.stdout, "a b|$HOME;ls|");
}

#[test]
fn a_command_that_outlives_its_deadline_is_ended() {
    let sleep = Command::new("sleep")
        .arg("30")
        .deadline(Duration::from_millis(50));
    let error = run(&sleep).unwrap_err().to_string();
    assert!(error.contains("did not end within"), "{error}");
}

#[test]
fn a_watched_command_reports_through_its_own_pipe() {
    let mut lines = Vec::new();
    let command = Command::new("dd").args(["if=/proc/self/cmdline", "status=none"]);
    let output = command
        .call
        .watch(OsStr::new(PATH), "of=/proc/self/fd/{}", |line| {
            lines.push(line.to_owned());
        })
        .unwrap();
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(lines.concat().contains("of=/proc/self/fd/"));
}

#[test]
fn a_watched_command_is_followed_to_its_end_whatever_it_reports() {
    let script = "printf 'a\\377\\nb\\n' >/proc/self/fd/$0; sleep 0.2; echo end";
    let command = Command::new("sh").args(["-c", script]);
    let mut lines = Vec::new();
    let output = command
        .call
        .watch(OsStr::new(PATH), "{}", |line| lines.push(line.to_owned()));
    assert_eq!(output.unwrap().stdout, "end\n");
    assert_eq!(lines, ["a\u{fffd}", "b"]);
}

#[test]
fn a_command_that_a_flag_ends_takes_what_it_started_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let late = folder.path().join("late");
    let script = format!("(sleep 1; touch {}) & wait", late.display());
    let flag = Arc::new(AtomicBool::new(false));
    let command = Command::new("sh").args(["-c", &script]).stopped_by(&flag);
    let begun = Instant::now();
    let error = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&command).unwrap_err());
        std::thread::sleep(Duration::from_millis(100));
        flag.store(true, Ordering::Relaxed);
        running.join().unwrap()
    });
    assert_eq!(exit_code(&error), 130);
    assert!(begun.elapsed() < Duration::from_millis(900));
    std::thread::sleep(Duration::from_millis(1200));
    assert!(!late.exists(), "what it started went on");
}

#[test]
fn a_program_that_must_not_be_cut_short_depends_on_no_pipe_of_ours() {
    let script = "readlink /proc/self/fd/1 /proc/self/fd/2; echo complaint >&2; exit 3";
    let shell = Command::new("sh").args(["-c", script]);
    let mut uncut = vec![shell.call.run_uncut(OsStr::new(PATH)).unwrap()];
    uncut.push(shell.call.watch(OsStr::new(PATH), "{}", |_| ()).unwrap());
    for output in uncut {
        assert_eq!(output.stdout.matches("memfd:dockstrap").count(), 2);
        assert_eq!(output.tail(), "complaint");
        assert_eq!(output.code, 3);
    }
}
