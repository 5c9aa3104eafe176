//! The verbs, a file each.

mod check;
mod compile;
mod diff;
pub(crate) mod drift;
mod explain;
mod fmt;
mod groups;
mod help;
pub(crate) mod hosts;
mod init;
mod lint;
pub(crate) mod reports;
pub(crate) mod secret;
pub(crate) mod status;
mod test;
mod token;

use std::process::ExitCode;

use crate::exit::{EXIT_CODES, Exit};
use crate::output::Output;

/// What an operator can ask for.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Begin a site: a small one that compiles, with comments that teach
    #[command(after_help = EXIT_CODES)]
    Init(init::Init),
    /// Compile the site for every host it declares, and say what is wrong
    ///
    /// Reads the site's folder as it stands, committed or not; needs no server. A host whose
    /// catalog depends on facts that only its agent knows is listed as unchecked.
    #[command(after_help = EXIT_CODES)]
    Check(check::Check),
    /// Show the catalog of a host: what is wanted of it, in the order of application
    ///
    /// With --json, writes a bundle that holds the contents as well:
    ///
    ///   holdfast compile HOST --json | holdfast-agent apply - --root DIR
    #[command(after_help = EXIT_CODES, verbatim_doc_comment)]
    Compile(compile::Compile),
    /// Show where the value of a variable comes from: every layer, winners and losers
    ///
    /// Without a variable: all variables of the host. With --line: whom a line of the repo concerns,
    /// which variables it sets, in which hosts they win, and which are overridden by what.
    #[command(after_help = EXIT_CODES)]
    Explain(explain::Explain),
    /// Show what a change of the repo does to the catalogs of all hosts
    ///
    /// Compiles two revisions, or one and the working tree, for every host; HEAD against the
    /// working tree unless named. Hosts with the same difference stand together: a difference is
    /// the same where the same lines come and go, whatever stands around them.
    ///
    /// Ends with 0 where nothing differs, 4 where something does, 2 where a host has no catalog in
    /// the second revision. Needs no server.
    #[command(after_help = EXIT_CODES)]
    Diff(diff::Diff),
    /// List the groups and their members, say why a host is in, or who joins and leaves
    ///
    /// With --preview, compares the site's folder as it stands with a revision of its repository.
    #[command(after_help = EXIT_CODES)]
    Groups(groups::Groups),
    /// Run the tests of the repo: what tests/*.yaml expect of the catalogs of hosts
    #[command(after_help = EXIT_CODES, long_about = test::ABOUT)]
    Test(test::Test),
    /// Look for what works and looks like a mistake
    #[command(after_help = EXIT_CODES, long_about = lint::ABOUT)]
    Lint(lint::Lint),
    /// Keep secrets in the repo: encrypt, edit, rotate, see who gets them
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Manage enrolment tokens
    #[command(subcommand)]
    Token(token::Token),
    /// Bring the YAML of a repo into one form: indentation, empty lines, ends of lines
    ///
    /// Comments, quotes, anchors, texts and what is encrypted stay as they are: a file is read
    /// before and after, and left alone where it would not mean the same.
    ///
    /// Ends with 2 where a file cannot be read; with --check with 4 where one would change.
    #[command(after_help = EXIT_CODES)]
    Fmt(fmt::Fmt),
    /// Say what a verb does, or what an error's code means and how to mend it
    #[command(after_help = EXIT_CODES)]
    Help(help::Help),
    /// List the hosts of a server and how they stand
    #[command(after_help = EXIT_CODES)]
    Hosts(hosts::Hosts),
    /// List what runs of the agents found and did, newest first
    #[command(after_help = EXIT_CODES)]
    Reports(reports::Reports),
    /// List what changed on hosts, by drift or on purpose, newest first
    #[command(after_help = EXIT_CODES)]
    Drift(drift::Drift),
    /// Show what a server serves, and what it refused
    #[command(after_help = EXIT_CODES)]
    Status(status::Status),
}

/// Carries a verb out; `program` is the whole command line, which `help` describes.
pub fn run(verb: Verb, program: fn() -> clap::Command) -> ExitCode {
    perform(verb, program, &mut Output::standard()).into()
}

/// Carries a verb out, and says what kept it from being.
pub(crate) fn perform(verb: Verb, program: fn() -> clap::Command, out: &mut Output<'_>) -> Exit {
    let done = match verb {
        Verb::Init(init) => init.run(out),
        Verb::Check(check) => check.run(out),
        Verb::Compile(compile) => compile.run(out),
        Verb::Explain(explain) => explain.run(out),
        Verb::Diff(diff) => diff.run(out),
        Verb::Groups(groups) => groups.run(out),
        Verb::Test(test) => test.run(out),
        Verb::Lint(lint) => lint.run(out),
        Verb::Secret(secret) => secret.run(out),
        Verb::Token(token) => token.run(out),
        Verb::Fmt(fmt) => fmt.run(out),
        Verb::Help(help) => help.run(program, out),
        Verb::Hosts(hosts) => hosts.run(out),
        Verb::Reports(reports) => reports.run(out),
        Verb::Drift(drift) => drift.run(out),
        Verb::Status(status) => status.run(out),
    };
    match done {
        Ok(exit) => exit,
        Err(error) if error.is_broken_pipe() => Exit::Fine,
        Err(error) => {
            out.error(&error);
            error.exit()
        }
    }
}
