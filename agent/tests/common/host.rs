//! An enrolled host, made by hand: an identity, a catalog key, a catalog that it holds, and a
//! server that is away.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use ed25519_dalek::{Signer, SigningKey};
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::{
    Bytes, CatalogKey, Envelope, SIGNING_CONTEXT, SealedBlob, SignedEnvelope,
};
use holdfast_schemas::enrol::Identity;
use serde_json::{Value, json};

use super::{Ran, World, catalog, file};

/// Nobody listens here: the port of the discard service, on loopback.
const AWAY: &str = "https://127.0.0.1:9";

/// An enrolled host with a signed catalog.
pub struct Host {
    pub world: World,
    pub state: PathBuf,
    signer: SigningKey,
}

impl Host {
    pub fn new() -> Self {
        let world = World::new();
        let state = world.path("/state");
        fs::create_dir_all(state.join("blobs")).unwrap();
        let signer = SigningKey::from_bytes(&[3; 32]);
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["web-1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let identity = Identity {
            name: "web-1".parse().unwrap(),
            ca: certificate.clone(),
            certificate,
            catalog_keys: vec![CatalogKey {
                id: "k1".to_owned(),
                public: Bytes(signer.verifying_key().to_bytes().to_vec()),
            }],
            expires: "2999-01-01T00:00:00Z".parse().unwrap(),
        };
        let enrolled = json!({
            "server": AWAY,
            "identity": identity,
            "key": key.serialize_pem(),
            "since": "2026-01-01T00:00:00Z",
        });
        fs::write(state.join("identity.json"), enrolled.to_string()).unwrap();
        Self {
            world,
            state,
            signer,
        }
    }

    /// Lets the host hold a catalog of a generation; the body's path.
    pub fn hold(&self, generation: u64, content: &str) -> PathBuf {
        self.hold_all(generation, &[file("/etc/motd", content)])
    }

    pub fn hold_all(&self, generation: u64, resources: &[Value]) -> PathBuf {
        self.hold_sealed(generation, resources, BTreeMap::new())
    }

    /// The same, with boxes by what the catalog commits to.
    pub fn hold_sealed(
        &self,
        generation: u64,
        resources: &[Value],
        sealed: BTreeMap<Digest, SealedBlob>,
    ) -> PathBuf {
        let body = catalog(resources);
        let envelope = Envelope {
            host: "web-1".parse().unwrap(),
            generation,
            body: Digest::of(&body),
            size: body.len() as u64,
            features: vec!["type:file".to_owned()],
            sealed,
            key: "k1".to_owned(),
            issued: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let text = serde_json::to_string(&envelope).unwrap();
        let message = [SIGNING_CONTEXT, text.as_bytes()].concat();
        let signed = SignedEnvelope {
            envelope: text,
            signature: Bytes(self.signer.sign(&message).to_bytes().to_vec()),
        };
        let signed = serde_json::to_string(&signed).unwrap();
        fs::write(self.state.join("catalog.json"), signed).unwrap();
        let path = self.state.join("blobs").join(envelope.body.to_string());
        fs::write(&path, body).unwrap();
        path
    }

    pub fn arguments<'a>(&'a self, verb: &'a [&'a str]) -> Vec<&'a str> {
        let mut arguments = verb.to_vec();
        let (root, state) = (&self.world.root, &self.state);
        arguments.extend(["--root", root.to_str().unwrap()]);
        arguments.extend(["--state-dir", state.to_str().unwrap()]);
        arguments
    }

    pub fn once(&self) -> Ran {
        self.world.agent(&self.arguments(&["once", "--json"]))
    }

    pub fn unsent(&self) -> u64 {
        let status = self.world.agent(&self.arguments(&["status", "--json"]));
        status.report()["unsent_reports"].as_u64().unwrap()
    }

    pub fn serve(&self) -> Child {
        let mut command = self
            .world
            .command(&self.arguments(&["run", "--interval", "1h"]));
        command.stderr(Stdio::null()).spawn().unwrap()
    }
}
