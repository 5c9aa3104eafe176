//! `file`: content from the attribute, a template or a content file of the role.

use std::sync::Arc;

use holdfast_schemas::Digest;
use holdfast_schemas::resource::{Content, Ensure, File, MAX_INLINE, Spec};

use super::attrs::Attrs;
use super::context::Context;
use super::sealed::sealed;
use crate::diag::{Code, Diagnostic, Span, did_you_mean};
use crate::render::{Handle, Rendered};
use crate::sealed::SealedContent;
use crate::site::ContentFile;

pub(super) const ATTRIBUTES: &[&str] = &[
    "content",
    "ensure",
    "force",
    "group",
    "lstrip_blocks",
    "mode",
    "owner",
    "path",
    "replace",
    "source",
    "template",
    "trim_blocks",
    "validate",
];

/// Where content can come from.
const ORIGINS: [&str; 3] = ["content", "template", "source"];

pub(super) fn lower(attrs: &mut Attrs<'_>, context: &mut Context<'_, '_>) -> Option<Spec> {
    let content = content(attrs, context);
    of(attrs, content)
}

/// A file with this content.
pub(super) fn of(attrs: &mut Attrs<'_>, content: Option<Content>) -> Option<Spec> {
    let file = File {
        path: attrs.own_path()?,
        ensure: attrs.ensure(),
        content,
        owner: attrs.account("owner"),
        group: attrs.account("group"),
        mode: attrs.mode(),
        validate: attrs.command("validate"),
        replace: attrs.flag("replace").unwrap_or(true),
        force: attrs.flag("force").unwrap_or(false),
    };
    if file.ensure == Ensure::Absent && file.content.is_some() {
        let message = "a file that is to be absent has no content";
        attrs.tell(Diagnostic::new(Code::InvalidValue, message, attrs.span));
    }
    Some(Spec::File(file))
}

fn content(attrs: &mut Attrs<'_>, context: &mut Context<'_, '_>) -> Option<Content> {
    let given = ORIGINS
        .into_iter()
        .filter_map(|name| Some((name, attrs.get(name)?.1)));
    let given: Vec<(&str, &Span)> = given.collect();
    if let [(first, span), (second, other), ..] = given[..] {
        let message = format!("a file has `{first}` or `{second}`, not both");
        attrs.tell(Diagnostic::new(Code::InvalidValue, message, span).also(other, ""));
        return None;
    }
    let (origin, span) = *given.first()?;
    if let ("content", Some((value, _))) = (origin, attrs.get(origin))
        && let Some(handle) = Handle::in_value(&value)
    {
        return sealed(handle.content(), (origin, span), (attrs, context));
    }
    let text = attrs.text(origin)?;
    match origin {
        "content" => Some(made(text, context)),
        "template" => match template(&text, span, (attrs, &mut *context))? {
            Rendered::Plain(text) => Some(made(text, context)),
            Rendered::Secret(handle) => sealed(handle.content(), (origin, span), (attrs, context)),
        },
        _ => source(&text, span, (attrs, context)),
    }
}

/// Content that the compiler made: in the catalog while it is short, else a blob beside it.
fn made(text: String, context: &mut Context<'_, '_>) -> Content {
    if text.len() <= MAX_INLINE {
        return Content::Text(text);
    }
    let bytes: Arc<[u8]> = text.into_bytes().into();
    let digest = Digest::of(&bytes);
    let size = bytes.len() as u64;
    context.made.blobs.insert(digest, bytes);
    Content::Blob { digest, size }
}

fn template(
    name: &str,
    span: &Span,
    (attrs, context): (&mut Attrs<'_>, &mut Context<'_, '_>),
) -> Option<Rendered> {
    let role = context.role;
    let path = format!("roles/{}/templates/{name}", role.name);
    if !context.engine().has_template(&path) {
        let known = role.templates.iter().map(String::as_str);
        attrs.tell(missing(
            name,
            "template",
            "templates",
            (span, context),
            known,
        ));
        return None;
    }
    let mut whitespace = context.engine().whitespace();
    whitespace.trim_blocks = attrs.flag("trim_blocks").unwrap_or(whitespace.trim_blocks);
    whitespace.lstrip_blocks = attrs
        .flag("lstrip_blocks")
        .unwrap_or(whitespace.lstrip_blocks);
    let rendered = context
        .engine()
        .render((&path, whitespace), &context.value, span);
    match rendered {
        Ok(text) => Some(text),
        Err(failing) => {
            context.failed(failing);
            None
        }
    }
}

fn source(
    name: &str,
    span: &Span,
    (attrs, context): (&mut Attrs<'_>, &mut Context<'_, '_>),
) -> Option<Content> {
    let Some(file) = context.role.files.get(name) else {
        let known = context.role.files.keys().map(String::as_str);
        attrs.tell(missing(
            name,
            "content file",
            "files",
            (span, context),
            known,
        ));
        return None;
    };
    let (digest, size, inline) = match file {
        ContentFile::Secret(secret) => {
            let content = SealedContent::of_file(secret);
            return sealed(content, ("source", span), (attrs, context));
        }
        ContentFile::Plain {
            digest,
            size,
            inline,
        } => (*digest, *size, inline.as_ref()),
    };
    let inline = inline.filter(|text| text.len() <= MAX_INLINE);
    Some(match inline {
        Some(text) => Content::Text(text.to_string()),
        None => Content::Blob { digest, size },
    })
}

fn missing<'k>(
    name: &str,
    what: &str,
    folder: &str,
    (span, context): (&Span, &Context<'_, '_>),
    known: impl Iterator<Item = &'k str>,
) -> Diagnostic {
    let role = &context.role.name;
    let message = format!("role `{role}` has no {what} `{name}`");
    let help = did_you_mean(name, known);
    let help = help.unwrap_or_else(|| format!("it would be the file roles/{role}/{folder}/{name}"));
    Diagnostic::new(Code::MissingFile, message, span).help(help)
}
