use super::*;
use crate::trust::DOCKER_KEY_FINGERPRINT;

const KEYRING: &str = "/etc/apt/keyrings/docker.asc";

fn noble() -> Source {
    Source {
        uri: "https://download.docker.com/linux/ubuntu".to_owned(),
        suite: "noble".to_owned(),
        architecture: "amd64".to_owned(),
    }
}

fn names(uri: &str) -> bool {
    let entry = Entry::of_line(&format!("deb {uri} noble stable")).unwrap();
    entry.names_docker(&noble())
}

fn served(entry: Option<Entry>) -> Result<String, String> {
    let entry = entry.expect("a source");
    assert!(entry.names_docker(&noble()), "{entry:?}");
    let keyring = entry.serves(&noble(), &DOCKER_KEY_FINGERPRINT);
    keyring.map(str::to_owned)
}

fn line(text: &str) -> Result<String, String> {
    served(Entry::of_line(text))
}

/// A stanza like ours with these lines behind it.
fn stanza(more: &str) -> Result<String, String> {
    let text = format!(
        "Types: deb\nURIs: https://download.docker.com/linux/ubuntu\nSuites: noble\n\
         Components: stable\n{more}"
    );
    served(Entry::of_stanza(&text))
}

#[test]
fn our_own_source_serves() {
    let text = noble().text(KEYRING);
    assert_eq!(served(Entry::of_stanza(&text)).as_deref(), Ok(KEYRING));
}

#[test]
fn dockers_repository_is_known_at_every_address() {
    for uri in [
        "https://download.docker.com/linux/ubuntu",
        "http://download.docker.com/linux/ubuntu/",
        "https://Download.Docker.com:443/linux/ubuntu",
        "https://alice:secret@download.docker.com/linux/ubuntu",
        "https://download.docker.com/linux/debian",
        "https://download.docker.com/linux/kali",
        "https://apt.dockerproject.org/repo",
        "http://get.docker.com/ubuntu",
        "https://mirrors.aliyun.com/docker-ce/linux/ubuntu",
        "https://mirror.azure.cn/docker-ce/linux/ubuntu/",
        "mirror+https://mirrors.example/docker-ce/linux/ubuntu",
        "http://localhost:3142/download.docker.com/linux/ubuntu",
        "http://cache:3142/HTTPS///download.docker.com/linux/ubuntu",
        "\"https://download.docker.com/linux/ubuntu\"",
    ] {
        assert!(names(uri), "{uri}");
    }
}

#[test]
fn the_configured_mirror_is_dockers_too() {
    let source = Source {
        uri: "https://mirror.example/docker/linux/ubuntu".to_owned(),
        ..noble()
    };
    let names = |uri: &str| {
        let entry = Entry::of_line(&format!("deb {uri} noble stable")).unwrap();
        entry.names_docker(&source)
    };
    assert!(names("https://mirror.example/docker/linux/ubuntu/"));
    assert!(names("http://mirror.example/docker/linux/debian"));
    assert!(!names("https://mirror.example/linux/ubuntu"));
    assert!(!names("https://mirror.example/other/linux/ubuntu"));
}

#[test]
fn other_repositories_are_not_dockers() {
    for uri in [
        "http://archive.ubuntu.com/ubuntu",
        "https://download.docker.com/mac",
        "https://download.docker.com.example/linux/ubuntu",
        "https://example.com/linux/ubuntu",
        "https://nvidia.github.io/libnvidia-container/stable/deb",
        "/linux/ubuntu",
        "docker-ce",
    ] {
        assert!(!names(uri), "{uri}");
    }
}

#[test]
fn a_line_is_read_in_all_its_shapes() {
    for text in [
        "deb [signed-by=/k.gpg] https://download.docker.com/linux/ubuntu noble stable",
        "deb [arch=amd64 signed-by=/k.gpg] https://download.docker.com/linux/ubuntu/ noble stable # x",
        "  deb\t[ signed-by=/k.gpg   arch=arm64,amd64 ]\thttps://download.docker.com/linux/ubuntu\tnoble\tstable test\r\n",
        "deb [arch=amd64 signed-by=/k.gpg lang=none]  https://download.docker.com/linux/ubuntu noble test stable",
    ] {
        assert_eq!(line(text).as_deref(), Ok("/k.gpg"), "{text}");
    }
}

#[test]
fn a_line_that_is_no_source_is_none() {
    for text in [
        "",
        "\n",
        "# deb https://download.docker.com/linux/ubuntu noble stable",
        "#deb https://download.docker.com/linux/ubuntu noble stable # disabled on upgrade",
        "DEB https://download.docker.com/linux/ubuntu noble stable",
        "deb",
        "deb [arch=amd64 https://download.docker.com/linux/ubuntu noble stable",
        "<html>",
    ] {
        assert_eq!(Entry::of_line(text), None, "{text}");
    }
}

#[test]
fn a_hash_within_brackets_begins_no_comment() {
    let text = "deb [signed-by=/a#b.gpg] https://download.docker.com/linux/ubuntu noble stable#x";
    assert_eq!(line(text).as_deref(), Ok("/a#b.gpg"));
}

#[test]
fn a_line_that_does_something_else_says_what() {
    let docker = "https://download.docker.com/linux/ubuntu";
    for (text, reason) in [
        (
            format!("deb-src [signed-by=/k] {docker} noble stable"),
            "source packages",
        ),
        (format!("deb {docker} noble stable"), "no keyring"),
        (
            format!("deb [signed-by=/k] {docker} focal stable"),
            "another suite, focal",
        ),
        (
            format!("deb [signed-by=/k] {docker} stable"),
            "another suite, stable",
        ),
        (format!("deb [signed-by=/k] {docker}"), "no suite"),
        (
            format!("deb [signed-by=/k] {docker} noble test"),
            "component stable",
        ),
        (
            format!("deb [signed-by=/k arch=arm64] {docker} noble stable"),
            "architectures, arm64",
        ),
        (
            format!("deb [signed-by=/k arch-=amd64] {docker} noble stable"),
            "all but amd64",
        ),
        (
            format!("deb [trusted=yes signed-by=/k] {docker} noble stable"),
            "trusted",
        ),
        (
            format!("deb [allow-insecure=yes signed-by=/k] {docker} noble stable"),
            "insecure",
        ),
        (
            format!("deb [signed-by=/k,/l] {docker} noble stable"),
            "another key, /k /l",
        ),
        (
            "deb [signed-by=/k] http://download.docker.com/linux/ubuntu noble stable".to_owned(),
            "another address, http://download",
        ),
        (
            "deb [signed-by=/k] https://me:secret@download.docker.com/linux/ubuntu noble stable"
                .to_owned(),
            "another address, https://download",
        ),
        (
            "deb [signed-by=/k] https://download.docker.com/linux/debian bookworm stable"
                .to_owned(),
            "linux/debian",
        ),
    ] {
        let found = line(&text).unwrap_err();
        assert!(found.contains(reason), "{text}: {found}");
        assert!(!found.contains("secret"), "{found}");
    }
}

#[test]
fn a_stanza_is_read_in_all_its_shapes() {
    for more in [
        "Signed-By: /k.gpg\n",
        "signed-by: /k.gpg",
        "Signed-By:\n /k.gpg\n",
        "Signed-By: /k.gpg\r\nEnabled: yes\r\n",
        "# Signed-By: /other.gpg\nSigned-By: /k.gpg\n",
        "Signed-By: /first.gpg\nSigned-By: /k.gpg\n",
        "  \nSigned-By: /k.gpg\n",
        "Architectures: amd64 arm64\nX-Repolib-Name: Docker\nSigned-By: /k.gpg\n",
        "Signed-By: /k.gpg 9DC858229FC7DD38854AE2D88D81803C0EBFCD88\n",
    ] {
        assert_eq!(stanza(more).as_deref(), Ok("/k.gpg"), "{more:?}");
    }
}

#[test]
fn a_stanza_that_does_something_else_says_what() {
    for (more, reason) in [
        ("", "no keyring"),
        ("Types: deb deb-src\nSigned-By: /k", "source packages"),
        (
            "Suites: noble focal\nSigned-By: /k",
            "another suite, noble focal",
        ),
        (
            "Architectures: arm64\nSigned-By: /k",
            "architectures, arm64",
        ),
        ("Trusted: yes\nSigned-By: /k", "trusted"),
        (
            "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ\n",
            "within itself",
        ),
        (
            "Signed-By: 060A61C51B558A7F742B77AAC52FEB6B621E9F35",
            "another key",
        ),
        (
            "Signed-By: /k 060A61C51B558A7F742B77AAC52FEB6B621E9F35",
            "another key",
        ),
        (
            "URIs: https://download.docker.com/linux/ubuntu https://mirrors.aliyun.com/docker-ce/linux/ubuntu\nSigned-By: /k",
            "mirrors.aliyun.com",
        ),
    ] {
        let found = stanza(more).unwrap_err();
        assert!(found.contains(reason), "{more}: {found}");
    }
}

#[test]
fn a_disabled_stanza_names_nothing() {
    for off in ["no", "No", "false", "off", "disable", "0"] {
        let text = format!("{}Enabled: {off}\n", noble().text(KEYRING));
        let entry = Entry::of_stanza(&text).unwrap();
        assert!(!entry.names_docker(&noble()), "{off}");
    }
}

#[test]
fn a_text_that_is_no_stanza_is_none() {
    for text in ["", "\n", "# only a comment\n", "<html>\n"] {
        assert_eq!(Entry::of_stanza(text), None, "{text}");
    }
}

#[test]
fn passwords_are_left_out_of_addresses() {
    assert_eq!(
        without_password("https://a:b@c.example/d@e"),
        "https://c.example/d@e"
    );
    assert_eq!(without_password("https://c.example"), "https://c.example");
    assert_eq!(without_password("cdrom:[x]/"), "cdrom:[x]/");
}
