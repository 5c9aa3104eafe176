//! The engine: one environment per site, every program compiled in it once.
//!
//! Templates render as Ansible's template module renders them (`trim_blocks`, the trailing newline
//! kept, `lstrip_blocks` off, no escaping). Every bound has a name and a reason below; a program
//! that goes beyond one is refused, whatever it is doing.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Expression, State, Template, UndefinedBehavior,
    Value,
};
use self_cell::self_cell;

use super::failure::{Failing, of_limit};
use super::filters;
use super::length::{MAX_OPERATORS, Written, too_long};
use super::programs::{Kind, ProgramId, Programs};
use super::python;
use super::secrecy::{self, Depends, Guarded, Secrecy};
use super::secret::{Handle, NONCE, is_marked, taken_apart};
use super::strict::{HostAttribute, Strict};
use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span};
use crate::site::Secret;

/// Steps of one evaluation, memory included: a thousand times what a template of some thousand
/// lines takes, and gone in well under a second.
const FUEL: u64 = 2_000_000;

/// Deepest recursion of macros and includes; by far the deepest in the field have ten.
const MAX_RECURSION: usize = 64;

/// Longest text that a template may give, in bytes: what a repo may hold as text, four times over.
const MAX_OUTPUT: usize = 16 * 1024 * 1024;

/// A compiled program, so that evaluating it takes no look-up and no lock.
enum Ready<'env> {
    Expression(Expression<'env, 'static>),
    Text(Template<'env, 'env>),
    /// Told when the site was parsed.
    Broken,
}

/// The compiled programs in their order, and after them the templates in theirs.
type AllReady<'env> = Vec<Ready<'env>>;

self_cell!(
    struct Compiled {
        owner: Environment<'static>,
        #[covariant]
        dependent: AllReady,
    }
);

/// The compiled programs and templates of a site.
pub(crate) struct Engine {
    compiled: Compiled,
    programs: Programs,
    strict: Vec<Strict>,
    strict_templates: Vec<Strict>,
    /// Where the templates stand among what is compiled, by path.
    templates: HashMap<String, usize>,
    /// How programs depend on facts, where that matters.
    depends: Vec<Depends>,
}

/// What a template gives.
pub(crate) enum Rendered {
    Plain(String),
    /// Text with secrets in it.
    Secret(Handle),
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} programs", self.programs.list.len())
    }
}

impl Engine {
    /// Compiles everything; what does not parse is told, with its place. Where a site has
    /// secrets, they are guarded.
    pub(crate) fn new(
        mut programs: Programs,
        secrecy: Option<&Secrecy>,
        wrong: &mut Diagnostics,
    ) -> Self {
        let mut environment = environment();
        let syntax = environment.syntax().clone();
        refuse_long(&mut programs, &syntax, wrong);
        let Guarded {
            programs: guards,
            templates: template_guards,
        } = secrecy
            .map(|secrecy| {
                secrecy::add(&mut environment, &programs.secrets);
                secrecy.guard(&programs, &syntax)
            })
            .unwrap_or_default();
        let depends = guards.iter().map(|(_, depends)| *depends).collect();
        let mut strict = Vec::with_capacity(programs.list.len());
        let mut names = Vec::with_capacity(programs.list.len());
        for (place, program) in programs.list.iter().enumerate() {
            let more = guards.get(place).map_or(&[][..], |both| &both.0);
            let guarded = Strict::with(program.kind, &program.text, &syntax, more);
            let guarded = guarded.map_or_else(|| Strict::unguarded(&program.text), |both| both.0);
            let name = format!("#{place}");
            if program.kind == Kind::Text {
                let added = environment.add_template_owned(name.clone(), guarded.text.clone());
                if let Err(error) = added {
                    wrong.push(syntax_error(&error, |range| program.place(range)));
                }
            }
            names.push(name);
            strict.push(guarded);
        }
        let mut strict_templates = Vec::with_capacity(programs.templates.len());
        for (place, template) in programs.templates.iter().enumerate() {
            let source = &template.source;
            let more = template_guards.get(place).map_or(&[][..], Vec::as_slice);
            let guarded = Strict::with(Kind::Text, source.text(), &syntax, more);
            let guarded = guarded.map_or_else(|| Strict::unguarded(source.text()), |both| both.0);
            let path = source.path().to_owned();
            if let Err(error) = environment.add_template_owned(path, guarded.text.clone()) {
                let place =
                    |range: std::ops::Range<usize>| Span::new(source, range.start, range.end);
                wrong.push(syntax_error(&error, place));
            }
            strict_templates.push(guarded);
        }
        let compiled = Compiled::new(environment, |environment| {
            let text = |name: &str| match environment.get_template(name) {
                Ok(template) => Ready::Text(template),
                Err(_) => Ready::Broken,
            };
            let numbered = programs.list.iter().zip(&strict).enumerate();
            let ready = numbered.map(|(place, (program, strict))| {
                if program.kind == Kind::Text {
                    return text(&names[place]);
                }
                match environment.compile_expression_owned(strict.text.clone()) {
                    Ok(expression) => Ready::Expression(expression),
                    Err(error) => {
                        wrong.push(syntax_error(&error, |range| program.place(range)));
                        Ready::Broken
                    }
                }
            });
            let ready: Vec<Ready<'_>> = ready.collect();
            let templates = programs.templates.iter();
            let templates = templates.map(|template| text(template.source.path()));
            ready.into_iter().chain(templates).collect()
        });
        let paths = programs.templates.iter().enumerate();
        let templates = paths.map(|(place, template)| {
            (
                template.source.path().to_owned(),
                programs.list.len() + place,
            )
        });
        let templates = templates.collect();
        Self {
            compiled,
            programs,
            strict,
            strict_templates,
            templates,
            depends,
        }
    }

    /// How a program's value depends on facts; told in sites with secrets only.
    pub(crate) fn depends(&self, id: ProgramId) -> Depends {
        self.depends.get(id.0 as usize).copied().unwrap_or_default()
    }

    /// The secrets that values are.
    pub(crate) fn secrets(&self) -> &[Arc<Secret>] {
        &self.programs.secrets
    }

    /// What stands for text that a program gave; the text itself where no secret is in it.
    fn opened(&self, text: String, context: &Value, span: &Span) -> Result<Rendered, Failing> {
        if self.programs.secrets.is_empty() || !is_marked(&text) {
            return Ok(Rendered::Plain(text));
        }
        let nonce = context.get_attr(NONCE).unwrap_or_default();
        let nonce = nonce.as_str().unwrap_or_default();
        match taken_apart(&text, nonce, &self.programs.secrets) {
            Ok(Some(handle)) => Ok(Rendered::Secret(handle)),
            Ok(None) => Ok(Rendered::Plain(text)),
            Err(_) => Err(Failing::altered(span.clone())),
        }
    }

    /// The attributes of `host` that programs and templates read, with their places.
    pub(crate) fn host_attributes(&self) -> Vec<(String, Span)> {
        let syntax = self.compiled.borrow_owner().syntax();
        let mut read = Vec::new();
        for program in &self.programs.list {
            let found = Strict::of(program.kind, &program.text, syntax);
            let found = found.map(|both| both.1).unwrap_or_default();
            let place = |one: HostAttribute| (one.name, program.place(one.range));
            read.extend(found.into_iter().map(place));
        }
        for template in &self.programs.templates {
            let found = Strict::of(Kind::Text, template.source.text(), syntax);
            let found = found.map(|both| both.1).unwrap_or_default();
            let place = |one: HostAttribute| {
                let span = Span::new(&template.source, one.range.start, one.range.end);
                (one.name, span)
            };
            read.extend(found.into_iter().map(place));
        }
        read
    }

    /// Where a program stands.
    pub(crate) fn span(&self, id: ProgramId) -> &Span {
        &self.programs.list[id.0 as usize].span
    }

    /// The names that a program reads.
    pub(crate) fn reads(&self, id: ProgramId) -> HashSet<String> {
        match self.compiled.borrow_dependent().get(id.0 as usize) {
            Some(Ready::Expression(expression)) => expression.undeclared_variables(false),
            Some(Ready::Text(template)) => template.undeclared_variables(false),
            Some(Ready::Broken) | None => HashSet::new(),
        }
    }

    /// A program as written.
    pub(crate) fn text(&self, id: ProgramId) -> &str {
        &self.programs.list[id.0 as usize].text
    }

    /// Where a range of a program's text stands in the repo.
    pub(crate) fn place(&self, id: ProgramId, range: std::ops::Range<usize>) -> Span {
        self.programs.list[id.0 as usize].place(range)
    }

    /// Whether a part of a `match` holds by itself; `None` where that cannot be said.
    pub(crate) fn holds(&self, part: &str, context: &Value) -> Option<bool> {
        let environment = self.compiled.borrow_owner();
        let (strict, _) = Strict::of(Kind::Match, part, environment.syntax())?;
        let program = environment.compile_expression_owned(strict.text).ok()?;
        let value = program.eval(context.clone()).ok()?;
        (!value.is_undefined()).then(|| value.is_true())
    }

    /// Whether a role has a template of this path.
    pub(crate) fn has_template(&self, path: &str) -> bool {
        self.templates.contains_key(path)
    }

    /// Evaluates a program. Something undefined as the value is an error.
    pub(crate) fn eval(&self, id: ProgramId, context: &Value) -> Result<Value, Failing> {
        let place = id.0 as usize;
        let program = &self.programs.list[place];
        let fail = |error: &Error| self.failing(error, Some(id));
        let value = match self.compiled.borrow_dependent().get(place) {
            Some(Ready::Expression(expression)) => expression.eval(context.clone()),
            Some(Ready::Text(template)) => match template.render(context.clone()) {
                Ok(text) => return self.given(text, context, &program.span),
                Err(error) => Err(error),
            },
            Some(Ready::Broken) | None => Err(broken()),
        };
        let value = value.map_err(|error| fail(&error))?;
        if value.as_str().is_some_and(|text| text.len() > MAX_OUTPUT) {
            return Err(self.too_long(&program.span));
        }
        match value.is_undefined() {
            true => Err(Failing::undefined(
                &program.text,
                program.span.clone(),
                &program.text,
            )),
            false => Ok(value),
        }
    }

    /// The text that a program gave, as a value.
    fn given(&self, text: String, context: &Value, span: &Span) -> Result<Value, Failing> {
        if text.len() > MAX_OUTPUT {
            return Err(self.too_long(span));
        }
        self.opened(text, context, span).map(|text| match text {
            Rendered::Plain(text) => Value::from(text),
            Rendered::Secret(handle) => handle.into_value(),
        })
    }

    /// Renders a template of a role by its path in the repo; `used` is where that is asked for.
    pub(crate) fn render(
        &self,
        path: &str,
        context: &Value,
        used: &Span,
    ) -> Result<Rendered, Failing> {
        let fail = |error: &Error| {
            let mut failing = self.failing(error, None);
            failing.used.get_or_insert_with(|| used.clone());
            failing
        };
        let place = self.templates.get(path).copied();
        let ready = place.and_then(|place| self.compiled.borrow_dependent().get(place));
        let Some(Ready::Text(template)) = ready else {
            return Err(fail(&broken()));
        };
        let mut out = Bounded::default();
        let rendered = template.render_captured_to(context.clone(), &mut out);
        if out.full {
            return Err(self.too_long(used));
        }
        rendered.map_err(|error| fail(&error))?;
        // The engine writes nothing but text.
        let text = String::from_utf8_lossy(&out.bytes).into_owned();
        self.opened(text, context, used)
    }

    fn too_long(&self, span: &Span) -> Failing {
        of_limit(
            span.clone(),
            format!("gives more than {} MiB of text", MAX_OUTPUT >> 20),
        )
    }

    /// Puts an error of the engine at its place in the repo.
    fn failing(&self, error: &Error, program: Option<ProgramId>) -> Failing {
        let place = |name: Option<&str>, range: std::ops::Range<usize>| {
            let template = self.programs.templates.iter().zip(&self.strict_templates);
            let mut template = template.filter(|(one, _)| Some(one.source.path()) == name);
            if let Some((template, strict)) = template.next() {
                let range = strict.written(range);
                return Some(Span::new(&template.source, range.start, range.end));
            }
            let text = name.and_then(|name| name.strip_prefix('#')?.parse().ok());
            let id = text.map(ProgramId).or(program)?;
            let range = self.strict[id.0 as usize].written(range);
            Some(self.programs.list[id.0 as usize].place(range))
        };
        Failing::of(error, place, program.map(|id| self.span(id).clone()))
    }
}

/// Takes out what is too long to be compiled.
fn refuse_long(programs: &mut Programs, syntax: &SyntaxConfig, wrong: &mut Diagnostics) {
    let told = |span: &Span| {
        let message = format!("more than {MAX_OPERATORS} operators in a row");
        Diagnostic::new(Code::Limit, message, span)
            .help("name parts of it: as variables, or with `{% set … %}`")
    };
    for program in &mut programs.list {
        let (written, nothing) = match program.kind {
            Kind::Text => (Written::Template, ""),
            Kind::Expression | Kind::Match => (Written::Expression, "none"),
        };
        if let Some(range) = too_long(&program.text, written, syntax) {
            wrong.push(told(&program.place(range)));
            program.text = nothing.to_owned();
        }
    }
    for template in &mut programs.templates {
        let source = &template.source;
        if let Some(range) = too_long(source.text(), Written::Template, syntax) {
            wrong.push(told(&Span::new(source, range.start, range.end)));
            template.source = Source::new(source.path(), "");
        }
    }
}

/// Python's string and dict methods. What `format` gives is as wide as the text says, so that is
/// looked at first.
fn method(
    state: &mut State,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    /// Most digits of a width: 99,999 columns.
    const MAX_DIGITS: usize = 5;
    let text = value.as_str().filter(|_| name == "format").unwrap_or("");
    let mut digits = text.split(|c: char| !c.is_ascii_digit());
    if digits.any(|run| run.len() > MAX_DIGITS) {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, name, arguments)
}

/// Of a program that does not parse, which is told when the site is parsed.
fn broken() -> Error {
    Error::new(ErrorKind::SyntaxError, "the program does not parse")
}

fn syntax_error(error: &Error, place: impl Fn(std::ops::Range<usize>) -> Span) -> Diagnostic {
    let range = error.range().unwrap_or(0..0);
    let detail = error.detail().unwrap_or("it does not parse");
    let what = match error.kind() {
        ErrorKind::SyntaxError => format!("syntax error: {detail}"),
        _ => error.to_string(),
    };
    Diagnostic::new(Code::Syntax, what, &place(range))
}

/// Takes text up to the limit.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl io::Write for &mut Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > MAX_OUTPUT {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(python::print);
    environment.set_unknown_method_callback(method);
    environment.set_recursion_limit(MAX_RECURSION);
    environment.set_fuel(Some(FUEL));
    environment.set_path_join_callback(|name, parent| beside(name, parent).into());
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).keep_trailing_newline(true);
    if let Ok(syntax) = syntax.build() {
        environment.set_syntax(syntax);
    }
    filters::add(&mut environment);
    environment
}

/// A template that another one names: by its path under the templates of the same role.
fn beside(name: &str, parent: &str) -> String {
    let folder = parent
        .find("/templates/")
        .map(|at| &parent[..at + "/templates/".len()]);
    match folder {
        Some(folder) => format!("{folder}{name}"),
        None => name.to_owned(),
    }
}
