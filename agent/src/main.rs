//! `holdfast-agent`: keeps this host in the state that its catalog declares.

fn main() -> std::process::ExitCode {
    holdfast_agent::main()
}
