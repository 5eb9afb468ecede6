//! What every request must satisfy and every answer carries.

use super::{Failure, Problem};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Scripts and styles come from files of this server alone. Attributes of style are allowed, because plotly sets them
/// on heat maps and their scales; they can neither load nor run anything, and no page writes any. Images may be data
/// and blobs, of which plotly makes heat maps and exported pictures.
const POLICY: &str = "default-src 'self'; style-src-attr 'unsafe-inline'; \
                      img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// For files that carry their own style and need nothing else.
pub const FILE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                               form-action 'none'; frame-ancestors 'none'";

/// Refuses requests that were addressed to another host, and adds the headers that keep a
/// browser from doing more with an answer than show it.
///
/// The host is checked because a page on the internet can make its own name point to
/// 127.0.0.1 and then read the answers as if they were its own.
pub async fn guard(request: Request, next: Next) -> Response {
    let mut response = if is_local(request.headers()) {
        next.run(request).await
    } else {
        Failure::json(Problem {
            status: StatusCode::FORBIDDEN,
            code: "host_refused",
            message: "the Host header must name localhost, 127.0.0.1 or [::1]".to_owned(),
        })
        .into_response()
    };
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    add(header::CONTENT_SECURITY_POLICY, POLICY);
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::REFERRER_POLICY, "no-referrer");
    add(header::CACHE_CONTROL, "no-store");
    add(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    response
}

fn is_local(headers: &HeaderMap) -> bool {
    let Some(host) = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
    else {
        return false;
    };
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some(("::1", port)) => ("[::1]", port),
            _ => return false,
        },
        None => match host.find(':') {
            Some(colon) => host.split_at(colon),
            None => (host, ""),
        },
    };
    let known = name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]");
    let port_is_number = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.parse::<u16>().is_ok());
    known && port_is_number
}
