//! A whole host in memory: files with owners and modes, accounts, programs with state, faults.
//!
//! It behaves as the real one does (one suite holds both to that), so tests assert what is on it
//! afterwards, not which calls were made.

mod faults;
mod files;
mod host;
pub mod programs;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holdfast_schemas::resource::Command;
use holdfast_schemas::secret::Commitment;
use holdfast_schemas::{Digest, HostPath};
use nix::errno::Errno;

pub use faults::Fault;
pub use files::{Entry, Files, Node};

use super::command::{explain, program_of, quote};
use super::{
    Ends, Facility, FileType, HostError, Invocation, NewContent, NewFile, Output, Probe, Support,
};

/// A program of a fake host: it has state of its own, reads and changes the host's files, and
/// answers as the real one does.
pub trait FakeProgram: Send {
    /// Runs it once. `call.words[0]` is the name it was called by.
    fn run(&mut self, call: &Call<'_>, files: &mut Files) -> Output;
}

/// One run of a program.
#[derive(Debug)]
pub struct Call<'a> {
    /// The program and its arguments; a line for the shell is `/bin/sh`, `-c` and the line.
    pub words: Vec<String>,
    /// How it was asked for: environment, folder, account, deadline.
    pub invocation: &'a Invocation,
}

/// Programs by the names they are called by; one program may have several.
type Programs = BTreeMap<String, Arc<Mutex<dyn FakeProgram>>>;

/// A host in memory.
#[derive(Default)]
pub struct FakeHost {
    files: Mutex<Files>,
    faults: Mutex<faults::Faults>,
    programs: Mutex<Programs>,
    blobs: Mutex<BTreeMap<Digest, Vec<u8>>>,
    sealed: Mutex<HashMap<Commitment, Vec<u8>>>,
    lacks: Mutex<Vec<(Facility, String)>>,
}

impl FakeHost {
    /// A host with an empty `/etc` and root's account.
    pub fn new() -> Self {
        let host = Self::default();
        host.edit(|files| {
            files.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
            files.write("/etc/group", "root:x:0:\n");
        });
        host
    }

    /// The files as they are now.
    pub fn files(&self) -> Files {
        lock(&self.files).clone()
    }

    /// Changes the files behind everybody's back, as somebody on the host would.
    pub fn edit(&self, edit: impl FnOnce(&mut Files)) {
        edit(&mut lock(&self.files));
    }

    /// Installs a program under the names it is called by (`apt-get`; a path is another name).
    pub fn install(&self, names: &[&str], program: Arc<Mutex<dyn FakeProgram>>) {
        for name in names {
            lock(&self.programs).insert((*name).to_owned(), Arc::clone(&program));
        }
    }

    /// Makes a later change fail, or no longer any.
    pub fn set_fault(&self, fault: Option<Fault>) {
        lock(&self.faults).set(fault);
    }

    /// Gives the host a blob under a digest, which need not be its own.
    pub fn add_blob(&self, digest: Digest, bytes: impl Into<Vec<u8>>) {
        lock(&self.blobs).insert(digest, bytes.into());
    }

    /// Gives the host a content that is sealed to it.
    pub fn add_sealed(&self, commitment: Commitment, content: impl Into<Vec<u8>>) {
        lock(&self.sealed).insert(commitment, content.into());
    }

    /// Takes a facility away.
    pub fn lack(&self, facility: Facility, why: &str) {
        lock(&self.lacks).push((facility, why.to_owned()));
    }

    fn place(&self, files: &Files, path: &HostPath) -> Result<String, HostError> {
        let missing = || HostError::MissingParent {
            path: path.to_string(),
            parent: path
                .parent()
                .map(|parent| parent.to_string())
                .unwrap_or_default(),
        };
        files.place(path)?.ok_or_else(missing)
    }

    /// Changes what is at a path.
    fn change(
        &self,
        action: &'static str,
        path: &HostPath,
        change: impl FnOnce(&mut Files, &str) -> Result<(), Errno>,
    ) -> Result<(), HostError> {
        let mut files = lock(&self.files);
        let place = self.place(&files, path)?;
        lock(&self.faults).change(action, path.as_str())?;
        change(&mut files, &place).map_err(|errno| HostError::path(action, path, errno))
    }

    fn call(&self, invocation: &Invocation) -> Result<Output, HostError> {
        if let Support::No(why) = self.supports(Facility::Programs) {
            return Err(HostError::Unsupported(why));
        }
        if let Some(name) = &invocation.run_as
            && !self.accounts()?.users.contains_key(name)
        {
            return Err(HostError::NoSuchAccount {
                what: "user",
                name: name.clone(),
            });
        }
        let words = match &invocation.command {
            Command::Shell(line) => vec!["/bin/sh".to_owned(), "-c".to_owned(), line.clone()],
            Command::Argv(words) => words.clone(),
        };
        let name = words.first().cloned().unwrap_or_default();
        let program = lock(&self.programs).get(&name).map(Arc::clone);
        let program = program.ok_or_else(|| HostError::Start {
            program: program_of(&invocation.command),
            source: io::ErrorKind::NotFound.into(),
        })?;
        let call = Call { words, invocation };
        let mut program = program.lock().unwrap_or_else(PoisonError::into_inner);
        let output = program.run(&call, &mut lock(&self.files));
        Ok(output)
    }

    fn bytes(&self, path: &HostPath) -> Result<Vec<u8>, HostError> {
        let files = lock(&self.files);
        let place = files.place(path)?;
        match place.and_then(|place| files.get(&place).cloned()) {
            Some(Entry {
                node: Node::File(bytes),
                ..
            }) => Ok(bytes),
            Some(other) => Err(HostError::WrongType {
                path: path.to_string(),
                found: other.stat().file_type.as_str(),
                expected: FileType::File.as_str(),
            }),
            None => Err(HostError::path("read", path, Errno::ENOENT)),
        }
    }

    /// The content of a new file, verified, and passed by its check.
    fn checked(&self, path: &HostPath, file: &NewFile<'_>) -> Result<Vec<u8>, HostError> {
        let bytes = match file.content {
            NewContent::Bytes(bytes) => bytes.to_vec(),
            NewContent::Wanted(wanted) => {
                let mut bytes = Vec::new();
                let read = self.content(wanted)?.read_to_end(&mut bytes);
                read.map_err(|source| HostError::path("read content for", path, source))?;
                let found = Digest::of(&bytes);
                let (wanted, _) = self.measure(wanted)?;
                if found != wanted {
                    return Err(HostError::WrongContent {
                        path: path.to_string(),
                        wanted,
                        found,
                    });
                }
                bytes
            }
        };
        if let Some(command) = file.validate {
            self.validate(path, command, &bytes)?;
        }
        Ok(bytes)
    }

    fn validate(&self, path: &HostPath, command: &Command, bytes: &[u8]) -> Result<(), HostError> {
        let temporary = format!("{path}.holdfast-check");
        let command = match command {
            Command::Shell(line) => Command::Shell(line.replace("%s", &quote(&temporary))),
            Command::Argv(words) => Command::Argv(
                words
                    .iter()
                    .map(|word| word.replace("%s", &temporary))
                    .collect(),
            ),
        };
        self.edit(|files| files.write(&temporary, bytes));
        let output = self.call(&Invocation {
            command,
            cwd: None,
            env: BTreeMap::new(),
            run_as: None,
            deadline: std::time::Duration::from_secs(60),
            ends: Ends::WithTheRun,
        });
        self.edit(|files| files.remove(&temporary));
        let output = output?;
        match output.success() {
            true => Ok(()),
            false => Err(HostError::Invalid {
                path: path.to_string(),
                status: output.status(),
                output: explain(&output),
            }),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
