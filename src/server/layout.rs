//! What every page of the server has around its contents.

use super::assets;
use super::place::Place;
use crate::report::html;
use axum::http::StatusCode;
use maud::{Markup, html};

/// A page without scripts of its own.
pub fn frame(place: &Place, title: &str, body: &Markup) -> String {
    framed(place, title, &html! {}, body)
}

/// A page with charts; their script is fetched beside the page and run after it is read.
pub fn with_charts(place: &Place, title: &str, body: &Markup) -> String {
    let scripts = html! {
        (script(place, "plotly.js"))
        (module(place, "run.js"))
    };
    framed(place, title, &scripts, body)
}

/// The element that loads a script which is run before the modules.
pub fn script(place: &Place, name: &str) -> Markup {
    html! { script defer src=(place.to(&assets::address(name))) {} }
}

/// The element that loads a module.
pub fn module(place: &Place, name: &str) -> Markup {
    html! { script type="module" src=(place.to(&assets::address(name))) {} }
}

/// A page with `scripts` of its own.
pub fn framed(place: &Place, title: &str, scripts: &Markup, body: &Markup) -> String {
    let asset = |name| place.to(&assets::address(name));
    let head = html! {
        link rel="icon" href=(asset("icon.svg"));
        link rel="stylesheet" id="plotly.js-style-global" class="no-inline-styles" href=(asset("app.css"));
        (module(place, "app.js"))
        (scripts)
    };
    let home = place.to("");
    let navigation = html! {
        nav aria-label="Main" {
            a class="brand" href=(home) { "deephedge" }
            a href=(home) { "Runs" }
            a href=(place.to("jobs")) { "Jobs" }
            a href=(place.to("data")) { "Data" }
            a href=(place.to("compare")) { "Compare" }
            @if place.leave {
                form method="post" action=(place.to("logout")) { button { "Log out" } }
            }
        }
    };
    html::page(title, &head, &navigation, body)
}

/// The page that says what went wrong.
pub fn problem(place: &Place, status: StatusCode, message: &str) -> String {
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Refused",
        StatusCode::TOO_MANY_REQUESTS => "Too many tries",
        StatusCode::REQUEST_TIMEOUT => "Too slow",
        _ => "Something went wrong",
    };
    let mut letters = message.trim_end_matches('.').chars();
    let first = letters.next().map(char::to_uppercase);
    let message: String = first.into_iter().flatten().chain(letters).collect();
    let body = html! {
        h1 { (title) }
        p class="message" { (message) "." }
        p { a href=(place.to("")) { "All runs" } }
    };
    frame(place, title, &body)
}
