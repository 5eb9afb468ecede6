use super::{Output, note, print};
use crate::error::{Error, Result};
use crate::server::access::Access;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

const VARIABLE: &str = "DEEPHEDGE_TOKEN";
/// Threads that read and write files. Hundreds of watchers that come at once would otherwise take one each, and the
/// memory of as many reads.
const FILE_THREADS: usize = 4;

/// Serves until interrupted; says where on standard error, or on standard output as JSON.
pub fn run(
    bind: SocketAddr,
    token_file: Option<&Path>,
    data: Option<&Path>,
    root: PathBuf,
    json: bool,
) -> Result<Output> {
    let access = access(token_file)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(FILE_THREADS)
        .enable_all()
        .build()
        .map_err(|error| Error::Computation(error.to_string()))?;
    let shown = root.display().to_string();
    let root = match data {
        Some(data) => {
            let root = std::path::absolute(&root)
                .map_err(|error| Error::input(format!("--runs: {shown}: {error}")))?;
            // Jobs are processes of their own, and begin where the server is.
            std::env::set_current_dir(data).map_err(|error| {
                Error::input(format!("--data-dir: {}: {error}", data.display()))
            })?;
            root
        }
        None => root,
    };
    runtime.block_on(crate::server::serve(bind, root, access, |address| {
        let url = format!("http://{address}/");
        if json {
            // Who does not hear where the server is can ask it all the same.
            print(&json!({ "url": url, "runs": shown }).to_string());
        } else {
            note(&format!("serving {shown} at {url}"));
        }
    }))?;
    Ok(Output {
        text: String::new(),
        document: serde_json::Value::Null,
    })
}

fn access(token_file: Option<&Path>) -> Result<Access> {
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
