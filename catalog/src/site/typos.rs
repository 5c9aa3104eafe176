//! Names that mean nothing: what is unset and set nowhere, merge rules for variables that there are
//! not, hosts that only a group knows and that are called almost as another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::schema::Schema;
use super::typed::layers;
use super::{Parts, VarFile};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, nearest};
use crate::vars::{Form, Term};

/// What stands for any name in a pattern.
const ANY: &str = "*";

/// Most hosts without a file that are looked at: more are no slips, but the way of the site.
const MAX_SLIPS: usize = 100;

/// Tells of names that look like typos.
pub(super) fn check(parts: &Parts, wrong: &mut Diagnostics) {
    let groups = parts.groups.iter().map(|group| &group.file);
    let hosts = parts.hosts.values().map(|host| &host.file);
    let files: Vec<&VarFile> = groups.chain(hosts).chain([&parts.globals]).collect();
    let mut unset = files.iter().flat_map(|file| &file.unset).peekable();
    let mut patterns = parts.settings.rules.patterns().peekable();
    if unset.peek().is_some() || patterns.peek().is_some() {
        let known = Known::of(parts);
        for one in unset {
            let message = format!("nothing sets `{}` that could be unset", one.path.join("."));
            wrong.maybe(known.unknown((&one.path, &one.span), message));
        }
        for (path, span) in patterns {
            let message = format!("no variable is called as in `{}`", path.join("."));
            wrong.maybe(known.unknown((path, span), message));
        }
    }
    hosts_of_groups(parts, wrong);
}

/// The names that variables and their parts have in any layer, or are declared with.
#[derive(Debug, Default)]
struct Known {
    names: BTreeMap<Arc<str>, Known>,
    /// Whether it may have others: an expression gives it, or it is declared without its parts.
    open: bool,
}

impl Known {
    fn of(parts: &Parts) -> Self {
        let mut known = Self::default();
        for layer in layers(parts) {
            known.set(&layer.vars);
        }
        for (name, declared) in &parts.variables.declared {
            known.entry(name).declare(&declared.schema);
        }
        for role in parts.roles.values().filter(|role| !role.params.is_empty()) {
            let params = known.entry(&role.name);
            for (name, declared) in &role.params {
                params.entry(name).declare(&declared.schema);
            }
        }
        known
    }

    fn entry(&mut self, name: &Arc<str>) -> &mut Self {
        self.names.entry(Arc::clone(name)).or_default()
    }

    fn set(&mut self, term: &Term) {
        match &term.form {
            Form::Scalar(_) | Form::List(_) => {}
            Form::Program { .. } => self.open = true,
            Form::Map(map) => {
                for (name, field) in map {
                    self.entry(name).set(&field.term);
                }
            }
        }
    }

    fn declare(&mut self, schema: &Schema) {
        self.open |= schema.is_open();
        for (name, inner) in schema.properties() {
            self.entry(name).declare(inner);
        }
    }

    /// Whether something may be at a path.
    fn holds(&self, path: &[Arc<str>]) -> bool {
        match path.split_first() {
            None => true,
            Some(_) if self.open => true,
            Some((name, rest)) if **name == *ANY => {
                self.names.values().any(|inner| inner.holds(rest))
            }
            Some((name, rest)) => self.names.get(name).is_some_and(|inner| inner.holds(rest)),
        }
    }

    /// The path that is most like one that is not there.
    fn nearest(&self, path: &[Arc<str>]) -> Option<String> {
        let (name, rest) = path.split_first()?;
        let joined = |first: &str, rest: &[Arc<str>]| {
            let parts = [first].into_iter().chain(rest.iter().map(|part| &**part));
            parts.collect::<Vec<&str>>().join(".")
        };
        match self.names.get(name) {
            Some(inner) => inner.nearest(rest).map(|rest| format!("{name}.{rest}")),
            None => {
                let near = nearest(name, self.names.keys().map(|name| &**name))?;
                let inner = self.names.get(near)?;
                inner.holds(rest).then(|| joined(near, rest))
            }
        }
    }

    fn unknown(&self, (path, span): (&[Arc<str>], &Span), message: String) -> Option<Diagnostic> {
        if self.holds(path) {
            return None;
        }
        let help = match self.nearest(path) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "take the line out, or write the name as the variable has it".to_owned(),
        };
        Some(Diagnostic::new(Code::UnknownName, message, span).help(help))
    }
}

/// Advises against hosts that groups list and that have no file, where others do: a name almost as
/// that of a host with a file, or any, where most of those listed have one.
fn hosts_of_groups(parts: &Parts, wrong: &mut Diagnostics) {
    let listed = || parts.groups.iter().flat_map(|group| group.hosts.written());
    let by_address = parts.hosts.values();
    let by_address = by_address.filter_map(|host| host.attributes.get("address")?.as_str());
    let declared: BTreeSet<&str> = parts.hosts.keys().map(|host| host.as_str()).collect();
    let known: BTreeSet<&str> = declared.iter().copied().chain(by_address).collect();
    let (filed, unfiled): (Vec<_>, Vec<_>) =
        listed().partition(|(name, _)| known.contains(&***name));
    if unfiled.len() > MAX_SLIPS {
        return;
    }
    let shapes = Shapes::of(&declared);
    for (name, span) in &unfiled {
        let near = shapes.nearest(name);
        if near.is_none() && filed.len() <= unfiled.len() {
            continue;
        }
        let message = format!("no file declares the host `{name}`");
        let told = Diagnostic::new(Code::UnknownHost, message, span);
        wrong.push(told.help(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("hosts are declared by files: hosts/{name}.yaml"),
        }));
    }
}

/// The names of hosts by their words, and by the numbers in them: web-3 is no slip of web-2, and is
/// one of web-03. A fleet has many hosts and few shapes, so that looking for one takes no time.
struct Shapes<'n>(BTreeMap<String, BTreeMap<String, &'n str>>);

impl<'n> Shapes<'n> {
    fn of(names: &BTreeSet<&'n str>) -> Self {
        let mut shapes: BTreeMap<String, BTreeMap<String, &'n str>> = BTreeMap::new();
        for name in names {
            let (words, numbers) = shape(name);
            shapes.entry(words).or_default().insert(numbers, name);
        }
        Self(shapes)
    }

    /// The host that is meant by a name that is almost its own.
    fn nearest(&self, name: &str) -> Option<&'n str> {
        let (words, numbers) = shape(name);
        if let Some(alike) = self.0.get(&words) {
            return alike.get(&numbers).copied();
        }
        let alike = self
            .0
            .get(nearest(&words, self.0.keys().map(String::as_str))?)?;
        let same = alike.get(&numbers).or_else(|| alike.values().next());
        same.copied()
    }
}

/// A name with its numbers taken out, and those, without leading zeros.
fn shape(name: &str) -> (String, String) {
    let (mut words, mut numbers) = (String::new(), String::new());
    let parts = name.split_inclusive(|c: char| !c.is_ascii_digit());
    for part in parts {
        let word = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = &part[..part.len() - word.len()];
        if !number.is_empty() {
            words.push('#');
            numbers.push_str(number.trim_start_matches('0'));
            numbers.push(' ');
        }
        words.push_str(word);
    }
    (words, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_is_no_slip() {
        let names = BTreeSet::from(["web-02.js", "web-10.js", "db1"]);
        let shapes = Shapes::of(&names);
        assert_eq!(shapes.nearest("web-2.js"), Some("web-02.js"));
        assert_eq!(shapes.nearest("web-3.js"), None);
        assert_eq!(shapes.nearest("wbe-10.js"), Some("web-10.js"));
        assert_eq!(shapes.nearest("wbe-3.js"), Some("web-10.js"));
        assert_eq!(shapes.nearest("cache"), None);
    }
}
