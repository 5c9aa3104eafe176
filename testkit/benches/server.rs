//! The server under agents that find nothing new: answers per second, latency, start, memory.
//!
//! `cargo build --release && cargo bench -p holdfast-testkit --bench server`
//!
//! A real `holdfast serve` on loopback with a site of eight hosts of 200 resources each; every
//! client is an enrolled host on a connection of its own, over mutual TLS, kept open. The clients
//! speak HTTP/1.1 by hand, so that the figures are the server's and not a client library's; they
//! run on the same processors.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use holdfast_client::{AgentClient, OperatorClient, enrol};
use holdfast_schemas::agent_api::{CatalogOffer, CheckIn};
use holdfast_schemas::catalog::{Envelope, FEATURES};
use holdfast_schemas::enrol::{EnrolRequest, Identity};
use holdfast_schemas::inventory::Inventory;
use holdfast_schemas::operator_api::{Credential, NewToken};
use holdfast_schemas::secret::SealingKey;
use holdfast_schemas::{Digest, HostName, routes};
use holdfast_testkit::measure::{answer_measure, median, release_program};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

/// Hosts, each a client.
const HOSTS: usize = 8;
/// How long the clients of one row ask.
const SPAN: Duration = Duration::from_secs(5);

fn main() {
    answer_measure();
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("the first provider");
    let scratch = tempfile::tempdir().unwrap();
    let site = scratch.path().join("site");
    write_site(&site);
    let server = Server::start(&site, &scratch.path().join("data"));
    println!(
        "start to first answer      {:>9.1} ms",
        server.first_answer.as_secs_f64() * 1e3
    );
    println!("memory, idle               {:>9.1} MiB", server.resident());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let clients: Vec<Client> = (0..HOSTS)
        .map(|place| runtime.block_on(server.enrol(place)))
        .collect();
    for count in [1, 4, HOSTS] {
        ask(&clients[..count]);
    }
    println!("memory, after the load     {:>9.1} MiB", server.resident());
}

/// A process that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server.
struct Server {
    child: Running,
    credential: Credential,
    agents: String,
    first_answer: Duration,
}

impl Server {
    fn start(site: &Path, data: &Path) -> Self {
        let began = Instant::now();
        let spawned = Command::new(release_program("holdfast"))
            .arg("serve")
            .arg("--site")
            .arg(site)
            .arg("--data")
            .arg(data)
            .args(["--agents", "127.0.0.1:0", "--operators", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::from(
                fs::File::create(data.with_extension("log")).unwrap(),
            ))
            .spawn()
            .expect("the server starts");
        let child = Running(spawned);
        let deadline = began + Duration::from_secs(20);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        loop {
            assert!(Instant::now() < deadline, "the server does not answer");
            let credential = fs::read(data.join("admin.json")).ok();
            let endpoints = fs::read(data.join("endpoints.json")).ok();
            let documents = credential
                .zip(endpoints)
                .and_then(|(credential, endpoints)| {
                    let credential: Credential = serde_json::from_slice(&credential).ok()?;
                    let endpoints: serde_json::Value = serde_json::from_slice(&endpoints).ok()?;
                    Some((credential, endpoints["agents"].as_str()?.to_owned()))
                });
            if let Some((credential, agents)) = documents {
                let client = OperatorClient::new(&credential).expect("a usable credential");
                if runtime.block_on(client.status()).is_ok() {
                    let first_answer = began.elapsed();
                    return Self {
                        child,
                        credential,
                        agents,
                        first_answer,
                    };
                }
            }
            std::thread::yield_now();
        }
    }

    fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.0.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("a resident size");
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<f64>()
            .unwrap()
            / 1024.0
    }

    /// Enrols a host, hands in its inventory, and waits until it has its catalog.
    async fn enrol(&self, place: usize) -> Client {
        let name: HostName = format!("host-{place}").parse().unwrap();
        let operator = OperatorClient::new(&self.credential).unwrap();
        let wanted = NewToken {
            ttl_s: 600,
            host: Some(name.clone()),
        };
        let token = operator.create_token(&wanted).await.expect("a token").token;
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default()
            .serialize_request(&key)
            .unwrap()
            .pem()
            .unwrap();
        let request = EnrolRequest {
            secret: token.secret.clone(),
            name: name.clone(),
            csr,
            sealing_key: SealingKey([7; 32]),
        };
        let identity = enrol(&self.agents, &token, request)
            .await
            .expect("an identity");
        let agent = AgentClient::new(&self.agents, &identity, &key.serialize_pem()).unwrap();
        let inventory = Inventory {
            collected: "2026-01-01T00:00:00Z".parse().unwrap(),
            facts: Default::default(),
            metrics: Default::default(),
            packages: Vec::new(),
            services: Vec::new(),
        };
        let facts = Digest::of(serde_json::to_vec(&inventory.facts).unwrap());
        agent
            .put_inventory(&inventory)
            .await
            .expect("it takes the inventory");
        let mut check_in = CheckIn {
            agent: "bench".into(),
            features: FEATURES
                .iter()
                .map(|feature| (*feature).to_owned())
                .collect(),
            generation: 0,
            body: None,
            facts,
            last_run: None,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while check_in.body.is_none() {
            assert!(Instant::now() < deadline, "{name} is given no catalog");
            match agent.check_in(&check_in).await.expect("an answer").catalog {
                CatalogOffer::New(signed) => {
                    let envelope: Envelope = serde_json::from_str(&signed.envelope).unwrap();
                    check_in.generation = envelope.generation;
                    check_in.body = Some(envelope.body);
                }
                CatalogOffer::Unchanged | CatalogOffer::Waiting { .. } => {
                    agent.news(None).await.expect("news");
                }
            }
        }
        Client::new(&self.agents, &identity, &key.serialize_pem(), &check_in)
    }
}

/// An enrolled host with what it takes to ask by hand.
struct Client {
    address: String,
    tls: Arc<rustls::ClientConfig>,
    request: Vec<u8>,
}

impl Client {
    fn new(url: &str, identity: &Identity, key: &str, check_in: &CheckIn) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(identity.ca.as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes())
            .map(Result::unwrap)
            .collect();
        let tls = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(
                chain,
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap();
        let address = url.trim_start_matches("https://").to_owned();
        let body = serde_json::to_vec(check_in).unwrap();
        let mut request = format!(
            "POST {} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            routes::agent::CHECK_IN,
            body.len()
        )
        .into_bytes();
        request.extend(body);
        Self {
            address,
            tls: Arc::new(tls),
            request,
        }
    }

    /// Asks until told to stop; the latencies in milliseconds.
    fn ask(&self, stop: &AtomicBool) -> Vec<f64> {
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = rustls::ClientConnection::new(self.tls.clone(), name).unwrap();
        let socket = TcpStream::connect(&self.address).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut stream = BufReader::new(rustls::StreamOwned::new(connection, socket));
        let mut latencies = Vec::new();
        let mut line = String::new();
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            stream.get_mut().write_all(&self.request).unwrap();
            let mut length = 0;
            line.clear();
            stream.read_line(&mut line).unwrap();
            assert!(line.starts_with("HTTP/1.1 200"), "{line}");
            loop {
                line.clear();
                stream.read_line(&mut line).unwrap();
                if line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            assert!(
                body.windows(11).any(|part| part == b"\"unchanged\""),
                "{}",
                String::from_utf8_lossy(&body)
            );
            latencies.push(began.elapsed().as_secs_f64() * 1e3);
        }
        latencies
    }
}

fn ask(clients: &[Client]) {
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let latencies: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = clients
            .iter()
            .map(|client| scope.spawn(|| client.ask(&stop)))
            .collect();
        std::thread::sleep(SPAN);
        stop.store(true, Ordering::Relaxed);
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    println!(
        "unchanged, {} clients       {:>9.0} answers/s   p50 {:.3} ms",
        clients.len(),
        latencies.len() as f64 / began.elapsed().as_secs_f64(),
        median(latencies),
    );
}

fn write_site(site: &Path) {
    for folder in ["hosts", "roles/base"] {
        fs::create_dir_all(site.join(folder)).unwrap();
    }
    fs::write(site.join("holdfast.yaml"), "{}\n").unwrap();
    fs::write(site.join("globals.yaml"), "roles: [base]\n").unwrap();
    for place in 0..HOSTS {
        fs::write(site.join(format!("hosts/host-{place}.yaml")), "idc: js\n").unwrap();
    }
    let role = (0..200).fold(String::from("resources:\n"), |role, place| {
        role + &format!("  - file: /etc/bench/{place}.conf\n    content: \"{{{{ inventory_hostname }}}} {place}\\n\"\n")
    });
    fs::write(site.join("roles/base/role.yaml"), role).unwrap();
}
