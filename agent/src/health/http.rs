//! The least of HTTP that tells whether a page is there: one GET over a connection of its own.
//!
//! It asks as HTTP/1.0 does, so that the answer comes unchunked and ends with the connection; it
//! follows no redirect and keeps nothing. What is beyond [`MAX_ANSWER`] is not read.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use holdfast_schemas::health::HttpAddress;

use super::look::connect;

/// How much of an answer is read, in bytes: a page that says whether it is well says so early.
const MAX_ANSWER: usize = 64 * 1024;

/// How much is read at once.
const PIECE: usize = 4 * 1024;

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    /// What follows the head, as far as it was read.
    pub(super) body: String,
}

/// How much of an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Status,
    Body,
}

/// Gets a page.
pub(super) fn get(
    address: &HttpAddress<'_>,
    wanted: Wanted,
    timeout: Duration,
) -> Result<Answer, io::Error> {
    let end = Instant::now() + timeout;
    let (mut stream, _) = connect((address.host, address.port), end)?;
    let request = format!(
        "GET {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: holdfast-agent\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        address.path, address.authority
    );
    stream.set_write_timeout(Some(left(end)?))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; PIECE];
    while answer.len() < MAX_ANSWER && (wanted == Wanted::Body || !answer.contains(&b'\n')) {
        match read(&mut stream, &mut piece, end)? {
            0 => break,
            count => answer.extend_from_slice(&piece[..count]),
        }
    }
    parse(&answer).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the answer is no HTTP"))
}

fn read(stream: &mut TcpStream, piece: &mut [u8], end: Instant) -> Result<usize, io::Error> {
    loop {
        stream.set_read_timeout(Some(left(end)?))?;
        match stream.read(piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(too_late()),
            done => return done,
        }
    }
}

fn left(end: Instant) -> Result<Duration, io::Error> {
    let left = end.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(too_late()),
        false => Ok(left),
    }
}

fn too_late() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "no answer in time")
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(answer);
    let line = text.lines().next()?;
    let mut words = line.split(' ');
    words.next().filter(|word| word.starts_with("HTTP/"))?;
    let status = words.next()?.parse().ok()?;
    let body = text.split_once("\r\n\r\n").or(text.split_once("\n\n"));
    Some(Answer {
        status,
        body: body.map(|(_, body)| body.to_owned()).unwrap_or_default(),
    })
}
