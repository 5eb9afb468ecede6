//! Uploaded files over HTTP.

use super::store::DataFile;
use crate::error::{Error, excerpt};
use crate::numbers::size;
use crate::runs::queue::JobState;
use crate::runs::store;
use crate::server::app::{App, off_thread};
use crate::server::described::{DATA, Refusal};
use crate::server::problem::{Problem, missing};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path as Segment, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::path::Path;
use utoipa::{IntoParams, ToSchema};

/// The address that uploads are sent to.
pub const ADDRESS: &str = "/api/v1/data";

/// The uploaded files.
#[derive(Debug, Serialize, ToSchema)]
pub struct DataFiles {
    /// Those that were uploaded last first.
    pub files: Vec<DataFile>,
    /// The largest upload that is taken, in bytes.
    pub most_bytes: u64,
}

/// What an upload is called.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// The name of the file where it comes from; `file` unless given.
    name: Option<String>,
}

/// All uploaded files.
#[utoipa::path(get, path = "/api/v1/data", tag = DATA, responses((status = 200, body = DataFiles)))]
pub async fn list(State(app): State<App>) -> Result<Json<DataFiles>, Problem> {
    let listed = off_thread(move || {
        Ok(DataFiles {
            files: app.data.list()?,
            most_bytes: app.data.most_bytes,
        })
    });
    listed.await.map(Json)
}

fn too_large(most: u64) -> Problem {
    let message = format!("the file must be at most {}", size(most));
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

/// Takes the bytes of a file, whatever they are; nothing is made of them before they are examined. The answer is 201 for a new file
/// and 200 for one that is there already.
#[utoipa::path(post, path = "/api/v1/data", tag = DATA, params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = DataFile), (status = 201, body = DataFile), (status = 400, body = Refusal),
              (status = 413, body = Refusal), (status = 429, body = Refusal), (status = 507, body = Refusal)))]
pub async fn upload(
    State(app): State<App>,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<DataFile>), Problem> {
    let most = app.data.most_bytes;
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let Ok(_turn) = app.data.uploads.try_acquire() else {
        let message = "other files are being uploaded: try again in a moment";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", message));
    };
    let bad = |message: &str| Problem::new(StatusCode::BAD_REQUEST, "bad_request", message);
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| bad("the upload broke off"))?;
        if (bytes.len() + chunk.len()) as u64 > most {
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.is_empty() {
        return Err(bad("the file is empty"));
    }
    let data = app.data.clone();
    let kept = off_thread(move || {
        let called = query.name.as_deref().unwrap_or("file");
        let (file, new) = data.keep(called, &bytes).map_err(|error| match error {
            Error::Input(message) => {
                Problem::new(StatusCode::INSUFFICIENT_STORAGE, "no_room", message)
            }
            error => error.into(),
        })?;
        let status = if new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok((status, Json(file)))
    });
    kept.await
}

/// Deletes an uploaded file, unless a job needs it that is not done.
#[utoipa::path(delete, path = "/api/v1/data/{file}", tag = DATA,
    params(("file" = String, Path, description = "Uploaded file")),
    responses((status = 204), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
pub async fn delete(
    State(app): State<App>,
    Segment(file): Segment<String>,
) -> Result<StatusCode, Problem> {
    let deleted = off_thread(move || {
        let gone = || missing(format!("no uploaded file `{}`", excerpt(&file)));
        app.data.path(&file).ok_or_else(gone)?;
        let jobs = app.index.jobs()?;
        let needs = |run: &str| {
            let folder = store::open_exact(&app.root, run).ok();
            let request = folder.and_then(|folder| folder.request().ok()?);
            request.is_some_and(|request| names(&request.strategy, &file))
        };
        let open = jobs.iter().filter(|job| job.state != JobState::Finished);
        if let Some(job) = open.into_iter().find(|job| needs(&job.run)) {
            let message = format!("job `{}` needs this file", job.run);
            return Err(Problem::new(StatusCode::CONFLICT, "wrong_state", message));
        }
        match app.data.delete(&file)? {
            true => Ok(StatusCode::NO_CONTENT),
            false => Err(gone()),
        }
    });
    deleted.await
}

/// Whether a strategy names a file of that name.
fn names(strategy: &str, file: &str) -> bool {
    strategy
        .split(['"', '\''])
        .any(|word| Path::new(word).file_name().is_some_and(|name| name == file))
}
