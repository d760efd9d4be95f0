//! What the tests share: hosts, the servers around them, and what was said and done on them.

pub mod bundle_contents;
pub mod controller;
pub mod cut;
pub mod disk;
pub mod gpg;
pub mod holder;
pub mod host;
pub mod neighbour;
pub mod outcome;
pub mod packed;
pub mod releases;
pub mod running;
pub mod signing;
pub mod terminal;
pub mod tree;
pub mod world;
