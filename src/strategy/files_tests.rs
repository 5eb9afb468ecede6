use super::located;
use crate::runs::fixture::Scratch;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn one(file: &str, folder: &Path) -> (PathBuf, Option<PathBuf>) {
    let (mut files, from) = located("backtest.data", &[file.into()], folder).unwrap();
    (files.remove(0), from)
}

/// A relative path counts from the folder, an absolute one from nothing; whether the file is there or not.
#[test]
fn paths_count_from_the_folder() {
    let scratch = Scratch::new("located");
    let root = scratch.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("strategies")).unwrap();
    fs::create_dir_all(root.join("data")).unwrap();
    let folder = root.join("strategies");
    for (file, expected) in [
        ("../data/index.csv", "data/index.csv"),
        ("./index.csv", "strategies/index.csv"),
        ("absent/deep/../index.csv", "strategies/absent/index.csv"),
        (
            "../../../../../../../../../../../../etc/index.csv",
            "/etc/index.csv",
        ),
    ] {
        assert_eq!(
            one(file, &folder),
            (root.join(expected), Some(folder.clone())),
            "{file}"
        );
    }
    let absolute = root.join("data/index.csv");
    assert_eq!(one(absolute.to_str().unwrap(), &folder), (absolute, None));
}

/// `..` after a link leads where the system would go, and a file that is a link stays one.
#[test]
fn links_are_followed_as_the_system_does() {
    let scratch = Scratch::new("located-links");
    let root = scratch.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("far/away")).unwrap();
    fs::write(root.join("far/index.csv"), "").unwrap();
    symlink(root.join("far/away"), root.join("near")).unwrap();
    symlink("index.csv", root.join("far/newest.csv")).unwrap();
    assert_eq!(
        one("near/../index.csv", &root).0,
        root.join("far/index.csv")
    );
    assert_eq!(one("far/newest.csv", &root).0, root.join("far/newest.csv"));
    // The folder of the strategy may be a link, too.
    assert_eq!(
        one("../index.csv", &root.join("near")).0,
        root.join("far/index.csv")
    );
}
