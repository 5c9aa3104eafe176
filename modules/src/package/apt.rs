//! The apt provider: many packages, one transaction.
//!
//! A transaction is simulated first, and refused when it would remove what nobody asked to have
//! removed. When apt cannot do the whole of it, the resources that its message names fail and the
//! others go on; when it names none, each is tried alone. apt's word is not the last: after a
//! failure every package is looked at again.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_schemas::resource::Package;

use super::dpkg::Database;
use super::lists::{self, Age};
use super::refused;
use super::request::Request;
use super::simulation::{Obstacle, Plan};
use crate::host::{Host, HostError, Invocation, Output, Probe, Query};
use crate::module::{Module, Work};
use crate::programs;

/// Deadline of one run of apt or dpkg: a large upgrade over a slow link takes minutes, a
/// maintainer script that waits for an answer takes for ever.
const DEADLINE: Duration = Duration::from_secs(1800);

/// How long apt waits for another one that holds dpkg's lock (the nightly upgrade, say), in
/// seconds. Then it says who holds it, and the next run tries again.
pub(super) const LOCK_WAIT: &str = "DPkg::Lock::Timeout=120";

/// Configuration files that an administrator or Holdfast changed are kept, without a question.
pub(super) const KEEP_CONFIGURATION: [&str; 2] = ["--force-confdef", "--force-confold"];

/// Makes packages as wanted; one result for each, in their order. Neighbours that give apt the
/// same leave share a transaction.
pub(super) fn apply(work: &[Work<'_, Package>], host: &dyn Host) -> Vec<Result<(), HostError>> {
    let mut apt = Apt {
        host,
        refresh: Refresh::NotTried,
    };
    let mut results = Vec::with_capacity(work.len());
    for batch in work.chunk_by(|a, b| leave(a) == leave(b)) {
        results.extend(match apt.repair() {
            Ok(()) => apt.transact(batch),
            Err(error) => each(batch, &error.to_string()),
        });
    }
    results
}

/// Asks apt for its plan, and says for each package why it may not come to that. The lists are as
/// they are: applying refreshes them where they do not know a package.
pub(super) fn foresee(work: &[Work<'_, Package>], probe: &dyn Probe) -> Vec<Option<String>> {
    let mut foreseen = Vec::with_capacity(work.len());
    for batch in work.chunk_by(|a, b| leave(a) == leave(b)) {
        let batch: Vec<&Work<'_, Package>> = batch.iter().collect();
        let request = Request::of(&batch);
        let planned = simulate(&request, probe)
            .and_then(|plan| request.check(&plan, probe).map_err(Stopped::Removals));
        let doubt = planned.err().map(|stopped| {
            let (Stopped::Obstacles(_, error) | Stopped::Removals(error) | Stopped::Host(error)) =
                stopped;
            format!("apt has no plan for it yet: {error}")
        });
        foreseen.extend(batch.iter().map(|_| doubt.clone()));
    }
    foreseen
}

/// What apt is allowed to do for a package besides; those that are allowed the same go together.
fn leave(one: &Work<'_, Package>) -> (bool, bool) {
    (one.spec.allow_downgrade, one.spec.allow_removals)
}

fn simulate(request: &Request, probe: &dyn Probe) -> Result<Plan, Stopped> {
    let mut stdout = String::new();
    for arguments in request.commands() {
        let query = Query::SimulateApt { arguments };
        let output = probe.query(&query).map_err(Stopped::Host)?;
        succeeded("apt-get --simulate", &output)?;
        stdout.push_str(&output.stdout);
    }
    Ok(Plan::parse(&stdout))
}

struct Apt<'h> {
    host: &'h dyn Host,
    refresh: Refresh,
}

/// Whether the lists were refreshed in this run.
enum Refresh {
    NotTried,
    Done,
    Failed(String),
}

/// Whether the resources of a failed transaction are worth trying one by one.
#[derive(Clone, Copy)]
enum Retry {
    Alone,
    No,
}

/// What kept a transaction from being done.
enum Stopped {
    Obstacles(Vec<Obstacle>, HostError),
    Removals(HostError),
    Host(HostError),
}

impl Apt<'_> {
    /// Lets dpkg finish what was interrupted: apt refuses to begin before. Its failure is not the
    /// end; a package that cannot be configured may be the very one that is to go.
    fn repair(&self) -> Result<(), HostError> {
        if Database::of(self.host.as_probe())?.needs_repair() {
            let mut argv = programs::argv(&["dpkg"]);
            argv.extend(KEEP_CONFIGURATION.map(str::to_owned));
            argv.extend(programs::argv(&["--configure", "--pending"]));
            self.host.run(&quiet(argv))?;
        }
        Ok(())
    }

    fn transact(&mut self, batch: &[Work<'_, Package>]) -> Vec<Result<(), HostError>> {
        let mut failures: Vec<Option<HostError>> = batch.iter().map(|_| None).collect();
        loop {
            let pending: Vec<&Work<'_, Package>> = batch
                .iter()
                .zip(&failures)
                .filter(|(_, failure)| failure.is_none())
                .map(|(one, _)| one)
                .collect();
            if pending.is_empty() {
                break;
            }
            let stopped = match self.attempt(&pending) {
                Ok(()) => break,
                Err(stopped) => stopped,
            };
            let (obstacles, error) = match stopped {
                Stopped::Obstacles(obstacles, error) => (obstacles, error),
                Stopped::Removals(error) => (vec![Obstacle::Other], error),
                Stopped::Host(error) => (vec![Obstacle::OfTheHost], error),
            };
            if obstacles.iter().any(Obstacle::outdated_lists) && self.refresh_lists() {
                continue;
            }
            let named = unknown(&obstacles);
            let mut blamed = false;
            for (one, failure) in batch.iter().zip(&mut failures) {
                if failure.is_none() && named.contains(one.spec.name.as_str()) {
                    *failure = Some(self.not_offered(one.spec));
                    blamed = true;
                }
            }
            if !blamed {
                let retry = match obstacles.contains(&Obstacle::OfTheHost) {
                    true => Retry::No,
                    false => Retry::Alone,
                };
                self.after_failure(batch, &mut failures, &error, retry);
                break;
            }
        }
        failures
            .into_iter()
            .map(|failure| failure.map_or(Ok(()), Err))
            .collect()
    }

    /// Nobody in particular is to blame: those that are not as wanted by now are tried alone, so
    /// that one cannot hold up the others; one that is alone already has failed.
    fn after_failure(
        &mut self,
        batch: &[Work<'_, Package>],
        failures: &mut [Option<HostError>],
        error: &HostError,
        retry: Retry,
    ) {
        for (index, one) in batch.iter().enumerate() {
            if failures[index].is_some() || self.as_wanted(one.spec) {
                continue;
            }
            failures[index] = match retry {
                Retry::Alone if batch.len() > 1 => self
                    .transact(&batch[index..=index])
                    .into_iter()
                    .find_map(Result::err),
                _ => Some(told_again(error)),
            };
        }
    }

    fn as_wanted(&self, package: &Package) -> bool {
        let looked = package.observe(self.host.as_probe());
        let differences = looked.and_then(|observed| package.diff(&observed));
        differences.is_ok_and(|differences| differences.is_empty())
    }

    fn attempt(&self, work: &[&Work<'_, Package>]) -> Result<(), Stopped> {
        let request = Request::of(work);
        let probe = self.host.as_probe();
        let plan = simulate(&request, probe)?;
        request.check(&plan, probe).map_err(Stopped::Removals)?;
        for command in request.commands() {
            let mut argv = programs::argv(&["apt-get"]);
            if !request.removes_something() {
                argv.push("--no-remove".to_owned());
            }
            argv.extend(command);
            let output = self.host.run(&quiet(argv)).map_err(Stopped::Host)?;
            succeeded("apt-get", &output)?;
        }
        Ok(())
    }

    /// Refreshes the lists, once, when they are old; says whether trying again makes sense.
    fn refresh_lists(&mut self) -> bool {
        let stale = matches!(lists::age(self.host.as_probe()), Ok(Age::Stale));
        if !matches!(self.refresh, Refresh::NotTried) || !stale {
            return false;
        }
        let argv = programs::argv(&["apt-get", "--quiet", "-o", LOCK_WAIT, "update"]);
        self.refresh = match programs::run(self.host, &quiet(argv)) {
            Ok(_) => Refresh::Done,
            Err(error) => Refresh::Failed(error.to_string()),
        };
        matches!(self.refresh, Refresh::Done)
    }

    fn not_offered(&self, package: &Package) -> HostError {
        let what = match &package.version {
            Some(version) => format!("no repository of this host offers version {version}"),
            None => {
                "no repository of this host offers it, or several packages provide it".to_owned()
            }
        };
        let lists = match &self.refresh {
            Refresh::Done => "the lists were refreshed just now".to_owned(),
            Refresh::Failed(why) => format!("the lists could not be refreshed: {why}"),
            Refresh::NotTried => {
                format!(
                    "the lists are less than {} min old",
                    lists::FRESH_FOR.as_secs() / 60
                )
            }
        };
        refused(package, format!("{what} ({lists})"))
    }
}

/// The packages that the obstacles name.
fn unknown(obstacles: &[Obstacle]) -> BTreeSet<&str> {
    let mut named = BTreeSet::new();
    for obstacle in obstacles {
        if let Obstacle::Unknown { package } = obstacle {
            named.insert(package.as_str());
        }
    }
    named
}

fn succeeded(program: &str, output: &Output) -> Result<(), Stopped> {
    match output.success() {
        true => Ok(()),
        false => {
            // apt explains on standard output and complains on standard error.
            let said = format!("{}\n{}", output.stdout.trim_end(), output.stderr.trim_end());
            let error = HostError::Program {
                program: program.to_owned(),
                status: programs::status(output),
                output: programs::tail(&said),
            };
            Err(Stopped::Obstacles(Obstacle::of(output), error))
        }
    }
}

/// The same failure for another resource of the batch.
fn told_again(error: &HostError) -> HostError {
    match error {
        HostError::Program {
            program,
            status,
            output,
        } => HostError::Program {
            program: program.clone(),
            status: status.clone(),
            output: output.clone(),
        },
        HostError::Refused { path, reason } => HostError::refused(path, reason),
        HostError::Deadline { program, deadline } => HostError::Deadline {
            program: program.clone(),
            deadline: *deadline,
        },
        other => HostError::Garbled {
            what: "the package transaction".to_owned(),
            detail: other.to_string(),
        },
    }
}

fn each(batch: &[Work<'_, Package>], reason: &str) -> Vec<Result<(), HostError>> {
    batch
        .iter()
        .map(|one| Err(refused(one.spec, reason)))
        .collect()
}

/// A run of a package program that asks nobody anything.
fn quiet(argv: Vec<String>) -> Invocation {
    let mut invocation = programs::invocation(argv, DEADLINE);
    let answers = [
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("APT_LISTCHANGES_FRONTEND", "none"),
        ("APT_LISTBUGS_FRONTEND", "none"),
        ("NEEDRESTART_MODE", "l"), // services are restarted by who is notified
    ];
    for (name, value) in answers {
        invocation.env.insert(name.to_owned(), value.to_owned());
    }
    invocation
}
