//! Progress of runs as server-sent events.
//!
//! An event's id is the number of its line in `progress.jsonl`, from 1, so a browser that was cut off goes on where it
//! was.

use super::app::{App, find};
use super::described::{RUNS, Refusal};
use super::problem::Problem;
use super::tails::{Latest, Tail};
use axum::body::{Body, Bytes};
use axum::extract::{Path as Segment, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between signs of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One stream of events.
struct Watcher {
    tail: Arc<Tail>,
    latest: watch::Receiver<Latest>,
    app: App,
    /// Lines that were sent; none yet to a new watcher.
    sent: Option<usize>,
    state: &'static str,
    /// The next piece is the last.
    over: bool,
}

impl Watcher {
    async fn next(mut self) -> Option<(Result<Bytes, std::io::Error>, Self)> {
        if self.over {
            return None;
        }
        loop {
            let latest = self.latest.borrow_and_update().clone();
            let known = self.sent.unwrap_or(0);
            // A browser may know more lines than there are, of a run that was deleted and made again.
            let from = if known > latest.lines { 0 } else { known };
            if latest.state.is_empty() {
                // The file has not been looked at yet.
            } else if self.sent.is_none() || from != latest.lines {
                let (bytes, lines) = if self.sent == Some(latest.before) && !latest.batch.is_empty()
                {
                    (latest.batch, latest.lines)
                } else {
                    let tail = self.tail.clone();
                    let read =
                        tokio::task::spawn_blocking(move || tail.history(from, latest.lines));
                    match read.await {
                        Ok(Ok(history)) => history,
                        // The run was deleted: an end is all that is left to say.
                        _ => return None,
                    }
                };
                self.sent = Some(lines);
                return Some((Ok(bytes), self));
            } else if latest.state != self.state {
                self.state = latest.state;
                let data = json!({ "state": self.state });
                self.over = self.state == "complete";
                return Some((Ok(format!("event: state\ndata: {data}\n\n").into()), self));
            }
            let quiet = tokio::select! {
                changed = self.latest.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                    false
                }
                _ = self.app.ending.wait_for(|ending| *ending) => return None,
                () = tokio::time::sleep(KEEP_ALIVE) => true,
            };
            if quiet {
                return Some((Ok(Bytes::from_static(b": keep-alive\n\n")), self));
            }
        }
    }
}

/// What a run does, as it does it: server-sent events.
///
/// First a `snapshot`, the history so far with at most 300 steps of every training; then a message for every line of the
/// run's `progress.jsonl`, with the line's number as its id, and an event `state` whenever the run starts, stops, has
/// the trainings of its shard, or is complete, which ends the stream. With `Last-Event-ID` the stream goes on after that line.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/events", tag = RUNS,
    params(("id" = String, Path, description = "Run"),
           ("Last-Event-ID" = Option<String>, Header, description = "Number of the last line that is known")),
    responses((status = 200, content_type = "text/event-stream", body = String),
              (status = 404, body = Refusal), (status = 503, body = Refusal)))]
pub async fn events(
    State(app): State<App>,
    Segment(id): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let folder = find(&app.root, &id)?;
    let most = app.limits.streams();
    let tail = app.tails.of(folder, most).ok_or_else(|| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_streams",
            format!("{most} streams of events are open"),
        )
    })?;
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let watcher = Watcher {
        latest: tail.latest.clone(),
        tail,
        sent: known.and_then(|id| id.parse().ok()),
        state: "",
        over: false,
        app,
    };
    let body = Body::from_stream(stream::unfold(watcher, Watcher::next));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // nginx would collect events before it passes them on.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}
