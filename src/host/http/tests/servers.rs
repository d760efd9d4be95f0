//! Servers and proxies that live for one test, on this machine.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::host::http::builder;

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tls")
        .join(name)
}

/// A server that gives these answers, one a connection, and the last for ever; its address.
pub(super) fn server(certificate: &str, answers: &[&str]) -> String {
    let _ = builder();
    let chain = CertificateDer::pem_file_iter(fixture(certificate)).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    let config = Arc::new(config);
    let answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
    let address = listen(move |stream, number| {
        let answer = answers.get(number).or(answers.last()).unwrap();
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(tls, stream);
        if head(&mut stream).is_empty() {
            return;
        }
        let _ = stream.write_all(answer.as_bytes());
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    format!("https://{address}/key")
}

/// A proxy that wants `me:word`, and the address of it without them.
pub(super) fn proxy(status: &'static str) -> String {
    listen(move |mut stream, _| {
        let head = head(&mut stream);
        let target = head
            .split_whitespace()
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        // me:word in Base64
        if !head
            .to_lowercase()
            .contains("proxy-authorization: basic bwu6d29yza==")
        {
            let _ = stream.write_all(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
        } else if status != "200" {
            let _ = write!(stream, "HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
        } else {
            let _ = stream.write_all(b"HTTP/1.1 200 Go on\r\n\r\n");
            tunnel(stream, TcpStream::connect(target).unwrap());
        }
    })
}

fn tunnel(client: TcpStream, server: TcpStream) {
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || io::copy(&mut from, &mut to));
    let (mut from, mut to) = (server, client);
    let _ = io::copy(&mut from, &mut to);
}

pub(super) fn listen(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            serve(stream.unwrap(), number);
        }
    });
    address
}

fn head(stream: &mut impl Read) -> String {
    let lines: Vec<String> = BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    lines.join("\n")
}
