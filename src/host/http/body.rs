//! A file as it comes in, from some byte on, within its time.

use std::io::{self, Read};
use std::time::Instant;

use reqwest::blocking::Response;

use super::Span;
use super::classify::classify;
use super::fetch_error::{self, FetchError, Peer};
use super::redirect::FinalResponse;
use crate::host::bundle::Slice;
use crate::host::network::Proxy;

const CHUNK: usize = 64 * 1024;

/// A file from some byte on, to be read as it comes in.
#[derive(Debug)]
pub(crate) struct Body {
    /// The number of its first byte.
    pub from: u64,
    origin: BodySource,
}

/// Where it comes from.
#[derive(Debug)]
enum BodySource {
    Server(Box<Incoming>),
    Bundle(Slice),
}

/// What a server sends.
#[derive(Debug)]
struct Incoming {
    received: u64,
    response: Response,
    /// The host that redirected to where it comes from, if one did.
    sender: Option<String>,
    proxy: Option<Proxy>,
    span: Span,
}

impl Body {
    pub(super) fn new(reached: FinalResponse, from: u64, proxy: Option<Proxy>, span: Span) -> Body {
        let incoming = Incoming {
            received: 0,
            response: reached.response,
            sender: reached.from,
            proxy,
            span,
        };
        Body {
            from,
            origin: BodySource::Server(Box::new(incoming)),
        }
    }

    pub(super) fn bundled(slice: Slice, from: u64) -> Body {
        Body {
            from,
            origin: BodySource::Bundle(slice),
        }
    }

    /// Reads what comes next into `chunk`; 0 at the end.
    pub(crate) fn read(&mut self, chunk: &mut [u8]) -> Result<usize, FetchError> {
        match &mut self.origin {
            BodySource::Server(incoming) => incoming
                .read(chunk)
                .map_err(|error| error.behind(incoming.sender.as_deref(), incoming.response.url())),
            BodySource::Bundle(slice) => slice
                .read(chunk)
                .map_err(|error| FetchError::Other(format!("reading the bundle: {error}"))),
        }
    }

    /// Reads all of it, at most `limit` bytes.
    pub(super) fn read_all(&mut self, limit: u64) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            match self.read(&mut chunk)? {
                0 => return Ok(bytes),
                read => bytes.extend_from_slice(&chunk[..read]),
            }
            if bytes.len() as u64 > limit {
                let host = match &self.origin {
                    BodySource::Server(incoming) => {
                        fetch_error::host(incoming.response.url()).to_owned()
                    }
                    BodySource::Bundle(_) => "the bundle".to_owned(),
                };
                return Err(FetchError::TooLarge { host, limit });
            }
        }
    }
}

impl Incoming {
    fn read(&mut self, chunk: &mut [u8]) -> Result<usize, FetchError> {
        let (url, proxy) = (self.response.url().clone(), self.proxy.as_ref());
        loop {
            if Instant::now() > self.span.deadline {
                return Err(FetchError::TooSlow {
                    peer: Peer::of(&url, proxy),
                    within: self.span.begun.elapsed(),
                });
            }
            match self.response.read(chunk) {
                Ok(read) => {
                    self.received += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(classify(&error, &url, proxy, Some(self.received))),
            }
        }
    }
}
