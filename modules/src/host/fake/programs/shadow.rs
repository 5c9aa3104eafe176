//! useradd, usermod, userdel, groupadd, groupmod and groupdel over a fake host's `/etc`.

use super::{ended, options};
use crate::host::Output;
use crate::host::fake::{Call, FakeProgram, Files, Node};

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// The programs of the shadow suite. Their state is the host's files.
#[derive(Debug, Default)]
pub struct Shadow;

/// A database as rows of fields.
type Rows = Vec<Vec<String>>;

impl FakeProgram for Shadow {
    fn run(&mut self, call: &Call<'_>, files: &mut Files) -> Output {
        let (options, rest) = options(&call.words[1..], &[]);
        let ([name], program) = (&rest[..], call.words[0].as_str()) else {
            return ended(2, "", "Usage: …\n");
        };
        let value = |option: &str| {
            let prefix = format!("--{option}=");
            options
                .iter()
                .find_map(|given| given.strip_prefix(&prefix))
                .map(str::to_owned)
        };
        let flag = |option: &str| options.contains(&option);
        let done = match program {
            "useradd" => useradd(name, &value, flag("--create-home"), files),
            "usermod" => usermod(name, &value, files),
            "userdel" => userdel(name, flag("--remove"), files),
            "groupadd" => groupadd(name, value("gid"), files),
            "groupmod" => groupmod(name, value("gid"), files),
            "groupdel" => delete(GROUP, name, files),
            _ => Err((127, "no such program".to_owned())),
        };
        match done {
            Ok(()) => ended(0, "", ""),
            Err((code, message)) => ended(code, "", format!("{program}: {message}\n")),
        }
    }
}

type Done = Result<(), (i32, String)>;
type Value<'v> = dyn Fn(&str) -> Option<String> + 'v;

fn useradd(name: &str, value: &Value<'_>, with_home: bool, files: &mut Files) -> Done {
    if find(PASSWD, name, files).is_some() {
        return Err((9, format!("user '{name}' already exists")));
    }
    let uid = value("uid").unwrap_or_else(|| next(PASSWD, files));
    let gid = match value("gid") {
        Some(group) => gid_of(&group, files)?,
        None => {
            groupadd(name, None, files)?;
            gid_of(name, files)?
        }
    };
    let home = value("home-dir").unwrap_or_else(|| format!("/home/{name}"));
    let comment = value("comment").unwrap_or_default();
    let shell = value("shell").unwrap_or_else(|| "/bin/sh".to_owned());
    if with_home {
        make_home(&home, &uid, &gid, files);
    }
    let mut rows = read(PASSWD, files);
    rows.push(vec![
        name.to_owned(),
        "x".to_owned(),
        uid,
        gid,
        comment,
        home,
        shell,
    ]);
    write(PASSWD, &rows, files);
    let mut shadow = read("/etc/shadow", files);
    shadow.push(
        format!("{name}:!:19700:0:99999:7:::")
            .split(':')
            .map(str::to_owned)
            .collect(),
    );
    write("/etc/shadow", &shadow, files);
    value("groups").map_or(Ok(()), |groups| join(name, &groups, files))
}

fn usermod(name: &str, value: &Value<'_>, files: &mut Files) -> Done {
    let missing = (6, format!("user '{name}' does not exist"));
    let mut row = find(PASSWD, name, files).ok_or(missing)?;
    if let Some(group) = value("gid") {
        row[3] = gid_of(&group, files)?;
    }
    for (option, field) in [("uid", 2), ("comment", 4), ("home", 5), ("shell", 6)] {
        if let Some(value) = value(option) {
            row[field] = value;
        }
    }
    let mut rows = read(PASSWD, files);
    rows.iter_mut()
        .filter(|other| other[0] == name)
        .for_each(|other| other.clone_from(&row));
    write(PASSWD, &rows, files);
    value("groups").map_or(Ok(()), |groups| join(name, &groups, files))
}

fn userdel(name: &str, with_home: bool, files: &mut Files) -> Done {
    let missing = (6, format!("user '{name}' does not exist"));
    let row = find(PASSWD, name, files).ok_or(missing)?;
    delete(PASSWD, name, files)?;
    let _ = delete("/etc/shadow", name, files);
    join(name, "", files)?;
    let _ = delete(GROUP, name, files); // USERGROUPS_ENAB
    if with_home {
        files.remove(&row[5]);
    }
    Ok(())
}

fn groupadd(name: &str, gid: Option<String>, files: &mut Files) -> Done {
    if find(GROUP, name, files).is_some() {
        return Err((9, format!("group '{name}' already exists")));
    }
    let gid = gid.unwrap_or_else(|| next(GROUP, files));
    let mut rows = read(GROUP, files);
    rows.push(vec![name.to_owned(), "x".to_owned(), gid, String::new()]);
    write(GROUP, &rows, files);
    Ok(())
}

fn groupmod(name: &str, gid: Option<String>, files: &mut Files) -> Done {
    let (old, new) = (gid_of(name, files)?, gid.unwrap_or_default());
    for (path, field) in [(GROUP, 2), (PASSWD, 3)] {
        let mut rows = read(path, files);
        rows.iter_mut()
            .filter(|row| row[field] == old)
            .for_each(|row| row[field].clone_from(&new));
        write(path, &rows, files);
    }
    Ok(())
}

fn join(user: &str, groups: &str, files: &mut Files) -> Done {
    let wanted: Vec<&str> = groups
        .split(',')
        .filter(|group| !group.is_empty())
        .collect();
    for group in &wanted {
        gid_of(group, files)?;
    }
    let mut rows = read(GROUP, files);
    for row in &mut rows {
        let mut members: Vec<&str> = row[3]
            .split(',')
            .filter(|m| !m.is_empty() && *m != user)
            .collect();
        if wanted.contains(&row[0].as_str()) {
            members.push(user);
        }
        row[3] = members.join(",");
    }
    write(GROUP, &rows, files);
    Ok(())
}

fn make_home(home: &str, uid: &str, gid: &str, files: &mut Files) {
    if files.get(home).is_none() {
        files.make_directory(home);
        let number = |text: &str| text.parse().unwrap_or_default();
        let (uid, gid) = (number(uid), number(gid));
        files.change(home, |entry| {
            entry.node = Node::Directory;
            (entry.uid, entry.gid) = (uid, gid);
        });
    }
}

fn gid_of(group: &str, files: &Files) -> Result<String, (i32, String)> {
    let rows = read(GROUP, files);
    let found = rows.iter().find(|row| row[0] == group || row[2] == group);
    found
        .map(|row| row[2].clone())
        .ok_or_else(|| (6, format!("group '{group}' does not exist")))
}

fn delete(path: &str, name: &str, files: &mut Files) -> Done {
    let (mut rows, missing) = (read(path, files), (6, format!("'{name}' does not exist")));
    find(path, name, files).ok_or(missing)?;
    rows.retain(|row| row[0] != name);
    write(path, &rows, files);
    Ok(())
}

fn next(path: &str, files: &Files) -> String {
    let numbers = read(path, files)
        .into_iter()
        .filter_map(|row| row[2].parse::<u32>().ok());
    let highest = numbers
        .filter(|number| (1000..60000).contains(number))
        .max();
    highest.map_or(1000, |highest| highest + 1).to_string()
}

fn find(path: &str, name: &str, files: &Files) -> Option<Vec<String>> {
    read(path, files).into_iter().find(|row| row[0] == name)
}

/// The rows that have the fields of an entry; the shortest database has four.
fn read(path: &str, files: &Files) -> Rows {
    let rows = files
        .text(path)
        .lines()
        .map(|line| line.split(':').map(str::to_owned).collect());
    rows.filter(|row: &Vec<String>| row.len() >= 4).collect()
}

fn write(path: &str, rows: &Rows, files: &mut Files) {
    let lines: String = rows
        .iter()
        .map(|row| format!("{}\n", row.join(":")))
        .collect();
    files.write(path, lines);
}
