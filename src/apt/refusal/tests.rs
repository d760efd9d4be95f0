use super::*;
use crate::error::{exit_code, next_command};
use crate::host::stub::StubHost;

fn failed(stderr: &str) -> Output {
    Output::failed("", stderr)
}

fn refused(stub: &StubHost, stderr: &str) -> anyhow::Error {
    let refusal = of(stub.host(), &failed(stderr), None, Phase::Planning);
    refusal.unwrap().expect("a complaint that is known").into()
}

/// The cures are run by tests/lab/cures.rs.
#[test]
fn every_complaint_is_answered_with_its_file_and_a_command() {
    let stub = StubHost::new()
        .file(
            "/etc/apt/apt.conf.d/50hook",
            "DPkg {\n Pre-Invoke { \"check it\"; };\n};\n",
        )
        .file(
            "/etc/apt/apt.conf.d/60release",
            "APT::Default-Release \"nobel\";\n",
        )
        .file(
            "/etc/apt/preferences.d/odd",
            "Package: x\nPin: relase a=b\nPin-Priority: 1\n",
        )
        .file("/var/lib/dpkg/status-old", "Package: dpkg\n")
        .file("/var/lib/apt/lists/x_Packages", "")
        .folder("/var/lib/apt/lists/partial")
        .program(
            "apt-cache",
            "echo 'E: Did not understand pin type relase' >&2; exit 100",
        );
    for (said, place, next) in [
        (
            "E: Syntax error /etc/apt/apt.conf.d/99x:3: Extra junk at end of file",
            "/etc/apt/apt.conf.d/99x, line 3",
            "sudo mv /etc/apt/apt.conf.d/99x /etc/apt/apt.conf.d/99x.disabled",
        ),
        (
            "E: Problem executing scripts DPkg::Pre-Invoke 'check it'",
            "/etc/apt/apt.conf.d/50hook, line 2",
            "sudo mv /etc/apt/apt.conf.d/50hook /etc/apt/apt.conf.d/50hook.disabled",
        ),
        (
            "E: The value 'nobel' is invalid for APT::Default-Release as such a release is not available",
            "/etc/apt/apt.conf.d/60release, line 1",
            "sudo mv /etc/apt/apt.conf.d/60release /etc/apt/apt.conf.d/60release.disabled",
        ),
        (
            "E: Did not understand pin type relase",
            "/etc/apt/preferences.d/odd",
            "sudo mv /etc/apt/preferences.d/odd /etc/apt/preferences.d/odd.disabled",
        ),
        (
            "E: Malformed entry 3 in list file /etc/apt/sources.list.d/x.list (Suite)",
            "/etc/apt/sources.list.d/x.list",
            "sudo sed -i '3s/^/# /' /etc/apt/sources.list.d/x.list",
        ),
        (
            "E: Malformed stanza 2 in source list /etc/apt/sources.list.d/x.sources (type)",
            "/etc/apt/sources.list.d/x.sources",
            "sudo mv /etc/apt/sources.list.d/x.sources /etc/apt/sources.list.d/x.sources.disabled",
        ),
        (
            "E: Problem with MergeList /var/lib/apt/lists/x_Packages",
            "/var/lib/apt/lists/x_Packages",
            "sudo rm /var/lib/apt/lists/x_Packages",
        ),
        (
            "E: Could not open file /var/lib/dpkg/status - open (2: No such file or directory)",
            "/var/lib/dpkg/status",
            "sudo cp --preserve /var/lib/dpkg/status-old /var/lib/dpkg/status",
        ),
        (
            "E: The package lost needs to be reinstalled, but I can't find an archive for it.",
            "a part of lost",
            "sudo dpkg --remove --force-remove-reinstreq lost",
        ),
    ] {
        let error = refused(&stub, said);
        assert_eq!(exit_code(&error), 4, "{said}");
        assert!(error.to_string().contains(place), "{error}");
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert_eq!(next_command(&error, Some("install")), next, "{error}");
    }
}

#[test]
fn what_lists_that_are_not_there_lack_is_no_reason_to_remove_it() {
    let said = "E: The package lost needs to be reinstalled, but I can't find an archive for it.";
    let error = refused(&StubHost::new(), said);
    assert_eq!(
        next_command(&error, Some("install")),
        "sudo apt-get update && sudo apt-get install --reinstall lost"
    );
}

#[test]
fn a_configuration_that_leads_elsewhere_is_refused_with_its_file() {
    let told = |folder: &str| {
        let stub = StubHost::new()
            .file("/etc/apt/apt.conf.d/90dir", "Dir::Etc \"srv/apt\";\n")
            .program(
                "apt-config",
                &format!(
                    "case $1 in shell) echo \"FOLDER='{folder}'\" ;; *) echo 'Dir \"/\";'
                     echo 'Dir::Etc \"srv/apt\";' ;; esac"
                ),
            );
        check_configuration(stub.host())
    };
    told("/etc/apt/sources.list.d/").unwrap();
    let error = told("/srv/apt/sources.list.d/").unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(
        error
            .to_string()
            .starts_with("/etc/apt/apt.conf.d/90dir, line 1: "),
        "{error}"
    );
    check_configuration(StubHost::new().host()).unwrap();
}

#[test]
fn what_is_not_known_is_left_to_apts_own_words() {
    let output = failed("E: Unable to locate package x\n");
    let refusal = of(StubHost::new().host(), &output, None, Phase::Planning);
    assert!(refusal.unwrap().is_none());
    let error = answered(StubHost::new().host(), output, Phase::Planning).unwrap_err();
    assert_eq!(exit_code(&error), 1);
}

#[test]
fn a_hook_that_fails_at_the_end_is_told_from_a_dpkg_that_fails() {
    let late = "E: Problem executing scripts DPkg::Post-Invoke 'etckeeper'\n\
                E: Sub-process returned an error code\n";
    let told = |said: &str| late_hook(StubHost::new().host(), &failed(said)).unwrap();
    assert!(told(late).unwrap().contains("after apt had done its work"));
    assert_eq!(told(&late.replace("Post", "Pre")), None);
    let dpkg = "E: Sub-process /usr/bin/dpkg returned an error code (1)\n";
    assert_eq!(told(&format!("{dpkg}{late}")), None);
}
