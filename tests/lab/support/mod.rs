//! What the tests share: hosts, the servers around them, and what was said and done on them.

pub(crate) mod bundle_contents;
pub(crate) mod controller;
pub(crate) mod cut;
pub(crate) mod disk;
pub(crate) mod gpg;
pub(crate) mod holder;
pub(crate) mod host;
pub(crate) mod neighbour;
pub(crate) mod outcome;
pub(crate) mod packed;
pub(crate) mod releases;
pub(crate) mod running;
pub(crate) mod signing;
pub(crate) mod terminal;
pub(crate) mod tree;
pub(crate) mod world;
