//! What handlers take out of a request: ids in the path, query parameters, JSON bodies. All of them strict.

use std::str::FromStr;

use axum::{
    extract::rejection::FormRejection,
    extract::{FromRequest, FromRequestParts, Query as AxumQuery, RawPathParams, Request},
    response::{IntoResponse, Response},
};
use base::{ErrorKind, Name, ParseIdError, ParseTimeError, Time, limits};
use bytes::Bytes;
use drive::{OnConflict, OnFile, Rule};
use http::{HeaderMap, HeaderValue, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

use crate::error::Problem;

/// The first parameter of the path, as an id.
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err = ParseIdError>> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(Problem::internal)?;
        let (_, text) = params.iter().next().ok_or_else(|| Problem::invalid("The path has no id."))?;
        parse_id(text).map(Self)
    }
}

/// The first parameter of the path, as it is.
pub(crate) struct Word(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Word {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unreadable = |_| Problem::invalid("The path cannot be read.");
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(unreadable)?;
        Ok(Self(params.iter().next().map(|(_, text)| text.to_owned()).unwrap_or_default()))
    }
}

/// The first two parameters of the path, as ids.
pub(crate) struct Ids<A, B>(pub(crate) A, pub(crate) B);

impl<S, A, B> FromRequestParts<S> for Ids<A, B>
where
    S: Send + Sync,
    A: FromStr<Err = ParseIdError>,
    B: FromStr<Err = ParseIdError>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(Problem::internal)?;
        let mut ids = params.iter().map(|(_, text)| text);
        match (ids.next(), ids.next()) {
            (Some(first), Some(second)) => Ok(Self(parse_id(first)?, parse_id(second)?)),
            _ => Err(Problem::invalid("The path lacks an id.")),
        }
    }
}

/// The second parameter of the path, as an id.
pub(crate) struct SecondId<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err = ParseIdError>> FromRequestParts<S> for SecondId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(Problem::internal)?;
        let (_, text) = params.iter().nth(1).ok_or_else(|| Problem::invalid("The path lacks an id."))?;
        parse_id(text).map(Self)
    }
}

/// Tells a JSON `null` from nothing.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// A moment from a query parameter or a body.
///
/// # Errors
/// `invalid-request` for text that is none.
pub(crate) fn parse_time(text: &str) -> Result<Time, Problem> {
    text.parse().map_err(|error: ParseTimeError| Problem::invalid(format!("This is no time: {error}.")))
}

/// An id from a query parameter, a header or a body.
///
/// # Errors
/// `invalid-id` for text that is none, or one of another kind.
pub(crate) fn parse_id<T: FromStr<Err = ParseIdError>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: ParseIdError| Problem::new(ErrorKind::Invalid, "invalid-id", error.to_string()))
}

/// A name of an entry.
///
/// # Errors
/// `invalid-name` with the reason.
pub(crate) fn parse_name(text: &str) -> Result<Name, Problem> {
    Name::new(text).map_err(|error| drive::Error::Name(error).into())
}

/// What to do with a name that is taken; nothing given is [`OnConflict::Fail`].
///
/// # Errors
/// `invalid-request` for a word that is none of the three.
pub(crate) fn parse_conflict(text: Option<&str>) -> Result<OnConflict, Problem> {
    let choice = text.map_or(Some(OnConflict::Fail), OnConflict::parse);
    choice.ok_or_else(|| Problem::invalid("`on_conflict` must be `fail`, `replace` or `rename`."))
}

/// What to do in a move or copy with a name that is taken; nothing given is [`OnFile::Fail`]. `files` is what goes for the
/// files of folders that are merged.
///
/// # Errors
/// `invalid-request` for other words, and for `files` without a merge.
pub(crate) fn parse_rule(text: Option<&str>, files: Option<&str>) -> Result<Rule, Problem> {
    let on_file = |text: &str| OnFile::parse(text);
    match (text, files) {
        (None, None) => Ok(Rule::Plain(OnFile::Fail)),
        (Some("merge"), files) => {
            let rule = files.map_or(Some(OnFile::Rename), on_file).map(Rule::Merge);
            rule.ok_or_else(|| Problem::invalid("`on_conflict_files` must be `fail`, `skip`, `replace` or `rename`."))
        }
        (Some(text), None) => on_file(text)
            .map(Rule::Plain)
            .ok_or_else(|| Problem::invalid("`on_conflict` must be `fail`, `skip`, `replace`, `rename` or `merge`.")),
        (_, Some(_)) => Err(Problem::invalid("`on_conflict_files` goes with `on_conflict` `merge` only.")),
    }
}

/// The query parameters. `T` should deny unknown fields, so that a misspelled option is not silently ignored.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = AxumQuery::<T>::try_from_uri(&parts.uri);
        query.map(|AxumQuery(query)| Self(query)).map_err(|rejection| {
            let reason =
                std::error::Error::source(&rejection).map_or_else(|| rejection.to_string(), ToString::to_string);
            Problem::invalid(format!("The query cannot be read: {reason}."))
        })
    }
}

/// That there is no query, for routes without options.
pub(crate) struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.uri.query() {
            None | Some("") => Ok(Self),
            Some(_) => Err(Problem::invalid("This call takes no query parameters.")),
        }
    }
}

/// A JSON body; as an answer, with `Cache-Control` as the edge sets it.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read_json(request, limits::JSON_BYTES_MAX).await.map(Self)
    }
}

/// An answer that is JSON already.
pub(crate) struct RawJson(pub(crate) Bytes);

impl RawJson {
    /// The JSON of an answer.
    ///
    /// # Errors
    /// `internal` for what has no JSON form, which no answer is.
    pub(crate) fn of(answer: &impl Serialize) -> Result<Self, Problem> {
        serde_json::to_vec(answer).map(|json| Self(json.into())).map_err(Problem::internal)
    }
}

impl IntoResponse for RawJson {
    fn into_response(self) -> Response {
        let mut response = Response::new(axum::body::Body::from(self.0));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// A JSON body that lists many things.
pub(crate) struct LongJson<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for LongJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read_json(request, limits::LONG_JSON_BYTES_MAX).await.map(Self)
    }
}

/// A short form, as programs and browsers send it.
pub(crate) struct Form<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let mut small = Request::default();
        small.headers_mut().clone_from(request.headers());
        small.method_mut().clone_from(request.method());
        *small.body_mut() = small_body(request, limits::JSON_BYTES_MAX).await?.into();
        match axum::Form::from_request(small, state).await {
            Ok(axum::Form(form)) => Ok(Self(form)),
            Err(FormRejection::InvalidFormContentType(_)) => Err(Problem::new(
                ErrorKind::Invalid,
                "unsupported-media-type",
                "The body must be a form, with the header `Content-Type: application/x-www-form-urlencoded`.",
            )),
            Err(error) => Err(Problem::invalid(format!("The form cannot be read: {error}."))),
        }
    }
}

/// A body as it is, of at most `MAX` bytes.
pub(crate) struct Raw<const MAX: usize>(pub(crate) Bytes);

impl<S: Send + Sync, const MAX: usize> FromRequest<S> for Raw<MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        small_body(request, MAX).await.map(Self)
    }
}

async fn read_json<T: DeserializeOwned>(request: Request, max: usize) -> Result<T, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::new(
            ErrorKind::Invalid,
            "unsupported-media-type",
            "The body must be JSON, with the header `Content-Type: application/json`.",
        ));
    }
    let bytes = small_body(request, max).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::invalid(format!("The JSON body cannot be read: {error}.")))
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match RawJson::of(&self.0) {
            Ok(json) => json.into_response(),
            Err(problem) => problem.into_response(),
        }
    }
}

/// A body of at most `max` bytes; a declared length beyond it is refused before a byte is read.
async fn small_body(request: Request, max: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(ErrorKind::TooLarge, "body-too-large", format!("The body of this call has at most {max} bytes."))
    };
    if content_length(request.headers()).is_some_and(|length| length > max as u64) {
        return Err(too_large());
    }
    match Limited::new(request.into_body(), max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::invalid("The body ended early.")),
    }
}

/// `application/json` or `application/anything+json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The length that the client declared.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// How much of a list is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    pub(crate) limit: Option<u32>,
    pub(crate) cursor: Option<String>,
}

/// The default number of items on a page.
const PAGE_DEFAULT: u32 = 100;

/// The number of items on a page: 1 to [`limits::PAGE_ENTRIES_MAX`].
///
/// # Errors
/// `invalid-request` for a page of nothing.
pub(crate) fn page_limit(limit: Option<u32>) -> Result<u32, Problem> {
    match limit {
        Some(0) => Err(Problem::invalid("`limit` must be at least 1.")),
        limit => Ok(limit.unwrap_or(PAGE_DEFAULT).min(limits::PAGE_ENTRIES_MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_types() {
        let check = |value: &str, expected| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().expect("a header value"))]);
            assert_eq!(is_json(&headers), expected, "{value}");
        };
        check("application/json", true);
        check("Application/JSON; charset=utf-8", true);
        check("application/merge-patch+json", true);
        check("text/json", false);
        check("application/jsonx", false);
        check("application/x-www-form-urlencoded", false);
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn page_sizes() {
        assert_eq!(page_limit(None).expect("a default"), PAGE_DEFAULT);
        assert_eq!(page_limit(Some(5)).expect("small"), 5);
        assert_eq!(page_limit(Some(u32::MAX)).expect("lowered"), limits::PAGE_ENTRIES_MAX);
        assert!(page_limit(Some(0)).is_err());
    }
}
