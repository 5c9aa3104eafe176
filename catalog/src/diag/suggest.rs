//! The nearest valid name, for a word that looks like a typo.

/// Least similarity (Jaro-Winkler, 0 to 1) at which a name is offered: lets through one or two
/// slips in a word, and not a merely related one.
const SIMILAR: f64 = 0.82;

/// The candidate most like `word`, when one is like it at all; ties go to the first by name.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        if candidate == word {
            continue;
        }
        let score = similarity(word, candidate);
        let better =
            best.is_none_or(|(top, name)| score > top || (score == top && candidate < name));
        if score >= SIMILAR && better {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, name)| name)
}

fn similarity(word: &str, candidate: &str) -> f64 {
    let close = strsim::jaro_winkler(word, candidate);
    match strsim::damerau_levenshtein(word, candidate) {
        0 | 1 => close.max(0.95),
        _ => close,
    }
}

/// ``did you mean `name`?`` for the nearest candidate.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|name| format!("did you mean `{name}`?"))
}

/// A list of names for a help text: all of a few, the first of many.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    /// More names than this are no help to a reader.
    const SHOWN: usize = 12;
    let names: Vec<&str> = names.into_iter().collect();
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len() > SHOWN {
        true => format!("{} and {} more", shown.join(", "), names.len() - SHOWN),
        false => shown.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word() {
        assert_eq!(nearest("onwer", ["group", "owner", "mode"]), Some("owner"));
        assert_eq!(nearest("prot", ["port", "vhosts"]), Some("port"));
        assert_eq!(nearest("zzz", ["port", "vhosts"]), None);
    }
}
