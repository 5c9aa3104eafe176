//! What stands in a role's list of `resources`: a resource, a role that is included there, or a
//! block of them that shares a condition, a loop or defaults.

use super::defaults::Defaults;
use super::fields::{Fields, wrong_type};
use super::include::{INCLUDE, Include, Included};
use super::resource::Declared;
use super::steps::Steps;
use super::yaml::{Node, Yaml};
use crate::diag::Diagnostics;
use crate::render::Programs;

/// The key that makes a block.
const BLOCK: &str = "resources";

/// One element of `resources`.
#[derive(Debug)]
pub(crate) enum Element {
    Resource(Box<Declared>),
    Include(Box<Include>),
    Block {
        steps: Steps,
        elements: Vec<Element>,
    },
}

impl Element {
    /// Reads a list of elements.
    pub(super) fn read_all(
        node: &Node,
        defaults: &Defaults,
        (programs, wrong): (&mut Programs, &mut Diagnostics),
    ) -> Vec<Self> {
        let Yaml::List(items) = &node.value else {
            wrong.push(wrong_type("a list of resources", node));
            return Vec::new();
        };
        let read = |item| Self::read(item, defaults, (&mut *programs, &mut *wrong));
        items.iter().filter_map(read).collect()
    }

    fn read(
        node: &Node,
        defaults: &Defaults,
        (programs, wrong): (&mut Programs, &mut Diagnostics),
    ) -> Option<Self> {
        match &node.value {
            Yaml::Map(map) if map.contains_key(BLOCK) => {
                let mut fields = Fields::of(node, "a block of resources", wrong)?;
                let steps = Steps::read(&mut fields, programs, wrong);
                let own = fields.get("defaults");
                let own = own.map(|field| defaults.read(&field.node, programs, wrong));
                let inner = fields.get(BLOCK).map(|field| {
                    let both = (&mut *programs, &mut *wrong);
                    Self::read_all(&field.node, own.as_ref().unwrap_or(defaults), both)
                });
                fields.finish(wrong);
                Some(Self::Block {
                    steps,
                    elements: inner.unwrap_or_default(),
                })
            }
            Yaml::Map(map) if map.contains_key(INCLUDE) => {
                let include = Include::read(node, (programs, wrong))?;
                Some(Self::Include(Box::new(include)))
            }
            _ => {
                let declared = Declared::read(node, defaults, (programs, wrong))?;
                Some(Self::Resource(Box::new(declared)))
            }
        }
    }

    /// When and how often it is declared.
    pub(crate) fn steps(&self) -> &Steps {
        match self {
            Self::Resource(declared) => &declared.steps,
            Self::Include(include) => &include.steps,
            Self::Block { steps, .. } => steps,
        }
    }

    /// The resources in it, at any depth.
    pub(crate) fn resources<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Declared> + 'a> {
        match self {
            Self::Resource(declared) => Box::new(std::iter::once(&**declared)),
            Self::Include(_) => Box::new(std::iter::empty()),
            Self::Block { elements, .. } => Box::new(elements.iter().flat_map(Self::resources)),
        }
    }
    /// Does something with every include in it, at any depth.
    pub(super) fn each_include(&mut self, act: &mut dyn FnMut(&mut Include)) {
        match self {
            Self::Resource(_) => {}
            Self::Include(include) => act(include),
            Self::Block { elements, .. } => {
                elements
                    .iter_mut()
                    .for_each(|inner| inner.each_include(act));
            }
        }
    }

    /// Whether a role is included in it, at any depth.
    pub(crate) fn includes(&self) -> bool {
        match self {
            Self::Resource(_) => false,
            Self::Include(_) => true,
            Self::Block { elements, .. } => elements.iter().any(Self::includes),
        }
    }

    /// The roles that are included in it, at any depth.
    pub(crate) fn find_includes(&self) -> Vec<Included<'_>> {
        let (mut around, mut found) = (Vec::new(), Vec::new());
        self.add_includes(&mut around, &mut found);
        found
    }

    /// Adds the roles that are included in it to those found.
    pub(super) fn add_includes<'a>(
        &'a self,
        around: &mut Vec<&'a Steps>,
        found: &mut Vec<Included<'a>>,
    ) {
        around.push(self.steps());
        match self {
            Self::Resource(_) => {}
            Self::Include(include) => found.push(Included {
                include,
                steps: around.clone(),
            }),
            Self::Block { elements, .. } => {
                for inner in elements {
                    inner.add_includes(around, found);
                }
            }
        }
        around.pop();
    }
}
