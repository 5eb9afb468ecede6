//! `serve`: the dashboard.

use super::output::{Output, note, print};
use crate::error::{Error, Result};
use crate::program::Program;
use crate::server::access::Access;
use crate::server::public::Public;
use crate::server::{Limits, Options};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

const VARIABLE: &str = "DEEPHEDGE_TOKEN";
/// Threads that read and write files. Hundreds of watchers that come at once would otherwise take one each, and the
/// memory of as many reads.
const FILE_THREADS: usize = 4;
/// How long these may take at the end of the server.
const LAST_FILES: Duration = Duration::from_secs(1);

/// Where files of data lie, and how large uploaded ones may be.
pub struct DataFiles<'a> {
    /// The folder in which strategies name files, and of uploads.
    pub folder: Option<&'a Path>,
    /// The largest upload, in MiB.
    pub most_upload: u32,
}

/// Where uploaded files are kept unless the operator says it, beside the folder of the runs.
const UPLOADS: &str = "data";

/// Serves until interrupted, with jobs that `program` carries out, this process's own file unless given; says where on standard error, or on standard output as JSON.
pub fn run(
    bind: SocketAddr,
    access: Access,
    limits: Limits,
    files: DataFiles<'_>,
    on_done: Option<String>,
    root: PathBuf,
    (json, program): (bool, Option<&Program>),
) -> Result<Output> {
    let program = program.map_or_else(Program::current, |program| Ok(program.clone()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(FILE_THREADS)
        .enable_all()
        .build()
        .map_err(|error| Error::Computation(error.to_string()))?;
    let shown = root.display().to_string();
    let absolute = |option: &str, path: &Path| {
        std::path::absolute(path)
            .map_err(|error| Error::input(format!("{option}: {}: {error}", path.display())))
    };
    let (root, folder) = match files.folder {
        Some(data) => {
            let root = absolute("--runs", &root)?;
            let folder = absolute("--data-dir", data)?;
            // Jobs are processes of their own, and begin where the server is.
            std::env::set_current_dir(data).map_err(|error| {
                Error::input(format!("--data-dir: {}: {error}", data.display()))
            })?;
            (root, folder)
        }
        None => {
            let beside = absolute("--runs", &root)?.with_file_name(UPLOADS);
            (root, beside)
        }
    };
    let options = Options {
        limits,
        data: folder,
        most_upload: u64::from(files.most_upload) << 20,
        on_done,
        program,
    };
    let served = crate::server::serve(bind, root, access, options, |address| {
        let url = format!("http://{address}/");
        if json {
            // Who does not hear where the server is can ask it all the same.
            print(&json!({ "url": url, "runs": shown }).to_string());
        } else {
            note(&format!("serving {shown} at {url}"));
        }
    });
    let ended = runtime.block_on(served);
    // A file that is still being read holds nothing up: nobody waits for its answer.
    runtime.shutdown_timeout(LAST_FILES);
    ended?;
    Ok(Output {
        text: String::new(),
        document: serde_json::Value::Null,
    })
}

/// Who may ask: whoever knows the token of the file or else of the environment, through a proxy at `public_url` if given.
pub fn access(token_file: Option<&Path>, public_url: Option<&str>) -> Result<Access> {
    let access = with_token(token_file)?;
    match public_url {
        Some(url) => access.through(Public::new(url)?),
        None => Ok(access),
    }
}

fn with_token(token_file: Option<&Path>) -> Result<Access> {
    if let Some(path) = token_file {
        let shown = path.display().to_string();
        let token = std::fs::read_to_string(path)
            .map_err(|error| Error::input(format!("--token-file: {shown}: {error}")))?;
        return Access::with_token(&token, &shown);
    }
    match std::env::var(VARIABLE) {
        Ok(token) => Access::with_token(&token, VARIABLE),
        Err(std::env::VarError::NotPresent) => Ok(Access::default()),
        Err(error) => Err(Error::input(format!("{VARIABLE}: {error}"))),
    }
}
