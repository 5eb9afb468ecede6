//! Names of runs.

use crate::error::{Error, Result, excerpt};
use chrono::{DateTime, Local, NaiveDateTime, SecondsFormat, TimeZone, Utc};

/// The id, if it is a plain one.
///
/// # Errors
/// [`crate::Error::Input`] if it is not.
pub fn plain_id(id: &str) -> Result<&str> {
    if is_plain_id(id) {
        return Ok(id);
    }
    Err(Error::input(format!(
        "run `{}`: an id is made of letters, digits, `-`, `_` and `.`, and does not begin with `.`",
        excerpt(id)
    )))
}

/// Whether an id is the name of a folder and nothing else.
pub fn is_plain_id(id: &str) -> bool {
    !id.is_empty()
        && !id.starts_with('.')
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// How the time of creation is written, in the universal time: texts sort as the times do.
pub fn time_stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// The beginning of the id of a run that is made now, by the local clock.
pub fn stem(now: NaiveDateTime, name: &str) -> String {
    format!("{}-{}", now.format(TIME), slug(name))
}

/// How ids begin.
const TIME: &str = "%Y%m%d-%H%M%S";

/// The time that an id begins with, if it does, as the local clock would have shown it here.
pub fn time_of(id: &str) -> Option<DateTime<Utc>> {
    let time = NaiveDateTime::parse_from_str(id.get(..15)?, TIME).ok()?;
    Some(Local.from_local_datetime(&time).earliest()?.to_utc())
}

fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 40 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "run".to_owned()
    } else {
        slug.to_owned()
    }
}
