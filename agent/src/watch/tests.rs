#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use holdfast_schemas::catalog::{CATALOG_FORMAT, Catalog, Enforcement};
use holdfast_schemas::resource::{Content, Ensure, File, Kind, Resource, ResourceId};

use super::*;
use crate::place::Place;

/// Far longer than the kernel needs; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(5);

fn catalog(paths: &[&str]) -> Catalog {
    let file = |path: &&str| Resource {
        id: ResourceId::new(Kind::File, *path).unwrap(),
        spec: holdfast_schemas::resource::Spec::File(File {
            path: path.parse().unwrap(),
            ensure: Ensure::Present,
            content: Some(Content::Text("x".to_owned())),
            owner: None,
            group: None,
            mode: None,
            validate: None,
            replace: true,
            force: false,
        }),
        requires: Vec::new(),
        subscribes: Vec::new(),
    };
    Catalog {
        format: CATALOG_FORMAT,
        host: "web-1".parse().unwrap(),
        enforcement: Enforcement::Enforce,
        resources: paths.iter().map(file).collect(),
        health: Vec::new(),
    }
}

fn watching(root: &Path, paths: &[&str]) -> Watcher {
    let mut watcher = Watcher::new().unwrap();
    let place = Place::Root(root.to_owned());
    watcher
        .follow(Interests::of(&catalog(paths), &place))
        .unwrap();
    watcher
}

async fn notices(watcher: &mut Watcher) -> bool {
    let seen = tokio::time::timeout(PATIENCE, watcher.disturbed()).await;
    watcher.drain().await.unwrap();
    seen.is_ok_and(|seen| seen.is_ok())
}

#[tokio::test]
async fn an_edit_a_removal_and_a_replacement_are_noticed() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    let managed = root.path().join("etc/managed");
    fs::write(&managed, "x").unwrap();
    let mut watcher = watching(root.path(), &["/etc/managed"]);
    fs::write(&managed, "y").unwrap();
    assert!(notices(&mut watcher).await);
    fs::remove_file(&managed).unwrap();
    assert!(notices(&mut watcher).await);
    let other = root.path().join("etc/other");
    fs::write(&other, "z").unwrap();
    assert_eq!(watcher.drain().await.unwrap(), Touched::Nothing);
    fs::rename(&other, &managed).unwrap();
    assert!(notices(&mut watcher).await);
}

#[tokio::test]
async fn a_folder_that_is_moved_away_and_made_anew_is_followed() {
    let root = tempfile::tempdir().unwrap();
    let (upper, moved) = (root.path().join("a"), root.path().join("moved"));
    fs::create_dir_all(upper.join("b")).unwrap();
    fs::write(upper.join("b/file"), "x").unwrap();
    let mut watcher = watching(root.path(), &["/a/b/file"]);
    fs::rename(&upper, &moved).unwrap();
    assert!(notices(&mut watcher).await);
    fs::create_dir_all(upper.join("b")).unwrap();
    fs::write(upper.join("b/file"), "x").unwrap();
    let place = Place::Root(root.path().to_owned());
    watcher
        .follow(Interests::of(&catalog(&["/a/b/file"]), &place))
        .unwrap();
    watcher.drain().await.unwrap();
    fs::write(moved.join("b/file"), "edited elsewhere").unwrap();
    assert_eq!(watcher.drain().await.unwrap(), Touched::Nothing);
    fs::write(upper.join("b/file"), "edited here").unwrap();
    assert!(notices(&mut watcher).await);
}

#[tokio::test]
async fn a_catalog_of_no_paths_watches_nothing() {
    let root = tempfile::tempdir().unwrap();
    assert!(watching(root.path(), &[]).is_idle());
}
