//! `holdfast demo`: the main job in one command, on this machine, without root.
//!
//! A real server on loopback with its own certificate authority, a Git repository made from the
//! example site, three agents as processes of their own, each with a root directory instead of
//! the machine's. Then what an operator lives on: a commit that arrives, drift that is found and
//! mended, the difference between the two, and a secret that reaches its hosts and nothing else.
//! Nothing is staged: every figure is measured, every state is asked of the server or read from
//! the hosts' files, and a step that does not happen within its deadline ends the demo with the
//! log of who failed.
//!
//! The processes it starts end with it, however it ends, but for a `kill -9` of the demo itself.

mod error;
mod fleet;
mod narrate;
mod process;
mod record;
mod repo;
mod secret;
mod stage;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use error::DemoError;
use narrate::Narrator;
use stage::Stage;

/// Exit code after Ctrl-C or SIGTERM before the story was told: 128 + SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

/// Show the main job: a commit reaches three hosts, drift is found and mended
///
/// Starts a real server and three agents on this machine, each with a root directory of its own;
/// needs no root and touches nothing outside its folder. Afterwards everything stays up to be
/// tried out, until Ctrl-C.
#[derive(Debug, Clone, clap::Args)]
pub struct Demo {
    /// End when the story is told; the exit code says whether every step happened
    #[arg(long)]
    once: bool,
    /// Work in this folder and leave it behind, instead of in a temporary one
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What ended the demo.
enum End {
    /// The story was told, and nothing more is wanted.
    Told,
    /// Ctrl-C or SIGTERM while everything stayed up.
    Dismissed,
    /// Ctrl-C or SIGTERM in the middle of the story.
    Interrupted,
}

/// Tells the story.
pub fn run(demo: Demo) -> ExitCode {
    let mut narrator = Narrator::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(DemoError::Runtime);
    match runtime.and_then(|runtime| runtime.block_on(perform(demo, &mut narrator))) {
        Ok(End::Told | End::Dismissed) => ExitCode::SUCCESS,
        Ok(End::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            narrator.failed(&error);
            ExitCode::FAILURE
        }
    }
}

async fn perform(demo: Demo, narrator: &mut Narrator) -> Result<End, DemoError> {
    let mut signals = Signals::new().map_err(DemoError::Runtime)?;
    let mut stage = Stage::set(demo.dir.as_deref())?;
    let end = tokio::select! {
        () = signals.any() => Ok(End::Interrupted),
        told = story::tell(&mut stage, narrator) => told.map(|()| End::Told),
    };
    let end = match (end, demo.once) {
        (Ok(End::Told), false) => {
            narrator.invite(&stage);
            tokio::select! {
                () = signals.any() => Ok(End::Dismissed),
                error = stage.watch() => Err(error),
            }
        }
        (end, _) => end,
    };
    let cleared = stage.clear().await;
    let end = end?;
    narrator.cleared(&cleared?);
    Ok(end)
}

/// Whatever asks a program to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
            _ = self.hang_up.recv() => (),
        }
    }
}
