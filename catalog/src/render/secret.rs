//! A secret in an expression: a handle that can be handed on and printed, and nothing else.
//!
//! What prints is a *mark*: the number of the secret between two noncharacters, together with a
//! nonce that is made of everything the host compiles from. Facts cannot hold a mark, for their
//! text would have to hold a digest of itself; repo text cannot, for the same reason. When a
//! program is done, its text is taken apart at its marks again; one that is not whole is an error.

use std::fmt::Write as _;
use std::sync::Arc;

use holdfast_schemas::Digest;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};

use crate::sealed::{Piece, SealedContent};
use crate::site::{Secret, Veiled};

/// What a mark begins and ends with: noncharacters, which text of the world does not hold.
const OPEN: char = '\u{FDD0}';
const CLOSE: char = '\u{FDD1}';

/// Under which name the nonce of a host stands in its scope. No program can write it.
pub(crate) const NONCE: &str = "\u{0}nonce";

/// Marks the error of something that cannot be done with a secret; what is wrong follows, and
/// behind a NUL what to do.
pub(super) const UNSEEN: &str = "\u{0}secret ";

/// Marks the error of a secret that facts choose, in the same way.
pub(super) const CHOSEN: &str = "\u{0}chosen ";

/// What stands for text with secrets in it.
#[derive(Clone)]
pub(crate) struct Handle {
    parts: Arc<[Part]>,
}

#[derive(Clone)]
enum Part {
    Text(Arc<str>),
    Secret(usize, Arc<Secret>),
}

impl Handle {
    /// One secret, by its number among those of the site.
    pub(super) fn of(number: usize, secret: &Arc<Secret>) -> Self {
        Self {
            parts: [Part::Secret(number, Arc::clone(secret))].into(),
        }
    }

    /// The handle that a value is.
    pub(crate) fn in_value(value: &Value) -> Option<&Self> {
        value.downcast_object_ref()
    }

    /// As a value of expressions.
    pub(crate) fn into_value(self) -> Value {
        Value::from_object(self)
    }

    /// Its secrets, as a message names them.
    pub(crate) fn names(&self) -> String {
        let content = self.content();
        let mut names = content.secrets().into_iter();
        let first = names.next().map(|name| name.to_string());
        match (first, names.len()) {
            (Some(first), 0) => first,
            (Some(first), more) => format!("{first} and {more} more"),
            (None, _) => String::new(),
        }
    }

    /// What it is, where it is nothing but what is sensitive and not encrypted.
    pub(crate) fn plain(&self) -> Option<Value> {
        match &*self.parts {
            [Part::Secret(_, secret)] => match &secret.held {
                Veiled::Plain(plain) => Some(plain.value().clone()),
                Veiled::Encrypted(_) => None,
            },
            _ => None,
        }
    }

    /// Whether it is one secret that the repo holds encrypted, and nothing around it.
    pub(crate) fn is_encrypted(&self) -> bool {
        match &*self.parts {
            [Part::Secret(_, secret)] => matches!(secret.held, Veiled::Encrypted(_)),
            _ => false,
        }
    }

    /// Whether it is the same text with the same secrets, as far as ciphertexts tell.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.content().draft() == other.content().draft()
    }

    /// The content that it is.
    pub(crate) fn content(&self) -> SealedContent {
        let pieces = self.parts.iter().map(|part| match part {
            Part::Text(text) => Piece::Text(Arc::clone(text)),
            Part::Secret(_, secret) => Piece::of(secret),
        });
        SealedContent {
            pieces: pieces.collect(),
        }
    }

    /// Its text, with marks.
    pub(super) fn marked(&self, state: &State<'_, '_>) -> String {
        let nonce = state.lookup(NONCE);
        let nonce = nonce.as_ref().and_then(Value::as_str).unwrap_or_default();
        let mut text = String::new();
        for part in &*self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Secret(number, _) => {
                    let _ = write!(text, "{OPEN}{nonce}{number}{CLOSE}");
                }
            }
        }
        text
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.names())
    }
}

impl Object for Handle {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(Value::from(unseen(&self.names(), "looked into")))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        Err(unseen(&self.names(), "called"))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        Err(unseen(&self.names(), &format!("changed by `{method}`")))
    }

    /// Text that no program should have asked for. It is marked, but not as printing does, so
    /// that content with it in it is refused.
    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Secret(_, secret) => write!(f, "{OPEN}{}{CLOSE}", secret.name),
        })
    }
}

/// Text for people, where secrets that were not printed are named.
pub(crate) fn unmarked(text: &str) -> String {
    text.replace([OPEN, CLOSE], "")
}

/// Whether text holds what only marks hold. All text of a site with secrets is looked through, and
/// for one character at a time that goes by bytes.
pub(crate) fn is_marked(text: &str) -> bool {
    text.contains(OPEN) || text.contains(CLOSE)
}

/// The nonce of a host, from everything that it compiles from.
pub(crate) fn nonce<'a>(
    secrets: &'a [Arc<Secret>],
    ingredients: impl IntoIterator<Item = &'a [u8]>,
) -> Arc<str> {
    let mut hasher = holdfast_schemas::Hasher::new();
    let encrypted = secrets.iter().map(|secret| secret.held.bytes());
    for bytes in encrypted.chain(ingredients) {
        hasher.update(Digest::of(bytes).as_bytes());
    }
    let digest = hasher.finish();
    let mut nonce = String::with_capacity(2 * digest.as_bytes().len() + 1);
    for byte in digest.as_bytes() {
        let _ = write!(nonce, "{byte:02x}");
    }
    nonce.push(':');
    nonce.into()
}

/// Text that holds a mark which is not whole.
#[derive(Debug)]
pub(super) struct Altered;

/// What stands for text with marks in it; `None` for text without.
pub(super) fn taken_apart(
    text: &str,
    nonce: &str,
    secrets: &[Arc<Secret>],
) -> Result<Option<Handle>, Altered> {
    if !is_marked(text) {
        return Ok(None);
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find([OPEN, CLOSE]) {
        let (plain, mark) = rest.split_at(at);
        if !plain.is_empty() {
            parts.push(Part::Text(plain.into()));
        }
        let inner = mark
            .strip_prefix(OPEN)
            .and_then(|mark| mark.split_once(CLOSE));
        let (inner, after) = inner.ok_or(Altered)?;
        let number = inner.strip_prefix(nonce).filter(|_| !nonce.is_empty());
        let number: Option<usize> = number.and_then(|number| number.parse().ok());
        let secret = number.and_then(|number| Some((number, secrets.get(number)?)));
        let (number, secret) = secret.ok_or(Altered)?;
        parts.push(Part::Secret(number, Arc::clone(secret)));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.into()));
    }
    Ok(Some(Handle {
        parts: parts.into(),
    }))
}

/// Refuses to do something with a secret.
pub(super) fn unseen(names: &str, done: &str) -> Error {
    let message = format!(
        "{UNSEEN}{names} cannot be {done}: what it is is not known while compiling\u{0}\
         print it as it is, or hand it on; what has to be known goes into a variable of its own"
    );
    Error::new(ErrorKind::InvalidOperation, message)
}
