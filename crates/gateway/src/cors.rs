//! Which other web origins may use the API from a browser (the Fetch standard's CORS protocol).
//!
//! Sign-in is a bearer token that scripts hold themselves; the only cookies are those of visitors of links and of
//! sign-ins at providers, which browsers send with no script's request from a foreign page (`SameSite`). So an origin that is let in gets no credentials of its own, and
//! letting in all of them is safe, if that is what is wanted.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// The origins that are let in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// None but our own.
    #[default]
    Own,
    /// Every one.
    Any,
    /// These, written as browsers do: `https://files.example.org`.
    Listed(Vec<String>),
}

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Content-Digest, Download-Id, Link-Session, Repr-Digest, If-Match, If-None-Match, If-Range, Operation-Id, Range, \
     Traceparent, Tus-Resumable, Upload-Checksum, Upload-Concat, Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset, \
     X-HTTP-Method-Override, X-Requested-With",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, Download-Id, ETag, Holdfast-Entry, Location, Request-Id, Retry-After, \
     Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Concat, Upload-Defer-Length, \
     Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset",
);

/// What a request says about where it comes from.
pub(crate) struct CrossOrigin {
    origin: HeaderValue,
    preflight: bool,
}

impl Origins {
    /// `None` for a request of no other origin, or of one that is not let in.
    pub(crate) fn admit(&self, method: &Method, headers: &HeaderMap) -> Option<CrossOrigin> {
        let origin = headers.get(header::ORIGIN)?;
        let origin = match self {
            Self::Own => return None,
            Self::Any => HeaderValue::from_static("*"),
            Self::Listed(listed) => {
                listed.iter().any(|one| one.as_bytes() == origin.as_bytes()).then(|| origin.clone())?
            }
        };
        let preflight = *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        Some(CrossOrigin { origin, preflight })
    }
}

impl CrossOrigin {
    /// Puts the answer's headers on; a preflight of a route without `OPTIONS` of its own becomes a plain `204`.
    pub(crate) fn finish<B: Default>(self, response: &mut http::Response<B>) {
        if self.preflight {
            if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                *response = http::Response::new(B::default());
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
        }
        let headers = response.headers_mut();
        if self.origin != "*" {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}
