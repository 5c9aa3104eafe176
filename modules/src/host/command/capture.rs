//! What is kept of a program's output: its first and its last bytes, and how many there were
//! between. Where a program fails, one of the two says why.

use std::collections::VecDeque;

/// How much of the beginning is kept, and how much of the end, in bytes.
const KEPT: usize = 64 * 1024;

/// The beginning and the end of a stream.
#[derive(Debug, Default)]
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    lost: u64,
}

impl Capture {
    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) {
        let room = KEPT - self.head.len();
        let (first, rest) = piece.split_at(room.min(piece.len()));
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..over);
        self.lost += over as u64;
    }

    /// Whether something between was dropped.
    pub(super) fn is_cut(&self) -> bool {
        self.lost > 0
    }

    /// What was kept, as text; where something was dropped, a line says how much.
    pub(super) fn into_text(self) -> String {
        let tail = Vec::from(self.tail);
        if self.lost == 0 {
            return String::from_utf8_lossy(&[self.head, tail].concat()).into_owned();
        }
        format!(
            "{}\n[{} bytes left out here]\n{}",
            String::from_utf8_lossy(&self.head),
            self.lost,
            String::from_utf8_lossy(&tail),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_whole() {
        let mut capture = Capture::default();
        capture.take(b"one ");
        capture.take(b"two");
        assert!(!capture.is_cut());
        assert_eq!(capture.into_text(), "one two");
    }

    #[test]
    fn long_output_keeps_both_ends_and_says_what_is_missing() {
        let mut capture = Capture::default();
        capture.take(b"begin");
        for _ in 0..10 {
            capture.take(&[b'x'; KEPT]);
        }
        capture.take(b"end");
        assert!(capture.is_cut());
        let text = capture.into_text();
        assert!(text.starts_with("beginxxx") && text.ends_with("xxxend"));
        assert!(text.contains("bytes left out here"));
        assert!(text.len() < 3 * KEPT);
    }
}
