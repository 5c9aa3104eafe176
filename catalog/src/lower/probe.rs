//! The health probes of a role for a host.

use holdfast_schemas::health::{
    Check, CommandCheck, HealthProbe, HttpCheck, PortCheck, RoleHealth,
};
use minijinja::Value;

use super::attrs::Attrs;
use super::context::{Context, Made};
use super::each::each;
use crate::diag::{Code, Diagnostic, Span};
use crate::graph;
use crate::render::secret_in;
use crate::site::{Probe, ProbeKind};

/// Carries out one probe of a role.
pub(super) fn probe<'s>(probe: &'s Probe, context: &mut Context<'s, '_>) {
    let mut body = |context: &mut Context<'s, '_>| {
        let holds = probe.steps.when.map(|when| context.holds(when));
        if matches!(holds, None | Some(Some(true)))
            && let Some(found) = one(probe, context)
        {
            let frame = context.frame;
            context.made.health.push((frame, found));
        }
    };
    // What is wrong with the loops is told, and no catalog comes of it.
    let _ = each(&probe.steps.loops, context, &mut body);
}

/// One probe; what is wrong with it is told.
fn one(probe: &Probe, context: &Context<'_, '_>) -> Option<HealthProbe> {
    let values = probe.attributes.iter().map(|(name, field)| {
        let value = context.eval(&field.term)?;
        Some((&**name, value, &field.term.span))
    });
    let values: Vec<Option<(&str, Value, &Span)>> = values.collect();
    let mut attrs = Attrs {
        title: probe.kind.as_str(),
        span: &probe.span,
        values: values.into_iter().collect::<Option<_>>()?,
        wrong: Vec::new(),
    };
    refuse_secrets(&mut attrs);
    let found = match attrs.wrong.is_empty() {
        true => read(probe.kind, &mut attrs),
        false => None,
    };
    let found = found.filter(|_| attrs.wrong.is_empty());
    if let Some(Err(error)) = found.as_ref().map(HealthProbe::check) {
        attrs.tell(Diagnostic::new(
            Code::InvalidValue,
            error.to_string(),
            &probe.span,
        ));
    }
    let sound = attrs.wrong.is_empty();
    attrs.wrong.into_iter().for_each(|told| context.tell(told));
    found.filter(|_| sound)
}

/// What a probe asks and sees is told in reports.
fn refuse_secrets(attrs: &mut Attrs<'_>) {
    let values = attrs.values.iter();
    let secrets = values.filter_map(|(name, value, span)| Some((name, secret_in(value)?, span)));
    let told = secrets.map(|(name, names, span)| {
        let message = format!("{names} cannot stand in `{name}` of a probe");
        Diagnostic::new(Code::Secret, message, span).help(
            "what a probe asks is told in reports; let a command read the secret from its file",
        )
    });
    let told: Vec<Diagnostic> = told.collect();
    told.into_iter().for_each(|told| attrs.tell(told));
}

fn read(kind: ProbeKind, attrs: &mut Attrs<'_>) -> Option<HealthProbe> {
    let check = match kind {
        ProbeKind::Port => Check::Port(PortCheck {
            host: attrs.text("host"),
            port: short(attrs, "port")?,
        }),
        ProbeKind::Http => Check::Http(HttpCheck {
            url: attrs.text("http")?,
            status: statuses(attrs),
            contains: attrs.text("contains"),
        }),
        ProbeKind::Command => Check::Command(CommandCheck {
            command: attrs.command("command")?,
            run_as: attrs.account("run_as"),
        }),
        ProbeKind::Unit => Check::Unit(attrs.account("unit")?),
    };
    let mut probe = HealthProbe::new(check);
    let times = [
        ("timeout_s", &mut probe.timeout_s),
        ("retries", &mut probe.retries),
        ("interval_s", &mut probe.interval_s),
    ];
    for (name, time) in times {
        if let Some(given) = attrs.number(name) {
            *time = given;
        }
    }
    Some(probe)
}

/// A number of 16 bits.
fn short(attrs: &mut Attrs<'_>, name: &'static str) -> Option<u16> {
    let number = attrs.number(name)?;
    let short = u16::try_from(number).ok();
    if short.is_none() {
        let span = attrs.get(name).map_or(attrs.span, |(_, span)| span);
        let message = format!("`{name}` is at most {}, found {number}", u16::MAX);
        attrs.tell(Diagnostic::new(Code::InvalidValue, message, span));
    }
    short
}

/// Statuses of HTTP: one, or a list.
fn statuses(attrs: &mut Attrs<'_>) -> Vec<u16> {
    let span = attrs.get("status").map(|(_, span)| span);
    let texts = attrs.texts("status").unwrap_or_default();
    let status = |text: &String| {
        let number: Option<u16> = text.parse().ok();
        number.filter(|number| (100..=599).contains(number))
    };
    let found: Option<Vec<u16>> = texts.iter().map(status).collect();
    if let (None, Some(span)) = (&found, span) {
        let message = "`status` is a number from 100 to 599, or a list of such";
        attrs.tell(Diagnostic::new(Code::InvalidValue, message, span));
    }
    found.unwrap_or_default()
}

/// The probes of a host's roles, with the resources that they are about.
pub(super) fn of_roles(made: &Made<'_>) -> Vec<RoleHealth> {
    let mut found: Vec<(usize, RoleHealth)> = Vec::new();
    for (frame, probe) in &made.health {
        match found.iter_mut().find(|(known, _)| known == frame) {
            Some((_, health)) => health.probes.push(probe.clone()),
            None => {
                let health = RoleHealth {
                    role: made.frames[*frame].name(),
                    resources: graph::members((&made.built, &made.frames), *frame),
                    probes: vec![probe.clone()],
                };
                found.push((*frame, health));
            }
        }
    }
    found.into_iter().map(|(_, health)| health).collect()
}
