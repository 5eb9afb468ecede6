//! Where a page stands.
//!
//! Links of pages are relative, and so are redirections, so that they hold behind a proxy that keeps the server below a
//! path of its own, which the server need not know. Scripts find the server's first page from their own address.

/// Where a page stands below the server's first page, and whether there is a way out of it.
#[derive(Debug, Clone)]
pub struct Place {
    up: String,
    /// Whether readers have logged in, and may log out.
    pub leave: bool,
}

impl Place {
    /// The place of the page at `path`, which begins with a slash.
    pub fn of(path: &str, leave: bool) -> Self {
        let depth = path.bytes().filter(|&byte| byte == b'/').count();
        let up = match depth.saturating_sub(1) {
            0 => "./".to_owned(),
            depth => "../".repeat(depth),
        };
        Self { up, leave }
    }

    /// The address of `path`, which does not begin with a slash; of the first page if it is empty.
    pub fn to(&self, path: &str) -> String {
        format!("{}{path}", self.up)
    }
}

/// Percent-encoded, as a value of a query (RFC 3986, 2.3).
pub fn encoded(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    value.bytes().map(encode).collect()
}

/// Whether programs ask for this rather than people.
pub fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

#[cfg(test)]
mod tests {
    use super::Place;

    /// RFC 3986, 5.2: what a browser makes of the link on the page that is there.
    #[test]
    fn links_lead_to_the_first_page() {
        for (path, address) in [
            ("/", "./jobs"),
            ("/compare", "./jobs"),
            ("/runs/a", "../jobs"),
            ("/runs/", "../jobs"),
            ("/runs/a/live", "../../jobs"),
            ("/runs/a%2fb", "../jobs"),
        ] {
            assert_eq!(Place::of(path, false).to("jobs"), address, "{path}");
        }
        assert_eq!(Place::of("/", false).to(""), "./");
    }
}
