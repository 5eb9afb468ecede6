//! How the server begins and ends.

use super::access::Access;
use super::app::{App, Options};
use super::assets;
use super::connections;
use super::routes::router;
use crate::error::{Error, Result};
use crate::runs::index::Filter;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where the server listens unless told otherwise.
pub const DEFAULT_BIND: &str = "127.0.0.1:8080";

/// Serves the runs below `runs_root` until interrupted; `listening` is told the address once there is one. At its end
/// streams of events end, and the job that runs is stopped so that it can be resumed.
///
/// # Errors
/// [`Error::Input`] if `bind` is not a loopback address and no token is asked for, if it cannot be listened on, or if
/// the index is at fault; [`Error::Computation`] if the server fails later.
pub async fn serve(
    bind: SocketAddr,
    runs_root: PathBuf,
    access: Access,
    options: Options,
    listening: impl FnOnce(SocketAddr),
) -> Result<()> {
    if !bind.ip().is_loopback() && !access.asks() {
        return Err(Error::input(format!(
            "bind address {bind}: must be a loopback address (127.0.0.1 or [::1]), unless a token is asked for with \
             --token-file or DEEPHEDGE_TOKEN"
        )));
    }
    let failed = |error: std::io::Error| Error::Computation(format!("server: {error}"));
    let limits = options.limits;
    let app = App::new(runs_root, access, options)?;
    let listener = tokio::net::TcpListener::bind(bind)
        .await
        .map_err(|error| Error::input(format!("bind address {bind}: cannot listen: {error}")))?;
    // Port 0 asks the system for a free one, so the address is told from the socket.
    let address = listener.local_addr().map_err(failed)?;
    listening(address);
    tokio::task::spawn_blocking(assets::prepare);
    // Runs that were made while no server was there are read before anybody asks for their list, which tells what fails.
    let index = app.index.clone();
    tokio::task::spawn_blocking(move || drop(index.list(&Filter::default())));
    let jobs = tokio::spawn(app.queue.clone().work(app.ending.clone()));
    let ending = app.ending.clone();
    let end = app.end.clone();
    tokio::spawn(async move {
        asked_to_end().await;
        end.send_replace(true);
    });
    connections::serve(listener, router(app), limits, ending).await;
    let _ = jobs.await;
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
async fn asked_to_end() {
    let interrupted = async {
        // Without a signal handler the server would only stop by being killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
