//! The second factor: setting it up, giving it up, and the second step of signing in.

use std::sync::Arc;

use accounts::SecondStep;
use axum::{extract::State, response::IntoResponse};
use base::{Secret, Time};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Json, NoQuery},
    rest::sessions::{TokensView, never_kept},
    state::{App, ClientAddress},
};

/// The caller's password, for what a stolen token must not be enough for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProofBody {
    /// Only an account without a password leaves it out; its session must then have begun within ten minutes.
    #[schema(value_type = Option<String>, example = "correct horse battery staple")]
    password: Option<Secret>,
}

impl ProofBody {
    /// What was given; nothing is no account's password.
    pub(crate) fn proof(self) -> Secret {
        self.password.unwrap_or_else(|| Secret::new(""))
    }
}

/// A code of the authenticator app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeBody {
    #[schema(value_type = String, example = "492039")]
    code: Secret,
}

/// The second step of signing in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecondStepBody {
    /// `challenge` of the problem document `second-factor-required`.
    #[schema(value_type = String)]
    challenge: Secret,
    /// A code of the authenticator app, or a recovery code.
    #[schema(value_type = String, example = "492039")]
    code: Secret,
}

/// Whether a second factor is asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecondFactor {
    enabled: bool,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    enabled_at: Option<Time>,
    /// Recovery codes that were not used.
    #[schema(example = 10)]
    recovery_codes_left: u32,
}

/// What an authenticator app needs to know.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecondFactorSetup {
    /// In base 32, to be typed.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    secret: String,
    /// To be shown as a QR code.
    #[schema(example = "otpauth://totp/Holdfast:ada?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Holdfast")]
    uri: String,
}

/// Codes for when the authenticator app is lost.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    /// Each is good once. They are shown this once.
    #[schema(example = json!(["k3vd-9xqa-7mzn-pw2h"]))]
    recovery_codes: Vec<String>,
}

/// Show one's second factor
#[utoipa::path(get, path = "/api/v1/me/second-factor", tag = "Sessions", security(("token" = [])),
    responses((status = 200, description = "Whether it is asked for.", body = SecondFactor)))]
pub(crate) async fn get_second_factor(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
) -> Result<Json<SecondFactor>, Problem> {
    let state = app.state.accounts.second_factor(&caller.principal).await?;
    Ok(Json(SecondFactor {
        enabled: state.since.is_some(),
        enabled_at: state.since,
        recovery_codes_left: state.recovery_codes,
    }))
}

/// Begin to set up a second factor
///
/// It is asked for once a code confirmed that the app knows the secret. Calling this again gives another secret.
#[utoipa::path(post, path = "/api/v1/me/second-factor", tag = "Sessions", security(("token" = [])), request_body = ProofBody,
    responses((status = 200, description = "The secret for the app.", body = SecondFactorSetup)))]
pub(crate) async fn begin_second_factor(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    Json(body): Json<ProofBody>,
) -> Result<impl IntoResponse, Problem> {
    let setup = app.state.accounts.begin_second_factor(&caller.principal, &body.proof()).await?;
    let setup = SecondFactorSetup { secret: setup.secret.expose().to_owned(), uri: setup.uri.expose().to_owned() };
    Ok((NEVER_KEPT, Json(setup)))
}

/// Confirm a second factor
///
/// From now on signing in takes two steps.
#[utoipa::path(post, path = "/api/v1/me/second-factor/confirm", tag = "Sessions", security(("token" = [])), request_body = CodeBody,
    responses((status = 200, description = "Recovery codes, shown this once.", body = RecoveryCodes)))]
pub(crate) async fn confirm_second_factor(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<CodeBody>,
) -> Result<impl IntoResponse, Problem> {
    Ok(shown_once(&app.state.accounts.confirm_second_factor(&caller.principal, &body.code, from).await?))
}

/// Make new recovery codes
///
/// The old ones are good for nothing from now on.
#[utoipa::path(post, path = "/api/v1/me/second-factor/recovery-codes", tag = "Sessions", security(("token" = [])),
    request_body = ProofBody,
    responses((status = 200, description = "Recovery codes, shown this once.", body = RecoveryCodes)))]
pub(crate) async fn renew_recovery_codes(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<ProofBody>,
) -> Result<impl IntoResponse, Problem> {
    Ok(shown_once(&app.state.accounts.renew_recovery_codes(&caller.principal, &body.proof(), from).await?))
}

/// Remove one's second factor
///
/// Name and password are enough again. The recovery codes go as well.
#[utoipa::path(post, path = "/api/v1/me/second-factor/remove", tag = "Sessions", security(("token" = [])), request_body = ProofBody,
    responses((status = 204, description = "No second factor is asked for.")))]
pub(crate) async fn remove_second_factor(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<ProofBody>,
) -> Result<StatusCode, Problem> {
    app.state.accounts.remove_second_factor(&caller.principal, &body.proof(), from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign in, second step
///
/// For accounts with a second factor, after `POST /api/v1/login` was answered with `second-factor-required`.
#[utoipa::path(post, path = "/api/v1/login/second-factor", tag = "Sessions", request_body = SecondStepBody,
    responses((status = 200, description = "The tokens of a new session.", body = TokensView)))]
pub(crate) async fn login_second_factor(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    _: NoQuery,
    Json(body): Json<SecondStepBody>,
) -> Result<impl IntoResponse, Problem> {
    let step = SecondStep { challenge: body.challenge, code: body.code, address };
    Ok(never_kept(app.state.accounts.second_step(step).await?))
}

/// Secrets stay out of every cache.
pub(crate) const NEVER_KEPT: [(header::HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

fn shown_once(codes: &[Secret]) -> impl IntoResponse + use<> {
    let recovery_codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    (NEVER_KEPT, Json(RecoveryCodes { recovery_codes }))
}
