use super::*;
use crate::runs::fixture::Scratch;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

fn write(path: &Path, text: &str) -> Result<()> {
    Destination::new(path)?.write(|file| file.write_all(text.as_bytes()))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// A file is replaced and keeps its permissions; a link stays one, also over another and where there is no file yet.
#[test]
fn a_file_is_replaced_and_a_link_is_followed() {
    let scratch = Scratch::new("destination");
    let at = |name: &str| scratch.path().join(name);
    fs::create_dir(at("far")).unwrap();
    write(&at("far/file"), "old").unwrap();
    fs::set_permissions(at("far/file"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("far/file", at("link")).unwrap();
    symlink("link", at("link to link")).unwrap();
    symlink("far/none yet", at("dangling")).unwrap();
    for (path, file) in [
        ("far/file", "far/file"),
        ("link", "far/file"),
        ("link to link", "far/file"),
        ("dangling", "far/none yet"),
        ("deep/new/file", "deep/new/file"),
    ] {
        write(&at(path), path).unwrap();
        assert_eq!(fs::read_to_string(at(file)).unwrap(), path);
    }
    for link in ["link", "link to link", "dangling"] {
        assert!(
            fs::symlink_metadata(at(link)).unwrap().is_symlink(),
            "{link}"
        );
    }
    let mode = fs::metadata(at("far/file")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(names(&at("far")), ["file", "none yet"]);
}

/// What is no file is refused before anything is written, by its kind, and stays what it is.
#[test]
fn what_is_no_file_is_refused() {
    let scratch = Scratch::new("no-destination");
    let at = |name: &str| scratch.path().join(name);
    fs::create_dir(at("folder")).unwrap();
    let fifo = Command::new("mkfifo").arg(at("fifo")).status().unwrap();
    assert!(fifo.success());
    let _socket = UnixListener::bind(at("socket")).unwrap();
    symlink("/dev/null", at("link")).unwrap();
    symlink("round", at("round")).unwrap();
    for (path, what) in [
        (at("folder"), "is a folder"),
        (at("fifo"), "is a FIFO"),
        (at("socket"), "is a socket"),
        ("/dev/null".into(), "is a device"),
        (at("link"), "is a device"),
        (at("round"), ""),
        (at("new/"), "names no file"),
        ("..".into(), "names no file"),
        ("/".into(), "names no file"),
    ] {
        let before = fs::symlink_metadata(&path).map(|found| found.file_type());
        let error = Destination::new(&path).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{}", path.display());
        let message = error.to_string();
        assert!(message.contains(what), "{message}");
        assert!(
            message.starts_with(&path.display().to_string()),
            "{message}"
        );
        let after = fs::symlink_metadata(&path).map(|found| found.file_type());
        assert_eq!(before.ok(), after.ok());
    }
    let null = fs::metadata("/dev/null").unwrap();
    assert!(null.file_type().is_char_device());
}

/// A place that does not allow a file is bad input; a disk that is full is not.
#[test]
fn errors_are_of_the_place_or_of_the_disk() {
    let scratch = Scratch::new("full");
    let file = scratch.path().join("file");
    fs::write(&file, "old").unwrap();
    let code = |path: &Path, kind: ErrorKind| {
        let failed = Destination::new(path).unwrap().write(|_| Err(kind.into()));
        failed.unwrap_err().exit_code()
    };
    assert_eq!(code(&file, ErrorKind::StorageFull), 1);
    assert_eq!(code(&file, ErrorKind::PermissionDenied), 2);
    assert_eq!(
        write(Path::new("/proc/none/file"), "")
            .unwrap_err()
            .exit_code(),
        2
    );
    assert_eq!(
        Destination::new(&file.join("below"))
            .unwrap_err()
            .exit_code(),
        2
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    assert_eq!(names(scratch.path()), ["file"]);
}

/// What a killed process left half-written is removed, here and in folders below; what is being filled, files of other
/// names and links stay.
#[test]
fn what_is_left_over_is_swept() {
    let scratch = Scratch::new("left-over");
    let at = |name: &str| scratch.path().join(name);
    fs::create_dir(at("below")).unwrap();
    for left in [".deephedge-1-0", "below/.deephedge-2-7"] {
        fs::write(at(left), "half").unwrap();
    }
    fs::write(at(".other"), "").unwrap();
    symlink(".other", at(".deephedge-link")).unwrap();
    let (filling, file) = temporary(scratch.path()).unwrap();
    sweep_all(scratch.path());
    let kept = filling.file_name().unwrap().to_str().unwrap();
    let mut expected = vec![kept, ".deephedge-link", ".other", "below"];
    expected.sort();
    assert_eq!(names(scratch.path()), expected);
    assert_eq!(names(&at("below")), [""; 0]);
    drop(file);
    Destination::new(&at("new")).unwrap();
    assert!(!filling.exists());
}
