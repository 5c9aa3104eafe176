//! `Range` of a request, as far as we take it: one range of bytes (RFC 9110, 14). Anything else
//! may be answered with the whole, and is.

use axum::http::HeaderValue;

/// What of a blob is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// All of it.
    Whole,
    /// Some of it: at least one byte.
    Part {
        /// The first byte, from 0.
        first: u64,
        /// How many.
        length: u64,
    },
    /// The range lies outside.
    Unsatisfiable,
}

/// Reads the header for a blob of `size` bytes.
pub(super) fn range(header: Option<&HeaderValue>, size: u64) -> Range {
    let parsed = header
        .and_then(|header| header.to_str().ok())
        .and_then(|text| text.trim().strip_prefix("bytes="))
        .and_then(|text| text.trim().split_once('-'));
    let Some((first, last)) = parsed else {
        return Range::Whole;
    };
    match (number(first), number(last)) {
        // The last `count` bytes.
        (Number::Absent, Number::Is(0)) => Range::Unsatisfiable,
        (Number::Absent, Number::Is(_)) if size == 0 => Range::Unsatisfiable,
        (Number::Absent, Number::Is(count)) => Range::Part {
            first: size.saturating_sub(count),
            length: count.min(size),
        },
        (Number::Is(first), Number::Absent) => part(first, u64::MAX, size),
        (Number::Is(first), Number::Is(last)) if first <= last => part(first, last, size),
        _ => Range::Whole,
    }
}

fn part(first: u64, last: u64, size: u64) -> Range {
    if first >= size {
        return Range::Unsatisfiable;
    }
    Range::Part {
        first,
        length: last.min(size - 1) - first + 1,
    }
}

enum Number {
    Absent,
    Is(u64),
    Garbled,
}

fn number(text: &str) -> Number {
    if text.is_empty() {
        return Number::Absent;
    }
    if !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Number::Garbled;
    }
    // More digits than fit lie beyond any blob.
    Number::Is(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_ten(text: &'static str) -> Range {
        range(Some(&HeaderValue::from_static(text)), 10)
    }

    #[test]
    fn one_range_is_taken() {
        let part = |first, length| Range::Part { first, length };
        assert_eq!(of_ten("bytes=0-"), part(0, 10));
        assert_eq!(of_ten("bytes=3-5"), part(3, 3));
        assert_eq!(of_ten("bytes=9-9"), part(9, 1));
        assert_eq!(of_ten("bytes=4-99999999999999999999999"), part(4, 6));
        assert_eq!(of_ten("bytes=-3"), part(7, 3));
        assert_eq!(of_ten("bytes=-30"), part(0, 10));
    }

    #[test]
    fn what_lies_outside_is_refused() {
        for text in [
            "bytes=10-",
            "bytes=10-12",
            "bytes=-0",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(of_ten(text), Range::Unsatisfiable, "{text}");
        }
        let empty = HeaderValue::from_static("bytes=0-");
        assert_eq!(range(Some(&empty), 0), Range::Unsatisfiable);
    }

    #[test]
    fn what_is_no_single_range_of_bytes_gets_the_whole() {
        for text in [
            "bytes=5-3",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=a-b",
            "bytes=-",
            "bytes=+1-2",
            "",
        ] {
            assert_eq!(of_ten(text), Range::Whole, "{text}");
        }
        assert_eq!(range(None, 10), Range::Whole);
    }
}
