//! `--pre-register`: a plan that is written down before its test is run.

use super::output::Output;
use crate::atomic::Destination;
use crate::error::Result;
use crate::runs::registration::{Registration, StudyPlan};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// What has become of a plan that is to be registered.
pub enum PreRegistered {
    /// It was written down just now; nothing is run before the command is given again.
    Now(Output),
    /// It was written down before, and is the same still.
    Before(Registration),
}

/// Writes the plan into `file`, or reads the one that is there, which must be the same.
///
/// # Errors
/// [`crate::Error::Input`] if the file has another plan, was changed or cannot be written.
pub fn pre_registered(file: &Path, plan: StudyPlan) -> Result<PreRegistered> {
    if file.exists() {
        let registration = Registration::read(file)?;
        let covered = registration.covers(&plan);
        covered.map_err(|error| error.at(&file.display().to_string()))?;
        return Ok(PreRegistered::Before(registration));
    }
    let registration = Registration::new(plan);
    let bytes = registration.to_bytes()?;
    Destination::new(file)?.write(|file| file.write_all(&bytes))?;
    Ok(PreRegistered::Now(Output {
        text: format!(
            "registered: {}\nSHA-256: {}\ntime: {}\nnothing was run; the same command again runs what is registered",
            file.display(),
            registration.sha256,
            registration.registered
        ),
        document: json!({
            "registered": registration.registered,
            "sha256": registration.sha256,
            "file": file.display().to_string(),
        }),
    }))
}
