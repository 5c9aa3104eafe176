//! `holdfast.yaml`: the tiers of groups, the merge rules of variables, the mode of the fleet, who
//! can read its secrets.

use std::sync::Arc;

use holdfast_schemas::catalog::Enforcement;

use super::fields::{Fields, text, wrong_type};
use super::names::is_plain;
use super::recipients::{self, Recipients};
use super::yaml::{Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::render::Whitespace;
use crate::vars::{MergeRule, Rules};

/// The tiers of a site that names none, from the lowest to the highest.
const DEFAULT_TIERS: [&str; 4] = ["global", "idc", "set", "custom"];

/// The settings of a site.
#[derive(Debug)]
pub(crate) struct Settings {
    /// From the lowest to the highest.
    pub(crate) tiers: Vec<Arc<str>>,
    pub(crate) rules: Rules,
    pub(crate) mode: Enforcement,
    /// What templates do with white space.
    pub(crate) whitespace: Whitespace,
    /// Who can read what is encrypted.
    pub(crate) recipients: Recipients,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tiers: DEFAULT_TIERS.into_iter().map(Arc::from).collect(),
            rules: Rules::default(),
            mode: Enforcement::Enforce,
            whitespace: Whitespace::default(),
            recipients: Recipients::new(),
        }
    }
}

impl Settings {
    /// Reads `holdfast.yaml`.
    pub(crate) fn read(node: &Node, wrong: &mut Diagnostics) -> Self {
        let mut settings = Self::default();
        let Some(mut fields) = Fields::of(node, "holdfast.yaml", wrong) else {
            return settings;
        };
        let tiers = fields.texts("tiers", wrong);
        if !tiers.is_empty() {
            settings.tiers = checked_tiers(tiers, wrong);
        }
        if let Some(field) = fields.get("merge") {
            read_rules(&field.node, &mut settings.rules, wrong);
        }
        if let Some(field) = fields.get("templates") {
            settings.whitespace = read_templates(&field.node, wrong);
        }
        settings.mode = read_mode(&mut fields, wrong).unwrap_or_default();
        if let Some(field) = fields.get("secrets") {
            settings.recipients = recipients::read(&field.node, wrong);
        }
        fields.finish(wrong);
        settings
    }
}

/// Reads `templates: { trim_blocks: …, lstrip_blocks: … }`.
fn read_templates(node: &Node, wrong: &mut Diagnostics) -> Whitespace {
    let mut whitespace = Whitespace::default();
    let Some(mut fields) = Fields::of(node, "templates", wrong) else {
        return whitespace;
    };
    for (name, target) in [
        ("trim_blocks", &mut whitespace.trim_blocks),
        ("lstrip_blocks", &mut whitespace.lstrip_blocks),
    ] {
        match fields.get(name).map(|field| (&field.node.value, field)) {
            None => {}
            Some((Yaml::Bool(on), _)) => *target = *on,
            Some((_, field)) => wrong.push(wrong_type("true or false", &field.node)),
        }
    }
    fields.finish(wrong);
    whitespace
}

fn checked_tiers(tiers: Vec<(Arc<str>, Span)>, wrong: &mut Diagnostics) -> Vec<Arc<str>> {
    let mut known: Vec<Arc<str>> = Vec::new();
    for (tier, span) in tiers {
        if !is_plain(&tier) || known.contains(&tier) {
            let message = format!("`{tier}` is no name of its own for a tier");
            wrong.push(Diagnostic::new(Code::InvalidValue, message, &span));
        }
        known.push(tier);
    }
    known
}

fn read_rules(node: &Node, rules: &mut Rules, wrong: &mut Diagnostics) {
    let Yaml::Map(map) = &node.value else {
        wrong.push(wrong_type("a mapping from variables to merge rules", node));
        return;
    };
    for (pattern, field) in map {
        let Some((word, span)) = text(&field.node, wrong) else {
            continue;
        };
        let words = MergeRule::ALL.map(MergeRule::as_str);
        match MergeRule::ALL
            .into_iter()
            .find(|rule| rule.as_str() == &*word)
        {
            None => {
                let message = format!("there is no merge rule `{word}`");
                let help = did_you_mean(&word, words);
                let help = help.unwrap_or_else(|| format!("the rules are {}", words.join(", ")));
                wrong.push(Diagnostic::new(Code::InvalidValue, message, &span).help(help));
            }
            Some(rule) => {
                if !rules.add(pattern, rule, &field.key) {
                    let message = format!("`{pattern}` names no variable");
                    let told = Diagnostic::new(Code::InvalidValue, message, &field.key);
                    wrong.push(told.help("write names with dots between; `*` stands for any one"));
                }
            }
        }
    }
}

/// Reads `mode`: whether differences are mended or only recorded.
pub(super) fn read_mode(fields: &mut Fields<'_>, wrong: &mut Diagnostics) -> Option<Enforcement> {
    let (word, span) = fields.text("mode", wrong)?;
    match &*word {
        "enforce" => Some(Enforcement::Enforce),
        "audit" => Some(Enforcement::Audit),
        _ => {
            let message = format!("there is no mode `{word}`");
            let told = Diagnostic::new(Code::InvalidValue, message, &span);
            wrong.push(told.help("the modes are `enforce` and `audit`"));
            None
        }
    }
}
