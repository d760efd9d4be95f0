//! The engine of this host: its units, the containers under it, and what keeps it from starting.

pub(crate) mod exposed;
pub(crate) mod failure;
pub(crate) mod obstacle;
pub(crate) mod unit;
pub(crate) mod workloads;
