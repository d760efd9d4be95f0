//! Addresses for the networks of a run, where the engine has none to give.

use crate::daemon_config;

/// What the engine says where it finds no room for a network.
const NO_ADDRESSES: &[&str] = &[
    "address pool",
    "predefined address pools have been fully subnetted",
    "no available network",
];

/// A range of addresses that is nobody's, out of those that are set apart for measurements (RFC
/// 2544). Runs side by side, and networks of one run, have different ones.
pub(super) fn own_range(number: u32) -> String {
    let at = (std::process::id() * 2 + number) % 512;
    format!("198.{}.{}.0/24", 18 + at / 256, at % 256)
}

/// Whether a network could not be made because no addresses are left for it.
pub(super) fn are_exhausted(said: &str) -> bool {
    NO_ADDRESSES.iter().any(|sign| said.contains(sign))
}

/// What is said of a network that got a range of its own.
pub(super) fn shortage(said: &str) -> String {
    format!(
        "networks cannot be created with the engine's own address pools: {said}; free some with: \
         docker network prune, or set default-address-pools in {}",
        daemon_config::PATH
    )
}
