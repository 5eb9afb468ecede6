//! What the policies of a run hold today against a book: what `deephedge hedge` answers.

use super::answer::{JSON, json};
use super::app::{App, find, off_thread};
use super::body::Body;
use super::charts::complete;
use super::data::job_data::{JobData, Located};
use super::described::{RUNS, Refusal};
use super::problem::{Problem, invalid, missing};
use crate::bounds;
use crate::charts::{self, Figure};
use crate::error::{Error, excerpt};
use crate::experiment;
use crate::live::{self, Answer, Asked, BookCell, BookRow, BookSource, Desk};
use crate::runs::export::Format;
use crate::runs::store::RunFolder;
use crate::strategy::Strategy;
use axum::extract::{Path as Segment, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use utoipa::ToSchema;

/// How the address of a hedge ends.
pub const ENDING: &str = "/hedge";

/// A book, and what is asked of a run's policies about it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HedgeQuestion {
    /// The contracts.
    pub book: AskedBook,
    /// The prices up to today; those of the run's own strategy unless given. What it does not say of days stays as the strategy says.
    pub data: Option<JobData>,
    /// Today, such as 2024-01-31, instead of the last day of the prices: what follows it is not used.
    pub date: Option<String>,
    /// The optimizer whose policies hedge, instead of that with the least risk in the run.
    pub optimizer: Option<String>,
    /// The greatest distance between the positions of two seeds, in units of an instrument a contract, up to which their mean is held;
    /// 0.1 unless given.
    #[schema(minimum = 0)]
    pub disagreement: Option<f64>,
    /// Whether contracts that the policies were not trained for are answered too.
    #[serde(default)]
    pub force: bool,
    /// Moves of today's spot, as fractions above -1, at which positions are asked for.
    #[serde(default)]
    #[schema(max_items = 101)]
    pub what_if: Vec<f64>,
    /// Whether charts of the moves are asked for too.
    #[serde(default)]
    pub figures: bool,
}

/// A book in one of three forms, with the columns of a file: `sold` and `quantity` and, where they are there, `id`, `type`, `strike`,
/// `expiry`, `held` and `held_NAME`; and one for each term of the run's contract that lies in a range.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedBook {
    /// A row for each contract: its cells by the names of their columns. What is not known may be null or absent.
    #[schema(value_type = Option<Vec<BTreeMap<String, BookCell>>>)]
    pub rows: Option<Vec<BookRow>>,
    /// The text of a CSV file.
    pub text: Option<String>,
    /// An uploaded file, CSV or Parquet.
    pub file: Option<String>,
}

/// The document of `deephedge hedge --json`, with charts where they are asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct HedgeAnswer {
    #[serde(flatten)]
    answer: Answer,
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<Vec<Figure>>,
}

/// A book as it is read.
enum Book {
    Rows(Vec<BookRow>),
    Text(String),
    File(PathBuf),
}

/// A question whose fields have been examined.
struct Question {
    book: Book,
    /// What names the prices, and where they lie.
    data: Option<(String, Located)>,
    asked: Asked,
    figures: bool,
    csv: bool,
}

impl HedgeQuestion {
    fn examined(self, app: &App, csv: bool) -> Result<Question, Problem> {
        let asked = Asked {
            optimizer: self.optimizer,
            date: match self.date.as_deref() {
                None => None,
                Some(date) => match bounds::date("date", date) {
                    Ok(date) => Some(date),
                    Err(error) => return Err(invalid("date", error.to_string())),
                },
            },
            disagreement: self.disagreement.unwrap_or(Asked::DISAGREEMENT),
            force: self.force,
            what_if: self.what_if,
        };
        if asked.disagreement.is_nan() || asked.disagreement < 0.0 {
            let message = format!(
                "`disagreement` must be at least 0, was {}",
                asked.disagreement
            );
            return Err(invalid("disagreement", message));
        }
        let most = Asked::MOST_MOVES;
        if asked.what_if.len() > most {
            let message = format!(
                "`what_if` must have at most {most} moves, had {}",
                asked.what_if.len()
            );
            return Err(invalid("what_if", message));
        }
        if let Some(moved) = asked.what_if.iter().find(|moved| **moved <= -1.0) {
            let message = format!("`what_if` must be moves above -1, was {moved}");
            return Err(invalid("what_if", message));
        }
        let AskedBook { rows, text, file } = self.book;
        let book = match (rows, text, file) {
            (Some(rows), None, None) => Book::Rows(rows),
            (None, Some(text), None) => Book::Text(text),
            (None, None, Some(file)) => {
                let gone = || missing(format!("no uploaded file `{}`", excerpt(&file)));
                Book::File(app.data.path(&file).ok_or_else(gone)?)
            }
            _ => {
                let message = "`book` must have one of `rows`, `text` and `file`";
                return Err(invalid("book", message));
            }
        };
        let located = |data: JobData| {
            let named = format!("{data:?}");
            Ok::<_, Problem>((named, data.located(app)?))
        };
        Ok(Question {
            book,
            data: self.data.map(located).transpose()?,
            asked,
            figures: self.figures,
            csv,
        })
    }
}

/// What the policies of a run hold today against the contracts of a book, what has to be traded for that, and what all of it comes to:
/// what `deephedge hedge` answers. With `Accept: text/csv` the answer is the table of the contracts.
#[utoipa::path(post, path = "/api/v1/runs/{id}/hedge", tag = RUNS, params(("id" = String, Path, description = "Run")),
    request_body = HedgeQuestion,
    responses((status = 200, body = HedgeAnswer), (status = 404, body = Refusal),
              (status = 409, description = "No results yet, or none that can hedge a book", body = Refusal),
              (status = 422, body = Refusal), (status = 429, body = Refusal)))]
pub async fn hedge(
    State(app): State<App>,
    Segment(id): Segment<String>,
    headers: HeaderMap,
    Body(asked): Body<HedgeQuestion>,
) -> Result<Response, Problem> {
    let accepted = headers.get(header::ACCEPT);
    let csv = accepted.is_some_and(|kinds| kinds.as_bytes().starts_with(b"text/csv"));
    let turn = app.desks.turn().await?;
    let answered = off_thread(move || {
        let _turn = turn;
        let folder = find(&app.root, &id)?;
        let question = asked.examined(&app, csv)?;
        answered(&app, &folder, question)
    });
    answered.await
}

fn answered(app: &App, folder: &RunFolder, question: Question) -> Result<Response, Problem> {
    let desk = desk(app, folder, question.data)?;
    let of_book = |error| refused(app, "book", error);
    let book = match &question.book {
        Book::Rows(rows) => live::read(BookSource::Rows(rows), desk.plan()),
        Book::Text(text) => live::read(BookSource::Text(text), desk.plan()),
        Book::File(path) => live::read(BookSource::File(path), desk.plan()),
    };
    let answer = desk.hedge(&book.map_err(of_book)?, &question.asked);
    let answer = answer.map_err(of_book)?;
    if question.csv {
        let format = Format::Csv;
        let named = format!("attachment; filename=\"{}-book.csv\"", folder.id());
        let headers = [
            (header::CONTENT_TYPE, format.content_type().to_owned()),
            (header::CONTENT_DISPOSITION, named),
        ];
        return Ok((headers, format.bytes(answer.table()?)?).into_response());
    }
    let figures = question.figures.then(|| charts::what_if(&answer));
    let bytes = json(&HedgeAnswer { answer, figures })?;
    Ok(([(header::CONTENT_TYPE, JSON)], bytes).into_response())
}

/// The run on the prices that are asked for, or on its own.
fn desk(
    app: &App,
    folder: &RunFolder,
    data: Option<(String, Located)>,
) -> Result<Arc<Desk>, Problem> {
    let (named, located) = data.unzip();
    app.desks.of(folder, &named.unwrap_or_default(), || {
        complete(folder)?;
        let change = |strategy: &mut Strategy| {
            if let Some(located) = located {
                located.apply_prices(strategy);
            }
        };
        let of_data = |error| refused(app, "data", error);
        let plan = experiment::plan_of(folder, change).map_err(of_data)?;
        if let Some(why) = live::refusal(&plan) {
            let message = format!("run `{}`: {why}", folder.id());
            return Err(Problem::new(StatusCode::CONFLICT, "unable", message));
        }
        let settings = plan.backtest.clone().ok_or_else(|| {
            let message =
                "`data` must name an uploaded file: the run's strategy has no prices of its own";
            invalid("data", message)
        })?;
        let desk = Desk::open(folder, plan, settings.clone()).map_err(of_data)?;
        Ok((desk, settings))
    })
}

/// Input errors are those of a field of the question, in the words of the command line with its options named as fields.
fn refused(app: &App, field: &str, error: Error) -> Problem {
    if error.exit_code() != 2 {
        return error.into();
    }
    let mut message = error.to_string();
    if message.starts_with("run `") {
        return Problem::new(StatusCode::CONFLICT, "unable", message);
    }
    let folder = app.data.folder();
    for folder in [std::path::absolute(folder).ok(), Some(folder.to_owned())] {
        if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
            message = message.replace(&format!("{}/", folder.display()), "");
        }
    }
    let field = match message.as_str() {
        words if words.starts_with("--date") => "date",
        words if words.starts_with("--optimizer") => "optimizer",
        _ => field,
    };
    for option in ["date", "optimizer", "force"] {
        message = message.replace(&format!("--{option}"), &format!("`{option}`"));
    }
    invalid(field, message)
}
