//! Lays lines out anew: where each begins follows from the blocks that it stands in.

use granit_parser::{ScalarStyle, Scanner, StrInput, TokenType};

/// How much deeper a block stands than what it belongs to.
const STEP: usize = 2;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    /// Empty, or a comment.
    Loose,
    /// It begins something that stands in a block; it goes to this column.
    Begins(usize),
    /// It goes on with what began in another line, and moves with that.
    GoesOn(usize),
    /// A line of a block of text: what is `base` deep goes to `new`.
    Text { base: usize, new: usize },
}

/// A block: the column of its keys or dashes as written, and anew.
struct Block {
    old: usize,
    new: usize,
}

/// The lines of a text with what each is.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    lines: Vec<&'t str>,
    roles: Vec<Role>,
    blocks: Vec<Block>,
    /// Where the outermost open bracket stands.
    brackets: Vec<usize>,
}

/// The text laid out anew. It means the same wherever the scanner reads all of it.
pub(super) fn laid_out(text: &str) -> String {
    let mut lines = Lines::of(text);
    lines.scan();
    lines.drawn()
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let lines: Vec<&str> = text.split('\n').collect();
        let mut starts = Vec::with_capacity(lines.len());
        let mut at = 0;
        for line in &lines {
            starts.push(at);
            at += line.len() + 1;
        }
        let lines: Vec<&str> = lines
            .into_iter()
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .collect();
        Self {
            text,
            roles: vec![Role::Loose; lines.len()],
            starts,
            lines,
            blocks: Vec::new(),
            brackets: Vec::new(),
        }
    }

    fn scan(&mut self) {
        for token in Scanner::new(StrInput::new(self.text)).map_while(Result::ok) {
            let Some(range) = token.span().byte_range() else {
                continue;
            };
            // Whether comments are tokens depends on how the scanner was built.
            if self.text[range.start..].starts_with('#') {
                continue;
            }
            match token.token_type() {
                TokenType::BlockMappingStart | TokenType::BlockSequenceStart => {
                    self.block(range.start);
                }
                TokenType::BlockEnd => drop(self.blocks.pop()),
                // Its place is behind the dash.
                TokenType::BlockEntry => {
                    let dash = self.text[..range.start].trim_end().strip_suffix('-');
                    if let Some(before) = dash {
                        self.begins(before.len());
                    }
                }
                other => {
                    if !range.is_empty() {
                        self.begins(range.start);
                    }
                    match other {
                        TokenType::FlowSequenceStart | TokenType::FlowMappingStart => {
                            self.brackets.push(self.line_of(range.start));
                        }
                        TokenType::FlowSequenceEnd | TokenType::FlowMappingEnd => {
                            self.brackets.pop();
                        }
                        TokenType::Scalar(ScalarStyle::Literal | ScalarStyle::Folded, _) => {
                            self.text_block(range.start, range.end);
                        }
                        TokenType::Scalar(..) => self.goes_on(range.start, range.end),
                        _ => {}
                    }
                }
            }
        }
    }

    fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at) - 1
    }

    fn column(&self, at: usize) -> usize {
        at - self.starts[self.line_of(at)]
    }

    fn is_first(&self, at: usize) -> bool {
        let line = self.line_of(at);
        indent(self.lines[line]) == at - self.starts[line]
    }

    /// A block begins: below what it belongs to, or in its line, behind a dash.
    fn block(&mut self, at: usize) {
        let old = self.column(at);
        let new = match self.is_first(at) {
            true => self.blocks.last().map_or(0, |around| around.new + STEP),
            false => self.moved(self.line_of(at), old),
        };
        self.blocks.push(Block { old, new });
    }

    /// Something begins; where it is the first in its line, it says where that goes.
    fn begins(&mut self, at: usize) {
        let line = self.line_of(at);
        if !self.is_first(at) || self.roles[line] != Role::Loose {
            return;
        }
        let column = self.column(at);
        self.roles[line] = match (self.brackets.first(), self.blocks.last()) {
            (Some(begun), _) => Role::GoesOn(*begun),
            (None, None) => Role::Begins(0),
            (None, Some(block)) if block.old == column => Role::Begins(block.new),
            (None, Some(block)) => Role::Begins(block.new + STEP),
        };
    }

    /// A value of several lines, quoted or not.
    fn goes_on(&mut self, start: usize, end: usize) {
        let first = self.line_of(start);
        for line in first + 1..=self.line_of(end) {
            self.roles[line] = Role::GoesOn(first);
        }
    }

    /// A block of text; its lines stand a step below what it belongs to, unless its header says
    /// how deep they are.
    fn text_block(&mut self, start: usize, end: usize) {
        // Its place begins with its first line that is not empty; the header stands above.
        let above = (0..self.line_of(start)).rev();
        let mut above = above.skip_while(|line| self.lines[*line].trim().is_empty());
        let Some(first) = above.next() else { return };
        // Its end may be where the next thing begins.
        let last = self.line_of(end);
        let last = match self.text[self.starts[last]..end].trim().is_empty() {
            true => last.saturating_sub(1),
            false => last,
        };
        let header = self.lines[first].rsplit(['|', '>']).next();
        let said = header.is_some_and(|header| header.starts_with(['-', '+']) && header.len() > 1)
            || header.is_some_and(|header| header.starts_with(|c: char| c.is_ascii_digit()));
        let mut content = (first + 1..=last).filter(|line| !self.lines[*line].trim().is_empty());
        let Some(begin) = content.next() else { return };
        let (base, new) = match (self.blocks.last(), said) {
            (None, _) => (0, 0),
            (Some(around), true) => (around.old, around.new),
            (Some(around), false) => (indent(self.lines[begin]), around.new + STEP),
        };
        for line in first + 1..=last {
            self.roles[line] = Role::Text { base, new };
        }
    }

    /// Where a column of a line goes.
    fn moved(&self, line: usize, column: usize) -> usize {
        let old = indent(self.lines[line]);
        (self.place(line) + column).saturating_sub(old)
    }

    /// The column that a line goes to.
    fn place(&self, line: usize) -> usize {
        let old = indent(self.lines[line]);
        match self.roles[line] {
            Role::Loose => old,
            Role::Begins(new) => new,
            Role::GoesOn(begun) => self.moved(begun, old),
            Role::Text { base, new } => (old + new).saturating_sub(base),
        }
    }

    /// The column of a comment: that of what it stands above, or of what it stands below and as
    /// deep as.
    fn comment(&self, line: usize) -> usize {
        let old = indent(self.lines[line]);
        let begins = |line: &usize| matches!(self.roles[*line], Role::Begins(_));
        let next = (line + 1..self.lines.len()).find(begins);
        if let Some(next) = next.filter(|next| indent(self.lines[*next]) == old) {
            return self.place(next);
        }
        let above = (0..line).rev().filter(begins);
        let mut above = above.take_while(|line| indent(self.lines[*line]) >= old);
        let alike = above.find(|line| indent(self.lines[*line]) == old);
        alike.or(next).map_or(0, |line| self.place(line))
    }

    fn drawn(&self) -> String {
        let mut drawn = String::with_capacity(self.text.len());
        let mut empty = true;
        for (number, line) in self.lines.iter().enumerate() {
            let inside = !matches!(self.roles[number], Role::Loose | Role::Begins(_));
            let blank = line.trim().is_empty();
            // One empty line is as good as two, and none stands at the beginning.
            if blank && empty && !inside {
                continue;
            }
            empty = blank && !inside;
            let column = match self.roles[number] {
                Role::Loose => self.comment(number),
                _ => self.place(number),
            };
            let text = match self.roles[number] {
                Role::Text { .. } => &line[indent(line)..],
                _ => line.trim(),
            };
            if !text.is_empty()
                || matches!(self.roles[number], Role::Text { base, .. } if line.len() > base)
            {
                drawn.extend(std::iter::repeat_n(' ', column));
            }
            drawn.push_str(text);
            drawn.push('\n');
        }
        let kept = drawn.trim_end_matches('\n').len();
        let keeps = self.lines.len() > 1 && ends_kept(&self.roles);
        if !keeps {
            drawn.truncate(kept);
            drawn.push('\n');
        }
        drawn
    }
}

/// Whether a text of several lines is the last thing, whose empty lines may count.
fn ends_kept(roles: &[Role]) -> bool {
    let last = roles.iter().rev().nth(1);
    matches!(last, Some(Role::Text { .. }))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}
