//! Tables for people: plain columns, and in front of each row a dot whose colour says how it is.

use comfy_table::Table;
use comfy_table::presets;
use owo_colors::OwoColorize;

/// How what a row tells is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As wanted.
    Good,
    /// Worth a look.
    Notable,
    /// Wrong.
    Bad,
    /// Nothing known.
    Quiet,
}

const DOT: &str = "●";

/// Rows under headings.
pub(crate) struct Listing {
    table: Table,
    tones: Vec<Tone>,
}

impl Listing {
    pub(crate) fn new(headings: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(std::iter::once(" ").chain(headings.iter().copied()));
        Self {
            table,
            tones: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, tone: Tone, cells: impl IntoIterator<Item = String>) {
        // A cell is one line, for the row is found again by its line; and what a host says must
        // not steer the reader's terminal.
        let cells = cells
            .into_iter()
            .map(|cell| cell.replace(char::is_control, " "));
        self.table
            .add_row(std::iter::once(DOT.to_owned()).chain(cells));
        self.tones.push(tone);
    }

    /// The table as text with ANSI colours.
    pub(crate) fn draw(&self) -> String {
        let mut text = String::new();
        for (place, line) in self.table.lines().enumerate() {
            let line = line.trim_end();
            let tone = place.checked_sub(1).and_then(|row| self.tones.get(row));
            let drawn = match tone {
                None => line.bold().to_string(),
                Some(tone) => line.replacen(DOT, &dot(*tone), 1),
            };
            text.push_str(&drawn);
            text.push('\n');
        }
        text
    }
}

fn dot(tone: Tone) -> String {
    match tone {
        Tone::Good => DOT.green().to_string(),
        Tone::Notable => DOT.yellow().to_string(),
        Tone::Bad => DOT.red().to_string(),
        Tone::Quiet => DOT.dimmed().to_string(),
    }
}
