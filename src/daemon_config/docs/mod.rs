//! The tables as text for people: lines for a terminal, and a page of the manual.

pub mod explain;
pub mod reference;
