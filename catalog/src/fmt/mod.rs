//! The form of a YAML file: two blanks a level, no white space at the end of lines, one empty line
//! at most, a newline at the end.
//!
//! Nothing but white space around lines is touched, so comments, quotes, anchors and what is
//! encrypted stay as they are. That the file means what it meant is proven each time: both texts
//! are read, and where they differ nothing is formatted. What is formatted once stays so.

mod layout;
mod same;

use std::sync::Arc;

use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span};
use crate::site::yaml;

/// The formatted text of a file; what is wrong where it cannot be read, or cannot be formatted
/// without a change of what it means.
pub fn formatted(path: &str, text: &str) -> Result<String, Diagnostics> {
    let source = Source::new(path, text);
    let before = read(&source)?;
    let formatted = layout::laid_out(text);
    let new = Source::new(path, formatted.as_str());
    let means_the_same = yaml::parse(&new).is_ok_and(|after| same::same(&before, &after));
    let settled = layout::laid_out(&formatted) == formatted;
    match means_the_same && same::same_words(text, &formatted) && settled {
        true => Ok(formatted),
        false => Err(refused(&source)),
    }
}

fn read(source: &Arc<Source>) -> Result<yaml::Node, Diagnostics> {
    yaml::parse(source).map_err(|told| {
        let mut wrong = Diagnostics::new();
        told.into_iter().for_each(|one| wrong.push(one));
        wrong.sorted()
    })
}

fn refused(source: &Arc<Source>) -> Diagnostics {
    let message = format!(
        "{} cannot be indented otherwise without a change of what it means",
        source.path()
    );
    let told = Diagnostic::new(Code::Yaml, message, &Span::whole(source));
    told.help("it is left as it is; write multi-line values as blocks (`|`) to have it formatted")
        .into()
}

#[cfg(test)]
mod tests;
