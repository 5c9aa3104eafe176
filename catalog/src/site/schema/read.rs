//! Reading a schema from YAML, keyword by keyword; one that is unknown is told with the nearest.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use regex::Regex;

use super::rule::{Allowed, Rule};
use super::{Others, Schema, ValueType};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::render::Programs;
use crate::site::fields::{Fields, text, wrong_type};
use crate::site::secret;
use crate::site::yaml::{Field, Node, Yaml};
use crate::vars::Term;

/// Largest compiled pattern, in bytes.
const MAX_PATTERN: usize = 256 * 1024;

/// What a schema stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Under {
    /// The entry of a parameter or a variable, which reads `default` itself.
    Entry,
    Property,
    Items,
    Others,
}

impl Schema {
    /// Reads the schema of a parameter or a variable, beside whose keywords others may stand.
    /// Whether a value has to be there stands in it as `required: true`.
    pub(in crate::site) fn read(
        fields: &mut Fields<'_>,
        span: &Span,
        wrong: &mut Diagnostics,
    ) -> (Self, Option<(bool, Span)>) {
        let mut reading = Reading { wrong };
        reading.schema(fields, span, Under::Entry)
    }

    /// The same, of which nothing is a value, too.
    pub(in crate::site) fn or_nothing(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }
}

/// A keyword, and what it demands by its value.
type Demanding<T> = (&'static str, fn(T) -> Rule);

struct Reading<'w> {
    wrong: &'w mut Diagnostics,
}

impl Reading<'_> {
    fn schema(
        &mut self,
        fields: &mut Fields<'_>,
        span: &Span,
        under: Under,
    ) -> (Schema, Option<(bool, Span)>) {
        let (types, typed) = self.types(fields).unwrap_or((Vec::new(), span.clone()));
        let rules = self.rules(fields);
        let mut required = Vec::new();
        let own = self.required(fields, under, &mut required);
        let properties = self.properties(fields, &mut required);
        let items = fields.get("items");
        let items = items.and_then(|field| self.inner(field, "`items`", Under::Items));
        let others = self.others(fields);
        let sensitive = self.flag(fields, "sensitive").is_some_and(|(on, _)| on);
        let description = fields.text("description", self.wrong);
        let schema = Schema {
            span: span.clone(),
            types,
            typed,
            rules,
            items: items.map(|(schema, _)| Arc::new(schema)),
            properties,
            required,
            others,
            nullable: false,
            sensitive,
            description: description.map(|(text, _)| text),
        };
        (schema, own)
    }

    /// A schema of a part.
    fn inner(
        &mut self,
        field: &Field,
        what: &str,
        under: Under,
    ) -> Option<(Schema, Option<(bool, Span)>)> {
        let mut fields = Fields::of(&field.node, what, self.wrong)?;
        let read = self.schema(&mut fields, &field.key, under);
        if let Some(default) = fields.even_none("default") {
            let message = "a part of a value has no default of its own";
            let told = Diagnostic::new(Code::InvalidValue, message, &default.key);
            self.wrong
                .push(told.help("write the default of the whole, with this part in it"));
        }
        fields.finish(self.wrong);
        Some(read)
    }

    fn types(&mut self, fields: &mut Fields<'_>) -> Option<(Vec<ValueType>, Span)> {
        let field = fields.get("type")?;
        let nodes = match &field.node.value {
            Yaml::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(&field.node),
        };
        let types = nodes.iter().filter_map(|node| match &node.value {
            // What `null` is without quotes.
            Yaml::Null => Some(ValueType::Null),
            _ => {
                let (word, span) = text(node, self.wrong)?;
                self.named_type(&word, &span)
            }
        });
        Some((types.collect(), field.node.span.clone()))
    }

    fn named_type(&mut self, word: &str, span: &Span) -> Option<ValueType> {
        let known = ValueType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word);
        if known.is_none() {
            let words = ValueType::ALL.map(ValueType::as_str);
            let help = match word {
                "bool" => Some("did you mean `boolean`?".to_owned()),
                "int" => Some("did you mean `integer`?".to_owned()),
                "float" => Some("did you mean `number`?".to_owned()),
                "list" => Some("did you mean `array`?".to_owned()),
                "dict" | "map" | "mapping" => Some("did you mean `object`?".to_owned()),
                "str" | "text" => Some("did you mean `string`?".to_owned()),
                _ => did_you_mean(word, words),
            };
            let help = help.unwrap_or_else(|| format!("the types are {}", words.join(", ")));
            let message = format!("there is no type `{word}`");
            self.wrong
                .push(Diagnostic::new(Code::InvalidValue, message, span).help(help));
        }
        known
    }

    fn rules(&mut self, fields: &mut Fields<'_>) -> Vec<(Rule, Span)> {
        let numbers: [Demanding<f64>; 5] = [
            ("minimum", Rule::Minimum),
            ("maximum", Rule::Maximum),
            ("exclusiveMinimum", Rule::Above),
            ("exclusiveMaximum", Rule::Below),
            ("multipleOf", Rule::MultipleOf),
        ];
        let counts: [Demanding<usize>; 4] = [
            ("minLength", Rule::MinLength),
            ("maxLength", Rule::MaxLength),
            ("minItems", Rule::MinItems),
            ("maxItems", Rule::MaxItems),
        ];
        let mut rules = Vec::new();
        for (key, rule) in numbers {
            let field = fields.get(key);
            rules.extend(
                field.and_then(|field| Some((rule(self.number(key, field)?), place(field)))),
            );
        }
        for (key, rule) in counts {
            let field = fields.get(key);
            rules.extend(field.and_then(|field| Some((rule(self.count(field)?), place(field)))));
        }
        if let Some((true, span)) = self.flag(fields, "uniqueItems") {
            rules.push((Rule::Unique, span));
        }
        if let Some(field) = fields.get("pattern") {
            rules.extend(self.pattern(field).map(|rule| (rule, place(field))));
        }
        if let Some(field) = fields.get("enum") {
            rules.extend(self.allowed(field).map(|rule| (rule, place(field))));
        }
        if let Some(field) = fields.even_none("const") {
            let value = self.plain(&field.node);
            rules.extend(value.map(|value| (Rule::OneOf(Allowed::of(vec![value])), place(field))));
        }
        rules
    }

    fn number(&mut self, key: &str, field: &Field) -> Option<f64> {
        let number = match field.node.value {
            Yaml::Int(value) => value as f64,
            Yaml::Float(value) => value,
            _ => {
                self.wrong.push(wrong_type("a number", &field.node));
                return None;
            }
        };
        if key == "multipleOf" && number <= 0.0 {
            let message = "nothing is a multiple of what is not above 0";
            self.wrong.push(Diagnostic::new(
                Code::InvalidValue,
                message,
                &field.node.span,
            ));
            return None;
        }
        Some(number)
    }

    fn count(&mut self, field: &Field) -> Option<usize> {
        let count = match field.node.value {
            Yaml::Int(value) => usize::try_from(value).ok(),
            _ => None,
        };
        if count.is_none() {
            self.wrong
                .push(wrong_type("a count: an integer from 0", &field.node));
        }
        count
    }

    fn pattern(&mut self, field: &Field) -> Option<Rule> {
        let (pattern, span) = text(&field.node, self.wrong)?;
        let regex: Result<Regex, _> = regex::RegexBuilder::new(&pattern)
            .size_limit(MAX_PATTERN)
            .build();
        if let Err(error) = &regex {
            let message = format!("`{pattern}` is no regular expression: {error}");
            self.wrong
                .push(Diagnostic::new(Code::InvalidValue, message, &span));
        }
        regex.ok().map(Rule::Pattern)
    }

    fn allowed(&mut self, field: &Field) -> Option<Rule> {
        let Yaml::List(items) = &field.node.value else {
            self.wrong.push(wrong_type("a list of values", &field.node));
            return None;
        };
        let values: Vec<Value> = items.iter().filter_map(|item| self.plain(item)).collect();
        (!values.is_empty()).then(|| Rule::OneOf(Allowed::of(values)))
    }

    /// A value that is neither encrypted nor an expression.
    fn plain(&mut self, node: &Node) -> Option<Value> {
        let mut none = Programs::default();
        let value = Term::of(node, &mut none).constant.clone();
        if !none.secrets.is_empty() {
            let told = secret::misplaced("what a value may be", "write plain values", &node.span);
            self.wrong.push(told);
            return None;
        }
        if value.is_none() {
            let message = "what a value may be holds an expression";
            let told = Diagnostic::new(Code::InvalidValue, message, &node.span);
            self.wrong.push(told.help("write plain values"));
        }
        value
    }

    /// `required`: a list of properties; or, of a whole or a property, whether it has to be there.
    fn required(
        &mut self,
        fields: &mut Fields<'_>,
        under: Under,
        names: &mut Vec<(Arc<str>, Span)>,
    ) -> Option<(bool, Span)> {
        let field = fields.get("required")?;
        match &field.node.value {
            Yaml::Bool(needed) if matches!(under, Under::Entry | Under::Property) => {
                Some((*needed, place(field)))
            }
            Yaml::List(_) => {
                names.extend(fields.texts("required", self.wrong));
                None
            }
            _ => {
                let expected = match under {
                    Under::Entry | Under::Property => "true, false or a list of properties",
                    Under::Items | Under::Others => "a list of properties",
                };
                self.wrong.push(wrong_type(expected, &field.node));
                None
            }
        }
    }

    fn properties(
        &mut self,
        fields: &mut Fields<'_>,
        required: &mut Vec<(Arc<str>, Span)>,
    ) -> IndexMap<Arc<str>, Arc<Schema>> {
        let mut properties = IndexMap::new();
        let Some(field) = fields.get("properties") else {
            return properties;
        };
        let Yaml::Map(map) = &field.node.value else {
            let expected = "a mapping from properties to what they may be";
            self.wrong.push(wrong_type(expected, &field.node));
            return properties;
        };
        for (name, field) in map {
            let what = format!("property `{name}`");
            let Some((schema, needed)) = self.inner(field, &what, Under::Property) else {
                continue;
            };
            if let Some((true, span)) = needed {
                required.push((Arc::clone(name), span));
            }
            properties.insert(Arc::clone(name), Arc::new(schema));
        }
        properties
    }

    fn others(&mut self, fields: &mut Fields<'_>) -> Others {
        let Some(field) = fields.get("additionalProperties") else {
            return Others::Any;
        };
        match &field.node.value {
            Yaml::Bool(true) => Others::Any,
            Yaml::Bool(false) => Others::None(place(field)),
            Yaml::Map(_) => {
                let read = self.inner(field, "`additionalProperties`", Under::Others);
                read.map_or(Others::Any, |(schema, _)| Others::Each(Arc::new(schema)))
            }
            _ => {
                let expected = "true, false or what further properties may be";
                self.wrong.push(wrong_type(expected, &field.node));
                Others::Any
            }
        }
    }

    fn flag<'a>(&mut self, fields: &mut Fields<'a>, key: &'a str) -> Option<(bool, Span)> {
        let field = fields.get(key)?;
        match field.node.value {
            Yaml::Bool(value) => Some((value, place(field))),
            _ => {
                self.wrong.push(wrong_type("true or false", &field.node));
                None
            }
        }
    }
}

/// From a keyword to the end of what it says, where that is short; else the keyword alone.
fn place(field: &Field) -> Span {
    match field.node.value {
        Yaml::List(_) | Yaml::Map(_) => field.key.clone(),
        _ => field.key.to(&field.node.span),
    }
}
