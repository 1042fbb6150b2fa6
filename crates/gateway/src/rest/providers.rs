//! Signing in at identity providers, the accounts there that are linked, and signing out there.

use std::{sync::Arc, time::Duration};

use accounts::{Begun, Returned};
use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse},
};
use base::{IdentityId, Secret, Time};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Form, Id, Json, NoQuery, Word},
    rest::{
        second_factor::{NEVER_KEPT, ProofBody},
        sessions::{TokensView, never_kept},
    },
    state::{App, ClientAddress},
    visitor::cookie_of,
};

/// What a sign-in at a provider is known again by. Sent with requests to these calls only.
const COOKIE: &str = "holdfast-sign-in";
const COOKIE_PATH: &str = "/api/v1";

/// By which ways one can sign in here, beside name and password.
#[derive(Serialize, ToSchema)]
#[schema(as = WaysIn)]
pub(crate) struct WaysInView {
    /// Anybody may make an account (`POST /api/v1/register`).
    registration: bool,
    /// Letters are sent, so that a forgotten password can be replaced.
    mail: bool,
    /// Passkeys work here.
    passkeys: bool,
    /// In the order in which they are shown.
    providers: Vec<IdentityProvider>,
}

/// Where one can sign in as well.
#[derive(Serialize, ToSchema)]
pub(crate) struct IdentityProvider {
    /// Goes into addresses.
    #[schema(example = "company")]
    id: String,
    /// For the button.
    #[schema(example = "Company account")]
    name: String,
}

/// Who begins to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeginBody {
    /// What the client calls itself, for the list of sessions.
    #[schema(example = "holdfast on laptop")]
    client: Option<String>,
}

/// Where to go.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInElsewhere)]
pub(crate) struct BegunView {
    /// The browser goes there, and comes back to `/sign-in/{provider}` of the public address.
    #[schema(example = "https://id.example.org/auth?client_id=holdfast")]
    url: String,
    /// Seconds that this may take.
    #[schema(example = 600)]
    expires_in: u64,
}

/// What came back: parameters of the address to which the provider sent the browser.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnedBody {
    #[schema(value_type = String)]
    code: Secret,
    state: String,
    /// If there was one.
    iss: Option<String>,
}

/// An account at a provider that is linked to one's own.
#[derive(Serialize, ToSchema)]
#[schema(as = Identity)]
pub(crate) struct IdentityView {
    #[schema(value_type = String, example = "idn_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: IdentityId,
    #[schema(example = "company")]
    provider: String,
    /// The provider's id, if it is not configured any more.
    #[schema(example = "Company account")]
    provider_name: String,
    /// What one is called there.
    #[schema(example = "ada@example.org")]
    shown: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    last_used_at: Option<Time>,
}

/// One's accounts at providers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Identities {
    /// Oldest first.
    items: Vec<IdentityView>,
}

/// Where to sign out as well.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedOut {
    /// The browser goes there, and comes back to the public address; `null` if there is no such place.
    url: Option<String>,
}

/// A provider's message that somebody signed out there.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SignOutForm {
    /// A logout token of OpenID Connect Back-Channel Logout 1.0.
    #[schema(value_type = String)]
    logout_token: Secret,
}

/// List the ways to sign in
///
/// For the page on which people sign in: which buttons it has, beside name and password.
#[utoipa::path(get, path = "/api/v1/login/ways", tag = "Sessions",
    responses((status = 200, description = "The ways.", body = WaysInView)))]
pub(crate) async fn list_ways_in(State(app): State<Arc<App>>, _: NoQuery) -> Result<Json<WaysInView>, Problem> {
    let ways = app.state.accounts.ways_in().await;
    Ok(Json(WaysInView {
        registration: ways.registration,
        mail: ways.mail,
        passkeys: ways.passkeys,
        providers: ways.providers.into_iter().map(|it| IdentityProvider { id: it.id, name: it.name }).collect(),
    }))
}

/// Begin to sign in at a provider
///
/// The answer sets a cookie, by which the browser is known again when it comes back.
#[utoipa::path(post, path = "/api/v1/login/providers/{provider}", tag = "Sessions", request_body = BeginBody,
    params(("provider" = String, Path, description = "The id of an identity provider.")),
    responses((status = 200, description = "Where to go.", body = BegunView)))]
pub(crate) async fn begin_provider(
    State(app): State<Arc<App>>,
    Word(provider): Word,
    _: NoQuery,
    Json(body): Json<BeginBody>,
) -> Result<impl IntoResponse, Problem> {
    let begun = app.state.accounts.begin_provider(&provider, body.client.as_deref()).await?;
    Ok(go(&app, begun))
}

/// Finish to sign in at a provider
///
/// With what came back from there, in the browser that began. Somebody unknown gets an account, if that is configured. For an
/// account with a second factor the answer is `second-factor-required`, unless the provider stands for both.
#[utoipa::path(post, path = "/api/v1/login/providers/{provider}/finish", tag = "Sessions", request_body = ReturnedBody,
    params(("provider" = String, Path, description = "The id of an identity provider.")),
    responses((status = 200, description = "The tokens of a new session.", body = TokensView)))]
pub(crate) async fn finish_provider(
    State(app): State<Arc<App>>,
    Word(provider): Word,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    _: NoQuery,
    Json(body): Json<ReturnedBody>,
) -> Result<impl IntoResponse, Problem> {
    let tokens = app.state.accounts.finish_provider(&provider, returned(&headers, body, address)).await?;
    Ok((forget(&app), never_kept(tokens)))
}

/// List one's accounts at providers
#[utoipa::path(get, path = "/api/v1/me/identities", tag = "Sessions", security(("token" = [])),
    responses((status = 200, description = "Those that are linked.", body = Identities)))]
pub(crate) async fn list_identities(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
) -> Result<Json<Identities>, Problem> {
    Ok(Json(app.state.accounts.identities(&caller.principal).await?.into()))
}

/// Begin to link an account at a provider
///
/// As signing in there begins.
#[utoipa::path(post, path = "/api/v1/me/providers/{provider}/link", tag = "Sessions", security(("token" = [])),
    request_body = ProofBody,
    params(("provider" = String, Path, description = "The id of an identity provider.")),
    responses((status = 200, description = "Where to go.", body = BegunView)))]
pub(crate) async fn begin_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Word(provider): Word,
    _: NoQuery,
    Json(body): Json<ProofBody>,
) -> Result<impl IntoResponse, Problem> {
    let begun = app.state.accounts.begin_link(&caller.principal, &provider, &body.proof()).await?;
    Ok(go(&app, begun))
}

/// Finish to link an account at a provider
#[utoipa::path(post, path = "/api/v1/me/providers/{provider}/link/finish", tag = "Sessions", security(("token" = [])),
    request_body = ReturnedBody,
    params(("provider" = String, Path, description = "The id of an identity provider.")),
    responses((status = 201, description = "The account there.", body = IdentityView)))]
pub(crate) async fn finish_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Word(provider): Word,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    _: NoQuery,
    Json(body): Json<ReturnedBody>,
) -> Result<impl IntoResponse, Problem> {
    let returned = returned(&headers, body, address);
    let identity = app.state.accounts.finish_link(&caller.principal, &provider, returned).await?;
    Ok((StatusCode::CREATED, forget(&app), Json(IdentityView::from(identity))))
}

/// Unlink an account at a provider
///
/// Sessions that began by it go on.
#[utoipa::path(post, path = "/api/v1/me/identities/{id}/remove", tag = "Sessions", security(("token" = [])),
    request_body = ProofBody,
    params(("id" = String, Path, description = "The id of a linked account, `idn_…`.")),
    responses((status = 204, description = "Nobody signs in here by it any more.")))]
pub(crate) async fn remove_identity(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<IdentityId>,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<ProofBody>,
) -> Result<StatusCode, Problem> {
    app.state.accounts.unlink(&caller.principal, id, &body.proof(), from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out, also at the provider
///
/// Ends the session that asks, and says where the browser goes to sign out at the provider by which it began.
#[utoipa::path(post, path = "/api/v1/logout/provider", tag = "Sessions", security(("token" = [])),
    responses((status = 200, description = "The session has ended.", body = SignedOut)))]
pub(crate) async fn logout_of_provider(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
) -> Result<impl IntoResponse, Problem> {
    let url = app.state.accounts.logout_of_provider(&caller.principal).await?;
    Ok((NEVER_KEPT, Json(SignedOut { url })))
}

/// Be told that somebody signed out at a provider
///
/// For providers themselves (OpenID Connect Back-Channel Logout 1.0): ends the sessions that began by that person's account
/// or session there.
#[utoipa::path(post, path = "/api/v1/providers/{provider}/sign-out", tag = "Sessions",
    request_body(content = SignOutForm, content_type = "application/x-www-form-urlencoded"),
    params(("provider" = String, Path, description = "The id of an identity provider.")),
    responses((status = 200, description = "The sessions have ended.")))]
pub(crate) async fn provider_sign_out(
    State(app): State<Arc<App>>,
    Word(provider): Word,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Form(form): Form<SignOutForm>,
) -> Result<impl IntoResponse, Problem> {
    app.state.accounts.provider_logout(&provider, form.logout_token.expose(), from).await?;
    Ok(NEVER_KEPT)
}

fn returned(headers: &HeaderMap, body: ReturnedBody, address: std::net::IpAddr) -> Returned {
    let flow = cookie_of(headers, COOKIE);
    Returned { flow, code: body.code, state: body.state, issuer: body.iss, address }
}

/// The answer that sends the browser away.
fn go(app: &App, begun: Begun) -> impl IntoResponse + use<> {
    let cookie = cookie(app, begun.flow.expose(), begun.expires_in);
    let view = BegunView { url: begun.url, expires_in: begun.expires_in.as_secs() };
    (AppendHeaders([(header::SET_COOKIE, cookie)]), NEVER_KEPT, Json(view))
}

/// Takes the cookie back.
fn forget(app: &App) -> AppendHeaders<[(header::HeaderName, HeaderValue); 1]> {
    AppendHeaders([(header::SET_COOKIE, cookie(app, "", Duration::ZERO))])
}

/// For no script, and for no request that another site causes but the one that brings people back (`Lax`).
fn cookie(app: &App, value: &str, lifetime: Duration) -> HeaderValue {
    let secure = if app.options.has_tls { "; Secure" } else { "" };
    let seconds = lifetime.as_secs();
    let text = format!("{COOKIE}={value}; Path={COOKIE_PATH}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).expect("base64 is visible ASCII")
}

impl From<Vec<accounts::IdentityView>> for Identities {
    fn from(items: Vec<accounts::IdentityView>) -> Self {
        Self { items: items.into_iter().map(IdentityView::from).collect() }
    }
}

impl From<accounts::IdentityView> for IdentityView {
    fn from(view: accounts::IdentityView) -> Self {
        Self {
            id: view.id,
            provider: view.provider,
            provider_name: view.provider_name,
            shown: view.shown,
            created_at: view.created,
            last_used_at: view.used,
        }
    }
}
