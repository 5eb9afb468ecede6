//! The login page, and the way in and out.

use super::access::{Peer, see_other, too_many};
use super::app::App;
use super::layout::frame;
use super::place::Place;
use super::problem::Problem;
use super::tries::Outcome;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Form};
use maud::html;
use serde::Deserialize;

/// Where to go after.
#[derive(Deserialize)]
pub struct LoginQuery {
    #[serde(default)]
    to: String,
}

/// What the login page sends.
#[derive(Deserialize)]
pub struct LoginForm {
    token: String,
    #[serde(default)]
    to: String,
}

/// The page that asks for the token.
pub async fn page(
    State(app): State<App>,
    Query(asked): Query<LoginQuery>,
    headers: HeaderMap,
) -> Html<String> {
    let told = |message: &str| {
        let body = html! {
            h1 { "Log in" }
            p class="message" { (message) " " a href="./" { "All runs" } }
        };
        frame(&app.place("/login"), "Log in", &body)
    };
    Html(if !app.access.asks() {
        told("No token is asked for here.")
    } else if app.access.has_session(&headers) {
        told("You are logged in.")
    } else {
        form("", &asked.to)
    })
}

fn form(message: &str, to: &str) -> String {
    let body = html! {
        h1 { "Log in" }
        @if !message.is_empty() { p class="message" role="alert" { (message) } }
        form method="post" action="login" class="row" {
            label {
                "Token "
                input type="password" name="token" autocomplete="current-password" required autofocus;
            }
            " "
            input name="user" value="deephedge" autocomplete="username" hidden;
            button { "Log in" }
            @if !to.is_empty() { input type="hidden" name="to" value=(to); }
        }
    };
    frame(&Place::of("/login", false), "Log in", &body)
}

/// Begins a session for who knows the token, and goes on to what was asked for before.
pub async fn log_in(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(given): Form<LoginForm>,
) -> Result<Response, Problem> {
    let peer = peer.map(|Extension(peer)| peer);
    match app.access.look(&headers, peer, given.token.trim()) {
        Outcome::Right => {}
        Outcome::Wrong => {
            let page = form("This is not the token.", &given.to);
            return Ok((StatusCode::UNAUTHORIZED, Html(page)).into_response());
        }
        Outcome::TooMany(wait) => return Ok(too_many(wait)),
    }
    let cookie = app.access.begin(&headers)?;
    // After a dot and a slash every address is one below the login page's folder.
    let to = see_other(&format!("./{}", given.to.trim_start_matches('/')));
    Ok(([(header::SET_COOKIE, cookie)], to).into_response())
}

/// Ends the session.
pub async fn log_out(State(app): State<App>, headers: HeaderMap) -> Response {
    let cookie = app.access.end(&headers);
    ([(header::SET_COOKIE, cookie)], see_other("./login")).into_response()
}
