//! A host whose files are on this machine's disk: the tree they are in, and the system around them.
//!
//! The real host is the tree at `/` with a system that runs programs; the rooted host is a tree at
//! some folder with none. All that differs between the two is behind [`System`].

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use holdfast_schemas::resource::{Content, Mode};
use holdfast_schemas::{Digest, HostPath};

use super::accounts::Accounts;
use super::name_service::{self, Answers};
use super::tree::Tree;
use super::walk::REMEMBERED;
use super::{
    Facility, FileType, Host, HostError, Invocation, NewFile, Output, Owner, Probe, Query, Stat,
    Support, content, glob,
};
use crate::package::Memo;

/// Longest account database read, in bytes: a hundred thousand accounts.
const MAX_DATABASE: usize = 16 * 1024 * 1024;

/// What is around a tree of files.
pub trait System: Send + Sync {
    /// Runs a program that only looks.
    fn query(&self, query: &Query, accounts: &Accounts) -> Result<Output, HostError>;

    /// Runs a program that changes the host.
    fn run(&self, invocation: &Invocation, accounts: &Accounts) -> Result<Output, HostError>;

    /// Whether there is such a facility.
    fn supports(&self, facility: Facility) -> Support;

    /// What is remembered of packages.
    fn memo(&self) -> Option<&Memo>;
}

/// A host whose files are on this machine's disk.
pub struct DiskHost<S> {
    tree: Tree,
    system: S,
    accounts: Mutex<Option<Known>>,
    names: Answers,
}

/// The account databases as they were read, and which state of them that was.
struct Known {
    read: [Option<Stat>; 2],
    compared: Instant,
    accounts: Arc<Accounts>,
}

impl<S: System> DiskHost<S> {
    pub(super) fn with(tree: Tree, system: S) -> Self {
        let accounts = Mutex::new(None);
        Self {
            tree,
            system,
            accounts,
            names: Answers::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what a change may have made wrong.
    fn forget(&self) {
        self.tree.forget();
        *self.known() = None;
    }

    /// The accounts, with the one that a program is to run as, if it is from elsewhere.
    fn accounts_of(&self, invocation: &Invocation) -> Result<Arc<Accounts>, HostError> {
        let accounts = self.accounts()?;
        let stranger = invocation.run_as.as_ref();
        let Some(name) = stranger.filter(|name| !accounts.users.contains_key(*name)) else {
            return Ok(accounts);
        };
        let mut accounts = accounts;
        if let Some(user) = name_service::user(name, self)? {
            let with = Arc::make_mut(&mut accounts);
            with.users.insert(name.clone(), user);
        }
        Ok(accounts)
    }

    fn database(&self, path: &str) -> Result<(Option<Stat>, HostPath), HostError> {
        let path = path
            .parse()
            .map_err(|error: holdfast_schemas::HostPathError| {
                HostError::refused(path, error.to_string())
            })?;
        Ok((self.tree.stat(&path)?, path))
    }

    fn text(&self, stat: Option<&Stat>, path: &HostPath) -> Result<String, HostError> {
        if stat.is_none() {
            return Ok(String::new());
        }
        let bytes = self.tree.read(path, MAX_DATABASE)?;
        // A comment in another encoding is no reason to know nobody.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl<S: System> Probe for DiskHost<S> {
    fn stat(&self, path: &HostPath) -> Result<Option<Stat>, HostError> {
        self.tree.stat(path)
    }

    fn reach(&self, folder: &HostPath, target: &str) -> Result<Option<FileType>, HostError> {
        self.tree.reach(folder, target)
    }

    fn read(&self, path: &HostPath, limit: usize) -> Result<Vec<u8>, HostError> {
        self.tree.read(path, limit)
    }

    fn digest(&self, path: &HostPath) -> Result<Digest, HostError> {
        self.tree.digest(path)
    }

    fn holds(&self, path: &HostPath, stat: &Stat, wanted: &Content) -> Result<bool, HostError> {
        self.tree.holds(path, stat, wanted)
    }

    fn read_link(&self, path: &HostPath) -> Result<String, HostError> {
        self.tree.read_link(path)
    }

    fn list(&self, path: &HostPath) -> Result<Vec<String>, HostError> {
        self.tree.list(path)
    }

    fn any_matches(&self, pattern: &str) -> Result<bool, HostError> {
        glob::any_matches(self, pattern)
    }

    fn content<'c>(&self, wanted: &'c Content) -> Result<Box<dyn Read + 'c>, HostError> {
        content::open(wanted, &*self.tree.content)
    }

    /// The databases are read again only when one of them is another file than before, and that
    /// is looked at only once in a moment: thousands of files with an owner ask for them.
    fn accounts(&self) -> Result<Arc<Accounts>, HostError> {
        let mut known = self.known();
        if let Some(known) = known.as_ref().filter(|k| k.compared.elapsed() < REMEMBERED) {
            return Ok(Arc::clone(&known.accounts));
        }
        let compared = Instant::now();
        let (passwd, passwd_path) = self.database("/etc/passwd")?;
        let (group, group_path) = self.database("/etc/group")?;
        let read = [passwd, group];
        if let Some(known) = known.as_mut().filter(|known| known.read == read) {
            known.compared = compared;
            return Ok(Arc::clone(&known.accounts));
        }
        let users = self.text(passwd.as_ref(), &passwd_path)?;
        let groups = self.text(group.as_ref(), &group_path)?;
        let accounts = Arc::new(Accounts::parse(&users, &groups));
        *known = Some(Known {
            read,
            compared,
            accounts: Arc::clone(&accounts),
        });
        Ok(accounts)
    }

    fn query(&self, query: &Query) -> Result<Output, HostError> {
        match query {
            Query::NameService { database, name } => self.names.to(*database, name, || {
                self.system.query(query, &Accounts::default())
            }),
            Query::Guard(guard) => self.system.query(query, &*self.accounts_of(guard)?),
            query => self.system.query(query, &*self.accounts()?),
        }
    }

    fn supports(&self, facility: Facility) -> Support {
        self.system.supports(facility)
    }

    fn memo(&self) -> Option<&Memo> {
        self.system.memo()
    }
}

impl<S: System> Host for DiskHost<S> {
    fn write_file(&self, path: &HostPath, file: &NewFile<'_>) -> Result<(), HostError> {
        let check = |invocation: &Invocation| self.system.run(invocation, &*self.accounts()?);
        let written = self.tree.write_file(path, file, &check);
        self.forget();
        written
    }

    fn make_directory(&self, path: &HostPath, mode: Mode, owner: Owner) -> Result<(), HostError> {
        self.tree.make_directory(path, mode, owner)
    }

    fn make_symlink(&self, path: &HostPath, target: &str) -> Result<(), HostError> {
        self.tree.make_symlink(path, target)
    }

    fn set_mode(&self, path: &HostPath, mode: Mode) -> Result<(), HostError> {
        self.tree.set_mode(path, mode)
    }

    fn set_owner(&self, path: &HostPath, owner: Owner) -> Result<(), HostError> {
        self.tree.set_owner(path, owner)
    }

    fn remove(&self, path: &HostPath) -> Result<(), HostError> {
        self.tree.remove(path)
    }

    fn remove_tree(&self, path: &HostPath) -> Result<(), HostError> {
        self.tree.remove_tree(path)
    }

    fn run(&self, invocation: &Invocation) -> Result<Output, HostError> {
        let ran = self.system.run(invocation, &*self.accounts_of(invocation)?);
        self.forget();
        self.names.forget();
        ran
    }

    fn together(&self, work: &mut dyn FnMut()) -> Result<(), HostError> {
        self.tree.synced.begin();
        work();
        let ended = self.tree.synced.end();
        ended.map_err(|errno| HostError::path("save", "the folders of what was changed", errno))
    }

    fn as_probe(&self) -> &dyn Probe {
        self
    }
}
