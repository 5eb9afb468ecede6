use super::access::{Access, Clock};
use super::api_tests::{Sent, json};
use super::app::App;
use super::public::Public;
use super::tests::{Answer, with};
use crate::report::html::tests::assert_well_formed;
use crate::runs::fixture::Scratch;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const TOKEN: &str = "0123456789abcdef";

fn asking() -> Access {
    Access::with_token(TOKEN, "here").unwrap()
}

fn log_in(app: &App, form: &str) -> Answer {
    Sent::new("POST", "/login").with_form(form).to(app.clone())
}

/// The cookie of an answer as a browser sends it back, and what was said of it.
fn cookie(answer: &Answer) -> (String, String) {
    let (cookie, rest) = answer.header("set-cookie").split_once("; ").unwrap();
    (cookie.to_owned(), rest.to_owned())
}

/// With a token, pages lead to the login and the API refuses, unless the token is sent as a bearer, or the cookie of a
/// session, which is not the token.
#[test]
fn a_token_is_asked_for() {
    let root = Scratch::new("server-token");
    let app = with(root.path(), asking());
    let get = |path: &str, name: &'static str, value: &str| {
        Sent::new("GET", path).header(name, value).to(app.clone())
    };
    let refused = get("/api/v1/runs", "x-none", "");
    assert_eq!(
        (refused.status, refused.error_code().as_str()),
        (401, "unauthorized")
    );
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    for (path, login) in [
        ("/", "./login"),
        ("/runs/a?b=c", "../login?to=runs%2Fa%3Fb%3Dc"),
        ("/runs/a/live", "../../login?to=runs%2Fa%2Flive"),
    ] {
        let answer = get(path, "x-none", "");
        assert_eq!((answer.status, answer.header("location")), (303, login));
    }
    assert_eq!(get("/login", "x-none", "").status, 200);
    for wrong in [
        "Bearer 0123456789abcdee",
        "Bearer 0123456789abcdef0",
        "Bearer ",
        "Basic 0123456789abcdef",
    ] {
        assert_eq!(
            get("/api/v1/runs", "authorization", wrong).status,
            401,
            "{wrong}"
        );
    }
    let right = format!("bearer {TOKEN}");
    assert_eq!(get("/api/v1/runs", "authorization", &right).status, 200);
    assert_eq!(
        get("/", "cookie", &format!("deephedge_session={TOKEN}")).status,
        303
    );

    let wrong = log_in(&app, "token=wrong&to=runs%2Fa");
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, ""));
    assert!(wrong.body.contains("This is not the token."));
    assert!(wrong.body.contains("name=\"to\" value=\"runs/a\""));
    assert_well_formed(&wrong.body);
    let answer = log_in(&app, &format!("token={TOKEN}"));
    assert_eq!((answer.status, answer.header("location")), (303, "./"));
    let (first, said) = cookie(&answer);
    assert_eq!(said, "HttpOnly; SameSite=Lax");
    assert!(!first.contains(TOKEN), "{first}");
    let answer = log_in(&app, &format!("token={TOKEN}&to=runs%2Fa%3Fb%3Dc"));
    assert_eq!(answer.header("location"), "./runs/a?b=c");
    let (second, _) = cookie(&answer);
    assert_ne!(first, second);

    let page = get("/", "cookie", &format!("a=b; {first}"));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("action=\"./logout\""));
    assert!(
        get("/login", "cookie", &first)
            .body
            .contains("You are logged in.")
    );
    let out = Sent::new("POST", "/logout").header("cookie", first.as_str());
    let out = out.to(app.clone());
    assert_eq!((out.status, out.header("location")), (303, "./login"));
    assert_eq!(cookie(&out).0, "deephedge_session=");
    assert!(cookie(&out).1.ends_with("Max-Age=0"));
    assert_eq!(get("/", "cookie", &first).status, 303);
    assert_eq!(get("/", "cookie", &second).status, 200);

    for weak in ["short", "0123456789 abcdef0", "0123456789;abcdef"] {
        let error = Access::with_token(weak, "here").err().unwrap();
        assert_eq!(error.exit_code(), 2, "{weak}");
    }
}

/// Whatever the login is told to lead to after it is below its own folder: a path in RFC 3986, 4.2, that begins with a
/// dot and a slash.
#[test]
fn the_login_leads_nowhere_else() {
    let root = Scratch::new("server-leads");
    let app = with(root.path(), asking());
    for to in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%5C%5Cevil.example",
        "javascript%3Aalert(1)",
        "%0D%0Aset-cookie%3A%20a%3Db",
        "%C3%A9",
    ] {
        let answer = log_in(&app, &format!("token={TOKEN}&to={to}"));
        assert_eq!(answer.status, 303, "{to}");
        let location = answer.header("location");
        assert!(
            location.starts_with("./") && !location.starts_with(".//"),
            "{location}"
        );
    }
}

/// The cookie is sent over TLS alone where browsers speak it: as the proxy says, or the address of the dashboard.
#[test]
fn the_cookie_is_secure_behind_tls() {
    let root = Scratch::new("server-secure");
    let form = format!("token={TOKEN}");
    let app = with(root.path(), asking());
    for (scheme, secure) in [("https", true), ("HTTPS, http", true), ("http", false)] {
        let sent = Sent::new("POST", "/login").with_form(&form);
        let answer = sent.header("x-forwarded-proto", scheme).to(app.clone());
        assert_eq!(cookie(&answer).1.contains("; Secure"), secure, "{scheme}");
    }
    for (url, secure) in [("https://a.example/d", true), ("http://a.example/d", false)] {
        let public = Public::new(url).unwrap();
        let app = with(root.path(), asking().through(public).unwrap());
        let (_, said) = cookie(&log_in(&app, &form));
        assert_eq!(said.contains("; Secure"), secure, "{url}");
        assert!(!said.contains("Path"), "{said}");
    }
    let public = Public::new("https://a.example").unwrap();
    let error = Access::default().through(public).err().unwrap();
    assert!(error.to_string().contains("needs a token"), "{error}");
}

/// Browsers say where a request comes from (Fetch Metadata); where they do not, the origin is the host or the public
/// address. A page is refused with a page.
#[test]
fn requests_of_other_origins_are_refused() {
    let root = Scratch::new("server-origins");
    let public = Public::new("https://quant.example/deephedge").unwrap();
    let app = with(root.path(), asking().through(public).unwrap());
    let send = |headers: &[(&'static str, &str)]| {
        let form = format!("token={TOKEN}");
        let mut sent = Sent::new("POST", "/login").with_form(&form);
        for (name, value) in headers {
            sent = sent.header(name, *value);
        }
        sent.to(app.clone())
    };
    for headers in [
        &[][..],
        // Chromium sends this from a page that says `no-referrer`.
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        &[("sec-fetch-site", "none")],
        // A proxy that passes another host on.
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://other.example"),
        ],
        &[("origin", "http://localhost:8080")],
        &[("origin", "https://quant.example")],
    ] {
        assert_eq!(send(headers).status, 303, "{headers:?}");
    }
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "http://localhost:8080"),
        ],
        &[("sec-fetch-site", "\u{e9}")],
        &[("origin", "null")],
        &[("origin", "http://quant.example")],
        &[("origin", "https://evil.example")],
        &[("origin", "https://quant.example.evil.example")],
    ] {
        let answer = send(headers);
        assert_eq!(answer.status, 403, "{headers:?}");
        assert!(answer.header("content-type").starts_with("text/html"));
        assert!(answer.body.contains("<h1>Refused</h1>"), "{}", answer.body);
        assert!(answer.body.contains("another origin"), "{}", answer.body);
        assert_well_formed(&answer.body);
    }
}

/// After five wrong tokens of an address no other one is looked at, in the login or the API, until the time has come that
/// is said; who has logged in goes on. Behind a proxy the address is the last one that it names.
#[test]
fn wrong_tokens_are_answered_slowly() {
    let root = Scratch::new("server-tries");
    let now = Arc::new(Mutex::new(Instant::now()));
    let clock: Clock = {
        let now = now.clone();
        Arc::new(move || *now.lock().unwrap())
    };
    let public = Public::new("https://quant.example").unwrap();
    let app = with(root.path(), asking().at(clock).through(public).unwrap());
    let from = |address: &str, token: &str| {
        let sent = Sent::new("POST", "/login").with_form(&format!("token={token}"));
        let addresses = format!("203.0.113.9, {address}");
        sent.header("x-forwarded-for", addresses).to(app.clone())
    };
    let (session, _) = cookie(&from("198.51.100.1", TOKEN));
    for _ in 0..5 {
        assert_eq!(from("198.51.100.1", "wrong").status, 401);
    }
    let refused = from("198.51.100.1", TOKEN);
    assert_eq!((refused.status, refused.header("retry-after")), (429, "12"));
    assert!(refused.body.contains("<h1>Too many tries</h1>"));
    assert!(refused.body.contains("in 12 seconds"), "{}", refused.body);
    let api = || {
        let sent = Sent::new("GET", "/api/v1/runs").header("x-forwarded-for", "198.51.100.1");
        sent.header("authorization", format!("Bearer {TOKEN}"))
            .to(app.clone())
    };
    let refused = api();
    assert_eq!((refused.status, refused.header("retry-after")), (429, "12"));
    assert_eq!(json(&refused)["error"]["code"], "too_many_tries");
    assert_eq!(from("198.51.100.2", TOKEN).status, 303);
    let page = Sent::new("GET", "/").header("cookie", session.as_str());
    assert_eq!(page.to(app.clone()).status, 200);
    *now.lock().unwrap() += Duration::from_secs(12);
    assert_eq!(api().status, 200);
    // Sessions end.
    *now.lock().unwrap() += Duration::from_secs(12 * 3600);
    let api = Sent::new("GET", "/api/v1/runs").header("cookie", session.as_str());
    let ended = api.to(app.clone());
    assert_eq!(ended.status, 401);
    assert!(
        ended.body.contains("the session has ended"),
        "{}",
        ended.body
    );
}

/// A proxy may leave the path of the public address in front of the server's own, or take it away.
#[test]
fn the_base_of_the_public_address_is_taken_away() {
    let root = Scratch::new("server-base");
    let public = Public::new("https://quant.example/deephedge/").unwrap();
    let app = with(root.path(), asking().through(public).unwrap());
    let get = |path: &str| {
        let sent = Sent::new("GET", path).header("authorization", format!("Bearer {TOKEN}"));
        sent.to(app.clone())
    };
    for base in ["", "/deephedge"] {
        assert_eq!(get(&format!("{base}/api/v1/runs?per_page=7")).status, 200);
        let api = json(&get(&format!("{base}/api/v1/runs?per_page=7")));
        assert_eq!(api["per_page"], 7);
        let page = get(&format!("{base}/"));
        assert!(page.body.contains("href=\"./jobs\""), "{}", page.body);
        let absent = get(&format!("{base}/runs/absent"));
        assert_eq!(absent.status, 404);
        assert!(absent.body.contains("href=\"../jobs\""), "{}", absent.body);
    }
    let bare = get("/deephedge");
    assert_eq!((bare.status, bare.header("location")), (303, "/deephedge/"));
    assert_eq!(get("/deephedger/").status, 404);
}
