//! The column of the table that says where a running engine shows the value in force.

/// Where the answer to `GET /info` has the value that is in force, and in what form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The same value at this place.
    Same(&'static str),
    /// The same folders at this place, or none where the engine does not use them.
    Folders(&'static str),
    /// A list at this place that has the entries among others.
    Among(&'static str),
    /// An object at this place that has the names among others.
    Names(&'static str),
    /// A text at this place that begins with it.
    Begins(&'static str),
    /// One of the options for security.
    SecurityOption(&'static str),
    CgroupDriver,
    InsecureRegistries,
    Mirrors,
    Pools,
    Proxies,
    Resources,
    Seccomp,
}
