//! The table of log drivers: their options, with the form of each, and which they cannot be without.
//!
//! It must not hold logic. Read from dockerd's source and tried with dockerd 26.1 and 28.5.

use super::EngineRelease;

/// A driver that is part of dockerd on Linux.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Driver {
    pub name: &'static str,
    pub options: &'static [Opt],
    /// The options without which no container starts.
    pub needs: &'static [&'static str],
    /// Whether dockerd itself does not start without them, once there is any option.
    pub needed_by_dockerd: bool,
}

/// An option, and the form of its value, which is a text always.
pub(crate) type Opt = (&'static str, Form);

/// The form of an option's value; empty text stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// A text that is not shown, see `secrets`.
    Secret,
    Switch,
    Size,
    /// A whole number from the first to the second.
    Number(i64, i64),
    /// A span of time such as `5s`.
    Time,
    Word(&'static [&'static str]),
    /// A URL with one of these schemes.
    Url(&'static [&'static str], UrlTail),
    /// A file that must be there.
    File,
    /// One of syslog's facilities, or its number.
    Facility,
    /// What each line is marked with, see `template`.
    Template,
}

/// What must follow on the scheme of a URL, beside a host, or for `unix://` the path of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UrlTail {
    Anything,
    /// No path; the scheme may be missing as well.
    NoPathOrScheme,
    Port,
    NoPath,
}

/// Every driver, by name.
pub(crate) const DRIVERS: &[Driver] = &[
    driver("awslogs", AWSLOGS)
        .needs(&["awslogs-group"])
        .in_dockerd(),
    driver("fluentd", FLUENTD),
    driver("gcplogs", GCPLOGS),
    driver("gelf", GELF).needs(&["gelf-address"]).in_dockerd(),
    driver("journald", ATTRIBUTES),
    driver("json-file", FILES),
    driver("local", FILES),
    driver("none", &[]),
    driver("splunk", SPLUNK).needs(&["splunk-token", "splunk-url"]),
    driver("syslog", SYSLOG),
];

const MOST: i64 = i32::MAX as i64;

/// The options that every driver takes; the cache is what `docker logs` reads of remote ones.
pub(crate) const COMMON: &[Opt] = &[
    ("cache-compress", Form::Text),
    ("cache-disabled", Form::Switch),
    ("cache-max-file", Form::Text),
    ("cache-max-size", Form::Text),
    ("max-buffer-size", Form::Size),
    ("mode", Form::Word(&["blocking", "non-blocking"])),
];

/// What a line is labelled with.
const ATTRIBUTES: &[Opt] = &[
    ("env", Form::Text),
    ("env-regex", Form::Text),
    ("labels", Form::Text),
    ("labels-regex", Form::Text),
    ("tag", Form::Template),
];

/// The options of files that are rotated.
const FILES: &[Opt] = &[
    ("compress", Form::Switch),
    ("env", Form::Text),
    ("env-regex", Form::Text),
    ("labels", Form::Text),
    ("labels-regex", Form::Text),
    ("max-file", Form::Number(1, MOST)),
    ("max-size", Form::Size),
    ("tag", Form::Template),
];

const AWSLOGS: &[Opt] = &[
    ("awslogs-create-group", Form::Switch),
    ("awslogs-create-stream", Form::Switch),
    ("awslogs-credentials-endpoint", Form::Text),
    ("awslogs-datetime-format", Form::Text),
    ("awslogs-endpoint", Form::Text),
    (
        "awslogs-force-flush-interval-seconds",
        Form::Number(1, MOST),
    ),
    ("awslogs-format", Form::Word(&["json/emf"])),
    ("awslogs-group", Form::Text),
    ("awslogs-max-buffered-events", Form::Number(1, MOST)),
    ("awslogs-multiline-pattern", Form::Text),
    ("awslogs-region", Form::Text),
    ("awslogs-stream", Form::Text),
    ("tag", Form::Template),
];

const FLUENTD: &[Opt] = &[
    ("env", Form::Text),
    ("env-regex", Form::Text),
    (
        "fluentd-address",
        Form::Url(&["tcp", "tls", "unix"], UrlTail::NoPathOrScheme),
    ),
    ("fluentd-async", Form::Switch),
    ("fluentd-async-connect", Form::Switch),
    ("fluentd-async-reconnect-interval", Form::Time),
    ("fluentd-buffer-limit", Form::Size),
    ("fluentd-max-retries", Form::Number(0, MOST)),
    ("fluentd-read-timeout", Form::Time),
    ("fluentd-request-ack", Form::Switch),
    ("fluentd-retry-wait", Form::Time),
    ("fluentd-sub-second-precision", Form::Switch),
    ("fluentd-write-timeout", Form::Time),
    ("labels", Form::Text),
    ("labels-regex", Form::Text),
    ("tag", Form::Template),
];

const GCPLOGS: &[Opt] = &[
    ("env", Form::Text),
    ("env-regex", Form::Text),
    ("gcp-log-cmd", Form::Text),
    ("gcp-meta-id", Form::Text),
    ("gcp-meta-name", Form::Text),
    ("gcp-meta-zone", Form::Text),
    ("gcp-project", Form::Text),
    ("labels", Form::Text),
    ("labels-regex", Form::Text),
];

const GELF: &[Opt] = &[
    ("env", Form::Text),
    ("env-regex", Form::Text),
    ("gelf-address", Form::Url(&["tcp", "udp"], UrlTail::Port)),
    ("gelf-compression-level", Form::Number(-1, 9)),
    (
        "gelf-compression-type",
        Form::Word(&["gzip", "zlib", "none"]),
    ),
    ("gelf-tcp-max-reconnect", Form::Number(0, MOST)),
    ("gelf-tcp-reconnect-delay", Form::Number(0, MOST)),
    ("labels", Form::Text),
    ("labels-regex", Form::Text),
    ("tag", Form::Template),
];

const SPLUNK: &[Opt] = &[
    ("env", Form::Text),
    ("env-regex", Form::Text),
    ("labels", Form::Text),
    ("labels-regex", Form::Text),
    ("splunk-caname", Form::Text),
    ("splunk-capath", Form::File),
    ("splunk-format", Form::Word(&["inline", "json", "raw"])),
    ("splunk-gzip", Form::Switch),
    ("splunk-gzip-level", Form::Number(-1, 9)),
    ("splunk-index", Form::Text),
    ("splunk-index-acknowledgment", Form::Switch),
    ("splunk-insecureskipverify", Form::Switch),
    ("splunk-source", Form::Text),
    ("splunk-sourcetype", Form::Text),
    ("splunk-token", Form::Secret),
    ("splunk-url", Form::Url(&["http", "https"], UrlTail::NoPath)),
    ("splunk-verify-connection", Form::Switch),
    ("tag", Form::Template),
];

const SYSLOG: &[Opt] = &[
    ("env", Form::Text),
    ("env-regex", Form::Text),
    ("labels", Form::Text),
    ("labels-regex", Form::Text),
    (
        "syslog-address",
        Form::Url(
            &["tcp", "tcp+tls", "udp", "unix", "unixgram"],
            UrlTail::Anything,
        ),
    ),
    ("syslog-facility", Form::Facility),
    (
        "syslog-format",
        Form::Word(&["rfc3164", "rfc5424", "rfc5424micro"]),
    ),
    ("syslog-tls-ca-cert", Form::File),
    ("syslog-tls-cert", Form::File),
    ("syslog-tls-key", Form::File),
    ("syslog-tls-skip-verify", Form::Text),
    ("tag", Form::Template),
];

/// An option that not every engine takes.
pub(crate) struct Limit {
    pub driver: &'static str,
    pub option: &'static str,
    /// The first engine that takes it.
    pub since: EngineRelease,
    /// The first one that no longer does, if there is one.
    pub until: Option<EngineRelease>,
}

/// Those options.
pub(crate) const LIMITS: &[Limit] = &[
    until("fluentd", "fluentd-async-connect", EngineRelease(28, 0)),
    since("local", "env", LOCAL_ATTRIBUTES),
    since("local", "env-regex", LOCAL_ATTRIBUTES),
    since("local", "labels", LOCAL_ATTRIBUTES),
    since("local", "labels-regex", LOCAL_ATTRIBUTES),
    since("local", "tag", LOCAL_ATTRIBUTES),
];

/// Since this engine, the driver `local` labels its lines.
const LOCAL_ATTRIBUTES: EngineRelease = EngineRelease(29, 5);

/// The newest engine that these tables were read from; a later one may know more options.
pub(crate) const READ_FROM: EngineRelease = EngineRelease(29, 10);

const fn since(driver: &'static str, option: &'static str, since: EngineRelease) -> Limit {
    Limit {
        driver,
        option,
        since,
        until: None,
    }
}

const fn until(driver: &'static str, option: &'static str, until: EngineRelease) -> Limit {
    Limit {
        driver,
        option,
        since: EngineRelease(0, 0),
        until: Some(until),
    }
}

/// The facilities that syslog has, beside their numbers, 0 to 23.
#[rustfmt::skip]
pub(crate) const FACILITIES: &[&str] = &[
    "auth", "authpriv", "cron", "daemon", "ftp", "kern", "local0", "local1", "local2", "local3",
    "local4", "local5", "local6", "local7", "lpr", "mail", "news", "syslog", "user", "uucp",
];

/// The driver of this name.
pub(crate) fn named(name: &str) -> Option<&'static Driver> {
    DRIVERS.iter().find(|driver| driver.name == name)
}

const fn driver(name: &'static str, options: &'static [Opt]) -> Driver {
    Driver {
        name,
        options,
        needs: &[],
        needed_by_dockerd: false,
    }
}

impl Driver {
    const fn needs(self, needs: &'static [&'static str]) -> Driver {
        Driver { needs, ..self }
    }

    const fn in_dockerd(self) -> Driver {
        Driver {
            needed_by_dockerd: true,
            ..self
        }
    }
}
