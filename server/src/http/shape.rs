//! The shape of a JSON text, looked at before it is parsed: how deep it nests, and how many values
//! it holds. Two bytes of text can become thirty in memory, and what nests as deep as our parser
//! allows could not be read back from inside a record.

/// Deepest nesting accepted. A report has six levels; facts may add a good deal of their own.
const MAX_DEPTH: usize = 32;

/// Most values in one document: an inventory of a hundred thousand packages.
const MAX_VALUES: usize = 500_000;

/// Why a text is not parsed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misshapen {
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("it holds more than {MAX_VALUES} values")]
    TooMany,
}

/// Looks at a text. What is no JSON passes or not: the parser has the last word.
pub(super) fn check(text: &[u8]) -> Result<(), Misshapen> {
    let (mut depth, mut values) = (0_usize, 0_usize);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'[' | b'{' => (depth, values) = (depth + 1, values + 1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Misshapen::TooDeep);
        }
        if values > MAX_VALUES {
            return Err(Misshapen::TooMany);
        }
    }
    Ok(())
}

/// To behind the quotation mark that ends it.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }

    #[test]
    fn depth_and_number_are_bounded() {
        assert_eq!(check(nested(MAX_DEPTH).as_bytes()), Ok(()));
        assert_eq!(
            check(nested(MAX_DEPTH + 1).as_bytes()),
            Err(Misshapen::TooDeep)
        );
        let wide = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert_eq!(check(wide.as_bytes()), Err(Misshapen::TooMany));
        let many = nested(2).repeat(MAX_DEPTH);
        assert_eq!(check(many.as_bytes()), Ok(()), "one after another");
    }

    #[test]
    fn what_stands_in_strings_does_not_count() {
        let brackets = "[".repeat(1000);
        for text in [
            format!("{{\"diff\": \"{brackets}\"}}"),
            format!("[\"\\\"{brackets}\"]"),
            format!("[\"\\\\\", \"{brackets}\"]"),
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
        let outside = format!("[\"\\\\\"{brackets}");
        assert_eq!(check(outside.as_bytes()), Err(Misshapen::TooDeep));
    }
}
