//! The routes of the server with their guards.

use super::access::{Access, see_other};
use super::app::App;
use super::data;
use super::problem::{MOST_BYTES, Problem, missing};
use super::{
    assets, book_page, compare, guard, job_page, list, live, login, openapi, pages, sweep,
};
use crate::error::excerpt;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::Uri;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;

/// The routes of the server with their guards.
pub fn router(app: App) -> Router {
    let (api, _) = openapi::routes().split_for_parts();
    let access = app.access.clone();
    let routes = Router::new()
        .route("/", get(list::list))
        .route("/runs/{id}", get(pages::run))
        .route("/runs/{id}/live", get(live::page))
        .route("/runs/{id}/book", get(book_page::page))
        .route("/jobs", get(job_page::page))
        .route("/data", get(data::page::page))
        .route("/runs/{id}/report.html", get(pages::report))
        .route("/runs/{id}/figures/{name}", get(pages::figure))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/compare", get(compare::page))
        .route("/sweep", get(sweep::page))
        .route("/assets/{version}/{name}", get(assets::serve))
        .merge(api)
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn_with_state(access.clone(), guard::guard))
        .with_state(app);
    if access.public().is_none() {
        return routes;
    }
    // A layer of routes comes after the choice of one, which hangs on the path.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn_with_state(access, without_base))
}

/// Takes the path of `--public-url` away that a proxy has left in front of the server's own.
async fn without_base(
    State(access): State<Arc<Access>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(public) = access.public()
        && let Some(below) = public.below(request.uri().path())
    {
        if below.is_empty() {
            // Relative links of the first page begin at its slash.
            return see_other(&public.first_page());
        }
        let query = request.uri().query();
        let address = match query {
            Some(query) => format!("{below}?{query}"),
            None => below.to_owned(),
        };
        if let Ok(uri) = address.parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    next.run(request).await
}

async fn nowhere(uri: Uri) -> Problem {
    missing(format!("nothing at `{}`", excerpt(uri.path())))
}
