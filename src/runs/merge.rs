//! The shards of a job, brought together.

use super::metrics::Request;
use super::progress::{self, PROGRESS};
use super::shard::Shard;
use super::store::{self, RunFolder};
use crate::atomic::write_atomically;
use crate::error::{Error, Result, excerpt};
use std::path::Path;
use toml::Value;

/// All shards of one job, each of them trained.
pub struct Shards {
    /// In the order of their numbers.
    folders: Vec<RunFolder>,
    request: Request,
}

impl Shards {
    /// The shards in `folders`, in any order.
    ///
    /// # Errors
    /// [`Error::Input`] naming what is no shard, of another job or of another version of the program, there twice, missing, or
    /// not trained to its end.
    pub fn of(folders: Vec<RunFolder>) -> Result<Self> {
        let mut known: Vec<(Shard, RunFolder, Request)> = Vec::new();
        for folder in folders {
            let request = folder.request()?;
            let asked = request.and_then(|request| Some((request.shard?, request)));
            let (shard, request) = asked.ok_or_else(|| at(&folder, "no shard of a job"))?;
            if let Some((first, of, as_asked)) = known.first()
                && let Some(difference) = difference((*first, as_asked), (shard, &request))
            {
                let what = format!("of another job than run `{}`: {difference}", of.id());
                return Err(at(&folder, &what));
            }
            request.check_version(&folder)?;
            known.push((shard, folder, request));
        }
        known.sort_by_key(|(shard, ..)| shard.number);
        for pair in known.windows(2) {
            let [(shard, one, _), (next, other, _)] = pair else {
                continue;
            };
            if shard == next {
                let (one, other) = (one.path().display(), other.path().display());
                return Err(Error::input(format!(
                    "{shard} is there twice: {one} and {other}"
                )));
            }
        }
        let Some((Shard { of, .. }, _, first)) = known.first() else {
            return Err(Error::input("no shards are given"));
        };
        let is_there = |number: &usize| known.iter().any(|(shard, ..)| shard.number == *number);
        let missing: Vec<usize> = (1..=*of).filter(|number| !is_there(number)).collect();
        if !missing.is_empty() {
            return Err(Error::input(are_missing(&missing, *of)));
        }
        let request = Request {
            trainings: first.all_trainings(),
            shard: None,
            job_trainings: None,
            created: None,
            version: None,
            ..first.clone()
        };
        for (_, folder, request) in &known {
            let Some(share) = folder.share()?.filter(|share| !share.is_trained()) else {
                continue;
            };
            let what = match progress::is_running(folder) {
                true => "is being carried out".into(),
                false => format!("go on with `{}`", request.resumption(folder.id())),
            };
            return Err(at(folder, &format!("{share}; {what}")));
        }
        Ok(Self {
            folders: known.into_iter().map(|(_, folder, _)| folder).collect(),
            request,
        })
    }

    /// What the whole job is asked for.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The folders of the shards, in the order of their numbers.
    pub fn folders(&self) -> &[RunFolder] {
        &self.folders
    }

    /// Writes what all trainings did into the folder of the whole run, shard by shard.
    ///
    /// # Errors
    /// [`Error::File`] if a file cannot be read or written.
    pub fn copy_progress(&self, into: &RunFolder) -> Result<()> {
        write_atomically(&into.path().join(PROGRESS), |file| {
            let mut folders = self.folders.iter();
            folders.try_for_each(|folder| progress::copy_trainings(folder, file))
        })
    }

    /// Deletes the shards, wherever they lie.
    ///
    /// # Errors
    /// Those of [`store::delete`].
    pub fn delete(&self) -> Result<()> {
        self.folders.iter().try_for_each(|folder| {
            let held = progress::hold(folder)?;
            let root = folder.path().parent().unwrap_or(Path::new("."));
            store::delete(root, folder.id())?;
            drop(held);
            Ok(())
        })
    }
}

/// Copies what each shard has of a training to the folder of the whole run: the policy, and then the file that says so.
///
/// # Errors
/// [`Error::Input`] if a shard lacks a file; [`Error::File`].
pub fn copy(files: &[(&RunFolder, [String; 2])], into: &RunFolder) -> Result<()> {
    for (from, names) in files {
        for name in names {
            let bytes = from.read_bytes(name)?;
            let bytes = bytes.ok_or_else(|| at(from, &format!("{name} is missing")))?;
            into.write_bytes(name, &bytes)?;
        }
    }
    Ok(())
}

fn at(folder: &RunFolder, what: &str) -> Error {
    Error::input(format!("run `{}`: {what}", folder.id()))
}

/// Says which shards are missing, by number as far as they are few.
fn are_missing(missing: &[usize], of: usize) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = missing.iter().take(SHOWN).map(usize::to_string).collect();
    match (shown.as_slice(), missing.len()) {
        ([one], 1) => format!("shard {one} of {of} is missing"),
        ([first @ .., last], count) if count <= SHOWN => {
            format!("shards {} and {last} of {of} are missing", first.join(", "))
        }
        (shown, count) => {
            let (shown, more) = (shown.join(", "), count - SHOWN);
            format!("shards {shown} and {more} more of {of} are missing")
        }
    }
}

/// In what the job of the second shard is not that of the first.
fn difference((shard, one): (Shard, &Request), (other, two): (Shard, &Request)) -> Option<String> {
    let differs = |what: &str, here: String, there: String| {
        (here != there).then(|| format!("{what} {here}, there {there}"))
    };
    differs("made by", two.command.clone(), one.command.clone())
        .or_else(|| (shard.of != other.of).then(|| format!("is {other}, that is {shard}")))
        .or_else(|| strategy_difference(&two.strategy, &one.strategy))
        .or_else(|| {
            let (here, there) = (format!("{:?}", two.seeds), format!("{:?}", one.seeds));
            differs("seeds", here, there)
        })
        .or_else(|| {
            let (here, there) = (format!("{:?}", two.frontier), format!("{:?}", one.frontier));
            differs("frontier", here, there)
        })
}

/// The first key, in the order of the alphabet, that two strategies do not have alike.
fn strategy_difference(here: &str, there: &str) -> Option<String> {
    if here == there {
        return None;
    }
    let tables = here.parse().ok().zip(there.parse().ok());
    let found = tables.and_then(|(here, there)| {
        let (here, there) = (Value::Table(here), Value::Table(there));
        key_difference("", Some(&here), Some(&there))
    });
    // Texts that mean the same are of one strategy only to whoever reads them.
    Some(found.unwrap_or_else(|| "`strategy` is another text".into()))
}

fn key_difference(key: &str, here: Option<&Value>, there: Option<&Value>) -> Option<String> {
    if here == there {
        return None;
    }
    if let (Some(Value::Table(here)), Some(Value::Table(there))) = (here, there) {
        let mut names: Vec<&String> = here.keys().chain(there.keys()).collect();
        names.sort_unstable();
        return names.into_iter().find_map(|name| {
            let key = match key {
                "" => name.clone(),
                key => format!("{key}.{name}"),
            };
            key_difference(&key, here.get(name), there.get(name))
        });
    }
    let shown = |value: Option<&Value>| match value {
        Some(Value::Table(_)) => "is there".into(),
        Some(value) => format!("is {}", excerpt(&value.to_string())),
        None => "is absent".to_owned(),
    };
    Some(format!(
        "`{key}` {}, there it {}",
        shown(here),
        shown(there)
    ))
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
