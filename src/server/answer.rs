//! Answers that a browser may keep until the runs change that they are made of.

use super::app::{App, find, off_thread};
use super::cache::{Answer, Stamp};
use super::problem::Problem;
use crate::runs::store::RunFolder;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The media type of pages.
pub const PAGE: &str = "text/html; charset=utf-8";

/// The media type of the API.
pub const JSON: &str = "application/json";

/// Answers with what `make` makes of the runs `ids`, or with what it made of them the last time it was asked for `what`,
/// or by saying that the browser has it already.
pub async fn answer(
    app: &App,
    asked: &HeaderMap,
    (what, kind): (String, &'static str),
    ids: &[&str],
    make: impl FnOnce(Vec<RunFolder>) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let folders: Vec<RunFolder> = ids
        .iter()
        .map(|id| find(&app.root, id))
        .collect::<Result<_, _>>()?;
    let stamps: Option<Vec<Stamp>> = folders.iter().map(Stamp::of).collect();
    let Some(stamps) = stamps else {
        let bytes = off_thread(move || make(folders)).await?;
        return Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response());
    };
    let key = format!("{what} {}", ids.join(","));
    let answer = match app.cache.get(&key, &stamps) {
        Some(answer) => answer,
        None => {
            let made = off_thread(move || make(folders)).await?;
            let answer = Answer::new(made.into());
            app.cache.keep(key, stamps, answer.clone());
            answer
        }
    };
    let known = is_known(asked, &answer.tag);
    let headers = [
        (header::ETAG, answer.tag),
        // To be kept, and asked about every time.
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        ),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, [(header::CONTENT_TYPE, kind)], answer.bytes).into_response())
}

/// Whether `If-None-Match` has the tag; a weak one is the same here.
fn is_known(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let lists = asked.get_all(header::IF_NONE_MATCH).into_iter();
    lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|known| known.trim())
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag)
}

/// A value as the bytes of an answer.
///
/// # Errors
/// That of the server if the value has no form in JSON.
pub fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Problem> {
    let failed = |error| crate::Error::Computation(format!("answer: {error}")).into();
    serde_json::to_vec(value).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer_of, app};
    use super::*;
    use crate::runs::fixture::{self, Scratch};
    use crate::runs::store;
    use axum::body::{Body, Bytes};
    use axum::http::Request;

    /// RFC 9110, 13.1.2: a list of tags, strong or weak, or any.
    #[test]
    fn tags_are_matched() {
        let tag = Answer::new(Bytes::from_static(b"text")).tag;
        let text = tag.to_str().unwrap().to_owned();
        let known = |value: &str| {
            let mut asked = HeaderMap::new();
            asked.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            is_known(&asked, &tag)
        };
        for value in [&text, "*", &format!("W/{text}"), &format!("\"a\", {text}")] {
            assert!(known(value), "{value}");
        }
        for value in ["", "\"a\"", text.trim_matches('"')] {
            assert!(!known(value), "{value}");
        }
    }

    /// A page of a finished run and its charts carry a tag; whoever knows it is sent nothing until the run changes.
    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let root = Scratch::new("server-tags");
        let run = fixture::write(root.path());
        let other = fixture::write(root.path());
        let stopped = store::create(root.path(), "stopped").unwrap();
        let (id, other) = (run.id(), other.id());
        let app = app(root.path());
        let ask = |path: &str, tag: &str| {
            let request = Request::get(path)
                .header("host", "localhost")
                .header("if-none-match", tag);
            answer_of(app.clone(), request.body(Body::empty()).unwrap())
        };
        let addresses = [
            format!("/runs/{id}"),
            format!("/api/v1/runs/{id}"),
            format!("/api/v1/runs/{id}/charts/cost_cvar"),
            format!("/compare?runs={id},{other}"),
            format!("/api/v1/charts/cost_cvar?runs={id},{other}"),
        ];
        let mut tags = Vec::new();
        for path in &addresses {
            let whole = ask(path, "\"other\"");
            assert_eq!(whole.status, 200, "{path}");
            assert_eq!(whole.header("cache-control"), "private, no-cache", "{path}");
            let known = ask(path, whole.header("etag"));
            assert_eq!((known.status, known.body.as_str()), (304, ""), "{path}");
            assert_eq!(known.header("etag"), whole.header("etag"), "{path}");
            tags.push(whole.header("etag").to_owned());
        }
        let mut metrics = run.metrics().unwrap();
        metrics.name = "Another name".into();
        metrics.evaluation[0].cost_mean *= 2.0;
        run.write_metrics(&metrics).unwrap();
        for (path, tag) in addresses.iter().zip(&tags) {
            assert_eq!(ask(path, tag).status, 200, "{path}");
        }
        assert!(ask(&addresses[0], &tags[0]).body.contains("Another name"));
        assert!(ask("/", "").body.contains("Another name"));
        let going = ask(&format!("/runs/{}", stopped.id()), "*");
        assert_eq!((going.status, going.header("etag")), (200, ""));
    }
}
