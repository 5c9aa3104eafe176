//! A secret, on its way from the repo to three hosts: encrypted by the command that an operator
//! types, opened by the server, sealed to each host, and written by its agent.
//!
//! Then every file of the demo is looked through for it: those that it was meant for hold it, and no
//! other does.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use holdfast_schemas::Digest;
use holdfast_secrets::Sealer;

use super::error::DemoError;
use super::fleet::{self, HOSTS};
use super::narrate::Narrator;
use super::record::STEP;
use super::repo::Repo;
use super::stage::{Look, Serving, Stage, Wait};

/// The variable that is secret.
const NAME: &str = "mongodb.key";

/// The file that it is meant for.
const KEY_FILE: &str = "/etc/mongodb/keyfile";

/// Where recipients are named: ahead of this line of the settings.
pub(super) const SETTINGS: (&str, &str) = ("holdfast.yaml", "merge:\n");

/// Where the value stands: behind this line of the group.
pub(super) const GROUP: (&str, &str) = ("groups/js-mongodb.yaml", "    port: 27017\n");

/// Mode of a file that its owner alone may read.
const PRIVATE: u32 = 0o600;

/// How many lines of the encrypted value are shown.
const SHOWN: usize = 3;

/// Tells it.
pub(super) async fn hand_over(
    stage: &mut Stage,
    narrator: &mut Narrator,
    serving: &Serving,
) -> Result<(), DemoError> {
    let secret = draw()?;
    let encrypted = encrypt(stage, serving, &secret).await?;
    let (file, behind) = GROUP;
    let repo = repo(stage)?;
    repo.replace(file, behind, &format!("{behind}{encrypted}"))?;
    let began = Instant::now();
    repo.commit("mongodb: members have a key")?;
    arrival(stage, &secret).await?;
    let took = began.elapsed();
    let searched = look_through(stage.folder(), &secret)?;
    let what = format!("{NAME}, encrypted in the repo: on 3 hosts, mode 0600");
    narrator.step("secret", &what, took);
    let where_else = format!("in {KEY_FILE} alone: {searched} other files were looked through");
    narrator.remark(&where_else);
    narrator.excerpt(file, encrypted.lines().take(SHOWN));
    Ok(())
}

/// A key that nobody knows yet.
fn draw() -> Result<String, DemoError> {
    let drawn = Sealer::draw_master();
    let drawn = drawn.map_err(|error| DemoError::Otherwise(error.to_string()))?;
    Ok(Digest::of(*drawn).to_string())
}

fn repo(stage: &Stage) -> Result<&Repo, DemoError> {
    let missing = || DemoError::Otherwise("there is no repo".to_owned());
    stage.repo.as_ref().ok_or_else(missing)
}

/// Names the server as a recipient, and encrypts to it; what comes back is indented for its place.
async fn encrypt(stage: &Stage, serving: &Serving, secret: &str) -> Result<String, DemoError> {
    let status = serving.client.status().await?;
    let none = || DemoError::Otherwise("the server opens no secrets".to_owned());
    let recipient = status.recipients.first().ok_or_else(none)?;
    let (file, ahead) = SETTINGS;
    let named = format!("secrets:\n  recipients:\n    server: {recipient}\n{ahead}");
    repo(stage)?.replace(file, ahead, &named)?;
    let (program, _) = fleet::programs()?;
    let failed = |source: io::Error| DemoError::Start {
        program: program.display().to_string(),
        source,
    };
    let mut command = Command::new(&program);
    command.args(["secret", "encrypt", NAME, "--site"]);
    command.arg(stage.path("repo"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = command.stderr(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut stdin) = running.stdin.take() {
        stdin.write_all(secret.as_bytes()).map_err(failed)?;
    }
    let done = running.wait_with_output().map_err(failed)?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(DemoError::Otherwise(format!(
            "{NAME} was not encrypted:\n{said}"
        )));
    }
    let pasted = String::from_utf8_lossy(&done.stdout);
    // `mongodb:` stands in the group already.
    let lines = pasted.lines().skip(1);
    Ok(lines.map(|line| format!("  {line}\n")).collect())
}

/// Waits until the file of every host holds it, for its owner alone.
async fn arrival(stage: &mut Stage, secret: &str) -> Result<(), DemoError> {
    let wanted = format!("{secret}\n");
    for host in HOSTS {
        let path = fleet::in_root(&fleet::root(stage, host), KEY_FILE);
        let wait = Wait {
            what: "the secret's arrival",
            by: host,
            deadline: STEP,
        };
        let look = async || match fs::read_to_string(&path) {
            Ok(text) if text == wanted => Ok(Look::Here(())),
            Ok(_) => Ok(Look::NotYet(format!("{KEY_FILE} of {host} is another"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Look::NotYet(format!("{host} has no {KEY_FILE}")))
            }
            Err(source) => Err(unread(&path)(source)),
        };
        stage.until(wait, look).await?;
        let found = fs::metadata(&path).map_err(unread(&path))?;
        let mode = found.permissions().mode() & 0o7777;
        if mode != PRIVATE {
            let text = format!("{KEY_FILE} of {host} has mode {mode:04o}, not {PRIVATE:04o}");
            return Err(DemoError::Otherwise(text));
        }
    }
    Ok(())
}

fn unread(path: &Path) -> impl FnOnce(io::Error) -> DemoError + use<> {
    let path = path.to_owned();
    move |source| DemoError::File {
        doing: "read",
        path,
        source,
    }
}

/// Looks through every file below a folder, but for those that the secret is meant for; says how
/// many there are, if none of them holds it.
fn look_through(folder: &Path, secret: &str) -> Result<usize, DemoError> {
    let mut searched = 0;
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        let Some(entries) = there(fs::read_dir(&folder)).map_err(unread(&folder))? else {
            continue;
        };
        for entry in entries {
            let entry = entry.map_err(unread(&folder))?;
            let Some(kind) = there(entry.file_type()).map_err(unread(&folder))? else {
                continue;
            };
            let path: PathBuf = entry.path();
            if kind.is_dir() {
                ahead.push(path);
            } else if kind.is_file() && !path.ends_with(KEY_FILE.trim_start_matches('/')) {
                let Some(bytes) = there(fs::read(&path)).map_err(unread(&path))? else {
                    continue;
                };
                searched += 1;
                if bytes
                    .windows(secret.len())
                    .any(|at| at == secret.as_bytes())
                {
                    let text = format!("the secret stands in {}", path.display());
                    return Err(DemoError::Otherwise(text));
                }
            }
        }
    }
    Ok(searched)
}

/// What may have gone since it was listed: the agents are at work.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_secret_that_lies_about_is_found() {
        let folder = tempfile::TempDir::new().unwrap();
        let meant = folder.path().join("hosts/a/root/etc/mongodb");
        fs::create_dir_all(&meant).unwrap();
        fs::write(meant.join("keyfile"), "s3cret").unwrap();
        fs::write(folder.path().join("log"), "nothing").unwrap();
        assert_eq!(look_through(folder.path(), "s3cret").unwrap(), 1);
        fs::write(folder.path().join("hosts/a/log"), "it is s3cret.").unwrap();
        let told = look_through(folder.path(), "s3cret").unwrap_err();
        assert!(told.to_string().ends_with("hosts/a/log"), "{told}");
    }
}
