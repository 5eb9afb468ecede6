use super::*;
use crate::runs::fixture::Scratch;

fn store(scratch: &Scratch) -> Store {
    Store::new(scratch.path().join("data"), 1 << 10)
}

/// The same bytes have one file, other bytes under the same name another one, both read back as they came; the name begins with the
/// SHA-256 of the bytes (FIPS 180-4, "abc").
#[test]
fn files_go_by_their_hash() {
    let scratch = Scratch::new("data-hash");
    let store = store(&scratch);
    assert!(store.list().unwrap().is_empty());
    let (kept, new) = store.keep("prices.csv", b"abc").unwrap();
    assert_eq!(kept.file, "ba7816bf8f01cfea-prices.csv");
    assert!(new);
    let (again, new) = store.keep("prices.csv", b"abc").unwrap();
    assert_eq!((again.file, new), (kept.file.clone(), false));
    let (other, _) = store.keep("prices.csv", b"abd").unwrap();
    assert_ne!(other.file, kept.file);
    assert_eq!(fs::read(store.path(&kept.file).unwrap()).unwrap(), b"abc");
    assert_eq!(store.list().unwrap().len(), 2);
    // Nothing half-written stays.
    assert_eq!(fs::read_dir(store.folder()).unwrap().count(), 2);
    assert!(store.delete(&kept.file).unwrap());
    assert!(!store.delete(&kept.file).unwrap());
    assert_eq!(store.list().unwrap().len(), 1);
}

/// Whatever a file is called, its name is one plain file in the folder, and is known again.
#[test]
fn names_lead_nowhere() {
    for (called, name) in [
        ("prices.csv", "prices.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\S&P 500.csv", "S_P_500.csv"),
        ("..", "file"),
        ("", "file"),
        (".bashrc", "bashrc"),
        ("a\n<script>.csv", "a__script_.csv"),
        ("Kurse für März.csv", "Kurse_f_r_M_rz.csv"),
    ] {
        assert_eq!(sanitised(called), name, "{called}");
    }
    let long = sanitised(&format!("{}.parquet", "x".repeat(300)));
    assert!(
        long.len() == LONGEST && long.ends_with(".parquet"),
        "{long}"
    );
    let scratch = Scratch::new("data-names");
    let store = store(&scratch);
    fs::create_dir_all(store.folder().join("0123456789abcdef-folder")).unwrap();
    fs::write(scratch.path().join("secret.csv"), "secret").unwrap();
    fs::write(store.folder().join("plain.csv"), "not uploaded").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        "../secret.csv",
        store.folder().join("0123456789abcdef-link.csv"),
    )
    .unwrap();
    for name in [
        "",
        "plain.csv",
        "../secret.csv",
        "0123456789abcdef-folder",
        "0123456789abcdef-link.csv",
        "0123456789abcdef-../../secret.csv",
        "0123456789abcdef-",
        "0123456789ABCDEF-plain.csv",
        "0123456789abcde\u{e9}-plain.csv",
    ] {
        assert_eq!(store.path(name), None, "{name}");
    }
    assert!(store.list().unwrap().is_empty());
}

/// The folder takes 16 times the largest upload and no more.
#[test]
fn the_folder_has_an_end() {
    let scratch = Scratch::new("data-room");
    let store = store(&scratch);
    for number in 0..16u8 {
        store.keep("a.csv", &[number; 1 << 10]).unwrap();
    }
    let error = store.keep("a.csv", &[99; 1]).unwrap_err();
    assert!(error.to_string().contains("delete some first"), "{error}");
    // What is there already takes no room.
    assert!(!store.keep("a.csv", &[3; 1 << 10]).unwrap().1);
}

/// A strategy finds an uploaded file by its name, and no file elsewhere by whatever path.
#[test]
fn strategies_find_uploaded_files() {
    let scratch = Scratch::new("data-find");
    let store = store(&scratch);
    let (kept, _) = store.keep("prices.csv", b"abc").unwrap();
    let found = store.find("backtest.data", Path::new(&kept.file)).unwrap();
    assert_eq!(fs::read(&found).unwrap(), b"abc");
    // By its whole path, as a resolved strategy names it.
    assert_eq!(
        store.find("backtest.data", &found).unwrap(),
        found.canonicalize().unwrap()
    );
    fs::write(scratch.path().join("secret.csv"), "secret").unwrap();
    for file in [
        scratch.path().join("secret.csv"),
        store.folder().join("../secret.csv"),
        "/etc/passwd".into(),
        "../../../../../../../../etc/passwd".into(),
    ] {
        let error = store.find("backtest.data", &file).unwrap_err();
        assert_eq!(error.at_key(), Some("backtest.data"));
        assert!(error.to_string().contains("must be below"), "{error}");
    }
    let error = store.find("market.surface", Path::new("0123456789abcdef-gone.csv"));
    assert!(error.unwrap_err().to_string().contains("no such file"));
}
