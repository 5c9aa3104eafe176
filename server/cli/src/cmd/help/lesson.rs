//! Draws the lesson of a code: what it means, files that give it, and how they are mended.

use std::fmt::Write as _;

use holdfast_catalog::diag::{Code, Lesson, LessonFile, Severity};
use owo_colors::OwoColorize;

/// Every code with its title, a line each.
pub(super) fn listing() -> String {
    let mut text = format!(
        "{}\n",
        "Codes of what is wrong with a site:".bold().underline()
    );
    let width = Code::ALL.iter().map(|code| code.as_str().len());
    let width = width.max().unwrap_or_default();
    for code in Code::ALL {
        let title = code.lesson().title;
        // Into memory, which does not fail.
        let _ = writeln!(text, "  {:<width$}  {title}", code.bold());
    }
    text.push_str(
        "\n`holdfast help VERB` says what a verb takes, `holdfast help CODE` what a code means.\n",
    );
    text
}

/// A lesson, as it is read on a terminal.
pub(super) fn drawn(lesson: &Lesson) -> String {
    let code = match lesson.code.severity() {
        Severity::Error => format!("error[{}]", lesson.code).red().bold().to_string(),
        Severity::Advice | Severity::Finding => format!("warning[{}]", lesson.code)
            .yellow()
            .bold()
            .to_string(),
    };
    let mut text = format!("{code} {}\n", lesson.title.bold());
    paragraph(&mut text, lesson.meaning);
    section(&mut text, "For example", "", &lesson.example);
    section(&mut text, "Mended", lesson.mend, &lesson.mended);
    text
}

fn section(text: &mut String, heading: &str, words: &str, files: &[LessonFile]) {
    let _ = write!(text, "\n{}\n", heading.bold().underline());
    paragraph(text, words);
    for file in files {
        let remark = match file.remark {
            "" => String::new(),
            remark => format!("  ({remark})"),
        };
        let _ = writeln!(text, "\n  {}{}", file.path.cyan(), remark.dimmed());
        for line in file.text.lines() {
            let line = format!("    {line}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
}

fn paragraph(text: &mut String, words: &str) {
    if !words.is_empty() {
        let _ = write!(text, "\n{words}\n");
    }
}
