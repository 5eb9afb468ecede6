//! Parameters of a model from an uploaded file: what `deephedge calibrate` finds.

use super::examine::{DataReading, known};
use super::examiner::option;
use crate::market::Model;
use crate::server::app::App;
use crate::server::body::Body;
use crate::server::described::{DATA, Refusal};
use crate::server::problem::{Problem, invalid};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ffi::OsString;
use utoipa::ToSchema;

/// What a model is calibrated to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Daily closes.
    History,
    /// Implied volatilities by strike and expiry.
    Surface,
}

/// What is to be calibrated, and to what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCalibration {
    /// The model, as `market.model` names it.
    pub model: String,
    /// The uploaded file.
    pub file: String,
    /// What the file has.
    pub source: Source,
    /// How it is read.
    pub reading: Option<DataReading>,
    /// The day whose quotes are fitted, of a surface with several.
    pub date: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Calibrated {
    /// The document of `deephedge calibrate --json`: `parameters`, `standard_errors`, `at_bound` and `not_identified` (names of
    /// parameters that the data do not determine), `warnings` and what belongs to the model.
    #[schema(value_type = Object)]
    pub calibration: Value,
    /// The keys of a strategy's section `market` that say the same, dotted.
    #[schema(value_type = Object)]
    pub fields: Value,
}

/// Calibrates a model to an uploaded file.
#[utoipa::path(post, path = "/api/v1/data/calibrate", tag = DATA, request_body = NewCalibration,
    responses((status = 200, body = Calibrated), (status = 404, body = Refusal), (status = 422, body = Refusal)))]
pub async fn calibrate(
    State(app): State<App>,
    Body(asked): Body<NewCalibration>,
) -> Result<Json<Calibrated>, Problem> {
    let model = asked.model.as_str();
    if !Model::ALL.iter().any(|(name, _)| *name == model) {
        let names: Vec<&str> = Model::ALL.iter().map(|(name, _)| *name).collect();
        let message = format!("`model` must be one of {}", names.join(", "));
        return Err(invalid("model", message));
    }
    let file = known(&app, "file", std::slice::from_ref(&asked.file))?;
    let mut arguments: Vec<OsString> = vec!["calibrate".into(), model.into()];
    arguments.push(match asked.source {
        Source::History => "--history".into(),
        Source::Surface => "--surface".into(),
    });
    arguments.extend(file);
    let mut reading = asked.reading.unwrap_or_default();
    match asked.source {
        // Closes have no unit of volatilities.
        Source::History => reading.volatility_unit = None,
        Source::Surface => reading.repair = None,
    }
    arguments.extend(reading.arguments());
    arguments.extend(asked.date.map(|date| option("date", &date)));
    let said = app.examiner.say(&arguments, "file").await?;
    match said.document {
        Some(calibration) if said.code == Some(0) => {
            let fields = fields(model, &calibration);
            Ok(Json(Calibrated {
                calibration,
                fields,
            }))
        }
        _ => Err(said.refusal("file")),
    }
}

fn fields(model: &str, calibration: &Value) -> Value {
    let parameters = calibration["parameters"].as_object();
    let mut fields = serde_json::Map::new();
    fields.insert("market.model".into(), model.into());
    for (name, value) in parameters.into_iter().flatten() {
        fields.insert(format!("market.{name}"), value.clone());
    }
    Value::Object(fields)
}
