//! Stage `registry`: an image goes to a private registry and comes back as the same.
//!
//! What logs in is in a configuration folder of this run. The authority that is to be trusted is
//! put where the engine looks for it, through the journal, and taken away again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::reach::trouble;
use super::verifier::{Verifier, archive};
use crate::change::{Journal, Purpose, Tx, VERIFICATION};
use crate::error::Failure;
use crate::host::http::Http;
use crate::host::network::{CaCert, Network};
use crate::report::Outcome;
use crate::settings;
use crate::undo::Extent;

/// A registry, and how to get into it.
#[derive(Debug)]
pub(crate) struct TestRegistry {
    /// `HOST[:PORT]`, and maybe the path under which images may be put there.
    pub address: String,
    pub login: Option<Login>,
    /// The authority that vouches for it.
    pub ca_cert: Option<CaCert>,
}

/// Who logs in.
pub(crate) struct Login {
    pub user: String,
    pub password: String,
}

impl TestRegistry {
    /// # Errors
    /// [`Failure::Usage`] for what is no `HOST[:PORT][/PATH]`, or a file without certificates.
    pub(crate) fn new(
        address: &str,
        login: Option<Login>,
        ca_cert: Option<PathBuf>,
    ) -> Result<TestRegistry> {
        let trimmed = address.trim_end_matches('/');
        let (host, path) = trimmed.split_once('/').unwrap_or((trimmed, ""));
        // The host names a folder of the engine's, and both end up in the names of images.
        let is_host = settings::registry_host(host).is_ok() && host == host.to_ascii_lowercase();
        if !is_host || !(path.is_empty() || path.split('/').all(is_part)) {
            return Err(Failure::Usage(format!(
                "registry `{address}` is not written as HOST[:PORT][/PATH]"
            ))
            .into());
        }
        Ok(TestRegistry {
            address: trimmed.to_owned(),
            login,
            ca_cert: ca_cert.map(|file| CaCert::read(&file)).transpose()?,
        })
    }

    /// Without the path.
    fn host(&self) -> &str {
        self.address.split('/').next().unwrap_or_default()
    }
}

/// Whether a text is one part of the path in an image's name.
fn is_part(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(is_word)
        && text.ends_with(is_word)
        && text.chars().all(|c| is_word(c) || "._-".contains(c))
}

/// Never shows the password.
impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.user)
    }
}

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let Some(registry) = &verifier.choice.registry else {
        let reason = "no registry was named: --registry HOST[:PORT]";
        return Ok(if verifier.choice.names("registry") {
            Outcome::Failed(reason.to_owned())
        } else {
            Outcome::Skipped(reason.to_owned())
        });
    };
    let authority = PlacedAuthority::put(verifier, registry)?;
    let outcome = push_and_pull(verifier, registry);
    match authority.remove() {
        Ok(()) => outcome,
        Err(error) => Ok(Outcome::Failed(format!(
            "the engine goes on trusting the authority that was given for {}, since it could not \
             be taken back: {error:#}; once that is mended, this takes it back: sudo dockstrap \
             verify",
            registry.host()
        ))),
    }
}

fn push_and_pull(verifier: &Verifier<'_>, registry: &TestRegistry) -> Result<Outcome> {
    let docker = || verifier.docker().deadline(Duration::from_secs(120));
    if let Some(Login { user, password }) = &registry.login {
        let login = docker()
            .args(["login", "--username", user, "--password-stdin"])
            .arg(registry.host())
            .input(password.clone().into_bytes());
        let host = registry.host();
        match trouble(verifier.run(&login))? {
            Some(Outcome::Failed(reason)) => {
                return Ok(Outcome::Failed(format!(
                    "{host} does not take user {user} with this password: {reason}"
                )));
            }
            Some(outcome) => return Ok(outcome),
            None => {}
        }
    }
    let repository = format!("{}/dockstrap-verify", registry.address);
    let name = format!("{repository}:{}", verifier.token);
    verifier.import(&name, archive("content", name.as_bytes())?)?;
    if let Some(outcome) = trouble(verifier.run(&docker().args(["push", "--quiet", &name])))? {
        return Ok(outcome);
    }
    let pushed = digest(verifier, &repository, &name)?;
    let remote = Remote {
        registry,
        digest: &pushed,
    };
    let back = bring_back(verifier, &repository, &name, &pushed);
    let deleted = remote.delete();
    if let Some(outcome) = back? {
        return Ok(outcome);
    }
    let left = match deleted {
        Ok(()) => String::new(),
        Err(reason) => format!("; the image stays there as {name}: {reason}"),
    };
    Ok(Outcome::Passed(format!(
        "an image went to {} and came back as the same{left}",
        registry.host()
    )))
}

/// Removes the image from the host and pulls it again; what came of it, where it did not come.
fn bring_back(
    verifier: &Verifier<'_>,
    repository: &str,
    name: &str,
    pushed: &str,
) -> Result<Option<Outcome>> {
    let docker = || verifier.docker().deadline(Duration::from_secs(120));
    verifier.ask(&docker().args(["image", "rm", name]))?;
    let pull = docker().args(["pull", "--quiet", name]);
    if let Some(outcome) = trouble(verifier.run(&pull))? {
        return Ok(Some(outcome));
    }
    let pulled = digest(verifier, repository, name)?;
    ensure!(
        pulled == pushed,
        "the registry gave back another image: {pulled} instead of {pushed}"
    );
    Ok(None)
}

/// The digest by which the registry knows an image.
fn digest(verifier: &Verifier<'_>, repository: &str, name: &str) -> Result<String> {
    let format = "{{range .RepoDigests}}{{println .}}{{end}}";
    let inspect = verifier
        .docker()
        .args(["image", "inspect", "--format", format, name]);
    let digests = verifier.ask(&inspect)?;
    let mut of_it = digests.lines().filter_map(|line| line.split_once('@'));
    let (_, digest) = of_it
        .find(|(of, _)| *of == repository)
        .context("an image has no digest, though it was in a registry")?;
    Ok(digest.to_owned())
}

/// The image in the registry.
struct Remote<'a> {
    registry: &'a TestRegistry,
    digest: &'a str,
}

impl Remote<'_> {
    /// Asks the registry to delete it, which not every registry allows.
    fn delete(&self) -> Result<()> {
        let Remote { registry, digest } = self;
        let network = Network::from_environment(None, registry.ca_cert.clone())?;
        let host = registry.host();
        let path = registry.address.strip_prefix(host).unwrap_or_default();
        let url = format!("https://{host}/v2{path}/dockstrap-verify/manifests/{digest}");
        let login = registry.login.as_ref();
        let login = login.map(|login| (login.user.as_str(), login.password.as_str()));
        let status = Http::new(&network).delete(&url, login)?;
        ensure!(
            status < 300,
            "it does not let us delete it (status {status})"
        );
        Ok(())
    }
}

/// An authority that the engine trusts for a registry, until it is removed. One that a killed run
/// has left goes with the next run.
struct PlacedAuthority<'a> {
    placed: Option<Placed<'a>>,
}

struct Placed<'a> {
    tx: Tx<'a>,
    /// The last act before it.
    before: u64,
    path: String,
}

impl<'a> PlacedAuthority<'a> {
    fn put(verifier: &'a Verifier<'_>, registry: &TestRegistry) -> Result<PlacedAuthority<'a>> {
        let Some(certificate) = &registry.ca_cert else {
            return Ok(PlacedAuthority { placed: None });
        };
        let path = format!("/etc/docker/certs.d/{}/ca.crt", registry.host());
        match verifier.host.read(&path)? {
            Some(there) if CaCert::parse(&there).ok().as_ref() == Some(certificate) => {
                return Ok(PlacedAuthority { placed: None });
            }
            Some(_) => anyhow::bail!(
                "the engine is configured to trust another authority for it, by {path}; leave out \
                 --ca-cert to try it with that one"
            ),
            None => {}
        }
        ensure!(
            nix::unistd::geteuid().is_root(),
            "only root can tell the engine which authority to trust; run it with sudo"
        );
        let journal = Journal::read(verifier.host)?;
        let before = journal.last();
        let mut tx = Tx::begin(
            verifier.host,
            journal,
            Purpose::Verify,
            Duration::ZERO,
            &|_| {},
            Arc::clone(&verifier.stopped),
        )?;
        tx.enter(VERIFICATION);
        let written = tx.write_file(&path, certificate.pem().as_bytes(), 0o644);
        let authority = PlacedAuthority {
            placed: Some(Placed { tx, before, path }),
        };
        match written {
            Ok(()) => Ok(authority),
            Err(error) => match authority.remove() {
                Ok(()) => Err(error),
                Err(left) => Err(error.context(format!("it could not be undone: {left:#}"))),
            },
        }
    }

    fn remove(self) -> Result<()> {
        let Some(Placed { tx, before, path }) = self.placed else {
            return Ok(());
        };
        let host = tx.host();
        tx.revert(before, Extent::default())?;
        ensure!(!host.exists(&path)?, "{path} was changed meanwhile");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;

    #[test]
    fn a_registry_is_a_host_with_or_without_a_port_and_a_path() {
        for address in [
            "registry.example",
            "10.0.0.1:5000",
            "registry.example:5000/team/",
        ] {
            let registry = TestRegistry::new(address, None, None).unwrap();
            assert!(!registry.host().contains('/'));
            assert!(!registry.address.ends_with('/'));
        }
        for address in [
            "https://registry.example",
            "Registry",
            "-x",
            "a b",
            "me:word@registry",
            "..",
            ".",
            "",
            "/",
            "a//b",
            "a/../b",
            "registry/..",
            "registry/-x",
            "registry/Team",
            "registry:x",
            "registry:99999",
            "registry:5000:1",
        ] {
            let error = TestRegistry::new(address, None, None).unwrap_err();
            assert_eq!(exit_code(&error), 2, "{address}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let login = Login {
            user: "alice".to_owned(),
            password: "word".to_owned(),
        };
        assert_eq!(format!("{login:?}"), "alice");
    }
}
