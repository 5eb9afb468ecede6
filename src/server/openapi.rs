//! The description of the API, made from the handlers.

use super::app::App;
use super::data::{api as data, calibrate, examine};
use super::{api, charts, compare, contracts, events, form, hedge, jobs, live, sweep};
use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use std::sync::LazyLock;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Ref, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
        .routes(routes!(api::labels))
        .routes(routes!(api::example_path))
        .routes(routes!(api::table))
        .routes(routes!(events::events))
        .routes(routes!(live::live))
        .routes(routes!(charts::chart))
        .routes(routes!(charts::path))
        .routes(routes!(charts::hedge_map))
        .routes(routes!(contracts::contract))
        .routes(routes!(hedge::hedge))
        .routes(routes!(compare::chart_of_runs))
        .routes(routes!(sweep::chart))
        .routes(routes!(jobs::list, jobs::create))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::pause))
        .routes(routes!(jobs::resume))
        .routes(routes!(jobs::cancel))
        .routes(routes!(form::show, form::read))
        .routes(routes!(data::list, data::upload))
        .routes(routes!(data::delete))
        .routes(routes!(examine::check))
        .routes(routes!(calibrate::calibrate))
        .routes(routes!(document))
}

/// What every operation shares: refusals in one form, and the token.
pub fn described() -> utoipa::openapi::OpenApi {
    let mut api = routes().into_openapi();
    let refusal = Response::builder()
        .description("Any other refusal: of the request's form, its size, its origin, or its token")
        .content(
            "application/json",
            Content::new(Some(Ref::from_schema_name("Refusal"))),
        )
        .build();
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        let responses = &mut operation.responses.responses;
        responses.insert("default".into(), refusal.clone().into());
    }
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("Where the server asks for a token."));
    let components = api.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token.build()));
    api.security = Some(vec![
        SecurityRequirement::default(),
        SecurityRequirement::new::<_, [String; 0], String>("token", []),
    ]);
    api
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    // A description is plain data, and has a JSON form.
    serde_json::to_vec(&described()).unwrap_or_default().into()
});

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "description", responses((status = 200, body = Object)))]
async fn document() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        DOCUMENT.clone(),
    )
}
