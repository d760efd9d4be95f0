//! Docker's index, fetched and believed only when the chain from the key to it holds.
//!
//! The chain: the certificate signs InRelease, InRelease names the size and hash of the index of
//! packages. Both are fetched once, and verified here before apt sees either.

use std::thread::sleep;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use thiserror::Error;

use super::age::{AgeLimit, Supply};
use super::source::{COMPONENT, Source};
use super::suites;
use crate::error::Failure;
use crate::host::http::{Caches, Fetched, Http, is_too_large};
use crate::report::{Event, Listener};
use crate::trust::{
    Certificate, ExpectedFile, FileKind, PackageIndex, Refusal, SignedRelease, verify_file,
};

/// What Docker's repository calls itself.
const ORIGIN: &str = "Docker";

const INRELEASE_LIMIT: u64 = 1024 * 1024;

/// How long a mirror that is being brought up to date is given before it is asked again.
const SYNC_PAUSE: Duration = Duration::from_secs(3);

/// The index of packages is not the one that InRelease names: a mirror in the middle of a sync has
/// the one file and not yet the other.
#[derive(Debug, Error)]
#[error(
    "{url} is not what InRelease says, as on a mirror that is being brought up to date; nothing was \
     changed, try again in a few minutes"
)]
struct HalfSynced {
    url: String,
}

impl HalfSynced {
    /// For the list of packages at this path of the suite.
    fn of(source: &Source, path: &str) -> HalfSynced {
        HalfSynced {
            url: format!("{}/{path}", source.suite_url()),
        }
    }
}

/// An index that is signed by no key of the certificate: the owner may have a new one.
#[derive(Debug, Error)]
#[error("{0}")]
struct SignedAnew(String);

/// Whether an index was refused since it is signed by a key that the certificate does not have.
pub(crate) fn is_signed_anew(error: &anyhow::Error) -> bool {
    error.is::<SignedAnew>()
}

/// The verified index of one suite, as it was served.
#[derive(Debug)]
pub(crate) struct Index {
    pub inrelease: Vec<u8>,
    pub packages: Vec<u8>,
    /// What stands in it.
    pub offered: PackageIndex,
    /// When it was signed.
    pub date: SystemTime,
}

impl Index {
    /// Fetches and verifies the index of `source`, in which each of `wanted` must stand.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when there is no such suite, or it lacks a package;
    /// [`Failure::Trust`] when a link of the chain does not hold.
    pub(crate) fn fetch(
        http: &Http,
        source: &Source,
        certificate: &Certificate,
        wanted: &[&str],
        limit: AgeLimit,
        listener: Listener<'_>,
    ) -> Result<Index> {
        let fetch =
            |caches| Index::try_fetch(http, source, certificate, wanted, limit, caches, listener);
        match fetch(Caches::Used) {
            Err(error) if error.is::<HalfSynced>() => {
                listener(Event::Waiting {
                    text: "the repository is being brought up to date; asking again".to_owned(),
                });
                sleep(SYNC_PAUSE);
                fetch(Caches::Passed)
            }
            outcome => outcome,
        }
    }

    fn try_fetch(
        http: &Http,
        source: &Source,
        certificate: &Certificate,
        wanted: &[&str],
        limit: AgeLimit,
        caches: Caches,
        listener: Listener<'_>,
    ) -> Result<Index> {
        let url = format!("{}/InRelease", source.suite_url());
        let refused = |refusal: Refusal| refused(&url, refusal);
        let inrelease = match http.get(&url, INRELEASE_LIMIT, caches) {
            Ok(Fetched::Found(bytes)) => bytes,
            Ok(Fetched::Absent) => return Err(no_suite(http, source)),
            Err(error) if is_too_large(&error) => {
                return Err(refused(Refusal::TooLarge {
                    document: FileKind::InRelease,
                    limit: INRELEASE_LIMIT as usize,
                }));
            }
            Err(error) => return Err(error.context(unfetched(&url))),
        };
        let now = SystemTime::now();
        let release = SignedRelease::verify(&inrelease, certificate, now).map_err(refused)?;
        release
            .require(ORIGIN, &source.suite, &source.architecture)
            .and_then(|()| release.check_date(now))
            .map_err(refused)?;
        let supply = match http.bundle() {
            None => Supply::Server,
            Some(_) => Supply::Bundle,
        };
        limit.judge(&url, release.age(now), supply, listener)?;

        let path = format!("{COMPONENT}/binary-{}/Packages", source.architecture);
        let Some(entry) = release.file(&path) else {
            return Err(lacks(http, source, wanted));
        };
        let packages = fetch_packages(http, source, &path, entry, wanted, caches)?;
        let verified = verify_file(&packages, entry)
            .map_err(Failure::from)
            .with_context(|| HalfSynced::of(source, &path))?;
        let offered = PackageIndex::parse(verified).map_err(refused)?;
        let missing = |name: &&&str| offered.versions(name).next().is_none();
        let missing: Vec<&str> = wanted.iter().filter(missing).copied().collect();
        if !missing.is_empty() {
            return Err(lacks(http, source, &missing));
        }
        Ok(Index {
            inrelease,
            packages,
            offered,
            date: release.date(),
        })
    }
}

/// Fetches the list of packages that the signed index names under this path; not verified yet.
fn fetch_packages(
    http: &Http,
    source: &Source,
    path: &str,
    entry: &ExpectedFile,
    wanted: &[&str],
    caches: Caches,
) -> Result<Vec<u8>> {
    let half_synced = HalfSynced::of(source, path);
    match http.get(&half_synced.url, entry.size, caches) {
        Ok(Fetched::Found(packages)) => Ok(packages),
        Ok(Fetched::Absent) => {
            let absent = lacks(http, source, wanted);
            Err(absent.context(format!("there is no {}", half_synced.url)))
        }
        Err(error) if is_too_large(&error) => {
            let longer = Failure::Trust("it is longer than it must be".to_owned());
            Err(longer).context(half_synced)
        }
        Err(error) => Err(error.context(unfetched(&half_synced.url))),
    }
}

fn unfetched(url: &str) -> String {
    format!("the index cannot be fetched from {url}; nothing was changed")
}

fn refused(url: &str, refusal: Refusal) -> anyhow::Error {
    let context = format!("the index at {url} is refused; nothing was changed");
    let is_by_other = matches!(refusal, Refusal::OtherSigner { .. });
    let error = anyhow::Error::from(Failure::from(refusal));
    if is_by_other {
        error.context(SignedAnew(context))
    } else {
        error.context(context)
    }
}

fn no_suite(http: &Http, source: &Source) -> anyhow::Error {
    let Source { uri, suite, .. } = source;
    let why = format!("{uri} has no suite `{suite}`, so there are no packages for it");
    suites::of_no_use(http, source, &why)
}

/// A suite can be there for weeks before anything is in it.
fn lacks(http: &Http, source: &Source, missing: &[&str]) -> anyhow::Error {
    let why = format!(
        "the suite `{}` at {} does not offer {} for {}",
        source.suite,
        source.uri,
        missing.join(", "),
        source.architecture
    );
    suites::of_no_use(http, source, &why)
}
