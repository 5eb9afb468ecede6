//! Which files a strategy may name that was sent to the server.

use super::{Problem, invalid};
use crate::error::excerpt;
use crate::strategy::Plan;
use std::path::{Component, Path};

/// Refuses a strategy that names files outside of the server's working directory, which `serve --data-dir` sets.
pub fn check(plan: &Plan) -> Result<(), Problem> {
    let files = plan.backtest.iter().flat_map(|backtest| &backtest.data);
    files
        .into_iter()
        .try_for_each(|file| inside(file, Path::new(".")))
}

fn inside(file: &Path, folder: &Path) -> Result<(), Problem> {
    const FIELD: &str = "backtest.data";
    let refused = |what: &str| {
        let shown = excerpt(&file.display().to_string());
        let message = format!("`{FIELD}` must be {what}, was \"{shown}\"");
        Err(invalid(FIELD, message))
    };
    let outside = || refused("below the server's data folder");
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !file.components().all(plain) {
        return outside();
    }
    // A file that is not there is told of when it is read. Links are followed, which may lead out.
    match (folder.join(file).canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) if !file.starts_with(&folder) => outside(),
        // To open what is no file, a pipe for one, may take for ever.
        (Ok(file), _) if !file.is_file() => refused("a regular file"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture::Scratch;

    /// Neither an absolute path, nor one with `..`, nor a link leads out of the folder; a link within it is followed. What
    /// is no file, such as a pipe, is not opened.
    #[test]
    fn files_outside_the_data_folder_are_refused() {
        let root = Scratch::new("server-files");
        let data = root.path().join("data");
        std::fs::create_dir_all(data.join("index")).unwrap();
        std::fs::write(root.path().join("secret.csv"), "").unwrap();
        std::fs::write(data.join("index/daily.csv"), "").unwrap();
        #[cfg(unix)]
        for (link, to) in [("out.csv", "../secret.csv"), ("in.csv", "index/daily.csv")] {
            std::os::unix::fs::symlink(to, data.join(link)).unwrap();
        }
        for file in [
            "index/daily.csv",
            "./index/daily.csv",
            "absent.csv",
            "in.csv",
        ] {
            assert!(inside(Path::new(file), &data).is_ok(), "{file}");
        }
        let absolute = data.join("index/daily.csv");
        for file in [
            "../secret.csv",
            "index/../index/daily.csv",
            "/etc/passwd",
            "out.csv",
        ] {
            let problem = inside(Path::new(file), &data).unwrap_err();
            assert_eq!(problem.field.as_deref(), Some("backtest.data"), "{file}");
            assert!(
                problem.message.ends_with(&format!("was \"{file}\"")),
                "{file}"
            );
        }
        assert!(inside(&absolute, &data).is_err());
        let mut others = vec!["index"];
        #[cfg(unix)]
        {
            let mut make = std::process::Command::new("mkfifo");
            assert!(make.arg(data.join("pipe.csv")).status().unwrap().success());
            std::os::unix::fs::symlink("pipe.csv", data.join("to_pipe.csv")).unwrap();
            others.extend(["pipe.csv", "to_pipe.csv"]);
        }
        for file in others {
            let problem = inside(Path::new(file), &data).unwrap_err();
            assert!(problem.message.contains("a regular file"), "{file}");
        }
    }
}
