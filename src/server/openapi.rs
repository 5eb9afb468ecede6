//! The description of the API, made from the handlers.

use super::{App, api, events, form, jobs, live};
use axum::Json;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub const RUNS: &str = "runs";
pub const JOBS: &str = "jobs";

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refusal {
    pub error: Reason,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Reason {
    /// For programs: `not_found`, `invalid`, `queue_full`, …
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The field of the request, or the key of the strategy, at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "deephedge",
    description = "Runs of deep hedging experiments, and jobs that make them."
))]
struct Described;

/// The routes of the API, described.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(api::list))
        .routes(routes!(api::metrics, api::label, api::delete))
        .routes(routes!(api::example_path))
        .routes(routes!(api::table))
        .routes(routes!(events::events))
        .routes(routes!(live::live))
        .routes(routes!(jobs::list, jobs::create))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::pause))
        .routes(routes!(jobs::resume))
        .routes(routes!(jobs::cancel))
        .routes(routes!(form::show, form::read))
        .routes(routes!(document))
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "description", responses((status = 200, body = Object)))]
async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(routes().into_openapi())
}
