//! A bundle in the place of a repository.

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::host::bundle::{Bundle, DOCKER, Slice};

/// A bundle in the place of the repository at one address.
#[derive(Debug)]
pub(crate) struct Mounted {
    bundle: Bundle,
    /// The address, with a slash at its end.
    root: String,
}

impl Mounted {
    pub(crate) fn new(bundle: Bundle, uri: &str) -> Mounted {
        let root = format!("{uri}/");
        Mounted { bundle, root }
    }

    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// What is at `url`, from some byte on; `None` when the bundle has no such file.
    pub(crate) fn open(&self, url: &Url, from: u64) -> Option<Slice> {
        let path = url.as_str().strip_prefix(&self.root)?;
        let path = percent_decode_str(path).decode_utf8_lossy();
        self.bundle.open_below(DOCKER, &path, from)
    }
}
