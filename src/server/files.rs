//! Which files a strategy may name that was sent to the server.

use crate::error::{Error, Result, excerpt};
use std::path::Path;

/// Refuses a file, absolute and without `..`, which the setting `field` names, unless it is a regular one in one of `folders`.
///
/// # Errors
/// [`Error::Setting`] with the key and the place.
pub fn inside(field: &str, file: &Path, folders: &[&Path]) -> Result<()> {
    let refused = |what: &str| {
        let shown = excerpt(&file.display().to_string());
        Err(Error::key(
            field,
            format!("must be {what}, was \"{shown}\""),
        ))
    };
    // A file that is not there is told of when it is read. Links are followed, which may lead out.
    let led = file.canonicalize();
    let within = folders.iter().any(|folder| {
        folder.canonicalize().is_ok_and(|folder| {
            let led = led.as_ref();
            file.starts_with(&folder) && led.map_or(true, |file| file.starts_with(&folder))
        })
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
                inside("backtest.data", &data.join(file), &[&data]).is_ok(),
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
            let problem = inside("backtest.data", &file, &[&data]).unwrap_err();
            assert_eq!(problem.at_key(), Some("backtest.data"));
            assert!(
                problem
                    .to_string()
                    .starts_with("`backtest.data` must be below")
            );
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
            let problem = inside("backtest.data", &data.join(file), &[&data]).unwrap_err();
            assert!(problem.to_string().contains("a regular file"), "{file}");
        }
    }
}
