//! What runs inside the containers of a verification: each says what it sees.

#![expect(clippy::disallowed_methods, reason = "this runs inside a container")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::host::http;

/// The variable that a container is to report.
pub(crate) const VARIABLE: &str = "DOCKSTRAP_PROBE";

/// How long a server may take to begin to listen, and a stranger to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A container's sign of life.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// What it was told to say.
    pub echo: String,
    /// Its process number; 1 in a container.
    pub pid: u32,
    pub user: u32,
    pub group: u32,
    /// What it finds in [`VARIABLE`].
    pub variable: Option<String>,
}

/// What a container finds in a file, and what comes of writing it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileReport {
    pub before: Option<String>,
    /// Why it could not be written.
    pub refused: Option<String>,
}

/// Whom a container reaches.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReachReport {
    /// What a server answered, or why it did not.
    pub answer: Option<Result<String, String>>,
    /// The addresses of a name.
    pub addresses: Option<Result<Vec<IpAddr>, String>>,
    /// Whether a connection came about.
    pub connection: Option<Result<(), String>>,
}

impl ReachReport {
    /// Whether all that was tried was reached.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self.answer, Some(Err(_)))
            && !matches!(self.addresses, Some(Err(_)))
            && !matches!(self.connection, Some(Err(_)))
    }
}

/// Says hello.
pub(crate) fn hello(echo: &str) -> Hello {
    Hello {
        echo: echo.to_owned(),
        pid: std::process::id(),
        user: nix::unistd::getuid().as_raw(),
        group: nix::unistd::getgid().as_raw(),
        variable: std::env::var(VARIABLE).ok(),
    }
}

/// Reads a file, and writes it when there is a text to be written.
pub(crate) fn file(path: &Path, text: Option<&str>) -> FileReport {
    let before = fs::read_to_string(path).ok();
    let written = text.map(|text| fs::write(path, text));
    FileReport {
        before,
        refused: written.and_then(|written| Some(written.err()?.to_string())),
    }
}

/// Reaches for a server, a name, and an address.
pub(crate) fn reach(
    server: Option<&str>,
    name: Option<&str>,
    address: Option<SocketAddr>,
) -> ReachReport {
    let said = |error: anyhow::Error| format!("{error:#}");
    ReachReport {
        answer: server.map(|server| answer(server).map_err(said)),
        addresses: name.map(|name| http::lookup(name).map_err(said)),
        connection: address.map(|address| connect(address).map_err(said)),
    }
}

/// What the server at `NAME:PORT` answers; it may still be starting.
pub(crate) fn answer(server: &str) -> Result<String> {
    let begun = Instant::now();
    loop {
        match ask(server) {
            Ok(answer) => return Ok(answer),
            Err(error) if begun.elapsed() > PATIENCE => return Err(error),
            Err(_) => sleep(Duration::from_millis(50)),
        }
    }
}

fn ask(server: &str) -> Result<String> {
    let (name, port) = server.rsplit_once(':').context("no port")?;
    let port: u16 = port
        .parse()
        .with_context(|| format!("reading port {port}"))?;
    let addresses = http::lookup(name).with_context(|| format!("looking up {name}"))?;
    let address = addresses.first().context("no address")?;
    let mut stream = TcpStream::connect_timeout(&(*address, port).into(), PATIENCE)
        .with_context(|| format!("connecting to {name} at {address}, port {port}"))?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .context("setting a time limit")?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {name}\r\n\r\n").context("asking")?;
    let response = std::io::read_to_string(stream).context("reading the answer")?;
    let (_, body) = response.split_once("\r\n\r\n").context("no answer")?;
    Ok(body.to_owned())
}

/// Whether a connection to a stranger comes about.
pub(crate) fn connect(address: SocketAddr) -> Result<()> {
    TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("connecting to {address}"))?;
    Ok(())
}

/// Answers everyone over HTTP with the text, until it is asked to end.
pub(crate) fn serve(port: u16, text: &str) -> Result<()> {
    end_when_asked()?;
    let listener = TcpListener::bind(("0.0.0.0", port)).context("listening")?;
    for stream in listener.incoming().map_while(Result::ok) {
        let mut request = BufReader::new(&stream).lines();
        while request
            .next()
            .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
        {}
        let length = text.len();
        let _ = write!(
            &stream,
            "HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n{text}"
        );
    }
    Ok(())
}

/// Does nothing until it is asked to end.
pub(crate) fn sleep_until_asked() -> Result<()> {
    end_when_asked()?;
    loop {
        sleep(Duration::from_secs(3600));
    }
}

/// Process 1 of a container obeys only the signals for which it says so.
fn end_when_asked() -> Result<()> {
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register_conditional_shutdown(signal, 0, Arc::new(true.into()))
            .context("watching for signals")?;
    }
    Ok(())
}
