//! A server on free ports with a repo of its own, and the clients that talk to it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crypto_box::SecretKey;
use holdfast::{ServeOptions, ServerHandle, serve};
use holdfast_client::{AgentClient, ClientError, OperatorClient, PageRequest};
use holdfast_schemas::agent_api::{CatalogOffer, CheckIn, CheckInAnswer};
use holdfast_schemas::catalog::{Catalog, Envelope, FEATURES, SignedEnvelope};
use holdfast_schemas::enrol::{EnrolRequest, EnrolToken, Identity};
use holdfast_schemas::facts::Facts;
use holdfast_schemas::inventory::{Inventory, Metrics};
use holdfast_schemas::operator_api::{Credential, HostSummary, NewToken};
use holdfast_schemas::report::{Counts, Report, ReportId, RunMode, RunStatus, Trigger};
use holdfast_schemas::secret::SealingKey;
use holdfast_schemas::{Digest, HostName, Problem};
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// Longest wait for what the server does by itself.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) folder: TempDir,
    server: Option<ServerHandle>,
}

/// An enrolled host, as its agent sees it.
pub(crate) struct Host {
    pub(crate) name: HostName,
    pub(crate) key: String,
    pub(crate) identity: Identity,
    pub(crate) client: AgentClient,
}

pub(crate) fn name(text: &str) -> HostName {
    text.parse().unwrap()
}

/// On free ports of the loopback.
pub(crate) fn options(site: &str, data: &Path) -> ServeOptions {
    ServeOptions {
        site: site.to_owned(),
        data: data.to_owned(),
        agents: "127.0.0.1:0".parse().unwrap(),
        operators: "127.0.0.1:0".parse().unwrap(),
        branch: None,
        names: Vec::new(),
        identities: Vec::new(),
    }
}

impl World {
    /// A server over a repo with two hosts and a role that uses a fact.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self {
            folder,
            server: None,
        };
        std::fs::create_dir(world.repo()).unwrap();
        git(&world.repo(), &["init", "--quiet", "--initial-branch=main"]);
        world.commit(&[
            ("holdfast.yaml", "{}\n"),
            ("globals.yaml", "vars:\n  motto: one\n"),
            ("hosts/web-1.yaml", "roles: [site]\n"),
            ("hosts/web-2.yaml", "roles: [site]\n"),
            ("groups/shop.yaml", "hosts: [\"shop-*\"]\n"),
            ("roles/site/role.yaml", ROLE),
            ("roles/site/files/logo.bin", &"logo\u{0}".repeat(100_000)),
        ]);
        world.restart().await;
        world
    }

    pub(crate) fn repo(&self) -> std::path::PathBuf {
        self.folder.path().join("repo")
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Writes files and commits them.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.repo().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        git(&self.repo(), &["add", "--all"]);
        git(&self.repo(), &["commit", "--quiet", "--message", "change"]);
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    /// Stops the server, if it runs, and starts it over the same folders.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        let options = options(self.repo().to_str().unwrap(), &self.data());
        self.server = Some(serve(options).await.unwrap());
    }

    pub(crate) fn agents(&self) -> String {
        self.server.as_ref().unwrap().endpoints().agents.clone()
    }

    pub(crate) fn operators(&self) -> String {
        self.server.as_ref().unwrap().endpoints().operators.clone()
    }

    pub(crate) fn credential(&self) -> Credential {
        let text = std::fs::read(self.data().join("admin.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    pub(crate) fn operator(&self) -> OperatorClient {
        OperatorClient::new(&self.credential()).unwrap()
    }

    pub(crate) async fn token(&self, host: Option<&str>) -> EnrolToken {
        let ask = NewToken {
            ttl_s: 3600,
            host: host.map(name),
        };
        self.operator().create_token(&ask).await.unwrap().token
    }

    pub(crate) async fn try_enrol(
        &self,
        token: &EnrolToken,
        host: &str,
    ) -> Result<Host, ClientError> {
        let (key, csr) = key_and_csr();
        let request = EnrolRequest {
            secret: token.secret.clone(),
            name: name(host),
            csr,
            sealing_key: sealing_key(host),
        };
        self.enrol_with(token, request, key).await
    }

    /// Enrols with a request that was made before.
    pub(crate) async fn enrol_with(
        &self,
        token: &EnrolToken,
        request: EnrolRequest,
        key: String,
    ) -> Result<Host, ClientError> {
        let identity = holdfast_client::enrol(&self.agents(), token, request).await?;
        Ok(self.host(identity, key))
    }

    pub(crate) fn host(&self, identity: Identity, key: String) -> Host {
        Host {
            name: identity.name.clone(),
            client: AgentClient::new(&self.agents(), &identity, &key).unwrap(),
            identity,
            key,
        }
    }

    /// The same host after the server got other ports.
    pub(crate) fn again(&self, host: &Host) -> Host {
        self.host(host.identity.clone(), host.key.clone())
    }

    pub(crate) async fn enrol(&self, host: &str) -> Host {
        let token = self.token(Some(host)).await;
        self.try_enrol(&token, host).await.unwrap()
    }

    /// Enrols a host, hands its inventory in, and waits for its catalog.
    pub(crate) async fn enrol_with_catalog(&self, host: &str) -> (Host, SignedEnvelope) {
        let host = self.enrol(host).await;
        host.client
            .put_inventory(&inventory("debian"))
            .await
            .unwrap();
        let news = host.client.news(None).await.unwrap();
        assert!(news.body.is_some(), "a catalog was assigned");
        let envelope = host.offered(&host.asks(0, None)).await;
        (host, envelope)
    }

    /// How a host stands, once `good` says so.
    pub(crate) async fn host_when(
        &self,
        host: &str,
        good: impl Fn(&HostSummary) -> bool,
    ) -> HostSummary {
        let operator = self.operator();
        let host = name(host);
        let wait = async {
            loop {
                let found = operator.host(&host).await.unwrap();
                if good(&found) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the host came to stand as expected")
    }

    /// Waits until the server refused a revision, and gives its diagnostics.
    pub(crate) async fn refused(&self) -> String {
        let operator = self.operator();
        let wait = async {
            loop {
                if let Some(refused) = operator.status().await.unwrap().refused {
                    return refused.diagnostics;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the revision was refused")
    }

    /// Waits until the server serves some revision.
    pub(crate) async fn serving(&self) -> String {
        let operator = self.operator();
        let wait = async {
            loop {
                if let Some(active) = operator.status().await.unwrap().active {
                    return active;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("a revision is served")
    }

    /// Waits until the server serves another revision than one.
    pub(crate) async fn serving_other_than(&self, revision: &str) -> String {
        let operator = self.operator();
        let wait = async {
            loop {
                let active = operator.status().await.unwrap().active;
                if let Some(active) = active.filter(|active| active != revision) {
                    return active;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("another revision is served")
    }

    /// A plain HTTP client, with a certificate or without.
    pub(crate) fn raw(&self, shows: Option<(&str, &str)>) -> reqwest::Client {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(self.credential().ca.as_bytes()).unwrap();
        roots.add(ca).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let tls = match shows {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = CertificateDer::pem_slice_iter(chain.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder
                    .with_client_auth_cert(chain.map(Result::unwrap).collect(), key)
                    .unwrap()
            }
        };
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .build()
            .unwrap()
    }

    pub(crate) async fn all_hosts(&self) -> Vec<HostSummary> {
        let page = PageRequest::default();
        self.operator().hosts(page).await.unwrap().rows
    }
}

impl Host {
    pub(crate) fn asks(&self, generation: u64, body: Option<Digest>) -> CheckIn {
        CheckIn {
            agent: "0.1.0".to_owned(),
            features: FEATURES.iter().map(|&word| word.to_owned()).collect(),
            generation,
            body,
            facts: digest_of_facts("debian"),
            last_run: None,
        }
    }

    pub(crate) async fn check_in(&self, ask: &CheckIn) -> CheckInAnswer {
        self.client.check_in(ask).await.unwrap()
    }

    pub(crate) async fn offered(&self, ask: &CheckIn) -> SignedEnvelope {
        match self.check_in(ask).await.catalog {
            CatalogOffer::New(envelope) => envelope,
            other => panic!("no catalog was offered: {other:?}"),
        }
    }

    pub(crate) async fn blob(&self, digest: &Digest) -> Result<Vec<u8>, ClientError> {
        let mut blob = self.client.blob(digest, 0).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = blob.chunk().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// The catalog of an envelope, verified as far as an agent would.
    pub(crate) async fn catalog(&self, signed: &SignedEnvelope) -> Catalog {
        let envelope = open(signed);
        assert_eq!(envelope.host, self.name);
        let bytes = self.blob(&envelope.body).await.unwrap();
        assert_eq!(Digest::of(&bytes), envelope.body);
        assert_eq!(bytes.len() as u64, envelope.size);
        let catalog = Catalog::parse(&bytes).unwrap();
        assert_eq!(catalog.host, self.name);
        catalog
    }

    pub(crate) fn report(&self, sequence: u64, envelope: &Envelope, status: RunStatus) -> Report {
        Report {
            format: holdfast_schemas::report::REPORT_FORMAT,
            host: self.name.clone(),
            id: ReportId {
                incarnation: "0123456789abcdef".repeat(2),
                sequence,
            },
            generation: envelope.generation,
            catalog: envelope.body,
            mode: RunMode::Enforce,
            trigger: Trigger::Timer,
            started: Timestamp::now(),
            duration_ms: 5,
            status,
            counts: Counts::default(),
            resources: Vec::new(),
            health: Vec::new(),
            pending: Vec::new(),
            orphans: Vec::new(),
            error: None,
        }
    }
}

pub(crate) fn open(signed: &SignedEnvelope) -> Envelope {
    serde_json::from_str(&signed.envelope).unwrap()
}

pub(crate) fn key_and_csr() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::new(vec!["whatever.example".to_owned()]).unwrap();
    let csr = csr.serialize_request(&key).unwrap().pem().unwrap();
    (key.serialize_pem(), csr)
}

/// The secret half of a host's sealing key.
pub(crate) fn unsealing_key(host: &str) -> SecretKey {
    SecretKey::from(*Digest::of(host).as_bytes())
}

pub(crate) fn sealing_key(host: &str) -> SealingKey {
    SealingKey(*unsealing_key(host).public_key().as_bytes())
}

pub(crate) fn facts(family: &str) -> Facts {
    let mut facts = Facts::default();
    facts.os.family = family.to_owned();
    facts
}

pub(crate) fn digest_of_facts(family: &str) -> Digest {
    Digest::of(serde_json::to_vec(&facts(family)).unwrap())
}

pub(crate) fn inventory(family: &str) -> Inventory {
    Inventory {
        collected: Timestamp::now(),
        facts: facts(family),
        metrics: Metrics::default(),
        packages: Vec::new(),
        services: Vec::new(),
    }
}

/// The problem that a call was refused with.
#[track_caller]
pub(crate) fn problem<T>(answer: Result<T, ClientError>) -> Problem {
    match answer {
        Ok(_) => panic!("not refused"),
        Err(error) => match error.problem() {
            Some(problem) => problem.clone(),
            None => panic!("not refused but failed: {error:?}"),
        },
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .status()
        .unwrap();
    assert!(done.success(), "git {arguments:?}");
}

pub(crate) const ROLE: &str = "\
resources:
  - file: /etc/motto
    content: \"{{ motto }} for {{ host.name }} on {{ facts.os.family }}\\n\"
  - file: /srv/logo.bin
    source: logo.bin
";
