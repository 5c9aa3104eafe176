//! Content that a secret touched: named in the catalog, put together elsewhere, and refused where
//! facts would choose it.

use holdfast_schemas::resource::Content;
use holdfast_schemas::secret::{Commitment, MAX_SEALED};

use super::attrs::Attrs;
use super::context::{Chosen, Context};
use crate::diag::{Code, Diagnostic, Span};
use crate::render::Depends;
use crate::sealed::SealedContent;
use crate::site::Element;
use crate::vars::Form;

/// The content of a file as the catalog has it; `origin` is the attribute that gives it.
pub(super) fn sealed(
    content: SealedContent,
    (origin, span): (&'static str, &Span),
    (attrs, context): (&mut Attrs<'_>, &mut Context<'_, '_>),
) -> Option<Content> {
    let secrets = content.secrets();
    let names: Vec<String> = secrets.iter().map(ToString::to_string).collect();
    let names = names.join(", ");
    let chosen = context.chosen.clone();
    if let Some(chosen) = chosen.or_else(|| by_origin((origin, span), context)) {
        attrs.tell(refused(&names, span, &chosen));
        return None;
    }
    if content.text_len() > MAX_SEALED {
        let message = format!(
            "this holds {names} and has more than {} MiB, which is more than is sealed",
            MAX_SEALED >> 20
        );
        let told = Diagnostic::new(Code::TooLarge, message, span);
        attrs.tell(told.help("keep large contents out of files with secrets"));
        return None;
    }
    let commitment = content.draft();
    let (Commitment::Draft(draft) | Commitment::Sealed(draft)) = commitment;
    context.made.sealed.insert(draft, content);
    Some(Content::Sealed {
        secrets,
        commitment,
    })
}

/// A template or a content file whose name depends on facts.
fn by_origin((origin, span): (&'static str, &Span), context: &Context<'_, '_>) -> Option<Chosen> {
    // Of a content, the expressions in it are guarded themselves.
    let what = match origin {
        "template" => "`template`",
        "source" => "`source`",
        _ => return None,
    };
    let elements = context.role.resources.iter();
    let declared = elements.flat_map(Element::resources);
    let fields = declared.filter_map(|one| one.attributes.get(origin));
    let mut fields = fields.filter(|field| field.term.span == *span);
    let by_facts = fields.any(|field| match &field.term.form {
        Form::Program { id, .. } => context.engine().depends(*id) > Depends::Not,
        _ => false,
    });
    by_facts.then(|| Chosen {
        what,
        span: span.clone(),
    })
}

fn refused(names: &str, span: &Span, chosen: &Chosen) -> Diagnostic {
    let message = format!("{names} would depend on facts, which the host reports");
    let words = format!("{} depends on them", chosen.what);
    let told = Diagnostic::new(Code::ChosenSecret, message, span);
    let told = match chosen.span == *span {
        true => told.label(words),
        false => told.also(&chosen.span, words),
    };
    told.help("let the repo decide: by a variable, an attribute or a tag of the host, or a group with `hosts:`")
}
