//! Running the system's own programs (apt-get, systemctl, useradd): how they are called, and what
//! is told when one of them says no.
//!
//! Arguments are always a list, so nothing that a catalog names ever passes through a shell.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_schemas::resource::Command;

use crate::host::{Ends, Host, HostError, Invocation, Output};

/// Lines of a failed program's output that are told: enough for a stack of apt's or systemd's
/// messages, short enough for a report.
const TOLD_LINES: usize = 20;

/// Bytes of a failed program's output that are told.
const TOLD_BYTES: usize = 2048;

/// A program with its arguments, in the fixed environment and as the agent's own account.
pub(crate) fn invocation(argv: Vec<String>, deadline: Duration) -> Invocation {
    Invocation {
        command: Command::Argv(argv),
        cwd: None,
        env: BTreeMap::new(),
        run_as: None,
        deadline,
        ends: Ends::ByItself,
    }
}

/// Runs a program; anything but exit status 0 is an error.
pub(crate) fn run(host: &dyn Host, invocation: &Invocation) -> Result<Output, HostError> {
    let output = host.run(invocation)?;
    match output.success() {
        true => Ok(output),
        false => Err(failure(&name(&invocation.command), &output)),
    }
}

/// What is told of a program that did not succeed: how it ended, and the end of what it printed.
pub(crate) fn failure(program: &str, output: &Output) -> HostError {
    let printed = match output.stderr.trim() {
        "" => &output.stdout,
        _ => &output.stderr,
    };
    HostError::Program {
        program: program.to_owned(),
        status: status(output),
        output: tail(printed),
    }
}

/// `exit status 1`, `signal 9`.
pub(crate) fn status(output: &Output) -> String {
    match (output.code, output.signal) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}

/// The last lines of a text.
pub(crate) fn tail(text: &str) -> String {
    let text = text.trim_end();
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines[lines.len().saturating_sub(TOLD_LINES)..].join("\n");
    let start = kept.ceil_char_boundary(kept.len().saturating_sub(TOLD_BYTES));
    kept[start..].to_owned()
}

/// What a command is called in messages: the program, or the beginning of the line for the shell.
/// Arguments are left out: they may carry what is nobody's business.
pub(crate) fn name(command: &Command) -> String {
    const SHOWN_LINE: usize = 80;
    match command {
        Command::Argv(argv) => argv.first().cloned().unwrap_or_default(),
        Command::Shell(line) => match line.chars().count() > SHOWN_LINE {
            true => format!("{}…", line.chars().take(SHOWN_LINE).collect::<String>()),
            false => line.clone(),
        },
    }
}

/// Words as the list of arguments that an [`Invocation`] takes.
pub(crate) fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_long_output_is_told() {
        let printed: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        let told = tail(&printed);
        assert!(told.starts_with("line 980") && told.ends_with("line 999"));
        assert!(tail(&"é".repeat(5000)).len() <= TOLD_BYTES);
    }
}
