//! E-mail: one's address, its confirmation, and a forgotten password.

use std::sync::Arc;

use axum::extract::State;
use base::Secret;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Json, NoQuery},
    state::{App, ClientAddress},
};

/// A change of one's e-mail address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmailBody {
    /// The new address; `null` for none.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// Only an account without a password leaves it out; its session must then have begun within ten minutes.
    #[schema(value_type = Option<String>, example = "correct horse battery staple")]
    password: Option<Secret>,
}

/// The token of a mailed link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyBody {
    /// What stands behind `#token=` in the link.
    #[schema(value_type = String)]
    token: Secret,
}

/// Whose password was forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskResetBody {
    #[schema(example = "ada@example.org")]
    email: String,
}

/// A new password, by a mailed link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetBody {
    /// What stands behind `#token=` in the link.
    #[schema(value_type = String)]
    token: Secret,
    /// 8 to 256 characters.
    #[schema(value_type = String, example = "a much longer and better one")]
    new_password: Secret,
}

/// Change one's e-mail address
///
/// It counts once the link that is mailed there was opened, within a day; without an address, the present one is removed.
#[utoipa::path(post, path = "/api/v1/me/email", tag = "Accounts", security(("token" = [])), request_body = EmailBody,
    responses((status = 202, description = "A letter is on its way, if an address was given.")))]
pub(crate) async fn change_email(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<EmailBody>,
) -> Result<StatusCode, Problem> {
    let proof = body.password.unwrap_or_else(|| Secret::new(""));
    app.state.accounts.change_email(&caller.principal, body.email.as_deref(), &proof, from).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Confirm an e-mail address
#[utoipa::path(post, path = "/api/v1/email/verify", tag = "Accounts", request_body = VerifyBody,
    responses((status = 204, description = "The address is the account's.")))]
pub(crate) async fn verify_email(
    State(app): State<Arc<App>>,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<VerifyBody>,
) -> Result<StatusCode, Problem> {
    app.state.accounts.verify_email(&body.token, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for a new password
///
/// The answer is the same whether an account has the address or not. The link in the letter is good for an hour, once.
#[utoipa::path(post, path = "/api/v1/password-reset", tag = "Accounts", request_body = AskResetBody,
    responses((status = 202, description = "If an account has the address, a letter is on its way.")))]
pub(crate) async fn ask_password_reset(
    State(app): State<Arc<App>>,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<AskResetBody>,
) -> Result<StatusCode, Problem> {
    app.state.accounts.ask_reset(&body.email, from).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Choose a new password
///
/// Ends all sessions of the account. A second factor stays.
#[utoipa::path(post, path = "/api/v1/password-reset/confirm", tag = "Accounts", request_body = ResetBody,
    responses((status = 204, description = "The new password counts from now on.")))]
pub(crate) async fn reset_password(
    State(app): State<Arc<App>>,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<ResetBody>,
) -> Result<StatusCode, Problem> {
    app.state.accounts.reset_password(&body.token, &body.new_password, from).await?;
    Ok(StatusCode::NO_CONTENT)
}
