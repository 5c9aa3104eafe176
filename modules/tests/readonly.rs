//! Looking changes nothing: it is given a host on which every change is a panic, and a host of
//! which a copy is kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read;
use std::sync::Arc;

use holdfast_modules::harness::observe;
use holdfast_modules::host::accounts::Accounts;
use holdfast_modules::host::fake::FakeHost;
use holdfast_modules::host::{
    Facility, FileType, Host, HostError, Invocation, NewFile, Output, Owner, Probe, Query, Stat,
    Support,
};
use holdfast_schemas::resource::{Content, Kind, Mode, Spec};
use holdfast_schemas::{Digest, HostPath};
use serde_json::json;

/// A host that can be looked at, and panics when it is to be changed.
struct Untouchable(FakeHost);

impl Probe for Untouchable {
    fn stat(&self, path: &HostPath) -> Result<Option<Stat>, HostError> {
        self.0.stat(path)
    }
    fn reach(&self, folder: &HostPath, target: &str) -> Result<Option<FileType>, HostError> {
        self.0.reach(folder, target)
    }
    fn read(&self, path: &HostPath, limit: usize) -> Result<Vec<u8>, HostError> {
        self.0.read(path, limit)
    }
    fn digest(&self, path: &HostPath) -> Result<Digest, HostError> {
        self.0.digest(path)
    }
    fn holds(&self, path: &HostPath, stat: &Stat, wanted: &Content) -> Result<bool, HostError> {
        self.0.holds(path, stat, wanted)
    }
    fn read_link(&self, path: &HostPath) -> Result<String, HostError> {
        self.0.read_link(path)
    }
    fn list(&self, path: &HostPath) -> Result<Vec<String>, HostError> {
        self.0.list(path)
    }
    fn any_matches(&self, pattern: &str) -> Result<bool, HostError> {
        self.0.any_matches(pattern)
    }
    fn content<'c>(&self, wanted: &'c Content) -> Result<Box<dyn Read + 'c>, HostError> {
        self.0.content(wanted)
    }
    fn accounts(&self) -> Result<Arc<Accounts>, HostError> {
        self.0.accounts()
    }
    fn query(&self, query: &Query) -> Result<Output, HostError> {
        self.0.query(query)
    }
    fn supports(&self, facility: Facility) -> Support {
        self.0.supports(facility)
    }
}

impl Host for Untouchable {
    fn write_file(&self, path: &HostPath, _: &NewFile<'_>) -> Result<(), HostError> {
        panic!("{path} was written")
    }
    fn make_directory(&self, path: &HostPath, _: Mode, _: Owner) -> Result<(), HostError> {
        panic!("{path} was made")
    }
    fn make_symlink(&self, path: &HostPath, _: &str) -> Result<(), HostError> {
        panic!("{path} was linked")
    }
    fn set_mode(&self, path: &HostPath, _: Mode) -> Result<(), HostError> {
        panic!("the mode of {path} was set")
    }
    fn set_owner(&self, path: &HostPath, _: Owner) -> Result<(), HostError> {
        panic!("the owner of {path} was set")
    }
    fn remove(&self, path: &HostPath) -> Result<(), HostError> {
        panic!("{path} was removed")
    }
    fn remove_tree(&self, path: &HostPath) -> Result<(), HostError> {
        panic!("{path} was removed")
    }
    fn run(&self, invocation: &Invocation) -> Result<Output, HostError> {
        panic!("{:?} was run", invocation.command)
    }
    fn as_probe(&self) -> &dyn Probe {
        self
    }
}

/// Resources of every type, none of which is as wanted.
fn everything_differs() -> Vec<Spec> {
    let resources = [
        (
            Kind::File,
            json!({"path": "/etc/new", "content": {"text": "x"}, "owner": "7"}),
        ),
        (
            Kind::File,
            json!({"path": "/etc/old", "content": {"text": "x"}, "mode": "0600"}),
        ),
        (Kind::File, json!({"path": "/etc/old", "ensure": "absent"})),
        (Kind::File, json!({"path": "/etc/folder", "force": true})),
        (Kind::File, json!({"path": "/no/such/folder/file"})),
        (
            Kind::Directory,
            json!({"path": "/etc/more", "mode": "0700"}),
        ),
        (
            Kind::Directory,
            json!({"path": "/etc/folder", "ensure": "absent", "force": true}),
        ),
        (
            Kind::Symlink,
            json!({"path": "/etc/link", "target": "/etc/old"}),
        ),
        (
            Kind::Symlink,
            json!({"path": "/etc/folder", "target": "old", "force": true}),
        ),
        (Kind::Package, json!({"name": "nginx"})),
        (
            Kind::Service,
            json!({"name": "nginx", "state": "running", "enabled": true}),
        ),
        (
            Kind::User,
            json!({"name": "app", "uid": 7, "manage_home": true}),
        ),
        (Kind::User, json!({"name": "root", "ensure": "absent"})),
        (Kind::Group, json!({"name": "app"})),
        (
            Kind::Exec,
            json!({"command": "rm -rf /etc", "always": true}),
        ),
        (
            Kind::Exec,
            json!({"command": "rm -rf /etc", "creates": "/etc/new"}),
        ),
    ];
    let spec = |(kind, json)| Spec::from_value(kind, json).unwrap();
    resources.into_iter().map(spec).collect()
}

#[test]
fn no_type_changes_anything_when_it_looks() {
    let fake = FakeHost::new();
    fake.edit(|files| {
        files.write("/etc/old", "old");
        files.write("/etc/folder/file", "kept");
    });
    let before = fake.files();
    let host = Untouchable(fake);
    let mut differing = 0;
    for spec in everything_differs() {
        // Types whose programs this host lacks say so; that is a look as well.
        if let Ok(observation) = observe(&spec, host.as_probe()) {
            assert!(!observation.in_sync(), "{spec:?}");
            differing += 1;
        }
    }
    assert!(
        differing >= 8,
        "only {differing} resources could be looked at"
    );
    assert_eq!(host.0.files(), before);
}
