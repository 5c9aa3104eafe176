//! The engine's environment: what every program of a site finds there.

use std::collections::HashSet;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::{filters, functions, methods, python, syntax, tests};

/// Steps of one evaluation, memory included: a thousand times what a template of some thousand
/// lines takes, and gone in well under a second.
const FUEL: u64 = 2_000_000;

/// Deepest recursion of macros and includes; by far the deepest in the field have ten.
const MAX_RECURSION: usize = 64;

/// What stands between the marks of a variant and the path of a template.
const VARIANT: char = '\0';

pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(python::print);
    environment.set_unknown_method_callback(methods::call);
    environment.set_recursion_limit(MAX_RECURSION);
    environment.set_fuel(Some(FUEL));
    environment.set_syntax(syntax::of_scalars());
    filters::add(&mut environment);
    tests::add(&mut environment);
    functions::add(&mut environment);
    environment
}

/// The name under which a template with white space of its own is compiled.
pub(super) fn variant(path: &str, whitespace: syntax::Whitespace) -> String {
    match whitespace == syntax::Whitespace::default() {
        true => path.to_owned(),
        false => {
            let mark = |on: bool| if on { '+' } else { '-' };
            let (trim, strip) = (mark(whitespace.trim_blocks), mark(whitespace.lstrip_blocks));
            format!("{trim}{strip}{VARIANT}{path}")
        }
    }
}

/// The path of a template in the repo, by the name under which it is compiled.
pub(super) fn path(name: &str) -> &str {
    name.split_once(VARIANT).map_or(name, |(_, path)| path)
}

/// Lets templates name others of the same role: by their path under its templates, or beside the
/// one that names them.
pub(super) fn join_paths(environment: &mut Environment<'static>, names: HashSet<String>) {
    environment.set_path_join_callback(move |name, parent| {
        let [under, beside] = candidates(name, parent);
        match names.contains(&beside) && !names.contains(&under) {
            true => beside.into(),
            false => under.into(),
        }
    });
}

fn candidates(name: &str, parent: &str) -> [String; 2] {
    const TEMPLATES: &str = "/templates/";
    let name = name.strip_prefix("./").unwrap_or(name);
    let root = parent.find(TEMPLATES).map(|at| at + TEMPLATES.len());
    let folder = parent.rfind('/').map(|at| at + 1);
    [root, folder].map(|end| format!("{}{name}", &parent[..end.unwrap_or(0)]))
}
