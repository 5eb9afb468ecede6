//! The strategy's form as JSON.

use super::openapi::{JOBS, Refusal};
use super::{Failure, Problem, Root, blocking, find, missing};
use crate::strategy::form;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Where the form's values come from.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormQuery {
    /// A run whose strategy the form begins with; the shipped Heston call unless given.
    run: Option<String>,
}

/// A key of the strategy.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormField {
    /// Dotted: `market.kappa`.
    key: String,
    /// What the strategy says, or the default.
    #[schema(value_type = Value)]
    value: Value,
    /// The bound of the value, in words.
    bound: Option<String>,
    /// The names to choose from, if the value is one of some.
    choices: Vec<String>,
}

/// The keys of a strategy, with every default.
#[derive(Debug, Serialize, ToSchema)]
pub struct StrategyForm {
    fields: Vec<FormField>,
    /// The same as a file.
    strategy: String,
}

const EXAMPLE: &str = include_str!("../../strategies/heston_call.toml");

/// A strategy as the fields of a form, with the bounds that its validation checks.
#[utoipa::path(get, path = "/api/v1/strategy/form", tag = JOBS, params(FormQuery),
    responses((status = 200, body = StrategyForm), (status = 404, body = Refusal)))]
pub async fn show(
    State(root): State<Root>,
    Query(query): Query<FormQuery>,
) -> Result<Json<StrategyForm>, Failure> {
    let made = blocking(root, move |root| {
        let strategy = match query.run {
            Some(id) => find(root, &id)?
                .strategy()?
                .ok_or_else(|| missing(format!("run `{id}` has no strategy")))?,
            None => EXAMPLE.to_owned(),
        };
        let fields = form::fields(&strategy).map_err(|error| Problem {
            status: StatusCode::CONFLICT,
            code: "unreadable",
            message: error.to_string(),
            field: None,
        })?;
        let fields = fields.into_iter().map(|field| FormField {
            key: field.key,
            value: field.value,
            choices: field
                .bound
                .as_ref()
                .map(|bound| bound.choices.clone())
                .unwrap_or_default(),
            bound: field.bound.map(|bound| bound.text),
        });
        Ok(StrategyForm {
            fields: fields.collect(),
            strategy,
        })
    });
    made.await.map(Json).map_err(Failure::Json)
}
