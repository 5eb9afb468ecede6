//! Who may ask: everybody on this machine, or who knows the token.

use super::{App, Failure, Problem, pages};
use crate::error::{Error, Result};
use axum::Form;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use subtle::ConstantTimeEq;

const COOKIE: &str = "deephedge_token";

/// Whether a token is asked for, and which.
#[derive(Default)]
pub struct Access {
    token: Option<String>,
}

impl Access {
    const SHORTEST: usize = 16;

    /// Who does not know `token` is refused; `source` is where it comes from.
    ///
    /// # Errors
    /// [`Error::Input`] if it is shorter than 16 characters, or cannot be sent in a header or a cookie.
    pub fn with_token(token: &str, source: &str) -> Result<Self> {
        let token = token.trim();
        if token.len() < Self::SHORTEST {
            return Err(Error::input(format!(
                "{source}: a token has at least {} characters, had {}",
                Self::SHORTEST,
                token.len()
            )));
        }
        let possible = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if !token.bytes().all(possible) {
            return Err(Error::input(format!(
                "{source}: a token is made of letters, digits and - . _ ~ + / ="
            )));
        }
        Ok(Self {
            token: Some(token.to_owned()),
        })
    }

    /// Whether a token is asked for.
    pub fn asks(&self) -> bool {
        self.token.is_some()
    }

    fn is_token(&self, given: &str) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| token.as_bytes().ct_eq(given.as_bytes()).into())
    }

    /// The answer to a request that does not say the token.
    pub fn refuse(&self, request: &Request) -> Option<Response> {
        let (path, headers) = (request.uri().path(), request.headers());
        let open = path == "/login" || path.starts_with("/assets/");
        if !self.asks() || open || self.is_token(bearer(headers)) || self.is_token(cookie(headers))
        {
            return None;
        }
        if path.starts_with("/api/") {
            let problem = Problem {
                status: StatusCode::UNAUTHORIZED,
                code: "unauthorized",
                message: "the token must be sent as `Authorization: Bearer …`".to_owned(),
                field: None,
            };
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
            return Some((challenge, Failure::Json(problem)).into_response());
        }
        Some(Redirect::to("/login").into_response())
    }
}

fn bearer(headers: &HeaderMap) -> &str {
    let value = headers.get(header::AUTHORIZATION);
    let value = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    }
}

fn cookie(headers: &HeaderMap) -> &str {
    let values = headers.get_all(header::COOKIE).into_iter();
    let mut cookies = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let found = cookies.find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    found.unwrap_or("")
}

/// The page that asks for the token.
pub async fn page() -> Html<String> {
    Html(form(""))
}

fn form(message: &str) -> String {
    let body = format!(
        "<h1>Log in</h1>\n{message}<form method=\"post\" action=\"/login\"><p><label>Token \
         <input type=\"password\" name=\"token\" autocomplete=\"current-password\" required></label> \
         <button>Log in</button></p></form>\n"
    );
    pages::frame("Log in", &body)
}

#[derive(Deserialize)]
pub struct Given {
    token: String,
}

/// Keeps the token in a cookie that scripts cannot read and other sites cannot send.
pub async fn log_in(State(app): State<App>, Form(given): Form<Given>) -> Response {
    if !app.access.is_token(given.token.trim()) {
        let page = form("<p class=\"message\">This is not the token.</p>\n");
        return (StatusCode::UNAUTHORIZED, Html(page)).into_response();
    }
    let cookie = format!(
        "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict",
        given.token.trim()
    );
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}
