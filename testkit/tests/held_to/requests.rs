//! Bytes that no client of ours would send, over a connection that an enrolled host made: each is
//! answered with a refusal or hung up on, and the server goes on as if nothing had been.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use holdfast_schemas::routes;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::wire::Enrolled;
use crate::world::{World, expect_in_sync};

/// What a server may take of memory for requests that it refuses, in KiB.
const MODEST_KIB: u64 = 160 * 1024;

/// How long an answer may take: a server that hangs is found out.
const ANSWER: Duration = Duration::from_secs(20);

/// More bytes than a server reads before it refuses them.
const LONG: usize = 64 * 1024;

/// Bytes of a body that never ends.
const ENDLESS: usize = 64 * 1024 * 1024;

/// A host's connection, on which anything can be written.
struct Raw(StreamOwned<ClientConnection, TcpStream>);

impl Raw {
    fn connect(host: &Enrolled) -> Self {
        let mut roots = RootCertStore::empty();
        for ca in CertificateDer::pem_slice_iter(host.identity.ca.as_bytes()) {
            roots.add(ca.unwrap()).unwrap();
        }
        let chain = CertificateDer::pem_slice_iter(host.identity.certificate.as_bytes());
        let chain = chain.map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(host.key.as_bytes()).unwrap();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let tcp = TcpStream::connect(host.server.trim_start_matches("https://")).unwrap();
        tcp.set_read_timeout(Some(ANSWER)).unwrap();
        tcp.set_write_timeout(Some(ANSWER)).unwrap();
        Self(StreamOwned::new(tls, tcp))
    }

    /// Writes pieces for as long as the server listens, and reads what it answers first; empty
    /// when it hangs up without a word.
    fn say<'p>(mut self, pieces: impl IntoIterator<Item = &'p [u8]>) -> String {
        for piece in pieces {
            if self.0.write_all(piece).is_err() {
                break;
            }
        }
        let mut answer = vec![0; 4096];
        match self.0.read(&mut answer) {
            Ok(length) => String::from_utf8_lossy(&answer[..length]).into_owned(),
            Err(error) => {
                let silent = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
                assert!(!silent.contains(&error.kind()), "the server hangs");
                String::new()
            }
        }
    }
}

/// A request with a body of JSON.
fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[test]
fn garbled_and_oversized_requests_are_refused_and_the_server_goes_on() {
    let world = World::new();
    let web = world.web();
    let host = Enrolled::of(&web);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let reports = routes::agent::REPORTS;
    let head = |what: &str| format!("POST {reports} HTTP/1.1\r\nHost: x\r\n{what}\r\n\r\n");
    let json = "Content-Type: application/json\r\n";
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let whole: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no HTTP", vec![0xff; 4096], "400"),
        ("a line without end", vec![b'A'; 100_000], "4"),
        (
            "a head without end",
            format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000)).into_bytes(),
            "431",
        ),
        ("no JSON", post(reports, "{nonsense"), "400"),
        ("another document", post(reports, "{\"format\":1}"), "4"),
        ("deep nesting", post(reports, &deep), "400"),
        ("bytes that are no text", post(reports, "\u{0}\u{1}"), "400"),
        (
            "a gigabyte announced",
            head(&format!("{json}Content-Length: 1073741824")).into_bytes(),
            "413",
        ),
        (
            "two lengths",
            head("Content-Length: 4\r\nContent-Length: 5").into_bytes(),
            "400",
        ),
        (
            "a path out of the blobs",
            b"GET /v1/agent/blobs/..%2f..%2fpki HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            "4",
        ),
    ];
    for (what, bytes, status) in &whole {
        let answer = Raw::connect(&host).say([bytes.as_slice()]);
        // Whoever is refused in the middle of a long line may lose the answer with the line.
        let hung_up = answer.is_empty() && bytes.len() > LONG;
        let refused = answer.starts_with(&format!("HTTP/1.1 {status}"));
        assert!(hung_up || refused, "{what}: {answer:?}");
    }

    let mut endless = vec![head(&format!("{json}Transfer-Encoding: chunked")).into_bytes()];
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    endless.extend(std::iter::repeat_n(chunk, ENDLESS / 0x10000));
    let answer = Raw::connect(&host).say(endless.iter().map(Vec::as_slice));
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 413"),
        "{answer}"
    );

    let address = world.server.agents().replace("https://", "");
    for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 70_000], &[0x16, 3, 1]] {
        // What the server thinks of it is its own affair.
        let _ = TcpStream::connect(&address).unwrap().write_all(noise);
    }
    let pid = world.server.pid().unwrap();
    let peak = crate::commits::peak_kib(pid);
    assert!(peak < MODEST_KIB, "the server took {peak} KiB");
    expect_in_sync(&web);
    assert_eq!(world.status().refused, None);
    assert!(
        !world.server.log().contains("panicked"),
        "{}",
        world.server.log()
    );
}
