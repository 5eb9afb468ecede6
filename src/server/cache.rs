//! What was made of finished runs, kept until they change.

use super::{App, Problem, find, off_thread};
use crate::runs::store::{METRICS, RunFolder};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Bytes that are kept in all, and of one answer.
const MOST: usize = 64 << 20;
const MOST_OF_ONE: usize = 4 << 20;

pub const PAGE: &str = "text/html; charset=utf-8";
pub const JSON: &str = "application/json";

/// When the files of a run changed that answers are made of, and how long `metrics.json` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp([Option<SystemTime>; 3], u64);

impl Stamp {
    /// None of a run without results: it changes all the time.
    ///
    /// Three files are looked at, which is sooner done than handed to another thread. Files are renamed into their
    /// folders, so the folders' times are those of all others.
    pub fn of(folder: &RunFolder) -> Option<Self> {
        let metrics = std::fs::metadata(folder.path().join(METRICS)).ok()?;
        let changed = |path: &Path| {
            std::fs::metadata(path)
                .and_then(|file| file.modified())
                .ok()
        };
        let times = [
            metrics.modified().ok(),
            changed(folder.path()),
            changed(&folder.path().join("figures")),
        ];
        Some(Self(times, metrics.len()))
    }
}

/// An answer, and the tag by which a browser knows it.
#[derive(Debug, Clone)]
struct Answer {
    bytes: Bytes,
    tag: HeaderValue,
}

impl Answer {
    fn new(bytes: Bytes) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let tag = format!("\"{:016x}\"", hasher.finish());
        // Hexadecimal digits in quotes are a value of a header.
        let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes, tag }
    }
}

#[derive(Debug)]
struct Entry {
    stamps: Vec<Stamp>,
    answer: Answer,
    /// When it was asked for last, by the count of questions.
    used: u64,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<String, Entry>,
    bytes: usize,
    questions: u64,
}

/// Answers by what was asked for; those that were not asked for longest make room.
#[derive(Debug, Default)]
pub struct Cache(Mutex<Kept>);

impl Cache {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &str, stamps: &[Stamp]) -> Option<Answer> {
        let mut kept = self.kept();
        kept.questions += 1;
        let used = kept.questions;
        let entry = kept.entries.get_mut(key)?;
        entry.used = used;
        (entry.stamps == stamps).then(|| entry.answer.clone())
    }

    fn keep(&self, key: String, stamps: Vec<Stamp>, answer: Answer) {
        let size = answer.bytes.len();
        if size > MOST_OF_ONE {
            return;
        }
        let mut kept = self.kept();
        kept.forget(&key);
        while kept.bytes + size > MOST {
            let oldest = kept.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            kept.forget(&oldest);
        }
        kept.bytes += size;
        kept.questions += 1;
        let used = kept.questions;
        let entry = Entry {
            stamps,
            answer,
            used,
        };
        kept.entries.insert(key, entry);
    }

    /// What `make` makes of a run, for a part of a page.
    pub fn part(&self, what: &str, folder: &RunFolder, make: impl FnOnce() -> String) -> String {
        let Some(stamp) = Stamp::of(folder) else {
            return make();
        };
        let (key, stamps) = (format!("{what} {}", folder.id()), vec![stamp]);
        let answer = self.get(&key, &stamps).unwrap_or_else(|| {
            let answer = Answer::new(make().into());
            self.keep(key, stamps, answer.clone());
            answer
        });
        String::from_utf8_lossy(&answer.bytes).into_owned()
    }
}

impl Kept {
    fn forget(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.answer.bytes.len();
        }
    }
}

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
    use axum::body::Body;
    use axum::http::Request;

    fn of_length(length: usize) -> Answer {
        Answer::new(vec![b'x'; length].into())
    }

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

    /// What is kept is bounded in bytes; what was asked for last stays.
    #[test]
    fn what_is_kept_is_bounded() {
        let root = Scratch::new("server-cache");
        let run = fixture::write(root.path());
        let stamps = || vec![Stamp::of(&run).unwrap()];
        let cache = Cache::default();
        let places = MOST / MOST_OF_ONE;
        for index in 0..places {
            cache.keep(index.to_string(), stamps(), of_length(MOST_OF_ONE));
        }
        assert!(cache.get("0", &stamps()).is_some());
        cache.keep("one more".into(), stamps(), of_length(MOST_OF_ONE));
        assert!(cache.get("0", &stamps()).is_some());
        assert!(cache.get("1", &stamps()).is_none());
        cache.keep("too long".into(), stamps(), of_length(MOST_OF_ONE + 1));
        assert!(cache.get("too long", &stamps()).is_none());
        let kept = cache.kept();
        let held: usize = kept.entries.values().map(|e| e.answer.bytes.len()).sum();
        assert_eq!((held, kept.entries.len()), (kept.bytes, places));
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
