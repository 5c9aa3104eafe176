//! `REV..REV`: which two states of a site are compared.

use std::str::FromStr;

/// The revision that stands where none is named.
const HEAD: &str = "HEAD";

/// Two states of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    /// A revision.
    pub(super) before: String,
    /// A revision; the working tree where there is none.
    pub(super) after: Option<String>,
}

impl Default for Range {
    /// The last commit against the working tree: what a commit of everything would change.
    fn default() -> Self {
        Self {
            before: HEAD.to_owned(),
            after: None,
        }
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let or_head = |text: &str| match text {
            "" => HEAD.to_owned(),
            revision => revision.to_owned(),
        };
        if text.is_empty() || text.contains("...") {
            return Err("write REV..REV, or REV against the working tree".to_owned());
        }
        Ok(match text.split_once("..") {
            None => Self {
                before: text.to_owned(),
                after: None,
            },
            Some((before, after)) => Self {
                before: or_head(before),
                after: Some(or_head(after)),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Option<String>)> {
        let range = text.parse::<Range>().ok()?;
        Some((range.before, range.after))
    }

    #[test]
    fn a_range_is_written_as_in_git() {
        let both = |before: &str, after: &str| Some((before.to_owned(), Some(after.to_owned())));
        assert_eq!(read("a..b"), both("a", "b"));
        assert_eq!(read("v1.2..main~3"), both("v1.2", "main~3"));
        assert_eq!(read("a.."), both("a", "HEAD"));
        assert_eq!(read("..b"), both("HEAD", "b"));
        assert_eq!(read("a"), Some(("a".to_owned(), None)));
        assert_eq!(read(""), None);
        assert_eq!(read("a...b"), None);
    }
}
