//! The strategy's form as JSON.

use super::app::{App, Root, blocking, find, off_thread};
use super::body::Body;
use super::described::{JOBS, Refusal};
use super::problem::{Problem, invalid, missing};
use crate::error::{Error, excerpt};
use crate::settings::Key;
use crate::strategy::{NO_HISTORY, Plan, form};
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
    /// Whether the strategy may be at fault, as one that has got another model and not its parameters yet; keys that its
    /// models and methods do not have are then left out of the form.
    #[serde(default)]
    draft: bool,
}

/// A key of the strategy.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormField {
    /// `key`, dotted; `title`; `help`; `unit`; `kind` of value; `default`, or `default_rule` in words where it depends on
    /// other keys; `required`; `bound` in words; `least` and `most` number, each with whether it is excluded; `choices`, the
    /// words to choose from; `when`, the values of other keys of the section beside which the key has a meaning.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    key: Key,
    /// What the strategy says, if it says anything.
    #[schema(value_type = Option<Value>)]
    value: Option<Value>,
    /// Whether the keys of its section depend on its value, as on a model or a method.
    decides: bool,
}

/// A section of the strategy.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormSection {
    /// Dotted: `market`, `optimizers.kfac`; empty for what stands before all sections.
    name: String,
    /// What a form calls it.
    title: String,
    /// What it says, in a sentence.
    help: String,
    /// Its keys, in the order of a file.
    fields: Vec<FormField>,
}

/// The keys of a strategy, with every default.
#[derive(Debug, Serialize, ToSchema)]
pub struct StrategyForm {
    sections: Vec<FormSection>,
    /// The same as a file.
    strategy: String,
}

impl StrategyForm {
    fn new(strategy: String) -> crate::error::Result<Self> {
        let sections = form::sections(&strategy)?.into_iter();
        let sections = sections.map(|section| FormSection {
            name: section.name,
            title: section.title,
            help: section.help,
            fields: section
                .fields
                .into_iter()
                .map(|field| FormField {
                    key: field.key,
                    value: field.value,
                    decides: field.decides,
                })
                .collect(),
        });
        Ok(Self {
            sections: sections.collect(),
            strategy,
        })
    }

    /// The form of a strategy that is valid.
    fn of_valid(strategy: String) -> crate::error::Result<Self> {
        Plan::parse(&strategy, |_| {})?;
        Self::new(strategy)
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

/// Bad input is the fault of the field whose key the error names, or of the one that was asked about.
pub fn rejected(error: Error, otherwise: &str) -> Problem {
    match error.exit_code() {
        2 => {
            let field = error.at_key().unwrap_or(otherwise).to_owned();
            invalid(&field, error.to_string())
        }
        _ => error.into(),
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
        StrategyForm::of_valid(strategy).map_err(|error| Problem {
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
pub async fn read(
    State(app): State<App>,
    Body(given): Body<StrategyText>,
) -> Result<Json<StrategyForm>, Problem> {
    let made = off_thread(move || {
        let text = strategy_text(given.strategy, given.fields)?;
        let checked = match given.draft {
            true => Ok(()),
            false => Plan::parse_sent(&text, &|key, file| app.data.find(key, file), NO_HISTORY)
                .map(|_| ()),
        };
        let form = checked.and_then(|()| StrategyForm::new(text));
        form.map_err(|error| rejected(error, "strategy"))
    });
    made.await.map(Json)
}
