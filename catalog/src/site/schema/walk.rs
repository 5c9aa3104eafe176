//! The walk: a schema and a value side by side, part by part, everything that does not fit.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use minijinja::Value;

use super::rule::{Rule, mark};
use super::seen::{Entry, Inside, Seen, describe};
use super::{Others, Schema, ValueType};
use crate::diag::{Code, Span, did_you_mean, listed};
use crate::render::{Handle, ProgramId};

/// How much of a value is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What one layer has written: others may add properties and items.
    Part,
    /// All of it.
    Whole,
}

/// Something in a value that does not fit.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) code: Code,
    /// What is wrong: a sentence that the name of the part goes before.
    pub(crate) message: String,
    /// The part: `.servers[2]`, empty for the value itself.
    pub(crate) path: String,
    /// Where it stands; nowhere in what was computed.
    pub(crate) at: Option<Span>,
    /// Which layer has written it.
    pub(crate) layer: Option<usize>,
    /// What it does not fit.
    pub(crate) demand: Span,
    pub(crate) help: Option<String>,
}

/// An expression in a value, and what it has to give.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) program: ProgramId,
    pub(crate) schema: Arc<Schema>,
    pub(crate) path: String,
    pub(crate) sensitive: bool,
}

impl Expected {
    /// Of a value that is no part of another; it may come of several programs.
    pub(crate) fn whole(schema: &Arc<Schema>) -> Self {
        Self {
            program: ProgramId(0),
            schema: Arc::clone(schema),
            path: String::new(),
            sensitive: false,
        }
    }
}

/// A walk and what it found.
#[derive(Debug)]
pub(crate) struct Walk {
    extent: Extent,
    path: String,
    sensitive: bool,
    pub(crate) misfits: Vec<Misfit>,
    pub(crate) expressions: Vec<Expected>,
}

impl Walk {
    /// Looks at a value.
    pub(crate) fn over(schema: &Arc<Schema>, seen: &Seen<'_>, extent: Extent) -> Self {
        Self::from(schema, seen, (extent, false))
    }

    /// Looks at what an expression gave, which is a part of something sensitive or not.
    pub(crate) fn over_computed(expected: &Expected, value: &Value) -> Self {
        let seen = Seen::Computed(value.clone());
        let (schema, sensitive) = (&expected.schema, expected.sensitive);
        let mut walk = Self::from(schema, &seen, (Extent::Whole, sensitive));
        for misfit in &mut walk.misfits {
            misfit.path.insert_str(0, &expected.path);
        }
        walk
    }

    fn from(schema: &Arc<Schema>, seen: &Seen<'_>, (extent, sensitive): (Extent, bool)) -> Self {
        let mut walk = Self {
            extent,
            path: String::new(),
            sensitive,
            misfits: Vec::new(),
            expressions: Vec::new(),
        };
        walk.value(schema, seen);
        walk
    }

    fn value(&mut self, schema: &Arc<Schema>, seen: &Seen<'_>) {
        let around = self.sensitive;
        self.sensitive |= schema.sensitive;
        match seen.inside() {
            Inside::Broken => {}
            Inside::Expression(program) => self.expressions.push(Expected {
                program,
                schema: Arc::clone(schema),
                path: self.path.clone(),
                sensitive: self.sensitive,
            }),
            Inside::Scalar(value) => self.scalar(schema, seen, &value),
            Inside::List(items) => self.list(schema, seen, &items),
            Inside::Map(entries) => self.map(schema, seen, &entries),
        }
        self.sensitive = around;
    }

    fn scalar(&mut self, schema: &Schema, seen: &Seen<'_>, value: &Value) {
        let known = Handle::in_value(value).map(|handle| (handle, handle.plain()));
        let value = match known {
            None => value.clone(),
            Some((_, Some(plain))) => plain,
            Some((handle, None)) => return self.secret(schema, seen, &handle.names()),
        };
        if value.is_none() && schema.nullable {
            return;
        }
        if !schema.types.is_empty() && !schema.types.iter().any(|kind| kind.admits(&value)) {
            let found = match self.sensitive {
                true => value.kind().to_string(),
                false => describe(&value),
            };
            return self.wrong_type(schema, seen, &found);
        }
        for (rule, span) in &schema.rules {
            if let Some(message) = rule.refuses_scalar(&value) {
                self.refused(seen, message, span);
            }
        }
    }

    /// A secret is text, and nothing more is known of it.
    fn secret(&mut self, schema: &Schema, seen: &Seen<'_>, names: &str) {
        if !schema.types.is_empty() && !schema.types.contains(&ValueType::String) {
            return self.wrong_type(schema, seen, names);
        }
        let about_text = |rule: &Rule| rule.about().is_none_or(|kind| kind == ValueType::String);
        if let Some((_, span)) = schema.rules.iter().find(|(rule, _)| about_text(rule)) {
            let message = format!("{names} cannot be checked: what it is is not known here");
            self.tell(Code::InvalidValue, message, (seen, span));
        }
    }

    fn list(&mut self, schema: &Arc<Schema>, seen: &Seen<'_>, items: &[Seen<'_>]) {
        if !schema.types.is_empty() && !schema.types.contains(&ValueType::Array) {
            return self.wrong_type(schema, seen, "an array");
        }
        for (rule, span) in &schema.rules {
            let refused = match (rule, self.extent) {
                (Rule::Unique, _) => self.repeated(items, span),
                (_, Extent::Part) => None,
                (Rule::OneOf(_), Extent::Whole) => {
                    let whole = seen.constant();
                    whole.and_then(|value| rule.refuses_whole(&value))
                }
                (_, Extent::Whole) => rule.refuses_length(items.len()),
            };
            if let Some(message) = refused {
                self.refused(seen, message, span);
            }
        }
        let Some(each) = &schema.items else { return };
        // Layers unite lists, and leave their items alone.
        let around = std::mem::replace(&mut self.extent, Extent::Whole);
        for (place, item) in items.iter().enumerate() {
            let length = self.path.len();
            // Into memory, which does not fail.
            let _ = write!(self.path, "[{place}]");
            self.value(each, item);
            self.path.truncate(length);
        }
        self.extent = around;
    }

    /// Tells of items that stand twice, each at its place; a list as a whole is told by words.
    fn repeated(&mut self, items: &[Seen<'_>], demand: &Span) -> Option<String> {
        let mut unplaced = None;
        let mut known: HashMap<String, usize> = HashMap::new();
        for (place, item) in items.iter().enumerate() {
            // Of secrets it is not known what they are.
            let value = item.constant();
            let Some(value) = value.filter(|value| Handle::in_value(value).is_none()) else {
                continue;
            };
            let first = *known.entry(mark(&value)).or_insert(place);
            if first == place {
                continue;
            }
            let shown = match self.sensitive {
                true => "an item".to_owned(),
                false => describe(&value),
            };
            let message = format!("item {place} repeats item {first}, {shown}");
            match items[place].place() {
                Some(_) => self.tell(Code::InvalidValue, message, (&items[place], demand)),
                None => unplaced = unplaced.or(Some(message)),
            }
        }
        unplaced
    }

    fn map(&mut self, schema: &Arc<Schema>, seen: &Seen<'_>, entries: &[Entry<'_>]) {
        if !schema.types.is_empty() && !schema.types.contains(&ValueType::Object) {
            return self.wrong_type(schema, seen, "an object");
        }
        if self.extent == Extent::Whole {
            for (rule, span) in &schema.rules {
                let whole = matches!(rule, Rule::OneOf(_)).then(|| seen.constant());
                let refused = whole.flatten().and_then(|value| rule.refuses_whole(&value));
                if let Some(message) = refused {
                    self.refused(seen, message, span);
                }
            }
            let names: HashSet<&str> = match schema.required.is_empty() {
                true => HashSet::new(),
                false => entries.iter().map(|entry| &*entry.name).collect(),
            };
            for (name, span) in &schema.required {
                if !names.contains(&**name) {
                    let message = format!("`{name}` is missing");
                    self.tell(Code::MissingKey, message, (seen, span));
                }
            }
        }
        for entry in entries {
            let length = self.path.len();
            let _ = write!(self.path, ".{}", entry.name);
            match (schema.properties.get(&entry.name), &schema.others) {
                (Some(known), _) | (None, Others::Each(known)) => {
                    self.value(known, &entry.value);
                }
                (None, Others::Any) => {}
                (None, Others::None(span)) => {
                    self.path.truncate(length);
                    self.unknown(schema, entry, span);
                }
            }
            self.path.truncate(length);
        }
    }

    fn unknown(&mut self, schema: &Schema, entry: &Entry<'_>, demand: &Span) {
        let known = || schema.properties.keys().map(|name| &**name);
        let help = did_you_mean(&entry.name, known());
        let help = help.or_else(|| {
            let some = !schema.properties.is_empty();
            some.then(|| format!("it has {}", listed(known())))
        });
        let message = format!("there is no `{}` in it", entry.name);
        self.tell(Code::UnknownKey, message, (&entry.value, demand));
        if let Some(last) = self.misfits.last_mut() {
            last.help = help;
            last.at = entry.key.cloned().or(last.at.take());
        }
    }

    fn wrong_type(&mut self, schema: &Schema, seen: &Seen<'_>, found: &str) {
        let message = format!("expected {}, found {found}", schema.types());
        self.tell(Code::WrongType, message, (seen, &schema.typed));
    }

    /// A demand that is not met, without the value where that is sensitive.
    fn refused(&mut self, seen: &Seen<'_>, message: String, demand: &Span) {
        let message = match self.sensitive {
            true => "it does not meet what its declaration demands".to_owned(),
            false => message,
        };
        self.tell(Code::InvalidValue, message, (seen, demand));
    }

    fn tell(&mut self, code: Code, message: String, (seen, demand): (&Seen<'_>, &Span)) {
        let place = seen.place();
        self.misfits.push(Misfit {
            code,
            message,
            path: self.path.clone(),
            at: place.map(|(span, _)| span.clone()),
            layer: place.and_then(|(_, layer)| layer),
            demand: demand.clone(),
            help: None,
        });
    }
}
