//! How people reach the server through a proxy.

use crate::error::{Error, Result, excerpt};
use axum::http::Uri;
use axum::http::uri::Scheme;

/// What the paths of the server begin with.
const FIRST_PARTS: [&str; 8] = [
    "api", "assets", "compare", "jobs", "login", "logout", "runs", "sweep",
];

/// The address of the server's first page, as browsers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// As browsers send it in `Origin`: the scheme and the host, and the port unless it is the scheme's.
    origin: String,
    /// What stands before every path: nothing, or a path without a slash at its end.
    base: String,
    secure: bool,
}

impl Public {
    const OPTION: &'static str = "--public-url";

    /// Reads an address as `--public-url` has it.
    ///
    /// # Errors
    /// [`Error::Input`] unless `url` is `http://` or `https://`, a host, perhaps a port, and a path without a query,
    /// which is none of the server's own.
    pub fn new(url: &str) -> Result<Self> {
        let refused = |what: &str| {
            let shown = excerpt(url);
            Err(Error::input(format!(
                "{}: {what}, was {shown}",
                Self::OPTION
            )))
        };
        let parsed = url.parse::<Uri>().ok();
        let parts = parsed.as_ref().and_then(|url| {
            let secure = match url.scheme() {
                Some(scheme) if *scheme == Scheme::HTTPS => true,
                Some(scheme) if *scheme == Scheme::HTTP => false,
                _ => return None,
            };
            Some((secure, url.authority()?, url.path()))
        });
        let Some((secure, authority, path)) = parts else {
            return refused("must be an address such as https://example.com/deephedge");
        };
        if url.contains(['?', '#', '@']) || path.contains("//") || path.contains("/.") {
            return refused("must be a scheme, a host and a path alone");
        }
        let base = path.trim_end_matches('/');
        let first = base.split('/').nth(1).unwrap_or_default();
        if FIRST_PARTS.contains(&first) {
            return refused("the path must not begin like one of the server's own pages");
        }
        let (scheme, standard) = if secure { ("https", 443) } else { ("http", 80) };
        let host = authority.host().to_ascii_lowercase();
        let port = match authority.port_u16() {
            Some(port) if port != standard => format!(":{port}"),
            _ => String::new(),
        };
        Ok(Self {
            origin: format!("{scheme}://{host}{port}"),
            base: base.to_owned(),
            secure,
        })
    }

    /// Whether browsers speak TLS to the proxy.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether a page of this server has that origin.
    pub fn is_origin(&self, origin: &str) -> bool {
        origin.eq_ignore_ascii_case(&self.origin)
    }

    /// The path below the server's first page, of a proxy that leaves the base in front of it; nothing of a proxy that
    /// takes it away.
    pub fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.base.is_empty() {
            return None;
        }
        let rest = path.strip_prefix(&*self.base)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }

    /// The path of the server's first page.
    pub fn first_page(&self) -> String {
        format!("{}/", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::Public;

    #[test]
    fn an_address_is_an_origin_and_a_base() {
        let of = |url| Public::new(url).unwrap();
        let public = of("https://Quant.Example/deephedge/");
        assert!(public.is_secure());
        assert!(public.is_origin("https://quant.example"));
        for other in [
            "http://quant.example",
            "https://quant.example:444",
            "https://quant.example.evil",
            "null",
            "",
        ] {
            assert!(!public.is_origin(other), "{other}");
        }
        assert_eq!(public.first_page(), "/deephedge/");
        assert_eq!(public.below("/deephedge/runs/a"), Some("/runs/a"));
        assert_eq!(public.below("/deephedge"), Some(""));
        assert_eq!(public.below("/deephedger"), None);
        assert_eq!(public.below("/runs/a"), None);
        // The scheme's own port is not said in `Origin` (RFC 6454, 6.2).
        assert!(of("https://quant.example:443").is_origin("https://quant.example"));
        assert!(of("http://10.0.0.5:8080/").is_origin("http://10.0.0.5:8080"));
        assert_eq!(of("http://[::1]:8080").below("/runs/a"), None);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "quant.example",
            "/deephedge",
            "ftp://quant.example",
            "https://quant.example/a?b",
            "https://quant.example/#a",
            "https://me@quant.example",
            "https://quant.example/../a",
            "https://quant.example/runs",
            "https://quant.example/api/deephedge",
        ] {
            let error = Public::new(url).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{url}");
            assert!(error.to_string().starts_with("--public-url: "), "{error}");
        }
    }
}
