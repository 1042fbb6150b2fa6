//! Who comes by a link: the token in the path, the pass, and what is told of them to the link's owner.

use std::{sync::Arc, time::Duration};

use axum::extract::{FromRequestParts, RawPathParams};
use base::Secret;
use drive::{Presented, Visit};
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

use crate::{
    error::Problem,
    state::{App, ClientAddress},
};

/// What a visitor goes on with who gave a password, for clients that send it themselves. Browsers send the cookie, also
/// with what a page embeds.
const SESSION: HeaderName = HeaderName::from_static("link-session");
const SESSION_COOKIE: &str = "holdfast-visit";

/// What the ranges of one download have in common. Browsers send the cookie when they go on with a download or seek.
pub(crate) const DOWNLOAD: HeaderName = HeaderName::from_static("download-id");
const DOWNLOAD_COOKIE: &str = "holdfast-download";

/// A request that came by a link which works now.
pub(crate) struct Visitor {
    pub(crate) visit: Visit,
    /// Of a download that was counted.
    pub(crate) download: Option<String>,
    /// Where the cookies of this link go.
    place: String,
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(Problem::internal)?;
        let token = params.iter().next().map(|(_, token)| token.to_owned()).unwrap_or_default();
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, app).await?;
        let headers = &parts.headers;
        let client = coarse(headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default());
        let presented = Presented { pass: brought(headers, &SESSION, SESSION_COOKIE), address, client };
        let visit = app.links.enter(&token, presented).await?;
        // A token that led to a link has nothing in it that could end a header.
        let place = format!("/api/v1/public/links/{token}");
        Ok(Self { visit, download: brought(headers, &DOWNLOAD, DOWNLOAD_COOKIE), place })
    }
}

impl Visitor {
    /// The cookie with which a browser shows that it gave the password.
    pub(crate) fn session_cookie(&self, pass: &Secret, lifetime: Duration) -> HeaderValue {
        cookie(SESSION_COOKIE, pass, &self.place, lifetime)
    }

    /// The cookie with which a browser shows that its download was counted; `below` says of what.
    pub(crate) fn download_cookie(&self, pass: &Secret, below: &str, lifetime: Duration) -> HeaderValue {
        cookie(DOWNLOAD_COOKIE, pass, &format!("{}/{below}", self.place), lifetime)
    }
}

/// For this link only, for no script, and for no request that another site causes. Not marked `Secure`: it is worth no more
/// than the token in the address of the same request, and a server without TLS on a local network has to work.
fn cookie(name: &str, value: &Secret, path: &str, lifetime: Duration) -> HeaderValue {
    let text =
        format!("{name}={}; Path={path}; Max-Age={}; HttpOnly; SameSite=Strict", value.expose(), lifetime.as_secs());
    HeaderValue::try_from(text).expect("passes, tokens and ids are visible ASCII")
}

/// What the client sent in a header, or else in a cookie.
fn brought(headers: &HeaderMap, name: &HeaderName, cookie: &str) -> Option<String> {
    if let Some(value) = headers.get(name) {
        return value.to_str().ok().map(str::to_owned);
    }
    cookie_of(headers, cookie)
}

/// The value of a cookie.
pub(crate) fn cookie_of(headers: &HeaderMap, cookie: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == cookie).map(|(_, value)| value.to_owned())
}

/// Program and system of a `User-Agent`, from two short lists: what the owner of a link wants to know, and nothing that
/// tells one visitor from another.
fn coarse(agent: &str) -> String {
    let first =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    // Each names those after it as well.
    let program = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
        ("Wget/", "Wget"),
        ("holdfast/", "holdfast"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        (None, _) => "another program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_coarsely() {
        let check = |agent: &str, expected: &str| assert_eq!(coarse(agent), expected);
        check(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        );
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iOS",
        );
        check("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux");
        check("curl/8.9.1", "curl");
        check("", "another program");
    }

    #[test]
    fn passes_come_in_headers_and_cookies() {
        let headers = HeaderMap::from_iter([
            (header::COOKIE, HeaderValue::from_static("a=b; holdfast-visit=one;c=d")),
            (DOWNLOAD, HeaderValue::from_static("two")),
        ]);
        assert_eq!(brought(&headers, &SESSION, SESSION_COOKIE).as_deref(), Some("one"));
        assert_eq!(brought(&headers, &DOWNLOAD, DOWNLOAD_COOKIE).as_deref(), Some("two"));
        assert_eq!(brought(&headers, &SESSION, "c").as_deref(), Some("d"));
        assert_eq!(brought(&HeaderMap::new(), &SESSION, SESSION_COOKIE), None);
    }
}
