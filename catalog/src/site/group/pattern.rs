//! A pattern of host names: `*`, `?`, and ranges as Ansible writes them, `web-[01:20].js`.
//!
//! Nothing is listed: a name is held against the pattern, so `db-[1:1000000]` costs as much as
//! `db-1`. The work is bounded by the length of the pattern times that of the name.

use holdfast_schemas::MAX_HOST_NAME;

/// Most digits of a number in a range: all of these fit into 64 bits.
const MAX_DIGITS: usize = 18;

/// A pattern of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    /// `*`
    Any,
    /// `?`
    One,
    Numbers(Numbers),
    Letters {
        from: u8,
        to: u8,
        step: u64,
    },
}

/// `[01:20]`, `[1:20:2]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Numbers {
    from: u64,
    to: u64,
    step: u64,
    /// How many digits each has, where the range is written with leading zeros.
    width: Option<usize>,
}

/// Why a text is no pattern, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoPattern {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl NoPattern {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Whether a text is more than the name of one host.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', ']', '{', '}'])
}

/// Whether a pattern, as groups list their hosts by, describes a name; one that is none does not.
pub fn glob(pattern: &str, name: &str) -> bool {
    Pattern::parse(pattern).is_ok_and(|pattern| pattern.holds(name))
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, NoPattern> {
        if text.len() > MAX_HOST_NAME {
            let message = format!("a pattern has at most {MAX_HOST_NAME} bytes");
            return Err(NoPattern::new(message, "write several shorter ones"));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end = match first {
                '*' => {
                    pieces.push(Piece::Any);
                    1
                }
                '?' => {
                    pieces.push(Piece::One);
                    1
                }
                '[' => {
                    let inner = rest[1..].split_once(']').map(|(inner, _)| inner);
                    let inner = inner.ok_or_else(|| unclosed(text))?;
                    pieces.push(range(inner)?);
                    inner.len() + 2
                }
                '{' | '}' | ']' => return Err(braces(text, rest)),
                _ => {
                    let end = rest.find(['*', '?', '[', ']', '{', '}']);
                    let end = end.unwrap_or(rest.len());
                    pieces.push(Piece::Text(plain(&rest[..end])?.into()));
                    end
                }
            };
            rest = &rest[end..];
        }
        Ok(Self { pieces })
    }

    /// Whether it holds for every name.
    pub(crate) fn is_everybody(&self) -> bool {
        !self.pieces.is_empty() && self.pieces.iter().all(|piece| *piece == Piece::Any)
    }

    /// Whether it is made of what addresses are made of, as `10.1.*` is.
    pub(crate) fn is_of_addresses(&self) -> bool {
        let mut digits = false;
        let fits = self.pieces.iter().all(|piece| match piece {
            Piece::Text(text) => {
                digits |= text.contains(|c: char| c.is_ascii_digit());
                text.chars().all(|c| c.is_ascii_digit() || c == '.')
            }
            Piece::Any | Piece::One | Piece::Numbers(_) => true,
            Piece::Letters { .. } => false,
        });
        fits && digits
    }

    /// Whether it holds for a name.
    pub(crate) fn holds(&self, name: &str) -> bool {
        let name = name.as_bytes();
        // The places of the name that the pieces so far can lead to.
        let mut reached = vec![false; name.len() + 1];
        reached[0] = true;
        for piece in &self.pieces {
            let mut next = vec![false; name.len() + 1];
            for (at, _) in reached.iter().enumerate().filter(|(_, here)| **here) {
                piece.lead(name, at, &mut next);
                // What stands behind the first place is there already.
                if *piece == Piece::Any {
                    break;
                }
            }
            reached = next;
        }
        reached[name.len()]
    }
}

impl Piece {
    /// Marks where the name can go on behind this piece, from a place on.
    fn lead(&self, name: &[u8], at: usize, next: &mut [bool]) {
        match self {
            Self::Text(text) => {
                if name[at..].starts_with(text.as_bytes()) {
                    next[at + text.len()] = true;
                }
            }
            Self::Any => next[at..].fill(true),
            Self::One => {
                if at < name.len() {
                    next[at + 1] = true;
                }
            }
            Self::Letters { from, to, step } => {
                if let Some(letter) = name.get(at)
                    && (*from..=*to).contains(letter)
                    && u64::from(letter - from).is_multiple_of(*step)
                {
                    next[at + 1] = true;
                }
            }
            Self::Numbers(numbers) => numbers.lead(name, at, next),
        }
    }
}

impl Numbers {
    fn lead(&self, name: &[u8], at: usize, next: &mut [bool]) {
        let digits = name[at..].iter().take(MAX_DIGITS);
        let mut value: u64 = 0;
        for (place, digit) in digits.take_while(|byte| byte.is_ascii_digit()).enumerate() {
            value = value * 10 + u64::from(digit - b'0');
            let length = place + 1;
            let written = match self.width {
                // Longer numbers than the range is written with follow where it goes beyond them.
                Some(width) => length == width || (length > width && name[at] != b'0'),
                None => length == 1 || name[at] != b'0',
            };
            let within = (self.from..=self.to).contains(&value);
            if written && within && (value - self.from).is_multiple_of(self.step) {
                next[at + length] = true;
            }
        }
    }
}

/// The text of a pattern outside of its wildcards.
fn plain(text: &str) -> Result<&str, NoPattern> {
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '-' | '_' | ':');
    match text.chars().find(|c| !allowed(*c)) {
        None => Ok(text),
        Some(upper) if upper.is_ascii_uppercase() => Err(NoPattern::new(
            format!("no host name has a capital letter, as in `{text}`"),
            format!("write `{}`", text.to_ascii_lowercase()),
        )),
        Some('!') => Err(NoPattern::new(
            format!("no host name has a `!`, as in `{text}`"),
            "who is not to be in the group goes under `exclude:`",
        )),
        Some(other) => Err(NoPattern::new(
            format!("no host name has a `{other}`, as in `{text}`"),
            "a name has lower-case letters, digits, `.`, `-`, `_` and `:`",
        )),
    }
}

fn range(inner: &str) -> Result<Piece, NoPattern> {
    let help =
        "a range is `[1:20]`, `[01:20]` with leading zeros, `[a:f]`, or `[1:20:2]` with steps";
    let none = || NoPattern::new(format!("`[{inner}]` is no range"), help);
    let mut parts = inner.split(':');
    let (Some(from), Some(to)) = (parts.next(), parts.next()) else {
        return Err(none());
    };
    let step = match parts.next() {
        None => 1,
        Some(step) => step
            .parse()
            .ok()
            .filter(|step| *step > 0)
            .ok_or_else(none)?,
    };
    if parts.next().is_some() {
        return Err(none());
    }
    let backwards = || NoPattern::new(format!("the range `[{inner}]` holds nothing"), help);
    if let ([from @ b'a'..=b'z'], [to @ b'a'..=b'z']) = (from.as_bytes(), to.as_bytes()) {
        return match from <= to {
            true => Ok(Piece::Letters {
                from: *from,
                to: *to,
                step,
            }),
            false => Err(backwards()),
        };
    }
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let short = text.len() <= MAX_DIGITS;
        text.parse::<u64>().ok().filter(|_| digits && short)
    };
    let (first, last) = number(from).zip(number(to)).ok_or_else(none)?;
    if first > last {
        return Err(backwards());
    }
    let padded = from.len() > 1 && from.starts_with('0');
    Ok(Piece::Numbers(Numbers {
        from: first,
        to: last,
        step,
        width: padded.then_some(from.len()),
    }))
}

fn unclosed(text: &str) -> NoPattern {
    NoPattern::new(
        format!("a range in `{text}` has no end"),
        "a range is written `[1:20]`",
    )
}

/// What shells write as `{01..20}` and `{a,b}`.
fn braces(text: &str, rest: &str) -> NoPattern {
    let inner = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let help = match inner {
        Some((inner, _)) if inner.contains("..") => {
            let range = format!("[{}]", inner.replace("..", ":"));
            format!(
                "write `{}`",
                text.replacen(&format!("{{{inner}}}"), &range, 1)
            )
        }
        Some((inner, _)) if inner.contains(',') => "write one entry for each".to_owned(),
        _ => "a range is written `[1:20]`".to_owned(),
    };
    NoPattern::new(format!("`{text}` is no pattern of host names"), help)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn holds(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().holds(name)
    }

    #[test]
    fn stars_and_question_marks() {
        assert!(holds("web-*", "web-1.js"));
        assert!(holds("*.js", "web-1.js"));
        assert!(holds("*e*1*", "web-1.js"));
        assert!(holds("db-?", "db-1"));
        assert!(!holds("db-?", "db-10"));
        assert!(!holds("web", "web-1"));
        assert!(holds("*", "anything"));
        assert!(holds("w**s", "web-1.js"));
    }

    #[test]
    fn ranges_count_as_they_are_written() {
        for (pattern, inside, outside) in [
            (
                "web-[01:20].js",
                &["web-01.js", "web-20.js"][..],
                &["web-1.js", "web-21.js", "web-001.js"][..],
            ),
            (
                "web-[1:20]",
                &["web-1", "web-20"],
                &["web-01", "web-0", "web-21"],
            ),
            ("web-[8:12]", &["web-8", "web-12"], &["web-08", "web-7"]),
            (
                "web-[08:120]",
                &["web-08", "web-99", "web-120"],
                &["web-8", "web-099"],
            ),
            (
                "rack-[a:c]-[1:3:2]",
                &["rack-a-1", "rack-c-3"],
                &["rack-d-1", "rack-a-2"],
            ),
            ("10.0.0.[1:9]", &["10.0.0.4"], &["10.0.0.10"]),
            ("*[1:3]*", &["a2b", "a13"], &["a4b"]),
            ("n[0:1000000000]", &["n0", "n999999999"], &["n1000000001"]),
        ] {
            for name in inside {
                assert!(holds(pattern, name), "{pattern} {name}");
            }
            for name in outside {
                assert!(!holds(pattern, name), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern_says_what_to_write() {
        for (text, help) in [
            ("web-{01..20}.js", "write `web-[01:20].js`"),
            ("web-[20:1]", "a range is"),
            ("web-[1-20]", "a range is"),
            ("web-[1:20", "a range is"),
            ("web-[1:20:0]", "a range is"),
            ("Web-*", "write `web-`"),
            ("!web-*", "under `exclude:`"),
            ("{a,b}", "one entry for each"),
        ] {
            let told = Pattern::parse(text).expect_err(text);
            assert!(told.help.contains(help), "{text}: {}", told.help);
        }
    }

    #[test]
    fn many_stars_cost_little() {
        let pattern = "*a".repeat(100);
        assert!(!holds(&pattern, &"a".repeat(99)));
        assert!(holds(&pattern, &"a".repeat(250)));
    }
}
