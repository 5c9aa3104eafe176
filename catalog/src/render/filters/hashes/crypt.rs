//! Passwords hashed as the C library does with SHA-256 and SHA-512 (`$5$` and `$6$`), after
//! Ulrich Drepper's specification, <https://www.akkadia.org/drepper/SHA-crypt.txt>.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256, Sha512};

/// How often a password is hashed unless it is said.
pub(super) const DEFAULT_ROUNDS: i64 = 5000;

/// What the specification allows.
pub(super) const ROUNDS: RangeInclusive<i64> = 1000..=999_999_999;

/// Longest salt that counts.
pub(super) const MAX_SALT: usize = 16;

/// The order in which the bytes of a digest are written, three to four letters.
const ORDER_512: [u8; 64] = [
    0, 21, 42, 22, 43, 1, 44, 2, 23, 3, 24, 45, 25, 46, 4, 47, 5, 26, 6, 27, 48, 28, 49, 7, 50, 8,
    29, 9, 30, 51, 31, 52, 10, 53, 11, 32, 12, 33, 54, 34, 55, 13, 56, 14, 35, 15, 36, 57, 37, 58,
    16, 59, 17, 38, 18, 39, 60, 40, 61, 19, 62, 20, 41, 63,
];
const ORDER_256: [u8; 32] = [
    0, 10, 20, 21, 1, 11, 12, 22, 2, 3, 13, 23, 24, 4, 14, 15, 25, 5, 6, 16, 26, 27, 7, 17, 18, 28,
    8, 9, 19, 29, 31, 30,
];

const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sha256,
    Sha512,
}

/// The line for `/etc/shadow` of a password and its salt.
pub(super) fn hashed(kind: Kind, (password, salt): (&[u8], &str), rounds: usize) -> String {
    let (mark, digest, order) = match kind {
        Kind::Sha256 => (
            "$5$",
            digest::<Sha256>(password, salt.as_bytes(), rounds),
            ORDER_256.as_slice(),
        ),
        Kind::Sha512 => (
            "$6$",
            digest::<Sha512>(password, salt.as_bytes(), rounds),
            ORDER_512.as_slice(),
        ),
    };
    let rounds = match i64::try_from(rounds) == Ok(DEFAULT_ROUNDS) {
        true => String::new(),
        false => format!("rounds={rounds}$"),
    };
    format!("{mark}{rounds}{salt}${}", letters(&digest, order))
}

/// As many bytes of a digest, again and again, as are asked for.
fn repeated(digest: &[u8], length: usize) -> Vec<u8> {
    digest.iter().copied().cycle().take(length).collect()
}

fn digest<D: Digest>(password: &[u8], salt: &[u8], rounds: usize) -> Vec<u8> {
    let parts = [password, salt, password];
    let inner = parts.into_iter().fold(D::new(), D::chain_update).finalize();
    let mut outer = D::new().chain_update(password).chain_update(salt);
    outer.update(repeated(&inner, password.len()));
    let mut length = password.len();
    while length > 0 {
        match length & 1 {
            1 => outer.update(&inner),
            _ => outer.update(password),
        }
        length >>= 1;
    }
    let mut digest = outer.finalize().to_vec();
    let all = password.iter().map(|_| password);
    let of_password = all.fold(D::new(), D::chain_update).finalize();
    let of_password = repeated(&of_password, password.len());
    let times = 16 + usize::from(digest[0]);
    let of_salt = (0..times)
        .fold(D::new(), |sum, _| sum.chain_update(salt))
        .finalize();
    let of_salt = repeated(&of_salt, salt.len());
    for round in 0..rounds {
        let mut sum = D::new();
        sum.update(if round % 2 == 1 {
            &of_password
        } else {
            &digest
        });
        if round % 3 != 0 {
            sum.update(&of_salt);
        }
        if round % 7 != 0 {
            sum.update(&of_password);
        }
        sum.update(if round % 2 == 1 {
            &digest
        } else {
            &of_password
        });
        digest = sum.finalize().to_vec();
    }
    digest
}

/// Bytes as letters, six bits each, three bytes at a time.
fn letters(digest: &[u8], order: &[u8]) -> String {
    let mut out = String::new();
    for three in order.chunks(3) {
        let byte = |place: &u8| u32::from(digest[usize::from(*place)]);
        let bits = three
            .iter()
            .fold(0, |bits, place| (bits << 8) | byte(place));
        // Three bytes are four letters, two are three, one is two.
        for letter in 0..=three.len() {
            let place = (bits >> (6 * letter)) & 0x3f;
            out.push(char::from(LETTERS[place as usize]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_specification() {
        let password = b"Hello world!".as_slice();
        assert_eq!(
            hashed(Kind::Sha512, (password, "saltstring"), 5000),
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        );
        assert_eq!(
            hashed(Kind::Sha256, (password, "saltstring"), 5000),
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"
        );
        assert_eq!(
            hashed(Kind::Sha256, (password, "saltstringsaltst"), 10000),
            "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"
        );
    }
}
