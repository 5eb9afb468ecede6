//! The login page, and the way in and out.

use super::App;
use super::access::{Peer, see_other, too_many};
use super::pages;
use super::place::Place;
use super::problem::Problem;
use super::tries::Outcome;
use crate::report::html::escape;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Form};
use serde::Deserialize;

/// Where to go after.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    to: String,
}

#[derive(Deserialize)]
pub struct Given {
    token: String,
    #[serde(default)]
    to: String,
}

/// The page that asks for the token.
pub async fn page(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Html<String> {
    Html(if !app.access.asks() {
        let body = "<h1>Log in</h1>\n<p class=\"message\">No token is asked for here. \
                    <a href=\"./\">All runs</a></p>\n";
        pages::frame(&app.place("/login"), "Log in", body)
    } else if app.access.has_session(&headers) {
        let body = "<h1>Log in</h1>\n<p class=\"message\">You are logged in. \
                    <a href=\"./\">All runs</a></p>\n";
        pages::frame(&app.place("/login"), "Log in", body)
    } else {
        form("", &asked.to)
    })
}

fn form(message: &str, to: &str) -> String {
    let message = match message {
        "" => String::new(),
        message => format!(
            "<p class=\"message\" role=\"alert\">{}</p>\n",
            escape(message)
        ),
    };
    let to = match to {
        "" => String::new(),
        to => format!(
            "<input type=\"hidden\" name=\"to\" value=\"{}\">",
            escape(to)
        ),
    };
    let body = format!(
        "<h1>Log in</h1>\n{message}<form method=\"post\" action=\"login\" class=\"row\"><label>Token \
         <input type=\"password\" name=\"token\" autocomplete=\"current-password\" required autofocus></label> \
         <input name=\"user\" value=\"deephedge\" autocomplete=\"username\" hidden>\
         <button>Log in</button>{to}</form>\n"
    );
    pages::frame(&Place::of("/login", false), "Log in", &body)
}

/// Begins a session for who knows the token, and goes on to what was asked for before.
pub async fn log_in(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(given): Form<Given>,
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
