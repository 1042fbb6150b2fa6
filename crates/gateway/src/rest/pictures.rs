//! Pictures of people.

use std::sync::Arc;

use accounts::PictureKind;
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use base::{AccountId, ErrorKind, limits};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;

use crate::{
    auth::Caller,
    conditions::{self, Verdict},
    download::{SANDBOX, validators},
    error::Problem,
    extract::{Id, Json, NoQuery, Query, Raw},
    rest::accounts::User,
    state::{App, ClientAddress},
};

/// Which one is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PictureQuery {
    v: Option<String>,
}

/// Set one's picture
///
/// A square of 64 to 1024 pixels, as WebP, PNG or JPEG. It is shown as it was sent, with all that it says about itself.
#[utoipa::path(put, path = "/api/v1/me/picture", tag = "Accounts", security(("token" = [])),
    request_body(content((String = "image/webp"), (String = "image/png"), (String = "image/jpeg")),
        description = "The picture, at most 256 KiB."),
    responses((status = 200, description = "The account as it is now.", body = User)))]
pub(crate) async fn put_picture(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    headers: HeaderMap,
    Raw(bytes): Raw<{ limits::PICTURE_BYTES_MAX }>,
) -> Result<Json<User>, Problem> {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = named.and_then(PictureKind::parse).ok_or_else(|| {
        let detail =
            "The body must be a picture, with `image/webp`, `image/png` or `image/jpeg` as its `Content-Type`.";
        Problem::new(ErrorKind::Invalid, "unsupported-media-type", detail)
    })?;
    Ok(Json(app.state.accounts.set_picture(&caller.principal, kind, bytes.into()).await?.into()))
}

/// Remove one's picture
#[utoipa::path(delete, path = "/api/v1/me/picture", tag = "Accounts", security(("token" = [])),
    responses((status = 204, description = "There is none.")))]
pub(crate) async fn delete_picture(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.remove_picture(&caller.principal).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get somebody's picture
///
/// Always the one that there is now. Asked for by its version it may be kept for a year, else it is to be asked for again.
#[utoipa::path(get, path = "/api/v1/users/{id}/picture", tag = "Accounts", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An account's id, `usr_…`."),
        ("v" = Option<String>, Query, description = "`picture` of the account."),
        ("If-None-Match" = Option<String>, Header, description = "An `ETag` that the client has."),
    ),
    responses(
        (status = 200, description = "The picture.",
            content((String = "image/webp"), (String = "image/png"), (String = "image/jpeg"))),
        (status = 304, description = "The client has it."),
    ))]
pub(crate) async fn get_picture(
    State(app): State<Arc<App>>,
    _: Caller,
    Id(id): Id<AccountId>,
    Query(query): Query<PictureQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let picture = app.state.accounts.picture(id).await?;
    let etag = format!("\"{}\"", picture.version);
    let (status, body) = match conditions::evaluate(&method, &headers, &etag, picture.changed) {
        Verdict::Proceed => (StatusCode::OK, Body::from(picture.bytes)),
        Verdict::NotModified => (StatusCode::NOT_MODIFIED, Body::empty()),
        Verdict::Failed => return Err(drive::Error::Precondition.into()),
    };
    let mut response = (status, body).into_response();
    let answered = response.headers_mut();
    validators(answered, &etag, picture.changed);
    if query.v.is_some_and(|version| version == picture.version) {
        answered.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    }
    if status == StatusCode::OK {
        answered.insert(header::CONTENT_TYPE, HeaderValue::from_static(picture.kind.media_type()));
        answered.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    }
    Ok(response)
}

/// Remove somebody's picture
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}/picture", tag = "People", security(("token" = [])),
    params(("id" = String, Path, description = "An account's id, `usr_…`.")),
    responses((status = 204, description = "There is none.")))]
pub(crate) async fn delete_picture_of(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Id(id): Id<AccountId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.remove_picture_of(&caller.principal, id, from).await?;
    Ok(StatusCode::NO_CONTENT)
}
