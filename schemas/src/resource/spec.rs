//! A resource in a catalog: what is wanted, and the edges that lead to it.
//!
//! On the wire a resource is one object: `type`, `title`, `spec` and, where there are any,
//! `requires` and `subscribes`. `type` stands before `spec`, so that the specification is read
//! straight into its type: a catalog of thousands of resources is parsed once, without a copy.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use super::{Directory, Exec, File, Group, Kind, Package, ResourceId, Service, Symlink, User};

/// One thing that a catalog wants of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name in this catalog.
    pub id: ResourceId,
    /// What is wanted.
    pub spec: Spec,
    /// Resources before it in the catalog without which it is skipped.
    pub requires: Vec<ResourceId>,
    /// Resources before it in the catalog whose change refreshes it (restarts a service, runs a
    /// refresh-only exec). They are required as well.
    pub subscribes: Vec<ResourceId>,
}

macro_rules! specs {
    ($($kind:ident),+) => {
        /// What is wanted of a resource, by type.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Spec {
            $(#[doc = concat!("A `", stringify!($kind), "`.")] $kind($kind),)+
        }

        impl Spec {
            /// The type of resource it describes.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)+ }
            }

            /// Reads the specification of a type from a value.
            pub fn from_value(kind: Kind, value: serde_json::Value) -> Result<Self, serde_json::Error> {
                SpecOf(kind).deserialize(value)
            }
        }

        impl Serialize for Spec {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$kind(spec) => spec.serialize(serializer),)+ }
            }
        }

        impl<'de> DeserializeSeed<'de> for SpecOf {
            type Value = Spec;
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Spec, D::Error> {
                match self.0 { $(Kind::$kind => $kind::deserialize(deserializer).map(Spec::$kind),)+ }
            }
        }

        fn spec_schema(kind: Kind, generator: &mut SchemaGenerator) -> Schema {
            match kind { $(Kind::$kind => generator.subschema_for::<$kind>(),)+ }
        }
    };
}

specs!(
    File, Directory, Symlink, Package, Service, User, Group, Exec
);

/// Reads a specification of a type that is already known.
struct SpecOf(Kind);

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Resource", 5)?;
        fields.serialize_field("type", &self.id.kind())?;
        fields.serialize_field("title", self.id.title())?;
        fields.serialize_field("spec", &self.spec)?;
        for (name, edges) in [
            ("requires", &self.requires),
            ("subscribes", &self.subscribes),
        ] {
            match edges.is_empty() {
                true => fields.skip_field(name)?,
                false => fields.serialize_field(name, edges)?,
            }
        }
        fields.end()
    }
}

const FIELDS: &[&str] = &["type", "title", "spec", "requires", "subscribes"];

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Type,
    Title,
    Spec,
    Requires,
    Subscribes,
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Resource", FIELDS, ResourceVisitor)
    }
}

struct ResourceVisitor;

impl<'de> Visitor<'de> for ResourceVisitor {
    type Value = Resource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource: an object of type, title and spec")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Resource, A::Error> {
        let mut kind = None;
        let mut title = None;
        let mut spec = None;
        let mut requires = None;
        let mut subscribes = None;
        while let Some(field) = map.next_key()? {
            match field {
                Field::Type => once("type", &mut kind, map.next_value::<KnownKind>()?.0)?,
                Field::Title => once("title", &mut title, map.next_value::<Cow<'de, str>>()?)?,
                Field::Spec => {
                    let kind =
                        kind.ok_or_else(|| A::Error::custom("`type` stands before `spec`"))?;
                    once("spec", &mut spec, map.next_value_seed(SpecOf(kind))?)?;
                }
                Field::Requires => once("requires", &mut requires, map.next_value()?)?,
                Field::Subscribes => once("subscribes", &mut subscribes, map.next_value()?)?,
            }
        }
        let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
        let title = title.ok_or_else(|| A::Error::missing_field("title"))?;
        Ok(Resource {
            id: ResourceId::new(kind, &*title).map_err(A::Error::custom)?,
            spec: spec.ok_or_else(|| A::Error::missing_field("spec"))?,
            requires: requires.unwrap_or_default(),
            subscribes: subscribes.unwrap_or_default(),
        })
    }
}

fn once<T, E: serde::de::Error>(
    name: &'static str,
    slot: &mut Option<T>,
    value: T,
) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(name)),
    }
}

/// A type by its word, with an error that names a word nobody knows.
struct KnownKind(Kind);

impl<'de> Deserialize<'de> for KnownKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Cow::<'de, str>::deserialize(deserializer)?;
        word.parse().map(Self).map_err(D::Error::custom)
    }
}

impl JsonSchema for Resource {
    fn schema_name() -> Cow<'static, str> {
        "Resource".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let edges = generator.subschema_for::<Vec<ResourceId>>();
        let kinds: Vec<Schema> = Kind::ALL
            .into_iter()
            .map(|kind| {
                let spec = spec_schema(kind, generator);
                json_schema!({
                    "type": "object",
                    "required": ["type", "title", "spec"],
                    "additionalProperties": false,
                    "properties": {
                        "type": { "const": kind.as_str() },
                        "title": { "type": "string", "minLength": 1 },
                        "spec": spec,
                        "requires": edges,
                        "subscribes": edges,
                    },
                })
            })
            .collect();
        json_schema!({
            "description": "One thing that a catalog wants of a host; `type` stands before `spec`.",
            "oneOf": kinds,
        })
    }
}
