use super::*;
use crate::error::exit_code;
use clap::Parser;

fn with_file(text: &str, flags: Layer) -> Result<Settings> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Settings::resolve(flags, Some(file.path()))
}

fn mirror(url: &str) -> Layer {
    Layer {
        mirror: Some(url.to_owned()),
        ..Layer::default()
    }
}

#[test]
fn flags_stand_over_the_file_and_the_file_over_defaults() {
    let settings = with_file(
        "mirror = 'https://file.example/docker'\nlock-wait = 7",
        mirror("https://flag.example/docker/"),
    )
    .unwrap();
    assert_eq!(settings.mirror, "https://flag.example/docker");
    assert_eq!(settings.lock_wait, Duration::from_secs(7));
    assert_eq!(settings.key_fingerprint, DOCKER_KEY_FINGERPRINT);
}

#[test]
fn an_unknown_key_is_refused_with_the_known_ones() {
    let error = with_file("miror = 'https://example.com'", Layer::default()).unwrap_err();
    assert_eq!(exit_code(&error), 2);
    assert!(error.to_string().contains("`mirror`"), "{error}");
}

#[test]
fn a_named_file_must_be_there() {
    let error = Settings::resolve(Layer::default(), Some(Path::new("/no/such.toml"))).unwrap_err();
    assert_eq!(exit_code(&error), 2);
}

#[test]
fn a_mirror_is_an_https_address_without_a_password() {
    for wrong in [
        "http://example.com",
        "example.com",
        "https://alice:secret@example.com",
        "http://alice:secret@example.com",
        "alice:secret@example.com",
        "https://example.com/a b",
        "https://example.com/?x=1",
    ] {
        let error = with_file("", mirror(wrong)).unwrap_err();
        assert_eq!(exit_code(&error), 2, "{wrong}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn fault_13_no_setting_shows_the_password_of_a_proxy() {
    let flags = Layer {
        proxy: Some("http://me:s3cret@proxy:3128".parse().unwrap()),
        ..Layer::default()
    };
    assert!(!format!("{flags:?}").contains("s3cret"));
    let settings = with_file("", flags).unwrap();
    assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
    assert!(settings.proxy.unwrap().has_credentials());
    for wrong in [
        "proxy = 'http://me:s3cret@proxy/x'",
        "proxy = 'http://me:s3cret@proxy' x",
    ] {
        let error = with_file(wrong, Layer::default()).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        assert!(!format!("{error:#}").contains("s3cret"), "{error:#}");
    }
}

#[test]
fn a_suite_is_a_codename() {
    let suite = |name: &str| Layer {
        suite: Some(name.to_owned()),
        ..Layer::default()
    };
    let settings = with_file("suite = 'jammy'", suite("noble")).unwrap();
    assert_eq!(settings.suite.as_deref(), Some("noble"));
    for wrong in [
        "",
        "24.04",
        "noble/",
        "../x",
        "Noble",
        "noble stable",
        "a\nb",
        "-x",
    ] {
        let error = with_file("", suite(wrong)).unwrap_err();
        assert_eq!(exit_code(&error), 2, "{wrong:?}");
    }
}

#[test]
fn the_proxy_can_be_given_to_apt_and_the_engine() {
    let settings = with_file("proxy-for = ['apt', 'engine']", Layer::default()).unwrap();
    assert_eq!(settings.proxy_for, [ProxyUser::Apt, ProxyUser::Engine]);
}

#[derive(clap::Parser)]
struct Words {
    #[command(flatten)]
    layer: Layer,
}

#[test]
fn an_empty_list_of_users_is_nobody_and_blanks_in_it_do_not_count() {
    let users = |words: &[&str]| {
        let Words { layer } = Words::try_parse_from(words).unwrap();
        let settings = with_file("users = ['carol']", layer).unwrap();
        let users = settings.users.unwrap();
        users.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(users(&["plan"]), ["carol"]);
    assert_eq!(users(&["plan", "--user", ""]), [""; 0]);
    assert_eq!(users(&["plan", "--user", "alice, bob,"]), ["alice", "bob"]);
    let error = with_file("users = ['']", Layer::default()).unwrap_err();
    assert_eq!(exit_code(&error), 2);
}

#[test]
fn names_that_are_options_or_root_are_refused() {
    for wrong in ["-rf", "root", "a b", "a\nb"] {
        let flags = Layer {
            users: Some(vec![wrong.to_owned()]),
            ..Layer::default()
        };
        assert_eq!(
            exit_code(&with_file("", flags).unwrap_err()),
            2,
            "{wrong:?}"
        );
    }
}

#[test]
fn the_age_of_an_index_is_given_in_days() {
    let settings = with_file("max-index-age = 7", Layer::default()).unwrap();
    assert_eq!(settings.max_index_age, DAY * 7);
    assert_eq!(
        with_file("", Layer::default()).unwrap().max_index_age,
        DAY * 90
    );
}

#[test]
fn keys_of_the_engine_are_checked_as_those_of_its_file() {
    let text = "preset = 'hardened'\n[daemon]\nmtu = 1400\nlabels = ['a=1']\n\
                [daemon.log-opts]\nmax-size = '5m'\n";
    let settings = with_file(text, Layer::default()).unwrap();
    assert_eq!(settings.preset, Preset::Hardened);
    assert_eq!(settings.daemon.exposed()["mtu"], 1400);
    assert_eq!(settings.daemon.exposed()["log-opts"]["max-size"], "5m");
    assert_eq!(
        with_file("", Layer::default()).unwrap().preset,
        Preset::Recommended
    );
    for (wrong, cure) in [
        (
            "label = ['a=1']",
            "label: is the name of a flag and has no effect in the file; write labels",
        ),
        (
            "mtu = '1400'",
            "mtu: must be a whole number, 68 to 65535, or 0; write 1400",
        ),
        ("mtu = 2026-01-01", "mtu: must be a whole number"),
        (
            "default-address-pools = [{base = '10.0.0.0', size = 24}]",
            "is no network",
        ),
    ] {
        let error = with_file(&format!("[daemon]\n{wrong}\n"), Layer::default()).unwrap_err();
        assert_eq!(exit_code(&error), 2, "{wrong}");
        assert!(error.to_string().contains(cure), "{error}");
    }
}

#[test]
fn what_is_not_to_be_started_in_an_image_can_be_started_in_spite_of_its_file() {
    let no_start = |text: &str, no_start: Option<bool>| {
        let flags = Layer {
            no_start,
            ..Layer::default()
        };
        with_file(text, flags).unwrap().no_start
    };
    assert!(!no_start("", None));
    assert!(no_start("", Some(true)));
    assert!(no_start("no-start = true", None));
    assert!(!no_start("no-start = true", Some(false)));
}

#[test]
fn keys_of_the_engine_are_judged_by_the_engine_that_is_asked_for() {
    let settings = |version: &str| {
        let text = format!("engine-version = '{version}'\n[daemon]\noom-score-adjust = 1\n");
        with_file(&text, Layer::default())
    };
    assert!(settings("25.0").is_ok());
    assert_eq!(exit_code(&settings("28").unwrap_err()), 2);
}

#[test]
fn a_preset_has_a_name_that_is_known() {
    let error = with_file("preset = 'hard'", Layer::default()).unwrap_err();
    assert_eq!(exit_code(&error), 2);
    assert!(error.to_string().contains("`hardened`"), "{error}");
}

#[test]
fn a_registry_is_a_host_with_an_authority_that_can_be_read() {
    let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/ca.pem");
    let registry = |host: &str, ca: &str| {
        with_file(
            &format!("[registries.\"{host}\"]\nca = '{ca}'\n"),
            Layer::default(),
        )
    };
    let settings = registry("registry.example:5000", ca).unwrap();
    assert_eq!(settings.registries[0].host, "registry.example:5000");
    for wrong in [
        "https://registry.example",
        "registry.example/path",
        "..",
        "../../etc",
        "registry.example:port",
        "",
    ] {
        let error = registry(wrong, ca).unwrap_err();
        assert_eq!(exit_code(&error), 2, "{wrong}");
    }
    let error = registry("registry.example", "/no/such/file").unwrap_err();
    assert_eq!(exit_code(&error), 2);
    assert!(
        format!("{error:#}").contains("registry.example"),
        "{error:#}"
    );
}

#[test]
fn fault_13_a_proxy_of_the_engine_whose_password_could_not_be_told_is_refused_unseen() {
    let text = |url: &str| format!("[daemon.proxies]\nhttps-proxy = '{url}'\n");
    let error = with_file(&text("me:s3cret@proxy:3128"), Layer::default()).unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.contains("proxies.https-proxy: has a user and no scheme"),
        "{error}"
    );
    assert!(!error.contains("s3cret"), "{error}");
    for url in ["http://me:s3cret@proxy:3128", "proxy:3128"] {
        with_file(&text(url), Layer::default()).unwrap();
    }
}

#[test]
fn a_layer_knows_whether_it_holds_a_secret() {
    let layer = |text: &str| check::layer(text).unwrap();
    for text in [
        "proxy = 'http://me:s3cret@proxy:3128'",
        "proxy = 'me:s3cret@proxy:3128'",
        "[daemon.log-opts]\nsplunk-token = 's3cret'",
        "[daemon.proxies]\nhttp-proxy = 'http://me:s3cret@proxy'",
    ] {
        assert!(layer(text).holds_secret(), "{text}");
        assert!(!format!("{:?}", layer(text)).contains("s3cret"), "{text}");
    }
    for text in [
        "",
        "proxy = 'http://me@proxy:3128'",
        "[daemon]\nlabels = ['contact=https://ops@example.com']",
    ] {
        assert!(!layer(text).holds_secret(), "{text}");
    }
}

#[test]
fn an_old_index_is_refused_with_the_hardened_preset_unless_it_is_said_otherwise() {
    let stale = |text: &str| with_file(text, Layer::default()).unwrap().stale;
    assert_eq!(stale(""), Stale::Warn);
    assert_eq!(stale("preset = 'none'"), Stale::Warn);
    assert_eq!(stale("preset = 'hardened'"), Stale::Refuse);
    assert_eq!(stale("stale = 'refuse'"), Stale::Refuse);
    assert_eq!(stale("preset = 'hardened'\nstale = 'warn'"), Stale::Warn);
    let flags = Layer {
        stale: Some(Stale::Warn),
        ..Layer::default()
    };
    let settings = with_file("stale = 'refuse'", flags).unwrap();
    assert_eq!(settings.stale, Stale::Warn);
}
