//! What is understood of uploaded files: what `deephedge data check` says of them.

use super::examiner::option;
use crate::error::excerpt;
use crate::market::history::RawReading;
use crate::server::app::App;
use crate::server::body::Body;
use crate::server::described::{DATA, Refusal};
use crate::server::problem::{Problem, invalid, missing};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use utoipa::ToSchema;

/// Files that are read together.
const MOST_FILES: usize = 4;

/// How files are read, where they do not say it themselves. What is left out is found from the files.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DataReading {
    /// Names of columns by what they hold: `{"date": "observation_date", "close": "SP500"}`.
    pub columns: Option<BTreeMap<String, String>>,
    /// How dates are written: `ymd`, `dmy`, `mdy`, `excel`, `seconds`, `milliseconds`, `microseconds`, `nanoseconds`, or a
    /// pattern such as `%d.%m.%y`.
    pub date_format: Option<String>,
    /// What separates decimals: `point` or `comma`.
    pub decimal: Option<String>,
    /// The unit of implied volatilities: `percent` or `fraction`.
    pub volatility_unit: Option<String>,
    /// Kinds of defects to repair rather than refuse, of all places or of one: `splits@2020-08-31`.
    pub repair: Option<Vec<String>>,
}

impl DataReading {
    /// The options of the command line that say the same.
    pub fn arguments(&self) -> Vec<OsString> {
        let Self {
            columns,
            date_format,
            decimal,
            volatility_unit,
            repair,
        } = self;
        let mut all = Vec::new();
        let columns = columns.iter().flatten();
        all.extend(columns.map(|(what, name)| option("columns", &format!("{what}={name}"))));
        let single = [
            ("date-format", date_format),
            ("decimal", decimal),
            ("volatility-unit", volatility_unit),
        ];
        let single = single.into_iter();
        all.extend(single.filter_map(|(name, value)| Some(option(name, value.as_deref()?))));
        let repair = repair.iter().filter(|kinds| !kinds.is_empty());
        all.extend(repair.map(|kinds| option("repair", &kinds.join(","))));
        all
    }

    /// What a strategy says of the same; no word of repairs is none to do.
    pub fn raw(self) -> RawReading {
        RawReading {
            columns: self.columns,
            date_format: self.date_format,
            decimal: self.decimal,
            volatility_unit: self.volatility_unit,
            repair: Some(self.repair.unwrap_or_default()),
        }
    }
}

/// Files to be examined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Examination {
    /// Uploaded files, one to four: the first has the prices, further ones are joined by date; or surfaces, or chains of options put
    /// one after the other.
    pub files: Vec<String>,
    /// How they are read.
    pub reading: Option<DataReading>,
}

/// The columns of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileColumns {
    /// The uploaded file.
    pub file: String,
    /// The names of its columns.
    pub columns: Value,
    /// Its first rows as they stand, a list of cells each; none of a Parquet file.
    pub rows: Value,
}

/// What is understood of files.
#[derive(Debug, Serialize, ToSchema)]
pub struct Examined {
    /// Whether they can be used as they are read.
    pub usable: bool,
    /// What is wrong, in the words of the command line.
    pub message: Option<String>,
    /// The columns of every file.
    pub columns: Vec<FileColumns>,
    /// The document of `deephedge data check --json`; absent if the files are not understood.
    #[schema(value_type = Option<Object>)]
    pub check: Option<Value>,
}

/// The names of uploaded files as arguments of a command.
///
/// # Errors
/// [`Problem`] for none or too many files, and for one that is not there.
pub fn known(app: &App, field: &str, files: &[String]) -> Result<Vec<OsString>, Problem> {
    if files.is_empty() || files.len() > MOST_FILES {
        let message = format!(
            "`{field}` must name 1 to {MOST_FILES} uploaded files, was {} of them",
            files.len()
        );
        return Err(invalid(field, message));
    }
    let file = |file: &String| match app.data.path(file) {
        // Names begin with a digit of a hash, so that none is taken for an option.
        Some(_) => Ok(file.into()),
        None => Err(missing(format!("no uploaded file `{}`", excerpt(file)))),
    };
    files.iter().map(file).collect()
}

/// What `deephedge data check` says of uploaded files, with the columns to choose from where it does not understand them.
#[utoipa::path(post, path = "/api/v1/data/check", tag = DATA, request_body = Examination,
    responses((status = 200, body = Examined), (status = 404, body = Refusal), (status = 422, body = Refusal)))]
pub async fn check(
    State(app): State<App>,
    Body(asked): Body<Examination>,
) -> Result<Json<Examined>, Problem> {
    let files = known(&app, "files", &asked.files)?;
    let mut columns = Vec::with_capacity(files.len());
    for (file, name) in files.iter().zip(&asked.files) {
        let arguments: Vec<OsString> = vec!["data".into(), "columns".into(), file.clone()];
        let mut said = app.examiner.say(&arguments, "files").await?;
        // What is no table at all has no columns, and the check says why.
        let mut part = |key: &str| {
            let part = said.document.as_mut().and_then(|all| all.get_mut(key));
            part.map_or(Value::Array(Vec::new()), Value::take)
        };
        columns.push(FileColumns {
            file: name.clone(),
            columns: part("columns"),
            rows: part("rows"),
        });
    }
    let mut arguments: Vec<OsString> = vec!["data".into(), "check".into()];
    arguments.extend(files);
    arguments.extend(asked.reading.unwrap_or_default().arguments());
    let said = app.examiner.say(&arguments, "files").await?;
    if said.code.is_none() || said.document.is_none() && said.message.is_none() {
        return Err(said.refusal("files"));
    }
    Ok(Json(Examined {
        usable: said.code == Some(0),
        message: said.message,
        columns,
        check: said.document,
    }))
}
