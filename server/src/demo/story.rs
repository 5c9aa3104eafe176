//! The story, step by step; each waits for what it tells of.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use holdfast_schemas::report::{Cause, ResourceReport, RunStatus};
use jiff::Timestamp;
use serde::Deserialize;

use super::error::DemoError;
use super::fleet::{self, HOSTS, REGION_FILE};
use super::narrate::Narrator;
use super::record::{STEP, drift_on_record, every_host, is, is_settled, on_region_file};
use super::repo::Repo;
use super::secret;
use super::stage::{Look, Serving, Stage, Wait};

/// The variable that the operator raises, as it stands in the example site, and the value after.
const RAISED: (&str, &str, &str) = ("globals.yaml", "file_ulimit: 65536", "file_ulimit: 131072");

/// What the raised value looks like on the hosts.
const RAISED_LINE: &str = "file_ulimit = 131072";

/// What somebody makes of that line by hand.
const TAMPERED_LINE: &str = "file_ulimit = 1024";

/// The host that somebody tampers with.
const VICTIM: &str = HOSTS[1];

/// Tells it all.
pub(super) async fn tell(stage: &mut Stage, narrator: &mut Narrator) -> Result<(), DemoError> {
    let began = Instant::now();
    fleet::programs()?;
    narrator.opens(stage);
    let revision = commit_the_site(stage, narrator)?;
    check_the_site(stage, narrator).await?;
    let serving = start_the_server(stage, narrator, &revision).await?;
    enrol_and_converge(stage, narrator, &serving).await?;
    run_again(stage, narrator, &serving).await?;
    commit_a_change(stage, narrator, &serving).await?;
    tamper(stage, narrator, &serving).await?;
    secret::hand_over(stage, narrator, &serving).await?;
    narrator.told(began.elapsed());
    Ok(())
}

fn commit_the_site(stage: &mut Stage, narrator: &mut Narrator) -> Result<String, DemoError> {
    let began = Instant::now();
    let (repo, revision) = Repo::of_example(stage.path("repo"))?;
    stage.repo = Some(repo);
    let what = format!("the example site, committed as {}", short(&revision));
    narrator.step("repo", &what, began.elapsed());
    Ok(revision)
}

/// The part of `holdfast check --json` that is told.
#[derive(Debug, Deserialize)]
struct Checked {
    hosts: usize,
    compiled: usize,
    duration_ms: u64,
}

/// Compiles the site as an operator does before a commit, with the command an operator types.
async fn check_the_site(stage: &Stage, narrator: &mut Narrator) -> Result<(), DemoError> {
    let (program, _) = fleet::programs()?;
    let done = tokio::process::Command::new(&program)
        .args(["check", "--json", "--site"])
        .arg(stage.path("repo"))
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| DemoError::Start {
            program: program.display().to_string(),
            source,
        })?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        let text = format!("the example site does not compile:\n{said}");
        return Err(DemoError::Otherwise(text));
    }
    let checked: Checked =
        serde_json::from_slice(&done.stdout).map_err(|source| DemoError::Document {
            what: "what `holdfast check --json` says".to_owned(),
            source,
        })?;
    let what = format!("{} of {} hosts compile", checked.compiled, checked.hosts);
    let took = Duration::from_millis(checked.duration_ms);
    narrator.step("compile", &what, took);
    Ok(())
}

async fn start_the_server(
    stage: &mut Stage,
    narrator: &mut Narrator,
    revision: &str,
) -> Result<Serving, DemoError> {
    let began = Instant::now();
    let repo = stage.path("repo");
    let serving = fleet::serve(stage, &repo).await?;
    stage.serving = Some(serving.clone());
    let what = format!("listening for agents at {}", serving.endpoints.agents);
    narrator.step("server", &what, began.elapsed());
    let wait = Wait {
        what: "the commit's being served",
        by: "server",
        deadline: STEP,
    };
    let client = &serving.client;
    stage
        .until(wait, async || {
            let status = client.status().await?;
            if let Some(refused) = status.refused {
                let text = format!("the server refuses the site:\n{}", refused.diagnostics);
                return Err(DemoError::Otherwise(text));
            }
            Ok(match status.active {
                Some(active) if active == revision => Look::Here(()),
                Some(active) => Look::NotYet(format!("it serves {active}")),
                None => Look::NotYet("it serves nothing yet".to_owned()),
            })
        })
        .await?;
    let what = format!("commit {} is what the hosts are to be", short(revision));
    narrator.step("serve", &what, began.elapsed());
    Ok(serving)
}

async fn enrol_and_converge(
    stage: &mut Stage,
    narrator: &mut Narrator,
    serving: &Serving,
) -> Result<(), DemoError> {
    let began = Instant::now();
    fleet::enrol(stage, serving).await?;
    let what = format!("{}: a one-time token each", HOSTS.join(", "));
    narrator.step("enrol", &what, began.elapsed());

    let began = Instant::now();
    fleet::start_agents(stage)?;
    let reports = every_host(stage, serving, "every host's first run", |report| {
        is_settled(report) && report.counts.changed > 0
    })
    .await?;
    let changed: u32 = reports
        .iter()
        .map(|stored| stored.report.counts.changed)
        .sum();
    let what = format!("3 hosts as declared, {changed} resources made");
    narrator.step("converge", &what, began.elapsed());
    show_region_file(stage, narrator)
}

fn show_region_file(stage: &Stage, narrator: &mut Narrator) -> Result<(), DemoError> {
    let text = read(region_file(stage, VICTIM))?;
    let of = format!("{REGION_FILE} on {VICTIM}");
    narrator.excerpt(&of, text.lines().filter(|line| !line.is_empty()));
    Ok(())
}

async fn run_again(
    stage: &mut Stage,
    narrator: &mut Narrator,
    serving: &Serving,
) -> Result<(), DemoError> {
    let reports = every_host(stage, serving, "every host's second run", |report| {
        report.status == RunStatus::InSync && report.counts.changed == 0
    })
    .await?;
    let slowest = reports.iter().map(|stored| stored.report.duration_ms).max();
    let looked: u32 = reports
        .iter()
        .map(|stored| stored.report.counts.total)
        .sum();
    let what = format!("the next run: {looked} resources looked at, none touched");
    let took = Duration::from_millis(slowest.unwrap_or_default());
    narrator.step("again", &what, took);
    Ok(())
}

async fn commit_a_change(
    stage: &mut Stage,
    narrator: &mut Narrator,
    serving: &Serving,
) -> Result<(), DemoError> {
    let (file, from, to) = RAISED;
    let Some(repo) = &stage.repo else {
        return Err(DemoError::Otherwise("there is no repo".to_owned()));
    };
    repo.replace(file, from, to)?;
    let revision = repo.commit("fleet: more open files")?;
    let began = Instant::now();
    let reports = every_host(
        stage,
        serving,
        "the change's arrival on every host",
        |report| {
            is_settled(report) && on_region_file(report).is_some_and(|one| is(one, Cause::Intended))
        },
    )
    .await?;
    let took = began.elapsed();
    for host in HOSTS {
        if !read(region_file(stage, host))?.contains(RAISED_LINE) {
            let text = format!("{host} reported the change, and {REGION_FILE} has it not");
            return Err(DemoError::Otherwise(text));
        }
    }
    let what = format!(
        "{file} edited ({}): on 3 hosts, as intended",
        short(&revision)
    );
    narrator.step("commit", &what, took);
    let resource = reports
        .first()
        .and_then(|stored| on_region_file(&stored.report));
    show_difference(narrator, HOSTS[0], resource);
    Ok(())
}

async fn tamper(
    stage: &mut Stage,
    narrator: &mut Narrator,
    serving: &Serving,
) -> Result<(), DemoError> {
    let path = region_file(stage, VICTIM);
    let wanted = read(path.clone())?;
    let tampered = wanted.replace(RAISED_LINE, TAMPERED_LINE);
    if tampered == wanted {
        let text = format!("{REGION_FILE} has no line {RAISED_LINE:?} to tamper with");
        return Err(DemoError::Otherwise(text));
    }
    let (began, at) = (Instant::now(), Timestamp::now());
    std::fs::write(&path, tampered).map_err(|source| DemoError::File {
        doing: "tamper with",
        path: path.clone(),
        source,
    })?;
    let wait = Wait {
        what: "the mending of what was tampered with",
        by: VICTIM,
        deadline: STEP,
    };
    stage
        .until(wait, async || {
            Ok(match read(path.clone())? == wanted {
                true => Look::Here(()),
                false => Look::NotYet("it is still as tampered".to_owned()),
            })
        })
        .await?;
    let mended = began.elapsed();
    let (_, report) = drift_on_record(stage, serving, VICTIM, at).await?;
    let found = report.started.duration_since(at);
    let found = Duration::try_from(found).unwrap_or_default().min(mended);
    let what = format!("{REGION_FILE} on {VICTIM}, edited by hand: seen");
    narrator.step("drift", &what, found);
    let what = "put back, and on record as drift, not as intended";
    narrator.step("mended", what, mended);
    show_difference(narrator, VICTIM, on_region_file(&report));
    Ok(())
}

fn show_difference(narrator: &mut Narrator, host: &str, resource: Option<&ResourceReport>) {
    let Some(resource) = resource else { return };
    let of = format!("{REGION_FILE} on {host}");
    if let Some(diff) = &resource.diff {
        return narrator.diff(&of, diff);
    }
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let changes = resource.changes.iter();
    let lines: Vec<String> = changes
        .map(|change| {
            let (from, to) = (value(&change.from), value(&change.to));
            format!("{}: {from} → {to}", change.property)
        })
        .collect();
    narrator.excerpt(&of, lines.iter().map(String::as_str));
}

fn region_file(stage: &Stage, host: &str) -> PathBuf {
    fleet::in_root(&fleet::root(stage, host), REGION_FILE)
}

fn read(path: PathBuf) -> Result<String, DemoError> {
    std::fs::read_to_string(&path).map_err(|source| DemoError::File {
        doing: "read",
        path,
        source,
    })
}

/// A commit by its first ten digits.
fn short(revision: &str) -> &str {
    revision.get(..10).unwrap_or(revision)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_story_fits_the_example_site() {
        let folder = tempfile::TempDir::new().unwrap();
        let (repo, first) = Repo::of_example(folder.path().to_owned()).unwrap();
        let (file, from, to) = RAISED;
        repo.replace(file, from, to).unwrap();
        for (file, line) in [secret::SETTINGS, secret::GROUP] {
            repo.replace(file, line, line).unwrap();
        }
        let second = repo.commit("a change").unwrap();
        assert_ne!(first, second);
        assert!(RAISED_LINE.ends_with(to.split_once(": ").unwrap().1));
        for host in HOSTS {
            assert!(
                folder
                    .path()
                    .join("hosts")
                    .join(format!("{host}.yaml"))
                    .is_file()
            );
        }
    }
}
