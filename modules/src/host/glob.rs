//! Whether anything is at a path with the shell's wildcards: `*`, `?`, `[a-z]`, `[!a-z]`, and `\`
//! before a character that is meant itself. As in a shell, a leading `.` matches only itself.

use holdfast_schemas::HostPath;

use super::{FileType, HostError, Probe};

/// Whether anything matches.
pub(super) fn any_matches(probe: &dyn Probe, pattern: &str) -> Result<bool, HostError> {
    let Some(rest) = pattern.strip_prefix('/') else {
        return Err(HostError::refused(
            pattern,
            "is no absolute path, which it has to be",
        ));
    };
    let components: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    below(probe, "/", &components)
}

fn below(probe: &dyn Probe, folder: &str, components: &[&str]) -> Result<bool, HostError> {
    let path = |text: &str| -> Result<HostPath, HostError> {
        let refused =
            |error: holdfast_schemas::HostPathError| HostError::refused(text, error.to_string());
        text.parse().map_err(refused)
    };
    let Some((first, rest)) = components.split_first() else {
        return Ok(probe.stat(&path(folder)?)?.is_some());
    };
    let joined = |name: &str| format!("{}/{name}", folder.trim_end_matches('/'));
    if !first.contains(['*', '?', '[', '\\']) {
        return below(probe, &joined(first), rest);
    }
    let folder = path(folder)?;
    if probe.reach(&folder, ".")? != Some(FileType::Directory) {
        return Ok(false);
    }
    for name in probe.list(&folder)? {
        if matches(first, &name) && below(probe, &joined(&name), rest)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether one name matches one component of a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // Where the last star stood and how much of the name it has taken: only that one star ever
    // has to take more, so this is linear in pattern times name.
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match one(&pattern[at..], name[from]) {
            Token::Star => {
                star = Some((at + 1, from));
                at += 1;
            }
            Token::Matches(length) => {
                at += length;
                from += 1;
            }
            Token::Not => {
                let Some((after, taken)) = star else {
                    return false;
                };
                star = Some((after, taken + 1));
                (at, from) = (after, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// What the beginning of a pattern says of one character.
enum Token {
    Star,
    Matches(usize),
    Not,
}

fn one(pattern: &[char], c: char) -> Token {
    let literal = |expected: &char, length| match *expected == c {
        true => Token::Matches(length),
        false => Token::Not,
    };
    match pattern {
        [] => Token::Not,
        ['*', ..] => Token::Star,
        ['?', ..] => Token::Matches(1),
        ['\\', escaped, ..] => literal(escaped, 2),
        ['[', rest @ ..] => class(rest, c).unwrap_or_else(|| literal(&'[', 1)),
        [plain, ..] => literal(plain, 1),
    }
}

/// A class like `a-z]` after its bracket; `None` when it has no end, so that `[` means itself.
fn class(rest: &[char], c: char) -> Option<Token> {
    let (negated, members) = match rest {
        ['!' | '^', members @ ..] => (true, members),
        members => (false, members),
    };
    // A bracket that comes first is a member.
    let end = 1 + members.iter().skip(1).position(|member| *member == ']')?;
    let length = 1 + usize::from(negated) + end + 1;
    let mut left = &members[..end];
    let mut found = false;
    while let [first, after @ ..] = left {
        left = match after {
            ['-', last, beyond @ ..] => {
                found |= (*first..=*last).contains(&c);
                beyond
            }
            _ => {
                found |= *first == c;
                after
            }
        };
    }
    Some(match found != negated {
        true => Token::Matches(length),
        false => Token::Not,
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_match_as_in_a_shell() {
        for (pattern, name) in [
            ("*", "motd"),
            ("*.conf", "a.conf"),
            ("a*b*c", "aXbYbZc"),
            ("?", "é"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]", "]"),
            ("[x", "[x"),
            (r"\*", "*"),
            (".*", ".hidden"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_differs_does_not_match() {
        for (pattern, name) in [
            ("*", ".hidden"),
            ("*.conf", "a.conf.bak"),
            ("?", ""),
            ("[a-c]", "d"),
            ("[!a-c]", "a"),
            (r"\*", "x"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_pattern_times_name() {
        let pattern = "*a".repeat(200);
        assert!(!matches(&pattern, &"b".repeat(20_000)));
    }
}
