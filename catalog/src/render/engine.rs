//! The engine: one environment per site, every program compiled in it once.
//!
//! Templates render as Ansible's template module renders them (`trim_blocks`, as many line breaks
//! at the end as the template has, no escaping). Every bound has a name and a reason where it
//! stands; a program that goes beyond one is refused, whatever it is doing.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Expression, Template, Value};
use self_cell::self_cell;

use super::advice::syntax_error;
use super::bounded::{Bounded, MAX_OUTPUT};
use super::environment::{environment, join_paths, variant};
use super::failure::{Failing, of_limit};
use super::prepare::{Prepared, part_of_match, plain};
use super::programs::{Kind, ProgramId, Programs};
use super::secrecy::{self, Depends, Secrecy};
use super::secret::{Handle, NONCE, is_marked, taken_apart};
use super::syntax::Whitespace;
use crate::diag::{Diagnostics, Span};
use crate::site::Secret;

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
    prepared: Prepared,
    /// Where the templates stand among what is compiled, by the name they are compiled under.
    templates: HashMap<String, usize>,
    /// What a template does with white space unless it says otherwise.
    whitespace: Whitespace,
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
        programs: Programs,
        whitespace: Whitespace,
        secrecy: Option<&Secrecy>,
        wrong: &mut Diagnostics,
    ) -> Self {
        let mut environment = environment();
        let plain = plain(&programs, whitespace, wrong);
        let guards = secrecy.map(|secrecy| {
            secrecy::add(&mut environment, &programs.secrets);
            secrecy.guard(&programs, &plain)
        });
        let guards = guards.unwrap_or_default();
        let prepared = plain.guarded(&guards);
        let names = prepared
            .templates
            .iter()
            .map(|template| template.name.clone());
        join_paths(&mut environment, names.collect());
        add_texts(&mut environment, (&programs, &prepared), wrong);
        let compiled = Compiled::new(environment, |environment| {
            compile(environment, &programs, &prepared, wrong)
        });
        let numbered = prepared.templates.iter().enumerate();
        let templates = numbered
            .map(|(place, template)| (template.name.clone(), programs.list.len() + place))
            .collect();
        Self {
            compiled,
            programs,
            prepared,
            templates,
            whitespace,
            depends: guards.programs.into_iter().map(|both| both.1).collect(),
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

    /// The attributes of `host` that programs and templates read, with their places.
    pub(crate) fn host_attributes(&self) -> Vec<(String, Span)> {
        let programs = self.programs.list.iter().zip(&self.prepared.programs);
        let programs = programs.flat_map(|(program, texts)| {
            let read = texts.host.iter();
            read.map(|one| (one.name.clone(), program.place(one.range.clone())))
        });
        let templates = self.prepared.templates.iter().flat_map(|template| {
            let source = &self.programs.templates[template.place].source;
            template.texts.host.iter().map(|one| {
                let span = Span::new(source, one.range.start, one.range.end);
                (one.name.clone(), span)
            })
        });
        programs.chain(templates).collect()
    }

    /// Every program in YAML as it is compiled, with its file.
    pub(super) fn scalars(&self) -> impl Iterator<Item = (Kind, &str, &str)> {
        let programs = self.programs.list.iter().zip(&self.prepared.programs);
        programs.map(|(one, texts)| (one.kind, texts.compiled(), one.span.path()))
    }

    /// Every template as it is compiled, with its file.
    pub(super) fn all_templates(&self) -> impl Iterator<Item = (&SyntaxConfig, &str, &str)> {
        self.prepared.templates.iter().map(|template| {
            let source = &self.programs.templates[template.place].source;
            (&template.syntax, template.texts.compiled(), source.path())
        })
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

    /// The names that programs and templates read whose files are under a path.
    pub(crate) fn reads_under(&self, prefix: &str) -> BTreeSet<String> {
        let under = |span: &Span| span.path().starts_with(prefix);
        let programs = self.programs.list.iter().enumerate();
        let programs = programs.filter(|(_, program)| under(&program.span));
        let programs = programs.map(|(place, _)| place);
        let templates = self.prepared.templates.iter().enumerate();
        let templates = templates.filter(|(_, template)| {
            let source = &self.programs.templates[template.place].source;
            source.path().starts_with(prefix)
        });
        let templates = templates.map(|(place, _)| self.programs.list.len() + place);
        let ready = self.compiled.borrow_dependent();
        let names = programs
            .chain(templates)
            .flat_map(|place| match ready.get(place) {
                Some(Ready::Expression(expression)) => expression.undeclared_variables(false),
                Some(Ready::Text(template)) => template.undeclared_variables(false),
                Some(Ready::Broken) | None => HashSet::new(),
            });
        names.collect()
    }

    /// A program as written.
    pub(crate) fn text(&self, id: ProgramId) -> &str {
        &self.programs.list[id.0 as usize].text
    }

    /// Where a range of a program's text stands in the repo.
    pub(crate) fn place(&self, id: ProgramId, range: Range<usize>) -> Span {
        self.programs.list[id.0 as usize].place(range)
    }

    /// Whether a part of a `match` holds by itself; `None` where that cannot be said.
    pub(crate) fn holds(&self, part: &str, context: &Value) -> Option<bool> {
        let environment = self.compiled.borrow_owner();
        let texts = part_of_match(part);
        let program = environment.compile_expression_owned(texts.compiled().to_owned());
        let value = program.ok()?.eval(context.clone()).ok()?;
        (!value.is_undefined()).then(|| value.is_true())
    }

    /// Whether a role has a template of this path.
    pub(crate) fn has_template(&self, path: &str) -> bool {
        self.templates.contains_key(&variant(path, self.whitespace))
    }

    /// What a template does with white space where nothing else is said.
    pub(crate) fn whitespace(&self) -> Whitespace {
        self.whitespace
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

    /// Renders a template of a role by its path in the repo; `used` is where that is asked for.
    pub(crate) fn render(
        &self,
        (path, whitespace): (&str, Whitespace),
        context: &Value,
        used: &Span,
    ) -> Result<Rendered, Failing> {
        let fail = |error: &Error| {
            let mut failing = self.failing(error, None);
            failing.used.get_or_insert_with(|| used.clone());
            failing
        };
        let place = self.templates.get(&variant(path, whitespace)).copied();
        let ready = place.and_then(|place| self.compiled.borrow_dependent().get(place));
        let (Some(Ready::Text(template)), Some(place)) = (ready, place) else {
            return Err(fail(&broken()));
        };
        let mut out = Bounded::default();
        let rendered = template.render_captured_to(context.clone(), &mut out);
        if out.full {
            return Err(self.too_long(used));
        }
        rendered.map_err(|error| fail(&error))?;
        // The engine writes nothing but text.
        let mut text = String::from_utf8_lossy(&out.bytes).into_owned();
        let template = &self.prepared.templates[place - self.programs.list.len()];
        let source = &self.programs.templates[template.place].source;
        end_lines(&mut text, source.text());
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
        let place = |name: Option<&str>, range: Range<usize>| {
            if let Some(place) = name.and_then(|name| self.templates.get(name)) {
                let template = &self.prepared.templates[place - self.programs.list.len()];
                let range = template.texts.written(range);
                let source = &self.programs.templates[template.place].source;
                return Some(Span::new(source, range.start, range.end));
            }
            let text = name.and_then(|name| name.strip_prefix('#')?.parse().ok());
            let id = text.map(ProgramId).or(program)?;
            let range = self.prepared.programs[id.0 as usize].written(range);
            Some(self.programs.list[id.0 as usize].place(range))
        };
        Failing::of(error, place, program.map(|id| self.span(id).clone()))
    }
}

/// Adds texts and templates to the environment.
fn add_texts(
    environment: &mut Environment<'static>,
    (programs, prepared): (&Programs, &Prepared),
    wrong: &mut Diagnostics,
) {
    for (place, texts) in prepared.programs.iter().enumerate() {
        let program = &programs.list[place];
        if program.kind == Kind::Text {
            let name = name_of(place);
            let added = environment.add_template_owned(name, texts.compiled().to_owned());
            if let Err(error) = added {
                wrong.push(syntax_error(&error, texts.compiled(), |range| {
                    program.place(texts.written(range))
                }));
            }
        }
    }
    let scalars = environment.syntax().clone();
    for template in &prepared.templates {
        environment.set_syntax(template.syntax.clone());
        let name = template.name.clone();
        let compiled = template.texts.compiled().to_owned();
        if let Err(error) = environment.add_template_owned(name, compiled) {
            let source = &programs.templates[template.place].source;
            wrong.push(syntax_error(&error, template.texts.compiled(), |range| {
                let range = template.texts.written(range);
                Span::new(source, range.start, range.end)
            }));
        }
    }
    environment.set_syntax(scalars);
}

/// Compiles what has been added, in the order of the programs and then the templates.
fn compile<'env>(
    environment: &'env Environment<'static>,
    programs: &Programs,
    prepared: &Prepared,
    wrong: &mut Diagnostics,
) -> AllReady<'env> {
    let text = |name: &str| match environment.get_template(name) {
        Ok(template) => Ready::Text(template),
        Err(_) => Ready::Broken,
    };
    let numbered = programs.list.iter().zip(&prepared.programs).enumerate();
    let mut ready: AllReady<'env> = numbered
        .map(|(place, (program, texts))| {
            if program.kind == Kind::Text {
                return text(&name_of(place));
            }
            match environment.compile_expression_owned(texts.compiled().to_owned()) {
                Ok(expression) => Ready::Expression(expression),
                Err(error) => {
                    wrong.push(syntax_error(&error, texts.compiled(), |range| {
                        program.place(texts.written(range))
                    }));
                    Ready::Broken
                }
            }
        })
        .collect();
    ready.extend(
        prepared
            .templates
            .iter()
            .map(|template| text(&template.name)),
    );
    ready
}

/// The name under which a text in YAML is compiled.
fn name_of(place: usize) -> String {
    format!("#{place}")
}

/// Gives a text as many line breaks at its end as its template has, where it has fewer.
fn end_lines(text: &mut String, template: &str) {
    let breaks = |text: &str| text.bytes().rev().take_while(|byte| *byte == b'\n').count();
    for _ in breaks(text)..breaks(template) {
        text.push('\n');
    }
}

/// Of a program that does not parse, which is told when the site is parsed.
fn broken() -> Error {
    Error::new(ErrorKind::SyntaxError, "the program does not parse")
}
