//! Accounts that the host knows from elsewhere: a directory (LDAP, Active Directory by sssd or
//! winbind), systemd's own.
//!
//! `/etc/passwd` and `/etc/group` are read first, and only a name that is not there is asked for,
//! by getent(1): the C library would load the directory's modules into this process and wait for
//! its server as long as they please; a program has a deadline. A tree of files has no name service.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::accounts::{Accounts, GroupEntry, UserEntry, group_line, user_line};
use super::{Database, Facility, HostError, Output, Probe, Query, Support};

/// What getent(1) exits with when there is no such entry.
const NO_ENTRY: i32 = 2;

/// A user of the name service.
pub(crate) fn user(name: &str, probe: &dyn Probe) -> Result<Option<UserEntry>, HostError> {
    let line = entry(Database::Passwd, name, probe)?;
    Ok(line.and_then(|line| user_line(&line)).map(|(_, user)| user))
}

/// A group of the name service.
pub(crate) fn group(name: &str, probe: &dyn Probe) -> Result<Option<GroupEntry>, HostError> {
    let line = entry(Database::Group, name, probe)?;
    Ok(line
        .and_then(|line| group_line(&line))
        .map(|(_, group)| group))
}

/// The number that a user's name or number stands for, wherever the host knows it from.
pub(crate) fn uid(name: &str, known: &Accounts, probe: &dyn Probe) -> Result<u32, HostError> {
    known.uid(name).or_else(|unknown| match user(name, probe)? {
        Some(user) => Ok(user.uid),
        None => Err(unknown),
    })
}

/// The number that a group's name or number stands for, wherever the host knows it from.
pub(crate) fn gid(name: &str, known: &Accounts, probe: &dyn Probe) -> Result<u32, HostError> {
    known
        .gid(name)
        .or_else(|unknown| match group(name, probe)? {
            Some(group) => Ok(group.gid),
            None => Err(unknown),
        })
}

/// The line of an entry, as the databases have it.
fn entry(database: Database, name: &str, probe: &dyn Probe) -> Result<Option<String>, HostError> {
    let askable = !name.is_empty()
        && !name.starts_with('-')
        && !name.contains(|c: char| c == ':' || c.is_control());
    if !askable || probe.supports(Facility::Programs) != Support::Yes {
        return Ok(None);
    }
    let name = name.to_owned();
    match probe.query(&Query::NameService { database, name }) {
        Ok(output) if output.success() => Ok(output.stdout.lines().next().map(str::to_owned)),
        Ok(output) if output.code == Some(NO_ENTRY) => Ok(None),
        Ok(output) => Err(HostError::Program {
            program: "getent".to_owned(),
            status: output.status(),
            output: output.stderr,
        }),
        // A system without getent has no name service beside its files.
        Err(HostError::Start { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The answer that there is no such entry.
pub(super) fn no_entry() -> Output {
    Output {
        code: Some(NO_ENTRY),
        signal: None,
        stdout: String::new(),
        stderr: String::new(),
        truncated: false,
    }
}

/// What a name service said, so that thousands of files of one owner are one question; and that it
/// is silent, so that they are one wait.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    answers: BTreeMap<(Database, String), Output>,
    silent: Option<HostError>,
}

impl Answers {
    /// The answer that was given before, or the one that `ask` gives.
    pub(super) fn to(
        &self,
        database: Database,
        name: &str,
        ask: impl FnOnce() -> Result<Output, HostError>,
    ) -> Result<Output, HostError> {
        let mut said = self.said();
        let key = (database, name.to_owned());
        if let Some(output) = said.answers.get(&key) {
            return Ok(output.clone());
        }
        if let Some(HostError::Deadline { program, deadline }) = &said.silent {
            let (program, deadline) = (program.clone(), *deadline);
            return Err(HostError::Deadline { program, deadline });
        }
        match ask() {
            Ok(output) => {
                said.answers.insert(key, output.clone());
                Ok(output)
            }
            Err(HostError::Deadline { program, deadline }) => {
                let copy = (program.clone(), deadline);
                said.silent = Some(HostError::Deadline { program, deadline });
                let (program, deadline) = copy;
                Err(HostError::Deadline { program, deadline })
            }
            Err(error) => Err(error),
        }
    }

    /// Forgets everything: a program ran, which may have brought accounts or a name service.
    pub(super) fn forget(&self) {
        *self.said() = Said::default();
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::host::fake::FakeHost;
    use crate::host::fake::programs::NameService;
    use crate::host::{NoContent, RealHost};

    fn host(service: NameService) -> FakeHost {
        let host = FakeHost::new();
        host.install(&["getent"], Arc::new(Mutex::new(service)));
        host
    }

    fn directory() -> NameService {
        NameService {
            passwd: "jane:*:10001:10000:Jane:/home/jane:/bin/bash\n".to_owned(),
            group: "staff:*:10000:jane\n".to_owned(),
            ..NameService::default()
        }
    }

    #[test]
    fn a_name_of_the_directory_stands_for_its_number() {
        let host = host(directory());
        let accounts = host.accounts().unwrap();
        assert_eq!(uid("jane", &accounts, &host).unwrap(), 10001);
        assert_eq!(gid("staff", &accounts, &host).unwrap(), 10000);
        assert_eq!(uid("root", &accounts, &host).unwrap(), 0);
        for nobody in ["joe", "-s", "a:b", "", "a\nb"] {
            let error = uid(nobody, &accounts, &host).unwrap_err();
            assert!(matches!(error, HostError::NoSuchAccount { .. }), "{error}");
        }
    }

    #[test]
    fn a_host_without_programs_or_getent_knows_only_its_files() {
        let without = host(directory());
        without.lack(Facility::Programs, "a folder");
        for host in [without, FakeHost::new()] {
            let accounts = host.accounts().unwrap();
            let error = uid("jane", &accounts, &host).unwrap_err();
            assert!(matches!(error, HostError::NoSuchAccount { .. }), "{error}");
        }
    }

    #[test]
    fn a_service_in_trouble_is_no_service_that_knows_nobody() {
        let service = NameService {
            fails: true,
            ..directory()
        };
        let host = host(service);
        let accounts = host.accounts().unwrap();
        let error = gid("staff", &accounts, &host).unwrap_err();
        assert!(error.to_string().starts_with("getent failed"), "{error}");
    }

    #[test]
    fn a_question_is_asked_once_and_silence_is_waited_for_once() {
        let answers = Answers::default();
        answers
            .to(Database::Passwd, "a", || Ok(no_entry()))
            .unwrap();
        answers
            .to(Database::Passwd, "a", || panic!("asked again"))
            .unwrap();
        let late = || HostError::Deadline {
            program: "getent".to_owned(),
            deadline: Duration::from_secs(1),
        };
        answers
            .to(Database::Group, "a", || Err(late()))
            .unwrap_err();
        answers
            .to(Database::Group, "b", || panic!("waited again"))
            .unwrap_err();
        answers.forget();
        answers.to(Database::Group, "b", || Ok(no_entry())).unwrap();
    }

    #[test]
    fn the_real_host_asks_its_name_service() {
        let host = RealHost::new(Arc::new(NoContent), Arc::default()).unwrap();
        assert_eq!(user("root", &host).unwrap().map(|root| root.uid), Some(0));
        assert_eq!(group("no-such-group", &host).unwrap(), None);
    }
}
