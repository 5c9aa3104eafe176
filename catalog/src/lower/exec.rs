//! `exec`: one that would run every time does not compile unless it says so.

use holdfast_schemas::resource::{Command, Exec, Spec};

use super::attrs::Attrs;
use crate::diag::{Code, Diagnostic};

pub(super) const ATTRIBUTES: &[&str] = &[
    "always",
    "command",
    "creates",
    "cwd",
    "env",
    "only_if",
    "refresh_only",
    "run_as",
    "timeout_s",
    "unless",
];

pub(super) fn lower(attrs: &mut Attrs<'_>) -> Option<Spec> {
    let command = match attrs.get("command") {
        Some(_) => attrs.command("command")?,
        None => Command::Shell(attrs.title.to_owned()),
    };
    let exec = Exec {
        command,
        creates: attrs.text("creates"),
        unless: attrs.command("unless"),
        only_if: attrs.command("only_if"),
        refresh_only: attrs.flag("refresh_only").unwrap_or(false),
        always: attrs.flag("always").unwrap_or(false),
        cwd: attrs.path("cwd"),
        env: attrs.pairs("env").unwrap_or_default(),
        run_as: attrs.account("run_as"),
        timeout_s: attrs.number("timeout_s"),
    };
    let guarded = ["creates", "unless", "only_if"]
        .iter()
        .any(|name| attrs.get(name).is_some());
    if !guarded && !exec.refresh_only && !exec.always {
        let message = format!("exec[{}] would run in every run of the agent", attrs.title);
        let told = Diagnostic::new(Code::UnguardedExec, message, attrs.span).help(
            "give it a guard (`creates`, `unless` or `only_if`), or `refresh_only: true`, or say `always: true`",
        );
        attrs.tell(told);
        return None;
    }
    Some(Spec::Exec(exec))
}
