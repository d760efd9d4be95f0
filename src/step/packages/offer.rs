//! What apt would do with the host, asked on a view of its own before anything is changed.

use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use super::version::{goes_back, request};
use crate::apt::{
    self, Archives, Freshness, Index, PackageInstall, Repository, Source, Supply, Transaction, View,
};
use crate::change::Journal;
use crate::error::Failure;
use crate::facts::ENGINE_PACKAGES;
use crate::host::Host;
use crate::host::command::Command;
use crate::host::http::Http;
use crate::report::Listener;
use crate::settings::EngineVersion;
use crate::trust::PackageIndex;

/// Where most of what packages bring along goes.
const PROGRAMS: &str = "/usr";

/// What an engine needs for a start in each of the folders in which it keeps data, in bytes: its own
/// files, and the image of the verification.
const ROOM_FOR_DATA: u64 = 128 << 20;

/// What is to be installed, and what it takes.
pub(super) struct Offer {
    /// Whether an older version takes the place of a newer one.
    pub goes_back: bool,
    /// How new what the repository offers is.
    pub freshness: Freshness,
    pub missing: Vec<&'static str>,
    /// Packages that are not the engine's and are installed again.
    pub again: Vec<String>,
    /// Those of others among them.
    pub repaired: Vec<String>,
    /// Packages that somebody removed since, and that are to be there again.
    pub restored: Vec<String>,
    /// Packages that are removed to make room.
    pub replaced: Vec<&'static str>,
    pub view: View,
    pub transaction: Transaction,
    pub archives: Archives,
    pub http: Http,
}

/// What is asked of apt.
pub(super) struct PackageRequest<'a> {
    pub version: Option<&'a EngineVersion>,
    /// What is not there, or in another version.
    pub missing: Vec<&'static str>,
    /// Whether something is there in part.
    pub reinstalls: bool,
    /// Packages that are not the engine's and are there in part.
    pub again: Vec<String>,
    /// Those of others among them.
    pub repaired: Vec<String>,
    /// Packages that somebody removed since, and that are to be there again.
    pub restored: Vec<String>,
    pub replaced: Vec<&'static str>,
    pub allow_downgrade: bool,
    /// Where an engine that was not there before is going to keep its data.
    pub new_roots: Vec<String>,
}

impl Offer {
    /// Finds out what apt would do.
    pub(super) fn of(
        host: &Host,
        http: &Http,
        repository: &Repository,
        index: &Index,
        wanted: PackageRequest<'_>,
        listener: Listener<'_>,
    ) -> Result<Offer> {
        let PackageRequest {
            version,
            missing,
            reinstalls,
            again,
            repaired,
            restored,
            replaced,
            allow_downgrade,
            new_roots,
        } = wanted;
        let source = &repository.source;
        let mut view = View::open(host, source, &repository.certificate, index, http)?;
        judge_age(&view, repository, listener)?;
        if reinstalls {
            view.reinstall();
        }
        // A bundle holds no other engine than the one it was made with.
        let bundled = http
            .bundle()
            .map(|bundle| &bundle.manifest().engine)
            .map(|engine| EngineVersion::parse(engine))
            .transpose()?;
        let meant = version.or(bundled.as_ref());
        let mut request = request(host, &missing, meant, &index.offered)?;
        request.extend(again.iter().chain(&restored).cloned());
        request.extend(replaced.iter().map(|name| format!("{name}-")));
        let mut transaction = view.plan(host, &request, listener)?;
        refuse_removals(&transaction, &replaced)?;
        let goes_back = goes_back(host, &transaction, allow_downgrade)?;
        let archives = view.archives(host, &request, &index.offered)?;
        refuse_foreign(&transaction, &archives, &index.offered, source)?;
        transaction.download = archives.download(host)?;
        let fetched = apt::still_to_fetch(host, &archives)?;
        let mut room = vec![(apt::ARCHIVES, fetched), (PROGRAMS, archives.unpacked)];
        room.extend(new_roots.iter().map(|root| (root.as_str(), ROOM_FOR_DATA)));
        apt::require_space(host, &room).context("the packages do not fit; nothing was changed")?;
        let freshness =
            repository.look_back(host, index, &Journal::freshness_of(host)?, allow_downgrade)?;
        Ok(Offer {
            goes_back,
            freshness,
            missing,
            again,
            repaired,
            restored,
            replaced,
            view,
            transaction,
            archives,
            http: http.again(),
        })
    }

    /// An apt command that is to do what was planned.
    pub(super) fn lend(&self, command: Command) -> Command {
        self.view.lend(self.with_downgrades(command))
    }

    /// The command that downloads what is not Docker's, where the one that installs is not told of
    /// the proxy.
    pub(super) fn download(&self) -> Option<Command> {
        if self.transaction.installs.len() == self.archives.docker.len() {
            return None;
        }
        let install = apt::install(&self.request());
        self.view.download(self.with_downgrades(install))
    }

    fn with_downgrades(&self, command: Command) -> Command {
        if self.goes_back {
            command.arg("--allow-downgrades")
        } else {
            command
        }
    }

    /// What apt is asked for. Dependencies are not named, so that apt goes on knowing them as
    /// dependencies.
    pub(super) fn request(&self) -> Vec<String> {
        let mut named = self.missing.clone();
        named.extend(self.again.iter().chain(&self.restored).map(String::as_str));
        let mut request = self.transaction.pinned(&named);
        request.extend(self.replaced.iter().map(|name| format!("{name}-")));
        request
    }
}

/// Judges the age of what a bundle holds of Ubuntu's archive.
fn judge_age(view: &View, repository: &Repository, listener: Listener<'_>) -> Result<()> {
    for pocket in view.pockets() {
        let name = format!("the bundle's index of {}", pocket.suite);
        let age = pocket.age(SystemTime::now());
        let limit = repository.age_limit;
        limit.judge(&name, age, Supply::Bundle, listener)?;
    }
    Ok(())
}

/// Refuses to remove anything but what may be replaced.
fn refuse_removals(transaction: &Transaction, replaced: &[&str]) -> Result<()> {
    let mut others = transaction.removals.clone();
    others.retain(|name| !replaced.contains(&name.as_str()));
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure::Blocked(format!(
        "apt would have to remove {names} to install the engine; nothing was changed. \
         If nothing needs them: sudo apt-get remove {names}",
        names = others.join(" ")
    ))
    .into())
}

/// Refuses packages of the engine that apt would take from another repository: to apt the highest
/// version wins, whoever offers it.
fn refuse_foreign(
    transaction: &Transaction,
    archives: &Archives,
    offered: &PackageIndex,
    source: &Source,
) -> Result<()> {
    let is_dockers = |install: &PackageInstall| {
        let mut versions = offered.versions(&install.package);
        versions.any(|package| {
            let mut files = archives.docker.iter();
            package.version == install.version
                && files.any(|file| file.entry.path == package.filename)
        })
    };
    let mut installs = transaction.installs.iter();
    let foreign =
        installs.find(|it| ENGINE_PACKAGES.contains(&it.package.as_str()) && !is_dockers(it));
    let Some(PackageInstall {
        package,
        version,
        origin,
        ..
    }) = foreign
    else {
        return Ok(());
    };
    let of_package = format!("{package}_");
    let mut files = archives.others.iter();
    let file = files.find(|file| file.name.as_str().starts_with(&of_package));
    let from = file.map_or_else(
        || format!("\"{origin}\""),
        |file| apt::without_password(&file.uri),
    );
    Err(Failure::Blocked(format!(
        "apt would take {package} {version} from {from}, not from Docker's repository at {uri}; \
         nothing was changed. See which source that is: apt-cache policy {package}. Remove it, or \
         pin its packages of that name in /etc/apt/preferences.d (Pin-Priority: -1), and run this \
         again",
        uri = source.uri
    ))
    .into())
}

/// Refuses to go on when apt would no longer do what the plan says.
pub(super) fn refuse_another(host: &Host, offer: &Offer) -> Result<()> {
    let simulate = apt::apt_get().arg("install").args(offer.request());
    let simulated = host
        .query(&offer.lend(simulate).simulated())?
        .success()
        .context("comparing what apt would do with the plan")?;
    if Transaction::parse(&simulated.stdout).equals(&offer.transaction) {
        return Ok(());
    }
    bail!(
        "the host's packages changed since the plan was made, so apt would now do something \
         else; run this again for a new plan"
    )
}
