//! The source for Docker's repository.

/// The component that holds Docker's releases.
pub(crate) const COMPONENT: &str = "stable";

/// Docker's repository, as a deb822 source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub uri: String,
    pub suite: String,
    pub architecture: String,
}

impl Source {
    /// Where dockstrap puts it, and where Docker's documentation does.
    pub const PATH: &'static str = "/etc/apt/sources.list.d/docker.sources";

    /// Where dockstrap keeps the key, and where Docker's documentation does.
    pub const KEYRING: &'static str = "/etc/apt/keyrings/docker.asc";

    /// The suite's address.
    pub fn suite_url(&self) -> String {
        format!("{}/dists/{}", self.uri, self.suite)
    }

    /// The file's content, trusting only what the keyring at `signed_by` has signed.
    // Signed-By could name the key's fingerprint beside the keyring; apt 2.6, 3.0 and 3.3 all
    // take that and refuse another key. But to each of them `PATH FINGERPRINT` and `PATH` are
    // "conflicting values" for one repository, which stops all of apt as soon as somebody
    // follows Docker's documentation or runs its script, both of which name the bare path. With
    // the bare path here as well, apt only says that it is named twice. The keyring holds
    // nothing but the one verified certificate, so the fingerprint would add nothing.
    pub fn text(&self, signed_by: &str) -> String {
        format!(
            "# Docker's packages; set up by dockstrap, removed by `dockstrap uninstall`.\n\
             Types: deb\n\
             URIs: {}\n\
             Suites: {}\n\
             Components: {COMPONENT}\n\
             Architectures: {}\n\
             Signed-By: {signed_by}\n",
            self.uri, self.suite, self.architecture
        )
    }
}
