//! A site of one role, whose templates are rendered one at a time with given variables.

use std::collections::BTreeMap;

use holdfast_catalog::site::Entry;
use holdfast_catalog::{HostInput, Site, Snapshot};
use holdfast_schemas::resource::{Content, Spec};
use serde_json::Value;

const ROLE: &str = "resources:\n  - file: /out\n    template: \"{{ template_to_render }}\"\n";

/// A role with the given templates, by their paths under `templates/`.
pub(crate) struct Role {
    site: Result<Site, String>,
}

impl Role {
    /// Compiles a site whose only role has these templates.
    pub(crate) fn new(templates: &BTreeMap<String, String>, globals: &str) -> Self {
        let mut files = BTreeMap::new();
        let mut add = |path: String, text: &str| {
            files.insert(path, Entry::Text(text.as_bytes().to_vec().into()));
        };
        add("globals.yaml".to_owned(), globals);
        add("roles/it/role.yaml".to_owned(), ROLE);
        for (path, text) in templates {
            add(format!("roles/it/templates/{path}"), text);
        }
        let revision = "compared".to_owned();
        let files = files.into_iter().collect();
        let site = Site::parse(&Snapshot { revision, files });
        Self {
            site: site.map_err(|wrong| wrong.to_string()),
        }
    }

    /// What a template gives, or why it does not.
    pub(crate) fn render(&self, template: &str) -> Result<String, String> {
        let site = self.site.as_ref().map_err(Clone::clone)?;
        let mut host = HostInput::new("web-01".parse().unwrap());
        let template = Value::from(template);
        host.vars.insert("template_to_render".to_owned(), template);
        let compiled = site.compile(&host).map_err(|wrong| wrong.to_string())?;
        let Spec::File(file) = &compiled.catalog.resources[0].spec else {
            panic!("the site has one file");
        };
        match file.content.as_ref().expect("a template gives content") {
            Content::Text(text) => Ok(text.clone()),
            Content::Blob { digest, .. } => {
                Ok(String::from_utf8(compiled.blobs[digest].to_vec()).unwrap())
            }
            Content::Sealed { .. } => panic!("the site has no secrets"),
        }
    }
}
