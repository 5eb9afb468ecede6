//! The strategy's form as JSON.

use super::app::{Root, blocking, find, off_thread};
use super::body::Body;
use super::described::{JOBS, Refusal};
use super::problem::{Problem, invalid, missing};
use crate::error::{Error, excerpt};
use crate::strategy::form;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Values by dotted keys.
pub type Fields = serde_json::Map<String, Value>;

/// The strategies of the repository, by name.
pub const SHIPPED: [(&str, &str); 6] = [
    (
        "heston_call",
        include_str!("../../strategies/heston_call.toml"),
    ),
    ("gbm_call", include_str!("../../strategies/gbm_call.toml")),
    (
        "heston_variance_swap",
        include_str!("../../strategies/heston_variance_swap.toml"),
    ),
    (
        "heston_straddle_options",
        include_str!("../../strategies/heston_straddle_options.toml"),
    ),
    (
        "merton_straddle",
        include_str!("../../strategies/merton_straddle.toml"),
    ),
    (
        "sp500_walk_forward",
        include_str!("../../strategies/sp500_walk_forward.toml"),
    ),
];

/// Where the form's values come from: a run or a shipped strategy, `heston_call` unless given.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormQuery {
    /// A run whose strategy the form begins with.
    run: Option<String>,
    /// A shipped strategy: `heston_call`, `gbm_call`, `heston_variance_swap`, `heston_straddle_options`,
    /// `merton_straddle` or `sp500_walk_forward`.
    strategy: Option<String>,
}

/// A strategy to be read: one of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyText {
    /// A strategy file (TOML).
    strategy: Option<String>,
    /// The strategy as values by dotted keys.
    #[schema(value_type = Option<Object>)]
    fields: Option<Fields>,
}

/// What a field of the form holds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Boolean,
    Integer,
    Number,
    Text,
    List,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::Array(_) => Self::List,
            _ => Self::Text,
        }
    }
}

/// A key of the strategy.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormField {
    /// Dotted: `market.kappa`.
    key: String,
    kind: Kind,
    /// What the strategy says, or the default.
    #[schema(value_type = Value)]
    value: Value,
    /// The bound of the value, in words.
    bound: Option<String>,
    /// The names to choose from, if the value is one of some, or a list of them.
    choices: Vec<String>,
}

/// The keys of a strategy, with every default.
#[derive(Debug, Serialize, ToSchema)]
pub struct StrategyForm {
    fields: Vec<FormField>,
    /// The same as a file.
    strategy: String,
}

impl StrategyForm {
    fn new(strategy: String) -> crate::error::Result<Self> {
        let fields = form::fields(&strategy)?.into_iter().map(|field| {
            let (bound, choices) = match field.bound {
                Some(bound) => (Some(bound.text), bound.choices),
                None => (None, Vec::new()),
            };
            FormField {
                key: field.key,
                kind: Kind::of(&field.value),
                value: field.value,
                bound,
                choices,
            }
        });
        Ok(Self {
            fields: fields.collect(),
            strategy,
        })
    }
}

/// The strategy that a request gives in one of two ways.
pub fn strategy_text(strategy: Option<String>, fields: Option<Fields>) -> Result<String, Problem> {
    match (strategy, fields) {
        (Some(text), None) => Ok(text),
        (None, Some(fields)) => form::to_toml(&fields).map_err(|error| rejected(error, "fields")),
        _ => Err(invalid(
            "strategy",
            "`strategy` or `fields` must be given, and not both",
        )),
    }
}

/// A key that the message names first, in backquotes, is the field at fault.
pub fn rejected(error: Error, otherwise: &str) -> Problem {
    match error {
        Error::Input(message) => {
            let key = message
                .strip_prefix('`')
                .and_then(|rest| rest.split('`').next());
            let field = key.unwrap_or(otherwise).to_owned();
            invalid(&field, message)
        }
        error => error.into(),
    }
}

/// A strategy as the fields of a form, with the bounds that its validation checks.
#[utoipa::path(get, path = "/api/v1/strategy/form", tag = JOBS, params(FormQuery),
    responses((status = 200, body = StrategyForm), (status = 404, body = Refusal)))]
pub async fn show(
    State(root): State<Root>,
    Query(query): Query<FormQuery>,
) -> Result<Json<StrategyForm>, Problem> {
    let made = blocking(root, move |root| {
        let strategy = match (query.run, query.strategy) {
            (Some(id), _) => find(root, &id)?
                .strategy()?
                .ok_or_else(|| missing(format!("run `{id}` has no strategy")))?,
            (None, name) => {
                let name = name.as_deref().unwrap_or(SHIPPED[0].0);
                let known = SHIPPED.iter().find(|(known, _)| *known == name);
                let (_, text) =
                    known.ok_or_else(|| missing(format!("no strategy `{}`", excerpt(name))))?;
                // In the repository they lie in a folder beside that of the data; here paths count from the server's.
                text.replace("../market_data/", "market_data/")
            }
        };
        StrategyForm::new(strategy).map_err(|error| Problem {
            status: StatusCode::CONFLICT,
            code: "unreadable",
            message: error.to_string(),
            field: None,
        })
    });
    made.await.map(Json)
}

/// A strategy file as the fields of a form, or fields as a file; what is wrong with it is said.
#[utoipa::path(post, path = "/api/v1/strategy/form", tag = JOBS, request_body = StrategyText,
    responses((status = 200, body = StrategyForm), (status = 422, body = Refusal)))]
pub async fn read(Body(given): Body<StrategyText>) -> Result<Json<StrategyForm>, Problem> {
    let made = off_thread(move || {
        let text = strategy_text(given.strategy, given.fields)?;
        StrategyForm::new(text).map_err(|error| rejected(error, "strategy"))
    });
    made.await.map(Json)
}
