//! The web client: files built into the binary, and its pages: one for visitors of a link, one for every other address that
//! is a place within the client.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use base::ErrorKind;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use rust_embed::{Embed, EmbeddedFile};

use crate::error::Problem;

/// What `npm run build` made of `web/`. A build without it has no web client, and says so.
#[derive(Embed)]
#[folder = "../../web/dist"]
struct Files;

/// The page that the client's router takes over.
const PAGE: &str = "index.html";

/// The page for visitors of a link, `/s/{token}` and what is below it: it needs nothing of the other.
const LINK_PAGE: &str = "share.html";
const LINKS: &str = "s/";

/// Files below it have a hash of their content in their names, so that a name never means other bytes.
const HASHED: &str = "assets/";

/// Everything comes from the server itself; pictures and films that the client has at hand offline are blobs. No style and
/// no script stands in a page, and text becomes markup through the named policies alone (Trusted Types). `web/tests/e2e`
/// serves the client with the same policy.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; \
     font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types default vue dompurify",
);

/// Answers whatever no route of the API knows.
pub(crate) async fn answer(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") || !(method == Method::GET || method == Method::HEAD) {
        return nothing_here("There is nothing at this address.");
    }
    let accepts_page = || accepts(&headers, header::ACCEPT, "text/html") || accepts(&headers, header::ACCEPT, "*/*");
    match file(path, &headers) {
        Some(found) if path != PAGE && path != LINK_PAGE => found,
        // A place in the client: `/`, `/files/ent_…`. What looks like a file is one that is not there.
        _ if !path.starts_with(HASHED) && !last(path).contains('.') && accepts_page() => {
            match file(page_of(path), &headers) {
                Some(page) => page,
                None => nothing_here("This build has no web client. The API is described at /api/v1/docs."),
            }
        }
        _ => nothing_here("There is nothing at this address."),
    }
}

/// Which page takes over an address.
fn page_of(path: &str) -> &'static str {
    if path.starts_with(LINKS) { LINK_PAGE } else { PAGE }
}

fn nothing_here(detail: &'static str) -> Response {
    Problem::new(ErrorKind::NotFound, "no-such-route", detail).into_response()
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// A file as an answer, compressed if the build compressed it and the client can take that.
fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    // The compressed forms are no files of their own, and hidden ones are the repository's.
    if path.ends_with(".br") || last(path).starts_with('.') {
        return None;
    }
    let plain = Files::get(path)?;
    let packed = Files::get(&format!("{path}.br"));
    let varies = packed.is_some();
    let (found, is_packed) = match packed.filter(|_| accepts(headers, header::ACCEPT_ENCODING, "br")) {
        Some(packed) => (packed, true),
        None => (plain, false),
    };
    let etag = etag(&found);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
    });
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(found.data));
        let content_type = mime_guess::from_path(path).first_or_octet_stream();
        let text = match (content_type.type_().as_str(), content_type.subtype().as_str()) {
            ("text", _) | (_, "javascript" | "json") => format!("{}; charset=utf-8", content_type.essence_str()),
            _ => content_type.essence_str().to_owned(),
        };
        let content_type = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"));
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        if is_packed {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        response
    };
    let answered = response.headers_mut();
    answered.insert(header::ETAG, HeaderValue::try_from(etag).ok()?);
    if varies {
        answered.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if path.ends_with(".html") {
        answered.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        answered.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    }
    Some(response)
}

/// The first half of the content's SHA-256; the compressed form is other bytes and has another tag.
fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let half: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{half}\"")
}

/// Whether a list of alternatives has this one, and not with a weight of zero.
fn accepts(headers: &HeaderMap, name: header::HeaderName, wanted: &str) -> bool {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(
        |item| {
            let (what, weight) = item.split_once(';').unwrap_or((item, ""));
            let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
            what.trim().eq_ignore_ascii_case(wanted) && !refused
        },
    )
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn ask(method: Method, path: &str, given: &[(header::HeaderName, &'static str)]) -> (Response, Vec<u8>) {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(name, HeaderValue::from_static(value));
        }
        let answer = answer(method, path.parse().expect("a path"), headers).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("in memory").to_bytes().to_vec();
        (Response::from_parts(parts, Body::empty()), body)
    }

    #[tokio::test]
    async fn addresses_of_the_api_and_writes_never_get_the_page() {
        let html = &[(header::ACCEPT, "text/html")];
        for (method, path) in [
            (Method::GET, "/api/v1/nothing"),
            (Method::GET, "/api/"),
            (Method::POST, "/"),
            (Method::GET, "/assets/gone-12345678.js"),
            (Method::GET, "/favicon.ico.br"),
            (Method::GET, "/../Cargo.toml"),
        ] {
            let (answer, _) = ask(method.clone(), path, html).await;
            assert!(answer.extensions().get::<Problem>().is_some(), "{method} {path}");
        }
    }

    #[test]
    fn links_have_a_page_of_their_own() {
        let check = |path: &str, page: &str| assert_eq!(page_of(path), page, "{path}");
        check("s/q1Zr0o4kWk2f6v8sYt3nLQ", LINK_PAGE);
        check("s/q1Zr0o4kWk2f6v8sYt3nLQ/ent_0197f3c6b1d07c3a9d2e5f60718293a4", LINK_PAGE);
        check("", PAGE);
        check("settings", PAGE);
        check("files/ent_0197f3c6b1d07c3a9d2e5f60718293a4", PAGE);
    }

    #[test]
    fn weights_of_zero_refuse() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br;q=0.5, zstd;q=0"));
        assert!(accepts(&headers, header::ACCEPT_ENCODING, "br"));
        assert!(accepts(&headers, header::ACCEPT_ENCODING, "gzip"));
        assert!(!accepts(&headers, header::ACCEPT_ENCODING, "zstd"));
        assert!(!accepts(&headers, header::ACCEPT_ENCODING, "b"));
    }
}
