//! The kinds of diagnostics: a stable word each, for programs, and a lesson, for people.
//!
//! The lesson of a code is the file `help/WORD.md`; a code without one does not compile.

use std::fmt;

use serde::Serialize;

use super::lesson::Lesson;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// What kind of thing is wrong; its word is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl Code {
            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// Every code, in the order in which a reader meets them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// How much it weighs.
            pub const fn severity(self) -> Severity {
                match self {
                    Self::PlainSensitive | Self::UnknownHost => Severity::Advice,
                    Self::UnusedVariable
                    | Self::UnusedParameter
                    | Self::ShadowedValue
                    | Self::UnreachableGroup
                    | Self::ContestedPath
                    | Self::ServiceWithoutPackage
                    | Self::OrphanNotify
                    | Self::NeverRefreshed
                    | Self::InvalidAllow
                    | Self::UnusedAllow => Severity::Finding,
                    _ => Severity::Error,
                }
            }

            /// What it means, an example that gives it, and how to mend that.
            pub fn lesson(self) -> Lesson {
                let text = match self {
                    $(Self::$name => include_str!(concat!("help/", $word, ".md")),)+
                };
                Lesson::read(self, text)
            }
        }
    };
}

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// There is no catalog before it is mended.
    Error,
    /// It may well be a mistake; catalogs are made all the same.
    Advice,
    /// It looks like a mistake to `holdfast lint`; a comment can allow it.
    Finding,
}

codes! {
    /// A file that is no YAML, or uses what the language leaves out.
    Yaml = "yaml",
    /// A value that begins with `{{` and is not quoted.
    UnquotedExpression = "unquoted_expression",
    /// A line that is indented with a tab.
    Tabs = "tabs",
    /// A key that stands twice in one mapping.
    DuplicateKey = "duplicate_key",
    /// A file that is not text in UTF-8.
    Encoding = "encoding",
    /// A scalar that is not what it looks like: `yes`, `014`.
    AmbiguousScalar = "ambiguous_scalar",
    /// A key that means nothing where it stands.
    UnknownKey = "unknown_key",
    /// A key that is needed.
    MissingKey = "missing_key",
    /// A value of another type than its place takes.
    WrongType = "wrong_type",
    /// A value of the right type that its place does not take.
    InvalidValue = "invalid_value",
    /// A file where the repo has no place for it, or of a kind it does not hold.
    MisplacedFile = "misplaced_file",
    /// A file, a document or a catalog beyond its limit.
    TooLarge = "too_large",
    /// A role, a group, a tier, or a variable to unset or to merge that is not in the repo.
    UnknownName = "unknown_name",
    /// A host that a group lists and no file declares, where others are declared.
    UnknownHost = "unknown_host",
    /// A name that the language keeps for itself.
    ReservedName = "reserved_name",
    /// An expression or a template that cannot be parsed.
    Syntax = "syntax",
    /// An expression or a template that failed.
    Evaluation = "evaluation",
    /// A variable, attribute or parameter that nothing defines.
    Undefined = "undefined",
    /// Something that compilation needs to know of a host whose facts are not at hand.
    NeedsFacts = "needs_facts",
    /// Something encrypted where nothing can be, or that is no age file.
    Encrypted = "encrypted",
    /// A sensitive value that is not encrypted.
    PlainSensitive = "plain_sensitive",
    /// A secret where none can stand, or that would be looked into.
    Secret = "secret",
    /// A secret that a host would choose by the facts it reports.
    ChosenSecret = "chosen_secret",
    /// A template or expression that used up what it may use.
    Limit = "limit",
    /// Variables that are defined by each other.
    VariableCycle = "variable_cycle",
    /// Groups that are defined by each other.
    GroupCycle = "group_cycle",
    /// Roles that include each other.
    IncludeCycle = "include_cycle",
    /// One role, included with different parameters.
    IncludeConflict = "include_conflict",
    /// Groups of one tier and priority that disagree.
    Tie = "tie",
    /// A variable that every host has to have, and that no layer gives one of them.
    MissingVariable = "missing_variable",
    /// A variable that `variables.yaml` does not declare, where that says that there are no others.
    UndeclaredVariable = "undeclared_variable",
    /// A parameter that no layer gives a value.
    MissingParameter = "missing_parameter",
    /// A template or content file that a role does not have.
    MissingFile = "missing_file",
    /// An exec that would run every time without saying so.
    UnguardedExec = "unguarded_exec",
    /// A resource that is declared twice, differently.
    DuplicateResource = "duplicate_resource",
    /// An edge to a resource that the catalog does not hold.
    UnknownResource = "unknown_resource",
    /// Resources that wait for each other.
    DependencyCycle = "dependency_cycle",
    /// A test of the repo that does not hold.
    UnmetExpectation = "unmet_expectation",
    /// A variable that nothing reads.
    UnusedVariable = "unused_variable",
    /// A parameter that its role does not read.
    UnusedParameter = "unused_parameter",
    /// A value that no host gets.
    ShadowedValue = "shadowed_value",
    /// A group that no host is in.
    UnreachableGroup = "unreachable_group",
    /// A path that two roles manage which a host could have both.
    ContestedPath = "contested_path",
    /// A service whose package nothing installs.
    ServiceWithoutPackage = "service_without_package",
    /// A resource that is named by another and that no role declares.
    OrphanNotify = "orphan_notify",
    /// An exec that waits to be notified, and never is.
    NeverRefreshed = "never_refreshed",
    /// A comment for `holdfast lint` that says nothing it understands.
    InvalidAllow = "invalid_allow",
    /// A comment that allows what is not found.
    UnusedAllow = "unused_allow",
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(word: &str) -> Result<Self, UnknownCode> {
        let found = Self::ALL.iter().find(|code| code.as_str() == word);
        found.copied().ok_or_else(|| UnknownCode(word.to_owned()))
    }
}

/// A word that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no code `{0}`")]
pub struct UnknownCode(pub String);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
