//! From a catalog with drafts in it to one that commits to its contents, and the sealed blobs that
//! go with it.
//!
//! One content is in the open at a time, per core: it is put together to be committed to, and once
//! more to be sealed, if the host is to get the catalog at all.

use std::collections::BTreeMap;

use holdfast_catalog::diag::Code;
use holdfast_catalog::{Compiled, Diagnostic, Diagnostics, Piece, SealedContent};
use holdfast_schemas::catalog::{MAX_SEALED_CONTENTS, SealedBlob};
use holdfast_schemas::resource::{Content, Spec};
use holdfast_schemas::secret::Commitment;
use holdfast_schemas::{Digest, HostName};
use holdfast_secrets::{ComposeError, HostKey, OpenError, Opened, Plaintext, Sealer, compose};
use holdfast_store::{BlobStore, StoreError};

use crate::compile::fault;
use crate::secrets::Secrets;

/// What hosts are sealed to while one revision is compiled. Opened secrets go with it.
#[derive(Debug)]
pub(crate) struct Sealing<'s> {
    sealer: &'s Sealer,
    opened: Opened<'s>,
}

impl<'s> Sealing<'s> {
    /// Nothing opened yet.
    pub(crate) fn new(secrets: &'s Secrets) -> Self {
        Self {
            sealer: &secrets.sealer,
            opened: Opened::new(&secrets.keyring),
        }
    }

    /// Replaces the drafts in a catalog by commitments. It fails if a secret does not open, also
    /// for a host that is not enrolled yet: the commit is wrong then.
    pub(crate) fn commit(&self, compiled: &mut Compiled) -> Result<(), Diagnostics> {
        if compiled.sealed.is_empty() {
            return Ok(());
        }
        too_many(compiled)?;
        let mut wrong = Diagnostics::new();
        let mut known = BTreeMap::new();
        for (draft, content) in &compiled.sealed {
            match self.put_together(&compiled.catalog.host, content) {
                Ok(whole) => {
                    let committed = self.sealer.commit(&compiled.catalog.host, &whole);
                    known.insert(*draft, committed.commitment);
                }
                Err(more) => more.into_iter().for_each(|one| wrong.push(one)),
            }
        }
        wrong.into_result()?;
        for resource in &mut compiled.catalog.resources {
            if let Spec::File(file) = &mut resource.spec
                && let Some(Content::Sealed { commitment, .. }) = &mut file.content
                && let Commitment::Draft(draft) = commitment
                && let Some(sealed) = known.get(draft)
            {
                *commitment = *sealed;
            }
        }
        Ok(())
    }

    /// Seals the contents of a host to its key, into the blob store.
    pub(crate) fn seal(
        &self,
        blobs: &BlobStore,
        (host, key): (&HostName, &HostKey),
        contents: &BTreeMap<Digest, SealedContent>,
    ) -> Result<BTreeMap<Digest, SealedBlob>, StoreError> {
        let mut sealed = BTreeMap::new();
        for content in contents.values() {
            // It was put together a moment ago, from the same bytes.
            let Ok(whole) = compose(content, &self.opened) else {
                continue;
            };
            let committed = self.sealer.commit(host, &whole);
            let bytes = self.sealer.seal(key, &committed, &whole);
            let blob = SealedBlob {
                digest: blobs.put(&bytes)?,
                size: bytes.len() as u64,
            };
            let (Commitment::Sealed(name) | Commitment::Draft(name)) = committed.commitment;
            sealed.insert(name, blob);
        }
        Ok(sealed)
    }

    fn put_together(
        &self,
        host: &HostName,
        content: &SealedContent,
    ) -> Result<Plaintext, Vec<Diagnostic>> {
        compose(content, &self.opened).map_err(|wrong| {
            let told = wrong.iter().map(|error| self.told(content, error));
            told.map(|told| told.in_host(host)).collect()
        })
    }

    /// What is wrong with a content, at its place in the repo.
    fn told(&self, content: &SealedContent, error: &ComposeError) -> Diagnostic {
        let message = error.to_string();
        match error {
            ComposeError::Secret { place, why, .. } => {
                let told = Diagnostic::new(Code::Encrypted, message, place);
                told.help(self.remedy(why))
            }
            ComposeError::TooLarge { .. } => {
                let places = content.pieces.iter().find_map(|piece| match piece {
                    Piece::Secret { place, .. } => Some(place.clone()),
                    Piece::Text(_) | Piece::Sensitive { .. } => None,
                });
                let told = fault(
                    Code::TooLarge,
                    message,
                    "keep large contents out of secrets",
                );
                match places {
                    Some(place) => told.also(&place, "a secret in it"),
                    None => told,
                }
            }
        }
    }

    /// What to do about a secret that does not open.
    fn remedy(&self, why: &OpenError) -> String {
        match why {
            OpenError::NotForUs { .. } => {
                let ours = self.opened.keyring().recipients().join(", ");
                format!(
                    "this server is {ours}: have it among `secrets.recipients` of holdfast.yaml, \
                     then `holdfast secret rotate`"
                )
            }
            _ => "encrypt it anew with `holdfast secret encrypt`".to_owned(),
        }
    }
}

/// Refuses more contents than an envelope holds.
fn too_many(compiled: &Compiled) -> Result<(), Diagnostics> {
    let count = compiled.sealed.len();
    if count <= MAX_SEALED_CONTENTS {
        return Ok(());
    }
    let host = &compiled.catalog.host;
    let message = format!(
        "{host} has {count} different contents with secrets, at most {MAX_SEALED_CONTENTS} are sealed"
    );
    let help = "put secrets that belong together into one file";
    Err(fault(Code::TooLarge, message, help).in_host(host).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use crypto_box::SecretKey;
    use holdfast_catalog::Paint;
    use holdfast_catalog::diag::{Source, Span};
    use holdfast_schemas::catalog::{CATALOG_FORMAT, Catalog, Enforcement};
    use holdfast_schemas::secret::{OPENING, SealingKey, SecretName};
    use holdfast_secrets::{Form, Recipients};

    use super::*;

    /// A server with keys of its own, and the blobs it made.
    struct World {
        folder: tempfile::TempDir,
        secrets: Secrets,
        blobs: BlobStore,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("pki")).unwrap();
            Self {
                secrets: Secrets::open(folder.path(), &[]).unwrap(),
                blobs: BlobStore::open(folder.path().join("blobs")).unwrap(),
                folder,
            }
        }

        /// `password = SECRET`, encrypted to this server.
        fn content(&self, secret: &str) -> SealedContent {
            let recipients = self.secrets.keyring.recipients();
            let to = Recipients::parse(recipients.iter().map(|text| &**text)).unwrap();
            let encrypted = to.encrypt(secret.as_bytes(), Form::Armored).unwrap();
            let source = Source::new("globals.yaml", "vars:\n  password: |\n");
            SealedContent {
                pieces: vec![
                    Piece::Text("password = ".into()),
                    Piece::Secret {
                        name: SecretName::new("password").unwrap(),
                        encrypted: encrypted.into(),
                        place: Span::new(&source, 8, 16),
                    },
                ],
            }
        }
    }

    fn compiled(content: SealedContent) -> Compiled {
        let commitment = content.draft();
        let Commitment::Draft(draft) = commitment else {
            unreachable!("nothing is sealed yet");
        };
        let held = Content::Sealed {
            secrets: content.secrets(),
            commitment,
        };
        let file = format!(
            r#"{{"type":"file","title":"/a","spec":{{"path":"/a","content":{}}}}}"#,
            serde_json::to_string(&held).unwrap()
        );
        Compiled {
            catalog: Catalog {
                format: CATALOG_FORMAT,
                host: "h1".parse().unwrap(),
                enforcement: Enforcement::Enforce,
                resources: vec![serde_json::from_str(&file).unwrap()],
                health: Vec::new(),
            },
            blobs: BTreeMap::new(),
            sealed: BTreeMap::from([(draft, content)]),
            notes: Vec::new(),
        }
    }

    fn host_key() -> (SecretKey, HostKey) {
        let secret = SecretKey::from([7; 32]);
        let public = SealingKey(*secret.public_key().as_bytes());
        (secret, HostKey::new(&public).unwrap())
    }

    #[test]
    fn what_the_catalog_commits_to_is_what_the_host_opens() {
        let world = World::new();
        let mut compiled = compiled(world.content("hunter2"));
        assert_eq!(
            crate::assign::features(&compiled.catalog),
            ["sealed", "type:file"]
        );
        let sealing = Sealing::new(&world.secrets);
        sealing.commit(&mut compiled).unwrap();
        let (secret, key) = host_key();
        let host = compiled.catalog.host.clone();
        let seal = || sealing.seal(&world.blobs, (&host, &key), &compiled.sealed);
        let sealed = seal().unwrap();
        assert_eq!(seal().unwrap(), sealed, "the same again");
        let (name, blob) = sealed.first_key_value().unwrap();
        let bytes = world.blobs.read(&blob.digest, blob.size).unwrap().unwrap();
        let opened = secret.unseal(&bytes).unwrap();
        let (opening, content) = opened.split_at(OPENING);
        assert_eq!(content, b"password = hunter2");
        let commitment = Commitment::to_content(opening.try_into().unwrap(), content);
        assert_eq!(commitment, Commitment::Sealed(*name));
        let body = String::from_utf8(compiled.catalog.to_bytes()).unwrap();
        assert!(
            body.contains(&name.to_string()) && !body.contains("draft"),
            "{body}"
        );
        assert!(!body.contains("hunter2") && !format!("{compiled:?}").contains("hunter2"));
    }

    #[test]
    fn a_secret_of_another_server_is_told_at_its_place_with_the_remedy() {
        let (world, other) = (World::new(), World::new());
        let mut compiled = compiled(other.content("hunter2"));
        let wrong = Sealing::new(&world.secrets)
            .commit(&mut compiled)
            .unwrap_err();
        let told = wrong.render(Paint::Plain);
        for part in [
            "globals.yaml:2:3",
            "secret:password cannot be opened",
            &world.secrets.keyring.recipients()[0],
            "holdfast secret rotate",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert!(wrong.iter().all(|one| one.hosts.is_some()));
        drop(world.folder);
    }

    #[test]
    fn more_contents_than_an_envelope_holds_are_refused() {
        let world = World::new();
        let content = SealedContent { pieces: Vec::new() };
        let mut compiled = compiled(content.clone());
        let digests = (0..MAX_SEALED_CONTENTS).map(|number| Digest::of(number.to_string()));
        compiled
            .sealed
            .extend(digests.map(|digest| (digest, content.clone())));
        let sealing = Sealing::new(&world.secrets);
        let told = sealing.commit(&mut compiled).unwrap_err();
        assert!(
            told.render(Paint::Plain)
                .contains("1001 different contents")
        );
        compiled.sealed.pop_last();
        sealing.commit(&mut compiled).unwrap();
    }

    #[test]
    fn what_is_wrong_in_two_contents_is_told_at_once() {
        let world = World::new();
        let broken = |name: &str| SealedContent {
            pieces: vec![Piece::Secret {
                name: SecretName::new(name).unwrap(),
                encrypted: Arc::from(name.as_bytes()),
                place: Span::whole(&Source::new(name, "")),
            }],
        };
        let mut compiled = compiled(broken("one"));
        compiled.sealed.insert(Digest::of("two"), broken("two"));
        let wrong = Sealing::new(&world.secrets)
            .commit(&mut compiled)
            .unwrap_err();
        assert_eq!(wrong.len(), 2);
    }
}
