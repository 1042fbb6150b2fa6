//! The pages at `/api/v1/docs`: the calls and the error codes, from files in the binary and from no other host.

use axum::{
    Router,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, HeaderValue, header};

const INDEX: &str = include_str!("docs/index.html");
const ERRORS: &str = include_str!("docs/errors.html");
const STYLE: &str = include_str!("docs/style.css");
const SCRIPT: &str = include_str!("docs/script.js");

/// The paragraphs for the codes, one `## code` heading each.
pub(crate) const CODES: &str = include_str!("../../../docs/errors.md");

/// The pages may load their own script and style and read the description; nothing else, from nowhere else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// The routes of the pages.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let errors = errors_page();
    Router::new()
        .route("/api/v1/docs", get(async || page(INDEX)))
        .route("/api/v1/docs/errors", get(async move || page(errors.clone())))
        .route("/api/v1/docs/style.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/api/v1/docs/script.js", get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
}

fn page(html: impl Into<axum::body::Body>) -> Response {
    ([(header::CONTENT_SECURITY_POLICY, POLICY), caching()], Html(html.into())).into_response()
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type)), caching()], text).into_response()
}

/// The pages change with the binary, so browsers ask every time.
fn caching() -> (HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}

/// `docs/errors.md` as a page. Of Markdown it knows what that file uses: headings, paragraphs and code.
fn errors_page() -> String {
    let (mut side, mut main) = (String::from("<h2>Codes</h2>"), String::new());
    let mut in_section = false;
    for block in CODES.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        if let Some(title) = block.strip_prefix("# ") {
            main.push_str(&format!("<h1>{}</h1>", inline(title)));
        } else if let Some(code) = block.strip_prefix("## ") {
            let code = inline(code);
            main.push_str(if in_section { "</section>" } else { "" });
            main.push_str(&format!("<section id=\"{code}\"><h2><a href=\"#{code}\">{code}</a></h2>"));
            side.push_str(&format!("<a href=\"#{code}\">{code}</a>"));
            in_section = true;
        } else {
            main.push_str(&format!("<p>{}</p>", inline(block)));
        }
    }
    main.push_str(if in_section { "</section>" } else { "" });
    ERRORS.replace("{{side}}", &side).replace("{{main}}", &main)
}

/// Text of a paragraph: escaped, with `code` between backticks.
fn inline(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let pieces = escaped.split('`').enumerate();
    pieces
        .map(|(index, piece)| if index % 2 == 1 { format!("<code>{piece}</code>") } else { piece.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_page_has_a_target_for_each_code() {
        let page = errors_page();
        for code in crate::error::CODES {
            assert!(page.contains(&format!("<section id=\"{code}\">")), "{code}");
        }
        assert!(!page.contains("{{"));
        assert_eq!(page.matches("<section").count(), page.matches("</section>").count());
    }

    /// The codes stand in the sources as the results of `code()`; a new one without a paragraph is found here.
    #[test]
    fn every_code_of_the_domains_has_a_paragraph() {
        for domain in ["accounts", "bus", "drive", "files", "journal"] {
            // Cargo runs tests in the folder of their package.
            let path = format!("../{domain}/src/error.rs");
            let source = std::fs::read_to_string(&path).expect("the domain's errors");
            let (_, codes) = source.split_once("fn code(").expect("a function for the code");
            let words: Vec<_> = codes.split('"').skip(1).step_by(2).filter(|word| !word.contains(' ')).collect();
            assert!(words.len() > 2, "{domain}: {words:?}");
            for code in words {
                assert!(
                    CODES.contains(&format!("\n## {code}\n")),
                    "{domain}: {code} has no paragraph in docs/errors.md"
                );
            }
        }
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(inline("a <b> & `c<d>`"), "a &lt;b&gt; &amp; <code>c&lt;d&gt;</code>");
    }

    #[test]
    fn the_pages_load_nothing_from_elsewhere() {
        for text in [INDEX, ERRORS, STYLE, SCRIPT] {
            assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("src=\"//"));
        }
        assert!(!INDEX.contains("<style") && !INDEX.contains(" style=") && !INDEX.contains("onclick"));
    }
}
