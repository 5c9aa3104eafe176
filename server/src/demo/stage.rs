//! Where the story takes place: one folder, the processes in it, and waiting for what they do.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use holdfast_client::OperatorClient;
use tempfile::TempDir;

use super::error::DemoError;
use super::fleet::{self, HOSTS};
use super::process::Process;
use super::repo::Repo;
use crate::credential::Endpoints;

/// How long between two looks at a state that is waited for: what is measured is told to the
/// hundredth of a second, and a look costs a fraction of this.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A server that is up, and how it is asked.
#[derive(Debug, Clone)]
pub(super) struct Serving {
    pub(super) endpoints: Endpoints,
    pub(super) credential: PathBuf,
    pub(super) client: OperatorClient,
}

/// Everything there is while the story is told. What is dropped is killed and removed.
#[derive(Debug)]
pub(super) struct Stage {
    processes: Vec<Process>,
    pub(super) repo: Option<Repo>,
    pub(super) serving: Option<Serving>,
    folder: Folder,
}

#[derive(Debug)]
enum Folder {
    Temporary(TempDir),
    Given(PathBuf),
}

/// What became of the folder.
#[derive(Debug)]
pub(super) enum Cleared {
    Removed(PathBuf),
    Left(PathBuf),
}

/// What a look at a state found.
pub(super) enum Look<T> {
    /// It is there.
    Here(T),
    /// Not yet; what there is instead.
    NotYet(String),
}

/// What is waited for, and how long at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait<'w> {
    /// What is to happen, as in `a second run of every host`.
    pub(super) what: &'w str,
    /// The process whose log tells why it did not.
    pub(super) by: &'w str,
    /// How long to wait.
    pub(super) deadline: Duration,
}

impl Stage {
    /// Makes the folder and what stands in it from the beginning.
    pub(super) fn set(dir: Option<&Path>) -> Result<Self, DemoError> {
        let folder = match dir {
            None => Folder::Temporary(temporary()?),
            Some(dir) => Folder::Given(given(dir)?),
        };
        let stage = Self {
            processes: Vec::new(),
            repo: None,
            serving: None,
            folder,
        };
        for part in ["repo", "server", "logs", "hosts"] {
            make(&stage.path(part))?;
        }
        for host in HOSTS {
            fleet::furnish(&stage, host)?;
        }
        Ok(stage)
    }

    pub(super) fn folder(&self) -> &Path {
        match &self.folder {
            Folder::Temporary(folder) => folder.path(),
            Folder::Given(folder) => folder,
        }
    }

    pub(super) fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.folder().join(inside)
    }

    pub(super) fn endpoints(&self) -> Option<&Endpoints> {
        self.serving.as_ref().map(|serving| &serving.endpoints)
    }

    /// Takes in a process that is to stay up.
    pub(super) fn keep(&mut self, process: Process) {
        self.processes.push(process);
    }

    /// Looks until it is there, a process ends, or time is up.
    pub(super) async fn until<T>(
        &mut self,
        wait: Wait<'_>,
        mut look: impl AsyncFnMut() -> Result<Look<T>, DemoError>,
    ) -> Result<T, DemoError> {
        let began = Instant::now();
        loop {
            let instead = match look().await {
                Ok(Look::Here(there)) => return Ok(there),
                Ok(Look::NotYet(instead)) => instead,
                Err(DemoError::Server(error)) if error.is_transient() => error.to_string(),
                Err(error) => return Err(error),
            };
            for process in &mut self.processes {
                process.check()?;
            }
            if began.elapsed() > wait.deadline {
                return Err(self.late(wait, &instead));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn late(&self, wait: Wait<'_>, instead: &str) -> DemoError {
        let mut processes = self.processes.iter();
        let by = processes.find(|process| process.name() == wait.by);
        DemoError::Late {
            what: format!("{} ({instead})", wait.what),
            deadline: wait.deadline,
            log: by.map(Process::log_tail).unwrap_or_default(),
        }
    }

    /// Waits for ever, unless a process ends by itself.
    pub(super) async fn watch(&mut self) -> DemoError {
        let ends = self.processes.iter_mut().map(|process| process.end());
        let ends: Vec<_> = ends.map(Box::pin).collect();
        futures_util::future::select_all(ends).await.0
    }

    /// Ends every process, agents before the server, and removes a folder that is temporary.
    pub(super) async fn clear(mut self) -> Result<Cleared, DemoError> {
        while let Some(mut process) = self.processes.pop() {
            process.kill().await;
        }
        match self.folder {
            Folder::Given(path) => Ok(Cleared::Left(path)),
            Folder::Temporary(folder) => {
                let path = folder.path().to_owned();
                folder.close().map_err(|source| DemoError::File {
                    doing: "remove",
                    path: path.clone(),
                    source,
                })?;
                Ok(Cleared::Removed(path))
            }
        }
    }

    /// Commands worth trying, each with what it shows.
    pub(super) fn suggestions(&self) -> Vec<(String, &'static str)> {
        let Some(serving) = &self.serving else {
            return Vec::new();
        };
        let program = std::env::current_exe().unwrap_or_else(|_| "holdfast".into());
        let program = program.display();
        let credential = serving.credential.display();
        let repo = self.path("repo");
        let (root, repo) = (fleet::root(self, HOSTS[1]), repo.display());
        let file = fleet::in_root(&root, fleet::REGION_FILE);
        vec![
            (
                format!("export HOLDFAST_CREDENTIAL={credential}"),
                "how the commands find this server",
            ),
            (format!("{program} hosts"), "how the hosts stand"),
            (
                format!("{program} drift"),
                "what changed on them, by drift or on purpose",
            ),
            (
                format!("echo tampered >> {}", file.display()),
                "drift: gone within a second, and on record",
            ),
            (
                format!("{program} explain {} region.id --site {repo}", HOSTS[0]),
                "where a variable's value comes from",
            ),
            (
                format!("cd {repo} && $EDITOR globals.yaml && git commit -am 'a change'"),
                "an intended change: on the hosts within seconds",
            ),
        ]
    }
}

fn temporary() -> Result<TempDir, DemoError> {
    let made = tempfile::Builder::new().prefix("holdfast-demo-").tempdir();
    made.map_err(|source| DemoError::File {
        doing: "make a folder in",
        path: std::env::temp_dir(),
        source,
    })
}

/// Makes the folder that was named; one that holds something is somebody's.
fn given(dir: &Path) -> Result<PathBuf, DemoError> {
    make(dir)?;
    let file = |source| DemoError::File {
        doing: "look into",
        path: dir.to_owned(),
        source,
    };
    let dir = dir.canonicalize().map_err(file)?;
    match std::fs::read_dir(&dir).map_err(file)?.next() {
        None => Ok(dir),
        Some(_) => Err(DemoError::NotEmpty(dir)),
    }
}

pub(super) fn make(folder: &Path) -> Result<(), DemoError> {
    std::fs::create_dir_all(folder).map_err(|source| DemoError::File {
        doing: "make",
        path: folder.to_owned(),
        source,
    })
}
