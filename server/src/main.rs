//! `holdfast`: the server, and everything an operator types.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use holdfast::ServeOptions;
use holdfast_cli::Exit;
use tracing_subscriber::EnvFilter;

/// Keeps every host in the state its catalog repo declares, and says within seconds when one
/// drifts.
#[derive(Debug, Parser)]
#[command(
    name = "holdfast",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(ServeOptions),
    Demo(holdfast::demo::Demo),
    #[command(flatten)]
    Verb(holdfast_cli::Verb),
}

fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => match arguments.command {
            Command::Serve(options) => serve(options),
            Command::Demo(demo) => holdfast::demo::run(demo),
            Command::Verb(verb) => holdfast_cli::run(verb, Arguments::command),
        },
        Err(error) => holdfast_cli::usage(&error),
    }
}

/// Logs to stderr; `HOLDFAST_LOG` says what (`info` unless set).
fn start_log() {
    let filter = EnvFilter::try_from_env("HOLDFAST_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

fn serve(options: ServeOptions) -> ExitCode {
    start_log();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let served = match runtime {
        Ok(runtime) => {
            let served = runtime.block_on(until_told(options));
            // What still runs waits for somebody else's machine; nothing of ours is in it.
            runtime.shutdown_background();
            served
        }
        Err(error) => Err(error.into()),
    };
    match served {
        Ok(()) => Exit::Fine.into(),
        Err(error) => {
            tracing::error!("{}", holdfast::http::chain(error.as_ref()));
            Exit::CouldNotRun.into()
        }
    }
}

/// Serves until SIGTERM or SIGINT.
async fn until_told(options: ServeOptions) -> Result<(), Box<dyn std::error::Error>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = holdfast::serve(options).await?;
    say(&server);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}

/// What somebody who started it by hand wants to know, and a script may wait for.
fn say(server: &holdfast::ServerHandle) {
    let endpoints = server.endpoints();
    anstream::println!("agents     {}", endpoints.agents);
    anstream::println!("operators  {}", endpoints.operators);
    anstream::println!("credential {}", server.credential().display());
    for recipient in server.recipients() {
        anstream::println!("recipient  {recipient}");
    }
}
