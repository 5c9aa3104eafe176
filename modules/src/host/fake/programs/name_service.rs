//! getent(1) of a host with a directory.

use super::{ended, options};
use crate::host::Output;
use crate::host::fake::{Call, FakeProgram, Files};

/// A name service: what a directory holds beside the host's own files.
#[derive(Debug, Default)]
pub struct NameService {
    /// Lines as in passwd(5).
    pub passwd: String,
    /// Lines as in group(5).
    pub group: String,
    /// Whether it cannot be asked.
    pub fails: bool,
}

impl FakeProgram for NameService {
    fn run(&mut self, call: &Call<'_>, files: &mut Files) -> Output {
        let (_, rest) = options(&call.words[1..], &[]);
        let [database, name] = rest[..] else {
            return ended(1, "", "getent: wrong number of arguments\n");
        };
        let (own, elsewhere) = match database {
            "passwd" => (files.text("/etc/passwd"), &self.passwd),
            "group" => (files.text("/etc/group"), &self.group),
            _ => return ended(1, "", "Unknown database\n"),
        };
        if self.fails {
            return ended(1, "", "getent: the directory is in trouble\n");
        }
        let mut lines = own.lines().chain(elsewhere.lines());
        let found = lines.find(|line| line.split(':').next() == Some(name));
        match found {
            Some(line) => ended(0, format!("{line}\n"), ""),
            None => ended(2, "", ""),
        }
    }
}
