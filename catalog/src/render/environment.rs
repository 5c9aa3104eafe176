//! The engine's environment: what every program of a site finds there.

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
    environment.set_path_join_callback(|name, parent| beside(name, parent).into());
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

/// A template that another one names: by its path under the templates of the same role, or beside
/// the one that names it.
fn beside(name: &str, parent: &str) -> String {
    const TEMPLATES: &str = "/templates/";
    let name = name.strip_prefix("./").unwrap_or(name);
    match parent.find(TEMPLATES) {
        Some(at) => format!("{}{name}", &parent[..at + TEMPLATES.len()]),
        None => name.to_owned(),
    }
}
