//! The files that pages load, under addresses that change with their contents, so that browsers may keep them.

use super::problem::{Problem, missing};
use crate::error::excerpt;
use axum::extract::Path as Segment;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::LazyLock;

/// Name, media type and contents.
const FILES: [(&str, &str, &str); 15] = [
    (
        "app.css",
        "text/css; charset=utf-8",
        include_str!("../../web/app.css"),
    ),
    ("app.js", JAVASCRIPT, include_str!("../../web/app.js")),
    ("api.js", JAVASCRIPT, include_str!("../../web/api.js")),
    ("book.js", JAVASCRIPT, include_str!("../../web/book.js")),
    ("data.js", JAVASCRIPT, include_str!("../../web/data.js")),
    (
        "examined.js",
        JAVASCRIPT,
        include_str!("../../web/examined.js"),
    ),
    ("form.js", JAVASCRIPT, include_str!("../../web/form.js")),
    ("charts.js", JAVASCRIPT, include_str!("../../web/charts.js")),
    ("jobs.js", JAVASCRIPT, include_str!("../../web/jobs.js")),
    ("labels.js", JAVASCRIPT, include_str!("../../web/labels.js")),
    ("lines.js", JAVASCRIPT, include_str!("../../web/lines.js")),
    ("live.js", JAVASCRIPT, include_str!("../../web/live.js")),
    ("notify.js", JAVASCRIPT, include_str!("../../web/notify.js")),
    ("run.js", JAVASCRIPT, include_str!("../../web/run.js")),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../../web/icon.svg"),
    ),
];

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// plotly's script, which is a hundred times as long as all other files: compressed once.
static PLOTLY: LazyLock<Compressed> = LazyLock::new(|| Compressed::new(crate::charts::script()));

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    FILES.hash(&mut hasher);
    PLOTLY.plain.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
});

struct Compressed {
    plain: String,
    gzip: Vec<u8>,
}

impl Compressed {
    fn new(plain: String) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Writing to memory cannot fail.
        let _ = encoder.write_all(plain.as_bytes());
        Self {
            gzip: encoder.finish().unwrap_or_default(),
            plain,
        }
    }
}

/// Compresses what is served compressed, so that the first page need not wait for it.
pub fn prepare() {
    LazyLock::force(&VERSION);
}

/// Where a page finds the file `name`, below the server's first page. Modules lie beside each other, so that one may import another.
pub fn address(name: &str) -> String {
    format!("assets/{}/{name}", *VERSION)
}

/// A file, whatever version it is asked for.
pub async fn serve(
    Segment((_, name)): Segment<(String, String)>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    let mut add = |name, value| headers.insert(name, HeaderValue::from_static(value));
    if name == "plotly.js" {
        add(header::CONTENT_TYPE, JAVASCRIPT);
        add(header::VARY, "accept-encoding");
        let accepted = asked.get(header::ACCEPT_ENCODING);
        let gzip = accepted.and_then(|value| value.to_str().ok());
        if gzip.is_some_and(accepts_gzip) {
            add(header::CONTENT_ENCODING, "gzip");
            return Ok((headers, PLOTLY.gzip.as_slice()).into_response());
        }
        return Ok((headers, PLOTLY.plain.as_str()).into_response());
    }
    let (_, kind, text) = FILES
        .iter()
        .find(|file| file.0 == name)
        .ok_or_else(|| missing(format!("no asset `{}`", excerpt(&name))))?;
    add(header::CONTENT_TYPE, kind);
    Ok((headers, *text).into_response())
}

/// Whether a list of codings has gzip, and not with a weight of nothing.
fn accepts_gzip(codings: &str) -> bool {
    codings.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|weight| weight.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9110, 12.5.3: names in any case, and a weight of nothing refuses.
    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for codings in ["gzip", "gzip, deflate, br", "br;q=0.5, GZIP;q=0.2"] {
            assert!(accepts_gzip(codings), "{codings}");
        }
        for codings in ["", "br", "gzip;q=0", "br, gzip; q=0.0"] {
            assert!(!accepts_gzip(codings), "{codings}");
        }
    }

    /// The script is whole: it defines what the page calls, has no markup around it, and is a third as long compressed.
    #[test]
    fn the_script_is_compressed() {
        assert!(PLOTLY.plain.contains("plotly.js v3"));
        assert!(PLOTLY.plain.contains("window.Plotly = Plotly"));
        assert!(!PLOTLY.plain.trim_start().starts_with('<'));
        assert!(PLOTLY.gzip.len() < 1_600_000, "{}", PLOTLY.gzip.len());
        let own: usize = FILES.iter().map(|file| file.2.len()).sum();
        assert!(own < 120_000, "{own}");
    }
}
