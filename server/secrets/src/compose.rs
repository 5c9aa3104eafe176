//! A content put together from text and secrets.

use holdfast_catalog::diag::Span;
use holdfast_catalog::{Piece, SealedContent};
use holdfast_schemas::secret::{MAX_SEALED, SecretName};

use crate::{OpenError, Opened, Plaintext};

/// Why a content cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A secret in it does not open.
    #[error("{name} cannot be opened: {why}")]
    Secret {
        /// Which.
        name: SecretName,
        /// Where it stands in the repo.
        place: Span,
        /// Why.
        why: OpenError,
    },
    /// It is longer than what is sealed may be.
    #[error("with its secrets it has {size} bytes, at most {MAX_SEALED} are sealed")]
    TooLarge {
        /// Its length.
        size: usize,
    },
}

/// Puts a content together; on failure, everything that is wrong with it.
pub fn compose(
    content: &SealedContent,
    opened: &Opened<'_>,
) -> Result<Plaintext, Vec<ComposeError>> {
    let mut wrong: Vec<ComposeError> = Vec::new();
    let mut secrets = Vec::new();
    let mut size = 0usize;
    for piece in &content.pieces {
        match piece {
            Piece::Text(text) => size = size.saturating_add(text.len()),
            Piece::Sensitive { plain, .. } => size = size.saturating_add(plain.expose().len()),
            Piece::Secret {
                name,
                encrypted,
                place,
            } => match opened.open(encrypted) {
                Ok(secret) => {
                    size = size.saturating_add(secret.expose().len());
                    secrets.push(secret);
                }
                Err(why) => {
                    let (name, place) = (name.clone(), place.clone());
                    let told = ComposeError::Secret { name, place, why };
                    if !wrong.contains(&told) {
                        wrong.push(told);
                    }
                }
            },
        }
    }
    if size > MAX_SEALED {
        wrong.push(ComposeError::TooLarge { size });
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut whole = Plaintext::with_room(size);
    let mut secrets = secrets.iter();
    for piece in &content.pieces {
        match piece {
            Piece::Text(text) => whole.extend(text.as_bytes()),
            Piece::Sensitive { plain, .. } => whole.extend(plain.expose().as_bytes()),
            Piece::Secret { .. } => {
                whole.extend(secrets.next().map_or(&[][..], |secret| secret.expose()));
            }
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use holdfast_catalog::diag::Source;

    use super::*;
    use crate::{Form, Keyring, Recipients};

    struct Repo {
        keyring: Keyring,
        to: Recipients,
    }

    impl Repo {
        fn new() -> Self {
            let made = Keyring::generate();
            Self {
                keyring: Keyring::parse(&made.file).unwrap(),
                to: Recipients::parse([&*made.recipient]).unwrap(),
            }
        }

        fn secret(&self, name: &str, plaintext: &str) -> Piece {
            let encrypted = self.to.encrypt(plaintext.as_bytes(), Form::Armored);
            secret(name, &encrypted.unwrap())
        }

        fn compose(&self, pieces: Vec<Piece>) -> Result<Plaintext, Vec<ComposeError>> {
            compose(&SealedContent { pieces }, &Opened::new(&self.keyring))
        }
    }

    fn secret(name: &str, encrypted: &[u8]) -> Piece {
        Piece::Secret {
            name: SecretName::new(name).unwrap(),
            encrypted: encrypted.into(),
            place: Span::whole(&Source::new("globals.yaml", "")),
        }
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.into())
    }

    #[test]
    fn text_and_secrets_stand_in_their_order() {
        let repo = Repo::new();
        let (a, b) = (repo.secret("a", "A"), repo.secret("b", "B"));
        let pieces = vec![a.clone(), text("-"), b, text("="), a, text("\n")];
        assert_eq!(repo.compose(pieces).unwrap().expose(), b"A-B=A\n");
        assert_eq!(repo.compose(Vec::new()).unwrap().expose(), b"");
    }

    /// The content of the one file of a site whose variable `p` is sensitive, and not encrypted.
    fn sensitive() -> SealedContent {
        use holdfast_catalog::site::Entry;
        use holdfast_catalog::{HostInput, Site, Snapshot};

        let mut snapshot = Snapshot::default();
        for (path, text) in [
            ("variables.yaml", "variables: { p: { sensitive: true } }\n"),
            ("hosts/h.yaml", "roles: [r]\nvars: { p: hunter2 }\n"),
            (
                "roles/r/role.yaml",
                "resources: [{ file: /p, content: 'p={{ p }}' }]\n",
            ),
        ] {
            let text = Entry::Text(text.as_bytes().into());
            snapshot.files.insert(path.to_owned(), text);
        }
        let site = Site::parse(&snapshot).unwrap();
        let compiled = site.compile(&HostInput::new("h".parse().unwrap())).unwrap();
        compiled.sealed.into_values().next().unwrap()
    }

    #[test]
    fn what_is_sensitive_and_not_encrypted_needs_no_key() {
        let whole = compose(&sensitive(), &Opened::new(&Repo::new().keyring));
        assert_eq!(whole.unwrap().expose(), b"p=hunter2");
        assert!(!format!("{:?}", sensitive()).contains("hunter2"));
    }

    #[test]
    fn all_that_is_wrong_is_told_by_name_and_nothing_is_shown() {
        let (repo, other) = (Repo::new(), Repo::new());
        let pieces = vec![
            repo.secret("good", "hunter2"),
            other.secret("foreign", "hunter2"),
            secret("plain", b"hunter2"),
            secret("plain", b"hunter2"),
        ];
        let wrong = repo.compose(pieces).unwrap_err();
        let told: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("secret:foreign cannot be opened: none of its 1 recipients"));
        assert_eq!(told[1], "secret:plain cannot be opened: it is no age file");
        assert!(!format!("{wrong:?} {told:?}").contains("hunter2"));
    }

    #[test]
    fn what_secrets_make_too_long_is_refused() {
        let repo = Repo::new();
        let half = repo.secret("half", &"x".repeat(MAX_SEALED / 2));
        repo.compose(vec![half.clone(), half.clone()]).unwrap();
        let wrong = repo.compose(vec![half.clone(), half, text("+")]);
        let size = MAX_SEALED + 1;
        assert_eq!(wrong.unwrap_err(), [ComposeError::TooLarge { size }]);
    }
}
