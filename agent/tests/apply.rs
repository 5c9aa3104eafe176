//! `apply` as a person uses it: exit codes, reports, causes, reasons.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use common::{World, catalog, directory, file, resource, with};
use serde_json::{Value, json};

fn web() -> Vec<Value> {
    let conf = file("/etc/web/web.conf", "listen 80\n");
    let link = json!({ "path": "/etc/web/current", "target": "web.conf" });
    vec![
        directory("/etc/web"),
        with(conf, "requires", &["directory[/etc/web]"]),
        with(
            resource("symlink", "/etc/web/current", link),
            "requires",
            &["file[/etc/web/web.conf]"],
        ),
    ]
}

#[test]
fn no_op_lists_what_apply_does_and_touches_nothing() {
    let world = World::new();
    world.declare(&web());
    let before = world.picture();
    let planned = world.no_op();
    assert_eq!(planned.code, 2, "{}", planned.stderr);
    assert_eq!(world.picture(), before);

    let applied = world.apply();
    assert_eq!(applied.code, 2, "{}", applied.stderr);
    for id in [
        "directory[/etc/web]",
        "file[/etc/web/web.conf]",
        "symlink[/etc/web/current]",
    ] {
        let (planned, applied) = (planned.line(id), applied.line(id));
        assert_eq!(planned["outcome"], "drifted", "{planned:#}");
        assert_eq!(applied["outcome"], "changed", "{applied:#}");
        assert_eq!(planned["changes"], applied["changes"]);
        assert_eq!(planned["cause"], "new");
        assert_eq!(applied["cause"], "new");
    }
    assert_eq!(planned.line("directory[/etc/web]")["certainty"], "certain");
    assert_eq!(
        planned.line("file[/etc/web/web.conf]")["certainty"],
        json!({ "after": ["directory[/etc/web]"] })
    );
    assert_eq!(world.read("/etc/web/current"), "listen 80\n");
}

#[test]
fn a_second_run_changes_nothing() {
    let world = World::new();
    world.declare(&web());
    world.apply();
    let after_first = world.picture();
    for _ in 0..2 {
        let second = world.apply();
        assert_eq!(second.code, 0);
        assert_eq!(second.count("in_sync"), 3);
        assert_eq!(second.report()["status"], "in_sync");
        assert_eq!(second.report()["resources"].as_array().unwrap().len(), 3);
        assert_eq!(world.no_op().code, 0);
        assert_eq!(world.picture(), after_first);
    }
}

#[test]
fn drift_is_told_from_intent() {
    let world = World::new();
    world.declare(&[file("/etc/motd", "one\n"), file("/etc/issue", "one\n")]);
    world.apply();
    world.write("/etc/motd", "tampered\n");
    world.declare(&[file("/etc/motd", "one\n"), file("/etc/issue", "two\n")]);
    for run in [world.no_op(), world.apply()] {
        assert_eq!(run.code, 2);
        let (motd, issue) = (run.line("file[/etc/motd]"), run.line("file[/etc/issue]"));
        assert_eq!(motd["cause"], "drift");
        assert_eq!(issue["cause"], "intended");
        let diff = motd["diff"].as_str().unwrap();
        assert!(
            diff.contains("-tampered") && diff.contains("+one"),
            "{diff}"
        );
    }
    assert_eq!(world.read("/etc/motd"), "one\n");
}

#[test]
fn a_file_that_was_adopted_and_then_removed_is_drift() {
    let world = World::new();
    world.write("/etc/motd", "one\n");
    world.declare(&[file("/etc/motd", "one\n")]);
    assert_eq!(world.apply().code, 0);
    fs::remove_file(world.path("/etc/motd")).unwrap();
    assert_eq!(world.apply().line("file[/etc/motd]")["cause"], "drift");
}

#[test]
fn without_its_ledger_a_cause_is_unknown() {
    let world = World::new();
    world.declare(&[file("/etc/motd", "one\n")]);
    world.apply();
    fs::remove_dir_all(world.path("/var/lib/holdfast-agent/ledger")).unwrap();
    world.write("/etc/motd", "tampered\n");
    assert_eq!(world.apply().line("file[/etc/motd]")["cause"], "unknown");
    world.write("/etc/motd", "tampered\n");
    assert_eq!(world.apply().line("file[/etc/motd]")["cause"], "drift");
}

#[test]
fn what_needs_a_failed_one_is_skipped_and_says_why() {
    let world = World::new();
    fs::create_dir(world.path("/etc/obstacle")).unwrap();
    fs::write(world.path("/etc/obstacle/full"), "x").unwrap();
    world.declare(&[
        file("/etc/obstacle", "x"),
        with(file("/etc/next", "x"), "requires", &["file[/etc/obstacle]"]),
        with(file("/etc/last", "x"), "subscribes", &["file[/etc/next]"]),
        file("/etc/other", "x"),
    ]);
    for (run, code) in [(world.no_op(), 6), (world.apply(), 6), (world.apply(), 4)] {
        assert_eq!(run.code, code, "{}", run.stdout);
        assert_eq!(run.line("file[/etc/obstacle]")["outcome"], "failed");
        let next = run.line("file[/etc/next]");
        assert_eq!(next["outcome"], "skipped");
        assert_eq!(
            next["skipped_because"],
            "requires file[/etc/obstacle], which failed"
        );
        let last = run.line("file[/etc/last]")["skipped_because"].clone();
        let last = last.as_str().unwrap();
        assert!(
            last.contains("file[/etc/next]") && last.contains("file[/etc/obstacle]"),
            "{last}"
        );
    }
    assert!(world.path("/etc/other").exists());
    assert!(!world.path("/etc/next").exists());
}

#[test]
fn a_file_in_a_folder_nobody_makes_is_told_beforehand() {
    let world = World::new();
    world.declare(&[file("/etc/missing/file", "x")]);
    let planned = world.no_op();
    assert_eq!(planned.code, 4);
    let message = planned.line("file[/etc/missing/file]")["message"].to_string();
    assert!(message.contains("/etc/missing"), "{message}");
}

#[test]
fn audit_records_and_leaves() {
    let world = World::new();
    let audited = catalog(&[file("/etc/motd", "one\n")]);
    let audited = audited.replace("\"format\":1", "\"format\":1,\"enforcement\":\"audit\"");
    world.write("/etc/motd", "one\n");
    world.declare_document(&audited);
    assert_eq!(world.apply().code, 0);
    world.write("/etc/motd", "tampered\n");
    let run = world.apply();
    assert_eq!(run.report()["mode"], "audit");
    assert_eq!(run.report()["status"], "drifted");
    assert_eq!(run.line("file[/etc/motd]")["cause"], "drift");
    assert_eq!(world.read("/etc/motd"), "tampered\n");
}

#[test]
fn what_is_no_longer_declared_is_an_orphan_if_holdfast_made_it() {
    let world = World::new();
    world.write("/etc/found", "x");
    world.declare(&[file("/etc/made", "x"), file("/etc/found", "x")]);
    world.apply();
    world.declare(&[]);
    for run in [world.apply(), world.apply()] {
        assert_eq!(run.report()["orphans"], json!(["file[/etc/made]"]));
    }
}

#[test]
fn a_bundle_carries_its_content() {
    let world = World::new();
    let content = "x".repeat(20_000);
    let digest = blake3::hash(content.as_bytes()).to_hex().to_string();
    let spec = json!({
        "path": "/etc/large",
        "content": { "blob": { "digest": digest, "size": content.len() } },
    });
    let resources = [
        resource("file", "/etc/large", spec),
        file("/etc/small", "x"),
    ];
    use base64::Engine as _;
    let encoded = base64::prelude::BASE64_STANDARD.encode(&content);
    let bundle = |blobs: Value, omitted: Value| {
        let catalog = catalog(&resources);
        format!(r#"{{"catalog":{catalog},"blobs":{blobs},"omitted":{omitted}}}"#)
    };
    world.declare_document(&bundle(json!({}), json!({ &digest: content.len() })));
    let run = world.apply();
    let line = run.line("file[/etc/large]");
    assert_eq!(
        (run.code, &line["outcome"]),
        (2, &json!("skipped")),
        "{line:#}"
    );
    assert!(
        line["skipped_because"]
            .as_str()
            .unwrap()
            .contains("left out")
    );

    world.declare_document(&bundle(json!({ &digest: "eA==" }), json!({})));
    let run = world.apply();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("digest"), "{}", run.stderr);

    world.declare_document(&bundle(json!({ &digest: encoded }), json!({})));
    assert_eq!(world.apply().code, 2);
    assert_eq!(world.read("/etc/large"), content);
}

#[test]
fn bad_input_is_an_error_and_changes_nothing() {
    let world = World::new();
    world.declare(&[file("/etc/motd", "x")]);
    let good = fs::read_to_string(&world.catalog).unwrap();
    let forward = catalog(&[
        with(file("/etc/a", "x"), "requires", &["file[/etc/b]"]),
        file("/etc/b", "x"),
    ]);
    let documents = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        good.replace("\"format\":1", "\"format\":2"),
        good.replace("\"type\":\"file\"", "\"type\":\"firewall\""),
        good.replace("\"content\"", "\"contents\""),
        forward,
        catalog(&[file("/etc/motd", "x"), file("/etc/motd", "x")]),
    ];
    for document in documents {
        fs::write(&world.catalog, &document).unwrap();
        let run = world.apply();
        assert_eq!(run.code, 1, "{document}");
        assert!(run.stderr.contains("error:"), "{}", run.stderr);
        assert!(run.stdout.is_empty());
        assert!(!world.path("/etc/motd").exists());
    }
}

#[test]
fn wrong_usage_could_not_run() {
    let world = World::new();
    for arguments in [
        &["apply"][..],
        &["frobnicate"],
        &["run", "--interval", "soon"],
        &[],
    ] {
        let run = world.agent(arguments);
        assert_eq!(run.code, 1, "{arguments:?}");
        assert!(!run.stderr.is_empty());
    }
    assert_eq!(world.agent(&["--help"]).code, 0);
    let missing = world.path("/nowhere");
    let catalog = world.catalog.to_str().unwrap();
    let run = world.agent(&["apply", catalog, "--root", missing.to_str().unwrap()]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("hint:"), "{}", run.stderr);
}

#[test]
fn an_enrolled_host_applies_nothing_unsigned() {
    let world = World::new();
    let state = world.path("/state");
    fs::create_dir(&state).unwrap();
    fs::write(state.join("identity.json"), "{}").unwrap();
    world.declare(&[]);
    let catalog = world.catalog.to_str().unwrap();
    let run = world.agent(&[
        "apply",
        catalog,
        "--no-op",
        "--state-dir",
        state.to_str().unwrap(),
    ]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("enrolled"), "{}", run.stderr);
}

#[test]
fn a_state_folder_behind_a_link_out_of_the_root_is_refused() {
    let world = World::new();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), world.path("/var")).unwrap();
    world.declare(&[file("/etc/motd", "x")]);
    let run = world.apply();
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("leads out of the root"),
        "{}",
        run.stderr
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn the_state_folder_is_private() {
    let world = World::new();
    world.declare(&[file("/etc/motd", "x")]);
    world.apply();
    let state = world.path("/var/lib/holdfast-agent");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(state.join("ledger")), 0o700);
    assert_eq!(mode(world.path("/var/lib")), 0o755);
    assert_eq!(mode(state.join("ledger/journal")), 0o600);
    let status = world.agent(&["status", "--json", "--state-dir", state.to_str().unwrap()]);
    assert_eq!(status.code, 0);
    assert_eq!(status.report()["last_run"]["status"], "changed");
}

#[test]
fn standard_input_is_read_and_people_are_told_in_words() {
    let world = World::new();
    world.declare(&[file("/etc/motd", "one\n")]);
    world.write("/etc/motd", "other\n");
    let root = world.root.to_str().unwrap();
    let mut command = world.command(&["apply", "-", "--root", root]);
    command.stdin(fs::File::open(&world.catalog).unwrap());
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("changed  file[/etc/motd] (new)"), "{told}");
    assert!(told.contains("-other") && told.contains("+one"), "{told}");
    assert!(told.contains("web-1: 1 changed"), "{told}");
    assert!(
        !told.contains('\u{1b}'),
        "colour without a terminal: {told}"
    );
}

#[test]
fn facts_are_told() {
    let world = World::new();
    let facts = world.agent(&["facts", "--json"]);
    assert_eq!(facts.code, 0);
    assert_eq!(facts.report()["kernel"]["name"], "Linux");
    assert!(world.agent(&["facts"]).stdout.contains("kernel.name"));
}

#[test]
fn a_second_run_waits_and_says_who_holds_the_lock() {
    let world = World::new();
    world.declare(&[]);
    world.apply();
    let lock = fs::File::open(world.path("/var/lib/holdfast-agent/lock")).unwrap();
    lock.lock().unwrap();
    let run = world.apply();
    assert_eq!(run.code, 1);
    let holder = format!("process {}", std::process::id());
    assert!(run.stderr.contains(&holder), "{}", run.stderr);
    assert_eq!(world.no_op().code, 0, "a no-op run needs no lock");
}

#[test]
fn anybody_may_read_how_the_last_run_went_and_nothing_else() {
    let world = World::new();
    world.declare(&[file("/etc/motd", "one\n")]);
    assert_eq!(world.apply().code, 2);
    let state = world.path("/var/lib/holdfast-agent");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o755);
    assert_eq!(mode(&state.join("last-run.json")), 0o644);
    let summary = fs::read_to_string(state.join("last-run.json")).unwrap();
    assert!(!summary.contains("gist"), "{summary}");
    for entry in fs::read_dir(&state).unwrap() {
        let path = entry.unwrap().path();
        let allowed = if path.is_dir() { 0o700 } else { 0o600 };
        let open = path.ends_with("last-run.json");
        assert!(open || mode(&path) == allowed, "{}", path.display());
    }
}

#[test]
fn a_tree_that_is_not_there_is_not_made() {
    let world = World::new();
    let missing = world.path("/nowhere");
    for verb in ["facts", "once", "run"] {
        let ran = world.agent(&[verb, "--root", missing.to_str().unwrap()]);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains("is not a folder") && ran.stderr.contains("hint:"));
    }
    assert!(!missing.exists());
    world.write("/etc/hostname", "of-the-tree\n");
    let facts = world.agent(&["facts", "--json", "--root", world.root.to_str().unwrap()]);
    assert!(facts.stdout.contains("of-the-tree"), "{}", facts.stdout);
}

#[test]
fn what_was_done_is_told_though_the_state_folder_takes_nothing_more() {
    let world = World::new();
    world.declare(&[file("/etc/motd", "one\n")]);
    // Nobody can put a file in the place of a folder, not even root.
    let obstacle = world.path("/var/lib/holdfast-agent/last-run.json");
    fs::create_dir_all(obstacle.join("full")).unwrap();
    let ran = world.apply();
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert_eq!(ran.line("file[/etc/motd]")["outcome"], "changed");
    let error = ran.report()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("last-run.json"), "{error}");
}
