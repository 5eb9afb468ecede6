//! Which files a strategy may name that was sent to the server.

use super::problem::{Problem, invalid};
use crate::error::excerpt;
use crate::strategy::Plan;
use std::path::Path;

/// Refuses a strategy that names files outside of the server's working directory, which `serve --data-dir` sets.
pub fn check(plan: &Plan) -> Result<(), Problem> {
    let Some(backtest) = &plan.backtest else {
        return Ok(());
    };
    let here = Path::new(".");
    let mut data = backtest.data.iter();
    data.try_for_each(|file| inside("backtest.data", file, here))?;
    let mut surface = backtest.surface.iter();
    surface.try_for_each(|file| inside("backtest.surface", file, here))
}

/// `file`, which the setting `field` names, is absolute and without `..`.
fn inside(field: &str, file: &Path, folder: &Path) -> Result<(), Problem> {
    let refused = |what: &str| {
        let shown = excerpt(&file.display().to_string());
        let message = format!("`{field}` must be {what}, was \"{shown}\"");
        Err(invalid(field, message))
    };
    let within = folder.canonicalize().is_ok_and(|folder| {
        // A file that is not there is told of when it is read. Links are followed, which may lead out.
        let led = file.canonicalize();
        file.starts_with(&folder) && led.map_or(true, |file| file.starts_with(&folder))
    });
    if !within {
        return refused("below the server's data folder");
    }
    // To open what is no file, a pipe for one, may take for ever.
    if file.exists() && !file.is_file() {
        return refused("a regular file");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture::Scratch;

    /// Neither a path elsewhere, nor a link leads out of the folder, also where there is no such file; a link within it is
    /// followed. What is no file, such as a pipe, is not opened.
    #[test]
    fn files_outside_the_data_folder_are_refused() {
        let scratch = Scratch::new("server-files");
        let root = scratch.path().canonicalize().unwrap();
        let data = root.join("data");
        std::fs::create_dir_all(data.join("index")).unwrap();
        std::fs::write(root.join("secret.csv"), "").unwrap();
        std::fs::write(data.join("index/daily.csv"), "").unwrap();
        #[cfg(unix)]
        for (link, to) in [("out.csv", "../secret.csv"), ("in.csv", "index/daily.csv")] {
            std::os::unix::fs::symlink(to, data.join(link)).unwrap();
        }
        for file in ["index/daily.csv", "absent.csv", "in.csv"] {
            assert!(
                inside("backtest.data", &data.join(file), &data).is_ok(),
                "{file}"
            );
        }
        let elsewhere = [
            root.join("secret.csv"),
            root.join("database.csv"),
            "/etc/passwd".into(),
            "/no/such/file.csv".into(),
            data.join("out.csv"),
        ];
        for file in elsewhere {
            let problem = inside("backtest.data", &file, &data).unwrap_err();
            assert_eq!(problem.field.as_deref(), Some("backtest.data"));
            assert!(problem.message.starts_with("`backtest.data` must be below"));
        }
        let mut others = vec!["index"];
        #[cfg(unix)]
        {
            let mut make = std::process::Command::new("mkfifo");
            assert!(make.arg(data.join("pipe.csv")).status().unwrap().success());
            std::os::unix::fs::symlink("pipe.csv", data.join("to_pipe.csv")).unwrap();
            others.extend(["pipe.csv", "to_pipe.csv"]);
        }
        for file in others {
            let problem = inside("backtest.data", &data.join(file), &data).unwrap_err();
            assert!(problem.message.contains("a regular file"), "{file}");
        }
    }
}
