//! One look, as a probe says: what was seen, as something well or not.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use holdfast_modules::host::{Ends, Facility, Invocation, Probe, Query, Support};
use holdfast_schemas::health::{Check, CommandCheck, HttpCheck};

use super::http::{self, Wanted};
use crate::said::chain;

/// What is asked of a unit.
const PROPERTIES: &[&str] = &["LoadState", "ActiveState", "SubState"];

/// Where a port without a host is.
const HERE: &str = "127.0.0.1";

/// Looks once.
pub(super) fn look(check: &Check, probe: &dyn Probe, timeout: Duration) -> Result<String, String> {
    match check {
        Check::Port(check) => {
            let host = check.host.as_deref().unwrap_or(HERE);
            let end = Instant::now() + timeout;
            let connected = connect((host, check.port), end);
            let (_, address) = connected.map_err(|error| error.to_string())?;
            Ok(format!("{address} accepts connections"))
        }
        Check::Http(check) => page(check, timeout),
        Check::Command(check) => command(check, probe, timeout),
        Check::Unit(name) => unit(name, probe),
    }
}

/// Connects to the first address of a host that accepts.
pub(super) fn connect(
    place: (&str, u16),
    end: Instant,
) -> Result<(TcpStream, SocketAddr), io::Error> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in place.to_socket_addrs()? {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok((stream, address)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn page(check: &HttpCheck, timeout: Duration) -> Result<String, String> {
    let address = check.address().ok_or("no URL of a page")?;
    let wanted = match check.contains {
        Some(_) => Wanted::Body,
        None => Wanted::Status,
    };
    let answer = http::get(&address, wanted, timeout);
    let answer = answer.map_err(|error| error.to_string())?;
    let status = answer.status;
    let well = match check.status.is_empty() {
        true => (200..400).contains(&status),
        false => check.status.contains(&status),
    };
    if !well {
        return Err(format!("status {status}"));
    }
    match &check.contains {
        Some(text) if !answer.body.contains(text.as_str()) => {
            Err(format!("status {status}, without {text:?} in the answer"))
        }
        _ => Ok(format!("status {status}")),
    }
}

fn command(check: &CommandCheck, probe: &dyn Probe, timeout: Duration) -> Result<String, String> {
    let query = Query::Guard(Invocation {
        command: check.command.clone(),
        cwd: None,
        env: BTreeMap::new(),
        run_as: check.run_as.clone(),
        deadline: timeout,
        ends: Ends::WithTheRun,
    });
    let output = probe.query(&query).map_err(|error| chain(&error))?;
    if output.success() {
        return Ok(output.status());
    }
    let printed = output.stderr.lines().chain(output.stdout.lines());
    let printed = printed.map(str::trim).find(|line| !line.is_empty());
    Err(match printed {
        Some(line) => format!("{}: {line}", output.status()),
        None => output.status(),
    })
}

fn unit(name: &str, probe: &dyn Probe) -> Result<String, String> {
    if let Support::No(why) = probe.supports(Facility::Systemd) {
        return Err(why);
    }
    let query = Query::UnitProperties {
        unit: name.to_owned(),
        properties: PROPERTIES,
    };
    let output = probe.query(&query).map_err(|error| chain(&error))?;
    let of = |property: &str| {
        let mut lines = output.stdout.lines();
        let found = lines.find_map(|line| line.strip_prefix(property)?.strip_prefix('='));
        found.unwrap_or_default().to_owned()
    };
    let (load, active, sub) = (of("LoadState"), of("ActiveState"), of("SubState"));
    let seen = match (load.as_str(), sub.as_str()) {
        ("not-found", _) => "there is no such unit".to_owned(),
        (_, "") => active.clone(),
        _ => format!("{active} ({sub})"),
    };
    match active.as_str() {
        "active" | "reloading" => Ok(seen),
        _ => Err(seen),
    }
}
