//! Filters over paths and addresses, which look at their text alone.

use minijinja::value::Tuple;
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter("basename", &[], |call| {
        call.gives(base(call.value_text()?).to_owned())
    }),
    filter("commonpath", &[], common),
    filter("dirname", &[], |call| {
        call.gives(folder(call.value_text()?).to_owned())
    }),
    filter("expanduser", &[], of_the_machine),
    filter("expandvars", &[], of_the_machine),
    filter("fileglob", &[], of_the_machine),
    filter("normpath", &[], |call| {
        call.gives(normal(call.value_text()?))
    }),
    filter("path_join", &[], join),
    filter("realpath", &[], of_the_machine),
    filter("relpath", &["start"], relative),
    filter("splitext", &[], split_extension),
    filter("urlsplit", &["query"], url_split),
    filter("win_basename", &[], win_base),
    filter("win_dirname", &[], win_folder),
    filter("win_splitdrive", &[], win_drive),
];

/// These look at the disk or the environment of the machine that Ansible runs on.
fn of_the_machine(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    Err(call.fails(
        "it would look at the machine that compiles; a catalog depends on the repo and the \
         host's facts alone",
    ))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn folder(path: &str) -> &str {
    let Some((folder, _)) = path.rsplit_once('/') else {
        return "";
    };
    match folder.trim_end_matches('/') {
        "" => &path[..folder.len() + 1],
        trimmed => trimmed,
    }
}

fn win_base(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let path = call.value_text()?;
    call.gives(
        path.rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_owned(),
    )
}

fn win_folder(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let path = call.value_text()?;
    let folder = path.rfind(['/', '\\']).map_or("", |at| &path[..=at]);
    let trimmed = folder.trim_end_matches(['/', '\\']);
    let whole = trimmed.is_empty() || trimmed.ends_with(':');
    call.gives(if whole { folder } else { trimmed }.to_owned())
}

/// `C:` and the rest.
fn win_drive(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let path = call.value_text()?;
    let letter = path.as_bytes().get(1) == Some(&b':');
    let (drive, rest) = path.split_at(if letter && path.is_char_boundary(2) {
        2
    } else {
        0
    });
    Ok(Value::from(Tuple::from([
        Value::from(drive),
        Value::from(rest),
    ])))
}

fn join(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    if call.value.as_str().is_some() {
        return Ok(call.value.clone());
    }
    let mut path = String::new();
    for part in call.items()? {
        let text = part
            .as_str()
            .ok_or_else(|| call.wrong("a part", "text", &part))?;
        if text.starts_with('/') {
            path.clear();
        } else if !path.is_empty() && !path.ends_with('/') {
            path.push('/');
        }
        path.push_str(text);
    }
    call.gives(path)
}

/// Python's `os.path.normpath`.
fn normal(path: &str) -> String {
    let root = match path {
        _ if path.starts_with("//") && !path.starts_with("///") => "//",
        _ if path.starts_with('/') => "/",
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_none_or(|last| *last == "..") => {
                if root.is_empty() {
                    parts.push("..");
                }
            }
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    match root.is_empty() && parts.is_empty() {
        true => ".".to_owned(),
        false => format!("{root}{}", parts.join("/")),
    }
}

fn relative(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let (path, start) = (
        normal(call.value_text()?),
        normal(call.text_or("start", "")?),
    );
    if !path.starts_with('/') || !start.starts_with('/') {
        return Err(call.fails("both paths have to begin with `/`: there is no current folder"));
    }
    let parts = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let (path, start) = (parts(&path), parts(&start));
    let shared = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = start[shared..].iter().map(|_| "..".to_owned());
    let way: Vec<String> = up.chain(path[shared..].iter().cloned()).collect();
    call.gives(if way.is_empty() {
        ".".to_owned()
    } else {
        way.join("/")
    })
}

fn common(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let mut shared: Option<Vec<String>> = None;
    let mut absolute = false;
    for (place, path) in call.items()?.iter().enumerate() {
        let text = path
            .as_str()
            .ok_or_else(|| call.wrong("a path", "text", path))?;
        if place > 0 && absolute != text.starts_with('/') {
            return Err(call.fails("some paths begin with `/` and some do not"));
        }
        absolute = text.starts_with('/');
        let parts = text
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".");
        let parts: Vec<String> = parts.map(str::to_owned).collect();
        shared = Some(match shared {
            None => parts,
            Some(held) => {
                let both = held.into_iter().zip(parts);
                both.take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
            }
        });
    }
    let shared = shared.ok_or_else(|| call.fails("there are no paths"))?;
    let root = if absolute { "/" } else { "" };
    call.gives(format!("{root}{}", shared.join("/")))
}

fn split_extension(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let path = call.value_text()?;
    let name = base(path);
    let stem = name.trim_start_matches('.');
    let dot = stem.rfind('.').map(|at| path.len() - stem.len() + at);
    let (front, extension) = path.split_at(dot.unwrap_or(path.len()));
    let both = [Value::from(front), Value::from(extension)];
    Ok(Value::from(Tuple::from(both)))
}

/// The parts of an address.
fn url_split(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let url = call.value_text()?;
    let scheme_of = |at: usize| {
        let scheme = &url[..at];
        let letters = scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        (letters && scheme.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(scheme)
    };
    let scheme = url.find(':').and_then(scheme_of);
    let rest = scheme.map_or(url, |scheme| &url[scheme.len() + 1..]);
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (login, server) = match netloc.rsplit_once('@') {
        Some((login, server)) => (Some(login), server),
        None => (None, netloc),
    };
    let (user, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
        None => (None, None),
        Some(Ok((user, password))) => (Some(user), Some(password)),
        Some(Err(user)) => (Some(user), None),
    };
    let bracket = server
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracket {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let port = match port.filter(|port| !port.is_empty()) {
        None => None,
        Some(port) => {
            let number: Option<u16> = port.parse().ok();
            Some(number.ok_or_else(|| call.fails(format!("`{port}` is no port")))?)
        }
    };
    let host = (!host.is_empty()).then(|| host.to_lowercase());
    let parts = [
        ("fragment", Value::from(fragment)),
        ("hostname", Value::from(host)),
        ("netloc", Value::from(netloc)),
        ("password", Value::from(password)),
        ("path", Value::from(path)),
        ("port", Value::from(port)),
        ("query", Value::from(query)),
        (
            "scheme",
            Value::from(scheme.unwrap_or_default().to_lowercase()),
        ),
        ("username", Value::from(user)),
    ];
    match call.text_or("query", "")? {
        "" => Ok(Value::from_pairs(parts)),
        name => {
            let mut parts = parts.into_iter();
            let part = parts.find(|(known, _)| *known == name);
            let unknown = || call.fails(format!("an address has no part `{name}`"));
            part.map(|(_, part)| part).ok_or_else(unknown)
        }
    }
}
