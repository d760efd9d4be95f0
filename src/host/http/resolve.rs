//! Names to addresses: `/etc/hosts`, then the name servers, for both families at once.
//!
//! The one place with futures, since the HTTP library asks for one. The C library is not used: a
//! static program must not load its modules for names.

use std::error::Error;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, anyhow};
use futures_util::future::select;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::LookupIpStrategy::{self, Ipv4Only, Ipv6Only};
use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// How long a name server has to answer, and how often it is asked again; together well within
/// the deadline of a connection.
const PATIENCE: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 1;

/// How long the addresses of one family are waited for once those of the other are there. Some
/// name servers never answer for IPv6, and a name in `/etc/hosts` often has one family only.
const GRACE: Duration = Duration::from_millis(200);

type BoxedError = Box<dyn Error + Send + Sync>;
type Addresses = Result<Vec<IpAddr>, BoxedError>;
type Lookup = Pin<Box<dyn Future<Output = Addresses> + Send>>;

/// Finds the addresses of names. A resolver belongs to the runtime that it is first used in.
pub(super) struct Resolver {
    ipv4: OnceLock<TokioResolver>,
    ipv6: OnceLock<TokioResolver>,
    avoid_ipv6: Arc<AtomicBool>,
}

impl Resolver {
    /// While `avoid_ipv6` is set, a name with addresses of both kinds has none of IPv6.
    pub(super) fn new(avoid_ipv6: &Arc<AtomicBool>) -> Resolver {
        Resolver {
            ipv4: OnceLock::new(),
            ipv6: OnceLock::new(),
            avoid_ipv6: Arc::clone(avoid_ipv6),
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let ipv6 = ask(&self.ipv6, Ipv6Only, name.as_str());
        let ipv4 = ask(&self.ipv4, Ipv4Only, name.as_str());
        let avoid_ipv6 = self.avoid_ipv6.load(Ordering::Relaxed);
        Box::pin(async move {
            let addresses = if avoid_ipv6 {
                one_or_else(ipv4, ipv6).await?
            } else {
                either(ipv6, ipv4).await?
            };
            let addresses = addresses.into_iter();
            Ok(Box::new(addresses.map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// The addresses of a name, or of what is an address already.
pub(crate) fn lookup(name: &str) -> anyhow::Result<Vec<IpAddr>> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("setting up a name service")?;
    let ipv6 = ask(&OnceLock::new(), Ipv6Only, name);
    let ipv4 = ask(&OnceLock::new(), Ipv4Only, name);
    let found = runtime.block_on(either(ipv6, ipv4));
    found.map_err(|error| anyhow!("looking up {name}: {error}"))
}

fn ask(known: &OnceLock<TokioResolver>, family: LookupIpStrategy, name: &str) -> Lookup {
    let resolver = match known.get() {
        Some(resolver) => Ok(resolver.clone()),
        None => set_up(family).map(|new| known.get_or_init(|| new).clone()),
    };
    let name = name.to_owned();
    Box::pin(async move { Ok(resolver?.lookup_ip(name).await?.iter().collect()) })
}

fn set_up(family: LookupIpStrategy) -> Result<TokioResolver, BoxedError> {
    // A host without name servers still has its /etc/hosts.
    let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|_| {
        let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        TokioResolver::builder_with_config(nobody, TokioRuntimeProvider::default())
    });
    let options = builder.options_mut();
    options.ip_strategy = family;
    options.timeout = PATIENCE;
    options.attempts = ATTEMPTS;
    Ok(builder.build()?)
}

/// What both lookups find, IPv6 first; or what the one finds when the other takes long after it.
async fn either(ipv6: Lookup, ipv4: Lookup) -> Addresses {
    let (first, other) = select(ipv6, ipv4).await.factor_first();
    let second = match &first {
        Err(_) => other.await,
        Ok(_) => match tokio::time::timeout(GRACE, other).await {
            Ok(second) => second,
            Err(_) => return first,
        },
    };
    match (first, second) {
        (Ok(mut found), Ok(more)) => {
            found.extend(more);
            found.sort_by_key(IpAddr::is_ipv4);
            Ok(found)
        }
        (Ok(found), Err(_)) | (_, Ok(found)) => Ok(found),
        (Err(failure), Err(_)) => Err(failure),
    }
}

/// What the one lookup finds, or else the other.
async fn one_or_else(one: Lookup, other: Lookup) -> Addresses {
    match one.await {
        Err(_) => other.await,
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::time::Instant;

    fn after(milliseconds: u64, found: Result<IpAddr, &'static str>) -> Lookup {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            Ok(vec![found?])
        })
    }

    fn settle(lookup: impl Future<Output = Addresses>) -> Addresses {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().build().unwrap();
        runtime.block_on(lookup)
    }

    const FOUR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

    #[test]
    fn both_families_are_found_whichever_comes_first() {
        for (six, four) in [(0, 20), (20, 0)] {
            let found = settle(either(after(six, Ok(SIX)), after(four, Ok(FOUR)))).unwrap();
            assert_eq!(found, [SIX, FOUR]);
        }
    }

    #[test]
    fn fault_14_a_family_that_is_never_answered_for_holds_nothing_up() {
        let begun = Instant::now();
        let found = settle(either(after(60_000, Ok(SIX)), after(0, Ok(FOUR)))).unwrap();
        assert_eq!(found, [FOUR]);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn one_family_suffices_and_none_is_a_failure() {
        let found = settle(either(after(0, Err("none")), after(20, Ok(FOUR)))).unwrap();
        assert_eq!(found, [FOUR]);
        assert!(settle(either(after(0, Err("none")), after(0, Err("none")))).is_err());
    }

    #[test]
    fn fault_14_a_family_that_is_avoided_is_taken_only_when_there_is_no_other() {
        let found = settle(one_or_else(after(20, Ok(FOUR)), after(0, Ok(SIX)))).unwrap();
        assert_eq!(found, [FOUR]);
        let found = settle(one_or_else(after(0, Err("none")), after(20, Ok(SIX)))).unwrap();
        assert_eq!(found, [SIX]);
    }
}
