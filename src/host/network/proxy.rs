//! The address of a proxy, with its password, which is never shown.

use std::fmt;

use reqwest::Url;

use super::is_host;
use crate::redact::redact;

/// A proxy. What is shown of it has no credentials; only [`Proxy::with_credentials`] has them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy(Url);

impl Proxy {
    /// Reads `[http[s]://][USER:PASSWORD@]HOST[:PORT]`; without a scheme it is http.
    ///
    /// # Errors
    /// Why it cannot be used, to be put after a name; without the text, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Proxy, &'static str> {
        let url = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("http://{text}"))
        };
        let url = url.map_err(|_| {
            "is no address of a proxy; write http://HOST:PORT, and special characters of a \
             password as %XX"
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("names a proxy that does not speak HTTP; dockstrap needs one that does");
        }
        if !url.host_str().is_some_and(is_host) {
            return Err("names a host that is neither a name nor an address");
        }
        let path = url.path().len() > 1 || url.query().is_some() || url.fragment().is_some();
        if path {
            return Err(
                "has more than a host and a port; write special characters of a password as %XX, \
                 / as %2F, ? as %3F and # as %23",
            );
        }
        Ok(Proxy(url))
    }

    /// The address with user name and password: not to be shown, nor given to a command line.
    pub(crate) fn with_credentials(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether the address holds a user name or password.
    pub(crate) fn has_credentials(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }

    /// The address for the HTTP client.
    pub(in crate::host) fn url(&self) -> Url {
        self.0.clone()
    }

    /// The name or address of the proxy's own host.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redact(self.with_credentials()))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_with_and_without_a_scheme() {
        for (text, shown) in [
            ("proxy:3128", "http://proxy:3128"),
            ("http://proxy.example:3128/", "http://proxy.example:3128"),
            ("https://10.0.0.1", "https://10.0.0.1"),
            ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
            ("http://my_proxy.lan", "http://my_proxy.lan"),
            ("me:word@proxy:3128", "http://***@proxy:3128"),
        ] {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_being_shown() {
        for text in [
            "",
            "socks5://proxy",
            "http://me:1/word@proxy",
            "http://me:word@proxy/path",
            "http://me:word@pro xy",
            "http://proxy?x",
            "http://pro\"xy",
            "http://x\";dpkg{pre-invoke{\"id\";};};foo\"y",
            "http://x;y",
            "http://x{y}",
            "http://pro'xy",
            "http://pro$xy",
            "http://pro`xy",
        ] {
            let why = Proxy::parse(text).unwrap_err();
            assert!(!why.contains("word@"), "{why}");
        }
    }

    #[test]
    fn fault_13_a_proxy_is_never_shown_with_its_password() {
        let proxy = Proxy::parse("http://me:w%2F'rd@proxy").unwrap();
        assert!(proxy.has_credentials());
        assert_eq!(
            format!("{proxy} {proxy:?}"),
            "http://***@proxy http://***@proxy"
        );
        assert_eq!(proxy.with_credentials(), "http://me:w%2F'rd@proxy");
    }
}
