//! Who is asking: the token of a request becomes a principal.

use std::sync::Arc;

use accounts::{Permission, Principal};
use axum::extract::FromRequestParts;
use base::ErrorKind;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header, request::Parts};
use uuid::Uuid;

use crate::{error::Problem, state::App};

/// The client's own id of what it does, a UUID. The journal keeps it beside each change, so that a client that follows the
/// journal knows its own changes among those of others.
pub(crate) const OPERATION_ID: &str = "operation-id";

/// A signed-in caller.
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    operation: Option<Uuid>,
}

impl Caller {
    /// The caller as the drive wants to know it.
    pub(crate) fn actor(self) -> drive::Actor {
        drive::Actor { principal: self.principal, operation: self.operation }
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        authenticate(app, &parts.headers).await
    }
}

/// The principal of a request's token: an access token or API token as a bearer, or an API token as the password of HTTP
/// Basic, for programs that know nothing else.
///
/// # Errors
/// `unauthenticated` without a token, and what accounts say of a token that is not good; `invalid-request` for an
/// `Operation-Id` that is no UUID.
pub(crate) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Caller, Problem> {
    let accounts = &app.state.accounts;
    let principal = match (bearer(headers), basic(headers)) {
        (Some(token), _) => accounts.authenticate(token).await?,
        (None, Some((name, password))) => accounts.authenticate_basic(&name, &password).await?,
        (None, None) => {
            return Err(Problem::new(
                ErrorKind::Unauthenticated,
                "unauthenticated",
                "This call needs an access token, in the header `Authorization: Bearer …`.",
            ));
        }
    };
    Ok(Caller { principal, operation: operation(headers)? })
}

/// The client's id of the operation, if it gave one.
fn operation(headers: &HeaderMap) -> Result<Option<Uuid>, Problem> {
    let Some(value) = headers.get(OPERATION_ID) else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| Uuid::try_parse(text).ok());
    id.map(Some).ok_or_else(|| Problem::invalid("`Operation-Id` must be a UUID."))
}

/// The token of the header; the scheme's name is not case-sensitive (RFC 9110, 11.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Name and password of HTTP Basic (RFC 7617).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, text) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (name, password) = pair.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// A caller who may administer storage servers.
pub(crate) struct NodeAdmin(pub(crate) Principal);

impl FromRequestParts<Arc<App>> for NodeAdmin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Caller { principal, .. } = authenticate(app, &parts.headers).await?;
        principal.needs(Permission::AdminNodes)?;
        Ok(Self(principal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_header() {
        let check = |value: &str, expected: Option<&str>| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().expect("a header value"))]);
            assert_eq!(bearer(&headers), expected, "{value}");
        };
        check("Bearer abc", Some("abc"));
        check("bearer  abc ", Some("abc"));
        check("Basic abc", None);
        check("Bearer", None);
        check("Bearer ", None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn reads_names_and_passwords() {
        let check = |value: &str, expected: Option<(&str, &str)>| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().expect("a header value"))]);
            let read = basic(&headers);
            assert_eq!(read.as_ref().map(|(name, password)| (name.as_str(), password.as_str())), expected, "{value}");
        };
        check("Basic YTpi", Some(("a", "b")));
        check("basic  YTpiOmM= ", Some(("a", "b:c")));
        check("Basic YQ==", None);
        check("Basic /w==", None);
        check("Basic", None);
        check("Bearer YTpi", None);
    }
}
