//! What `strace -f -y -xx` wrote, as calls with a beginning and an end.

use std::collections::HashMap;

/// A system call that returned.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: String,
    /// The lines at which it began and had returned.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The path behind its first file descriptor, unless that has no name any more.
    pub(super) path: Option<String>,
    /// Its strings, in order.
    pub(super) strings: Vec<Vec<u8>>,
    /// Its last argument, if that is a number.
    pub(super) last: Option<u64>,
    /// All of its arguments, to look for flags.
    pub(super) flags: String,
    /// What it returned.
    pub(super) returned: u64,
}

/// Reads a trace. Calls that failed changed nothing and are left out; those that never returned
/// end at the end.
pub(super) fn read(trace: &str) -> Vec<Call> {
    let mut begun: HashMap<&str, (usize, String)> = HashMap::new();
    let mut calls = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((process, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if rest.starts_with("+++") {
            continue;
        }
        if let Some(half) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(process, (number, half.to_owned()));
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, half) = resumed.split_once(" resumed>").unwrap();
            let (start, text) = begun.remove(process).unwrap();
            calls.extend(call(start, number, &(text + half)));
        } else {
            calls.extend(call(number, number, rest));
        }
    }
    calls.sort_by_key(|call| call.start);
    calls
}

/// One whole call; `None` if it failed or was cut short.
fn call(start: usize, end: usize, text: &str) -> Option<Call> {
    let (text, returned) = text.rsplit_once(" = ")?;
    let digits = returned.split(|c: char| !c.is_ascii_digit()).next()?;
    // A failure is `-1 …`, a kill `?`.
    let returned = digits.parse().ok()?;
    let (name, arguments) = text.split_once('(')?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    // Strings are in hexadecimal and hold no quote themselves.
    let parts: Vec<&str> = arguments.split('"').collect();
    let flags: String = parts.iter().step_by(2).copied().collect();
    let last = flags
        .rsplit(", ")
        .next()
        .and_then(|last| last.trim().parse().ok());
    Some(Call {
        name: name.to_owned(),
        start,
        end,
        path: path(&flags),
        strings: parts
            .iter()
            .skip(1)
            .step_by(2)
            .map(|part| bytes(part))
            .collect(),
        last,
        flags,
        returned,
    })
}

fn path(flags: &str) -> Option<String> {
    let (_, rest) = flags.split_once('<')?;
    let (path, rest) = rest.split_once('>')?;
    let gone = rest.starts_with("(deleted)");
    (!gone).then(|| String::from_utf8(bytes(path)).unwrap())
}

/// Undoes `\x41`.
fn bytes(text: &str) -> Vec<u8> {
    let mut found = Vec::with_capacity(text.len() / 4);
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'\\' && tail.first() == Some(&b'x') {
            let digit = |at: usize| char::from(tail[at]).to_digit(16).unwrap();
            found.push(u8::try_from(digit(1) * 16 + digit(2)).unwrap());
            rest = &tail[3..];
        } else {
            found.push(first);
            rest = tail;
        }
    }
    found
}
