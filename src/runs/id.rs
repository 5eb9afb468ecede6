//! Names of runs.

use crate::error::{Error, Result};

pub fn plain_id(id: &str) -> Result<&str> {
    if is_plain_id(id) {
        return Ok(id);
    }
    Err(Error::input(format!(
        "run `{id}`: an id is made of letters, digits, `-`, `_` and `.`, and does not begin with `.`"
    )))
}

pub fn is_plain_id(id: &str) -> bool {
    !id.is_empty()
        && !id.starts_with('.')
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

pub fn slug(name: &str) -> String {
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
