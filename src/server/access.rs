//! Who may ask: everybody on this machine, or who knows the token.

use super::place::{Place, encoded, is_api};
use super::problem::Problem;
use super::public::Public;
use super::sessions::Sessions;
use super::tries::{Outcome, Tries};
use crate::error::{Error, Result};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

const COOKIE: &str = "deephedge_session";

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// From where a connection was made.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Whether a token is asked for, and which; who has sent it, and who has sent another one.
pub struct Access {
    token: Option<String>,
    public: Option<Public>,
    clock: Clock,
    sessions: Mutex<Sessions>,
    tries: Mutex<Tries>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            token: None,
            public: None,
            clock: Arc::new(Instant::now),
            sessions: Mutex::default(),
            tries: Mutex::default(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Access {
    const SHORTEST: usize = 16;

    /// Who does not know `token` is refused; `source` is where it comes from.
    ///
    /// # Errors
    /// [`Error::Input`] if it is shorter than 16 characters, or cannot be sent in a header.
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
            ..Self::default()
        })
    }

    /// People come through a proxy, by this address.
    ///
    /// # Errors
    /// [`Error::Input`] if no token is asked for: a proxy sends requests of other machines from this one.
    pub fn through(self, public: Public) -> Result<Self> {
        if !self.asks() {
            return Err(Error::input(
                "--public-url: needs a token, with --token-file or DEEPHEDGE_TOKEN",
            ));
        }
        Ok(Self {
            public: Some(public),
            ..self
        })
    }

    /// The same with another clock.
    #[cfg(test)]
    pub fn at(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Whether a token is asked for.
    pub fn asks(&self) -> bool {
        self.token.is_some()
    }

    /// The address by which people come through a proxy, if they do.
    pub fn public(&self) -> Option<&Public> {
        self.public.as_ref()
    }

    /// Looks at a token that came with a request, unless too many wrong ones came before it.
    pub fn look(&self, headers: &HeaderMap, peer: Option<Peer>, given: &str) -> Outcome {
        let is_right = || {
            let token = self.token.as_ref();
            token.is_some_and(|token| token.as_bytes().ct_eq(given.as_bytes()).into())
        };
        let address = self.address(headers, peer);
        locked(&self.tries).look(address, (self.clock)(), is_right)
    }

    /// From where a request was sent: what the proxy says, if there is one.
    ///
    /// A proxy adds to the list the address that it was called from, so only the last one is not the sender's own word.
    fn address(&self, headers: &HeaderMap, peer: Option<Peer>) -> IpAddr {
        let mut lists = headers.get_all("x-forwarded-for").into_iter();
        let said = lists
            .next_back()
            .and_then(|list| list.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |Peer(peer)| peer.ip());
        match &self.public {
            Some(_) => said.unwrap_or(peer),
            None => peer,
        }
    }

    /// The answer to a request that does not say who sends it.
    pub fn refuse(&self, request: &Request, place: &Place) -> Option<Response> {
        let (path, headers) = (request.uri().path(), request.headers());
        let open = path == "/login" || path.starts_with("/assets/");
        if !self.asks() || open || self.has_session(headers) {
            return None;
        }
        let mut wrong = false;
        if let Some(given) = bearer(headers) {
            let peer = request.extensions().get::<Peer>().copied();
            match self.look(headers, peer, given) {
                Outcome::Right => return None,
                Outcome::Wrong => wrong = true,
                Outcome::TooMany(wait) => return Some(too_many(wait)),
            }
        }
        if !is_api(path) {
            return Some(to_login(request, place));
        }
        let message = match (wrong, session(headers)) {
            (true, _) => "this is not the token",
            (false, Some(_)) => {
                "the session has ended: log in again, or send the token as `Authorization: Bearer …`"
            }
            (false, None) => "the token must be sent as `Authorization: Bearer …`",
        };
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message);
        Some(([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response())
    }

    /// Whether the cookie of a request is that of a session that goes on.
    pub fn has_session(&self, headers: &HeaderMap) -> bool {
        let mut sessions = locked(&self.sessions);
        session(headers).is_some_and(|id| sessions.goes_on(id, (self.clock)()))
    }

    /// Begins a session: the header that tells it to the browser.
    pub fn begin(&self, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
        let begun = locked(&self.sessions).begin((self.clock)());
        let id = begun.map_err(|_| Problem::internal())?;
        Ok(self.cookie(headers, &id, ""))
    }

    /// Ends the session of a request: the header that makes the browser forget it.
    pub fn end(&self, headers: &HeaderMap) -> HeaderValue {
        if let Some(id) = session(headers) {
            locked(&self.sessions).end(id);
        }
        self.cookie(headers, "", "; Max-Age=0")
    }

    /// A cookie that scripts cannot read and other sites cannot send with what they do. They can with a link to a page:
    /// people who follow one need not log in again.
    ///
    /// Without a path it is kept for all that lies beside the login page, as the browser sees it.
    fn cookie(&self, headers: &HeaderMap, id: &str, more: &str) -> HeaderValue {
        let forwarded = headers.get("x-forwarded-proto");
        let is_secure = self.public.as_ref().is_some_and(Public::is_secure)
            || forwarded
                .and_then(|schemes| schemes.to_str().ok()?.split(',').next())
                .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"));
        let secure = if is_secure { "; Secure" } else { "" };
        let cookie = format!("{COOKIE}={id}; HttpOnly; SameSite=Lax{secure}{more}");
        // Digits and the words above are a value of a header.
        HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
    }

    /// Whether a request that changes something comes from a page of this server, or from no page.
    ///
    /// Browsers say so in `Sec-Fetch-Site`, which no page can write, over TLS and on this machine; elsewhere `Origin` must
    /// be the host that was asked, or the one that a proxy is known by. What says neither is no browser.
    pub fn is_own(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str());
        if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
            return matches!(site, Ok("same-origin" | "none"));
        }
        let Some(origin) = text(header::ORIGIN) else {
            return true;
        };
        let (origin, host) = match (origin, text(header::HOST)) {
            (Ok(origin), Some(Ok(host))) => (origin, host),
            _ => return false,
        };
        let is_public = self.public.as_ref().is_some_and(|of| of.is_origin(origin));
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        is_public || authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    }
}

/// The answer to a token that is not looked at.
pub fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
    let message = format!("too many wrong tokens: another one may be sent in {seconds} seconds");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", message);
    ([(header::RETRY_AFTER, seconds.to_string())], problem).into_response()
}

/// The way to the login page, which then leads back to what was asked for.
fn to_login(request: &Request, place: &Place) -> Response {
    let asked = request.uri().path_and_query();
    let asked = asked.map_or("", |asked| asked.as_str().trim_start_matches('/'));
    let login = if asked.is_empty() || request.method() != Method::GET {
        "login".to_owned()
    } else {
        format!("login?to={}", encoded(asked))
    };
    see_other(&place.to(&login))
}

/// Another page, by its relative address; the first one if it cannot be said in a header.
pub fn see_other(address: &str) -> Response {
    let address = Some(address)
        .filter(|address| address.is_ascii())
        .and_then(|address| HeaderValue::from_str(address).ok())
        .unwrap_or(HeaderValue::from_static("./"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
}

/// The token of a program. What else the header may have is a proxy's, and no try.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn session(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::COOKIE).into_iter();
    let mut cookies = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    cookies.find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
