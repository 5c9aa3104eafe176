//! What `holdfast help CODE` teaches: a text of the form that every file in `help/` has.
//!
//! A title, what it means, files that give it under `## Gives it`, and under `## Mended` the files
//! that are put over those to mend it. A test compiles both, so that no lesson is wrong.

use serde::Serialize;

use super::Code;

/// The lesson of a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lesson {
    /// The code.
    pub code: Code,
    /// What is wrong, in a line.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// The files of a site that gives it.
    pub example: Vec<LessonFile>,
    /// How to mend it.
    pub mend: &'static str,
    /// The files that are put over those of the example.
    pub mended: Vec<LessonFile>,
}

/// A file of a lesson's site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LessonFile {
    /// Its path in the repo.
    pub path: &'static str,
    /// What the text cannot show: `in Latin-1`, `of 5 MiB`, `was OLD/PATH`; empty for most.
    pub remark: &'static str,
    /// Its text.
    pub text: &'static str,
}

const GIVES_IT: &str = "\n## Gives it\n";
const MENDED: &str = "\n## Mended\n";
const FENCE: &str = "\n```";

impl Lesson {
    /// Reads a lesson; parts that its text does not have are empty, which the test refuses.
    pub(super) fn read(code: Code, text: &'static str) -> Self {
        let (head, mended) = text.split_once(MENDED).unwrap_or((text, ""));
        let (head, example) = head.split_once(GIVES_IT).unwrap_or((head, ""));
        let (title, meaning) = head.split_once('\n').unwrap_or((head, ""));
        let mend = mended.split(FENCE).next().unwrap_or_default();
        Self {
            code,
            title: title.trim_start_matches("# "),
            meaning: meaning.trim(),
            example: files(example),
            mend: mend.trim(),
            mended: files(mended),
        }
    }
}

/// The fenced files of a section; their paths stand behind the fences.
fn files(section: &'static str) -> Vec<LessonFile> {
    // Between the fences of a file stands every second piece.
    let fenced = section.split(FENCE).skip(1).step_by(2);
    let files = fenced.filter_map(|piece| {
        let (head, text) = piece.split_once('\n').unwrap_or((piece, ""));
        let (path, remark) = head.split_once(' ').unwrap_or((head, ""));
        (!path.is_empty()).then_some(LessonFile { path, remark, text })
    });
    files.collect()
}
