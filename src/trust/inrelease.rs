//! InRelease: the signed text that says what is in a suite.
//!
//! Owns the step from its bytes to fields that are believed: only the text under the signature
//! is read, never the file around it. Whether the fields are the wanted ones is asked with
//! [`Release::require`] and [`Release::check_date`].

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::Offset;
use pgp::armor::DearmorOptions;
use pgp::composed::CleartextSignedMessage;
use pgp::packet::{Signature, SignatureType};

use super::frame::Frame;
use super::stanza::{Stanza, stanzas};
use super::{Certificate, ExpectedFile, FileKind, Fingerprint, Refusal, index, policy};

const LIMIT: usize = 1024 * 1024;

// The OpenPGP parser searches the whole text again at each line: a MiB of short lines took it
// 13 s, one of lines as long as real ones (a hash, a size and a path) about a second.
const LINES: usize = LIMIT / 100;

const FRAME: Frame = Frame {
    document: FileKind::InRelease,
    first: "-----BEGIN PGP SIGNED MESSAGE-----",
    last: "-----END PGP SIGNATURE-----",
    limit: LIMIT,
};

/// A Release text under a good signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedRelease {
    signer: Fingerprint,
    origin: String,
    label: Option<String>,
    suite: String,
    codename: Option<String>,
    architectures: Vec<String>,
    components: Vec<String>,
    date: SystemTime,
    valid_until: Option<SystemTime>,
    files: BTreeMap<String, ExpectedFile>,
}

impl SignedRelease {
    /// Believes `inrelease` if it is one clear-signed message and nothing else, and a signing
    /// key of `certificate` made a sound signature over it. One such signature is enough:
    /// others, by keys that are not known, count neither for nor against it.
    pub(crate) fn verify(
        inrelease: &[u8],
        certificate: &Certificate,
        now: SystemTime,
    ) -> Result<SignedRelease, Refusal> {
        let (text, signer) = signed_text(inrelease, certificate, now)?;
        parse(&text, signer)
    }

    /// Reads the fields of a text that nobody signed: for fuzzing, which cannot sign.
    #[cfg(fuzzing)]
    pub fn unverified(text: &str) -> Result<SignedRelease, Refusal> {
        parse(text, super::DOCKER_KEY_FINGERPRINT)
    }

    /// Refuses a release of another origin, and what [`Release::require_suite`] refuses.
    pub(crate) fn require(
        &self,
        origin: &str,
        suite: &str,
        architecture: &str,
    ) -> Result<(), Refusal> {
        if self.origin != origin {
            return other("Origin", origin, &self.origin);
        }
        self.require_suite(suite, architecture)
    }

    /// Refuses a release of another suite (by suite or codename), or without `architecture`. A
    /// release that lists no architectures is, as for apt, not limited.
    pub(crate) fn require_suite(&self, suite: &str, architecture: &str) -> Result<(), Refusal> {
        if self.suite != suite && self.codename.as_deref() != Some(suite) {
            return other("Suite", suite, &self.suite);
        }
        let listed = self.architectures.iter().any(|it| it == architecture);
        if !listed && !self.architectures.is_empty() {
            return other("Architectures", architecture, &self.architectures.join(" "));
        }
        Ok(())
    }

    /// Refuses a release that is dated after `now` or is no longer valid.
    pub(crate) fn check_date(&self, now: SystemTime) -> Result<(), Refusal> {
        policy::check_not_future("InRelease file", self.date, now)?;
        match self.valid_until {
            Some(at) if at <= now => Err(Refusal::Outdated {
                what: "InRelease file",
                at,
            }),
            _ => Ok(()),
        }
    }

    /// How old the release is; zero if it is dated after `now`.
    pub(crate) fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.date).unwrap_or_default()
    }

    /// What the release says of the file at `path`, relative to the InRelease's folder.
    pub(crate) fn file(&self, path: &str) -> Option<&ExpectedFile> {
        self.files.get(path)
    }

    pub(crate) fn date(&self) -> SystemTime {
        self.date
    }
}

#[cfg_attr(
    not(any(test, fuzzing)),
    expect(dead_code, reason = "tests hold what was read against the text")
)]
impl SignedRelease {
    /// The key that signed it.
    pub(crate) fn signer(&self) -> Fingerprint {
        self.signer
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    pub(crate) fn suite(&self) -> &str {
        &self.suite
    }

    pub(crate) fn codename(&self) -> Option<&str> {
        self.codename.as_deref()
    }

    pub(crate) fn architectures(&self) -> &[String] {
        &self.architectures
    }

    pub(crate) fn components(&self) -> &[String] {
        &self.components
    }

    pub(crate) fn valid_until(&self) -> Option<SystemTime> {
        self.valid_until
    }
}

fn other(field: &'static str, expected: &str, found: &str) -> Result<(), Refusal> {
    Err(Refusal::OtherRepository {
        document: FileKind::InRelease,
        field,
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}

/// The text under the signature, with plain line ends, and who signed it.
fn signed_text(
    inrelease: &[u8],
    certificate: &Certificate,
    now: SystemTime,
) -> Result<(String, Fingerprint), Refusal> {
    FRAME.check_size(inrelease)?;
    FRAME.check_lines(inrelease)?;
    if inrelease.iter().filter(|&&byte| byte == b'\n').count() > LINES {
        return Err(malformed(format!("it has more than {LINES} lines")));
    }
    let limit = DearmorOptions::new().set_limit(LIMIT);
    let (message, _) =
        CleartextSignedMessage::from_armor_buf(inrelease, limit).map_err(malformed)?;
    let text = message.signed_text();
    let mut refusal = other_signer(&message, certificate);
    for signature in message.signatures() {
        let Some(signer) = certificate.claimed_signer(signature) else {
            continue;
        };
        match check_signature(signature, &text, signer, certificate, now) {
            Ok(()) => return Ok((text.replace("\r\n", "\n"), signer)),
            Err(better) => refusal = better,
        }
    }
    Err(refusal)
}

/// Refuses a signature that `signer` did not make over `text`, or that is not sound.
fn check_signature(
    signature: &Signature,
    text: &str,
    signer: Fingerprint,
    certificate: &Certificate,
    now: SystemTime,
) -> Result<(), Refusal> {
    policy::check_signature(signature, signer, now)?;
    let is_of_document = matches!(
        signature.typ(),
        Some(SignatureType::Text | SignatureType::Binary)
    );
    if !is_of_document || !certificate.made(signature, signer, text.as_bytes()) {
        return Err(Refusal::BadSignature { key: signer });
    }
    Ok(())
}

fn other_signer(message: &CleartextSignedMessage, certificate: &Certificate) -> Refusal {
    let signatures = message.signatures().iter();
    let mut signers = signatures
        .flat_map(Signature::issuer_key_id)
        .map(|id| id.to_string().to_uppercase())
        .collect::<Vec<_>>();
    if signers.is_empty() {
        signers.push("no one".to_owned());
    }
    Refusal::OtherSigner {
        signers: signers.join(", "),
        certificate: certificate.fingerprint(),
    }
}

fn parse(text: &str, signer: Fingerprint) -> Result<SignedRelease, Refusal> {
    let mut found = stanzas(FileKind::InRelease, text);
    let (Some(release), None) = (found.next(), found.next()) else {
        return Err(malformed("it has not exactly one stanza"));
    };
    let release = release?;
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(SignedRelease {
        signer,
        origin: release.required("Origin")?.to_owned(),
        label: owned(release.optional("Label")?),
        suite: release.required("Suite")?.to_owned(),
        codename: owned(release.optional("Codename")?),
        architectures: release.words("Architectures")?,
        components: release.words("Components")?,
        date: time(&release, "Date", release.required("Date")?)?,
        valid_until: match release.optional("Valid-Until")? {
            Some(text) => Some(time(&release, "Valid-Until", text)?),
            None => None,
        },
        files: files(&release)?,
    })
}

/// The table of lines `SHA256 SIZE PATH`.
fn files(release: &Stanza<'_>) -> Result<BTreeMap<String, ExpectedFile>, Refusal> {
    let mut files = BTreeMap::new();
    let lines = release.lines("SHA256")?;
    for line in lines.into_iter().filter(|line| !line.is_empty()) {
        let [sha256, size, path] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(release.malformed(format!("SHA256 has the line '{line}'")));
        };
        let entry = ExpectedFile {
            path: index::path(release, "SHA256", path)?,
            size: release.parse("SHA256", size)?,
            sha256: release.parse("SHA256", sha256)?,
        };
        if files.insert(path.to_owned(), entry).is_some() {
            return Err(release.malformed(format!("SHA256 names {path} twice")));
        }
    }
    Ok(files)
}

/// A date as apt writes it: `Sat, 14 Nov 2026 10:00:00 UTC`. Like apt, no other zone is read.
fn time(release: &Stanza<'_>, name: &str, text: &str) -> Result<SystemTime, Refusal> {
    read_time(text).ok_or_else(|| release.malformed(format!("{name} is '{text}'")))
}

fn read_time(text: &str) -> Option<SystemTime> {
    let (clock, zone) = text.rsplit_once(' ')?;
    if !["UTC", "GMT", "Z", "+0000"].contains(&zone) {
        return None;
    }
    DateTime::strptime("%a, %d %b %Y %H:%M:%S", clock)
        .and_then(|time| Offset::UTC.to_timestamp(time))
        .and_then(SystemTime::try_from)
        .ok()
}

/// The date in an InRelease, for people to see: nothing is verified.
pub(crate) fn claimed_date(inrelease: &[u8]) -> Option<SystemTime> {
    let text = std::str::from_utf8(inrelease).ok()?;
    let date = text.lines().find_map(|line| line.strip_prefix("Date: "))?;
    read_time(date.trim_end())
}

fn malformed(detail: impl std::fmt::Display) -> Refusal {
    Refusal::malformed(FileKind::InRelease, detail)
}

#[cfg(test)]
mod tests;
