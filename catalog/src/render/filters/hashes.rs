//! Filters that hash: digests, names from digests, passwords.

use minijinja::{Error, Value};
use sha1::Digest as _;

use super::call::{Call, Filter, filter};

mod crypt;

pub(super) const FILTERS: &[Filter] = &[
    filter("checksum", &[], |call| digest(call, "sha1")),
    filter("hash", &["hashtype"], hash),
    filter("md5", &[], |call| digest(call, "md5")),
    filter(
        "password_hash",
        &["hashtype", "salt", "salt_size", "rounds", "ident"],
        password,
    ),
    filter("sha1", &[], |call| digest(call, "sha1")),
    filter("to_uuid", &["namespace"], uuid),
];

/// Ansible's own namespace of names.
const NAMESPACE: &str = "361E6D51-FAEC-444A-9079-341386DA8E2E";

fn hash(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    digest(call, call.text_or("hashtype", "sha1")?)
}

fn digest(call: &Call<'_, '_, '_>, algorithm: &str) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    call.steps(text.len() >> 6)?;
    call.gives(match algorithm {
        "md5" => hex(&md5::Md5::digest(text)),
        "sha1" => hex(&sha1::Sha1::digest(text)),
        "sha224" => hex(&sha2::Sha224::digest(text)),
        "sha256" => hex(&sha2::Sha256::digest(text)),
        "sha384" => hex(&sha2::Sha384::digest(text)),
        "sha512" => hex(&sha2::Sha512::digest(text)),
        other => {
            let known = "md5, sha1, sha224, sha256, sha384, sha512";
            return Err(call.fails(format!("there is no `{other}`: {known}")));
        }
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name that is always the same for one text: a UUID of version 5.
fn uuid(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let namespace = call.text_or("namespace", NAMESPACE)?;
    let digits: String = namespace.chars().filter(|c| *c != '-').collect();
    let bytes: Option<Vec<u8>> = (0..16)
        .map(|place| u8::from_str_radix(digits.get(place * 2..place * 2 + 2)?, 16).ok())
        .collect();
    let bytes = bytes.filter(|_| digits.len() == 32);
    let bytes = bytes.ok_or_else(|| call.fails(format!("`{namespace}` is no UUID")))?;
    let text = call.value_as_text()?;
    call.steps(text.len() >> 6)?;
    let hashed = sha1::Sha1::new()
        .chain_update(bytes)
        .chain_update(text)
        .finalize();
    let mut name = [0; 16];
    name.copy_from_slice(&hashed[..16]);
    name[6] = (name[6] & 0x0f) | 0x50;
    name[8] = (name[8] & 0x3f) | 0x80;
    let digits = hex(&name);
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    call.gives(parts.join("-"))
}

/// A password as `/etc/shadow` has it. Its salt is given: a catalog has no randomness.
fn password(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let kind = match call.text_or("hashtype", "sha512")? {
        "sha512" | "sha512_crypt" => crypt::Kind::Sha512,
        "sha256" | "sha256_crypt" => crypt::Kind::Sha256,
        other => return Err(call.fails(format!("there is no `{other}`: sha512, sha256"))),
    };
    let Some(salt) = call.some("salt") else {
        return Err(call.advises(
            "needs a `salt`: a catalog is the same each time it is compiled",
            "make one of the host's name: `password_hash('sha512', inventory_hostname | \
             hash('sha1') | truncate(16, true, ''))`",
        ));
    };
    let salt = salt
        .as_str()
        .ok_or_else(|| call.wrong("salt", "text", salt))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "./".contains(c);
    if salt.len() > crypt::MAX_SALT || !salt.chars().all(plain) {
        return Err(call.fails("`salt` is at most 16 letters, digits, `.` or `/`"));
    }
    let rounds = call.integer_or("rounds", crypt::DEFAULT_ROUNDS)?;
    if !crypt::ROUNDS.contains(&rounds) {
        return Err(call.fails("`rounds` is between 1000 and 999999999"));
    }
    let password = call.value_as_text()?;
    let rounds = usize::try_from(rounds).unwrap_or(usize::MAX);
    call.steps(rounds.saturating_mul(2 + password.len() / 64))?;
    call.gives(crypt::hashed(kind, (password.as_bytes(), salt), rounds))
}
