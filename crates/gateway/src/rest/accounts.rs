//! People: registration, oneself, others, passwords.

use std::sync::Arc;

use accounts::{ProfileUpdate, Registration, UserView};
use axum::extract::State;
use base::{AccountId, EntryId, Secret, SpaceId, Time};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery},
    state::{App, ClientAddress},
};

/// A person's account.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    #[schema(value_type = String, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: AccountId,
    #[schema(example = "ada")]
    name: String,
    #[schema(example = "Ada Lovelace")]
    display_name: String,
    /// The version of the picture that `GET /api/v1/users/{id}/picture?v=…` gives: other pictures have others. `null` without
    /// one.
    #[schema(example = "1f0b7c9a2d3e4f50")]
    picture: Option<String>,
    #[serde(flatten)]
    private: Option<PrivateFields>,
}

/// What only the person and administrators see of an account.
#[derive(Serialize, ToSchema)]
struct PrivateFields {
    /// `files.read`, `files`, `share`, `admin.users`, `admin.nodes`.
    #[schema(example = json!(["files", "share"]))]
    permissions: Vec<String>,
    /// The person's own space.
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    /// The root folder of that space.
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    root_id: EntryId,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    /// Once it was confirmed.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// `en` or `ru`.
    #[schema(example = "en")]
    language: String,
    /// An account that an identity provider's sign-in made has none until its owner chooses one.
    has_password: bool,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterBody {
    /// 2 to 64 characters: letters, digits, `.`, `_`, `-`, `@`. Unique without regard to case.
    #[schema(example = "ada")]
    name: String,
    /// 8 to 256 characters.
    #[schema(value_type = String, example = "correct horse battery staple")]
    password: Secret,
    /// How other people see the account; the name where it is absent.
    #[schema(example = "Ada Lovelace")]
    display_name: Option<String>,
    /// `en` or `ru`; English, or that of the invitation, where absent.
    #[schema(example = "en")]
    language: Option<String>,
    /// The token of an invitation: it is enough where registration is closed.
    #[schema(value_type = Option<String>)]
    invitation: Option<Secret>,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileBody {
    /// How other people see the account: 1 to 100 characters.
    #[schema(example = "Ada Lovelace")]
    display_name: Option<String>,
    /// `en` or `ru`.
    #[schema(example = "en")]
    language: Option<String>,
}

/// A change of one's password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordBody {
    /// Only an account without a password leaves it out; its session must then have begun within ten minutes.
    #[schema(value_type = Option<String>, example = "correct horse battery staple")]
    old_password: Option<Secret>,
    /// 8 to 256 characters.
    #[schema(value_type = String, example = "a much longer and better one")]
    new_password: Secret,
}

/// Create an account
///
/// The account comes with its own space and an empty root folder.
#[utoipa::path(post, path = "/api/v1/register", tag = "Accounts", request_body = RegisterBody,
    responses((status = 201, description = "The account.", body = User)))]
pub(crate) async fn register(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    _: NoQuery,
    Json(body): Json<RegisterBody>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let registration = Registration {
        name: body.name,
        password: body.password,
        display_name: body.display_name,
        language: body.language,
        invitation: body.invitation,
        address,
    };
    let user = app.state.accounts.register(registration).await?;
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// Show one's own account
#[utoipa::path(get, path = "/api/v1/me", tag = "Accounts", security(("token" = [])),
    responses((status = 200, description = "The account.", body = User)))]
pub(crate) async fn get_me(State(app): State<Arc<App>>, caller: Caller, _: NoQuery) -> Result<Json<User>, Problem> {
    let user = app.state.accounts.user(&caller.principal, caller.principal.account).await?;
    Ok(Json(user.into()))
}

/// Change one's own account
#[utoipa::path(patch, path = "/api/v1/me", tag = "Accounts", security(("token" = [])), request_body = ProfileBody,
    responses((status = 200, description = "The account as it is now.", body = User)))]
pub(crate) async fn update_me(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    Json(body): Json<ProfileBody>,
) -> Result<Json<User>, Problem> {
    let update = ProfileUpdate { display_name: body.display_name, language: body.language };
    Ok(Json(app.state.accounts.update_profile(&caller.principal, update).await?.into()))
}

/// Show an account
///
/// Other people's accounts show only id, name, display name and picture, except to administrators.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "Accounts", security(("token" = [])),
    params(("id" = String, Path, description = "An account's id, `usr_…`.")),
    responses((status = 200, description = "The account.", body = User)))]
pub(crate) async fn get_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<AccountId>,
    _: NoQuery,
) -> Result<Json<User>, Problem> {
    let user = app.state.accounts.user(&caller.principal, id).await?;
    Ok(Json(user.into()))
}

/// Change one's password
///
/// Ends all other sessions of the account.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "Accounts", security(("token" = [])), request_body = PasswordBody,
    responses((status = 204, description = "The new password counts from now on.")))]
pub(crate) async fn change_password(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<PasswordBody>,
) -> Result<StatusCode, Problem> {
    let old = body.old_password.unwrap_or_else(|| Secret::new(""));
    app.state.accounts.change_password(&caller.principal, old, body.new_password, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<UserView> for User {
    fn from(view: UserView) -> Self {
        let private = view.private.map(|private| PrivateFields {
            permissions: private.permissions.words(),
            space_id: private.space,
            root_id: private.root,
            created_at: private.created,
            email: private.email,
            language: private.language,
            has_password: private.has_password,
        });
        Self { id: view.id, name: view.name, display_name: view.display_name, picture: view.picture, private }
    }
}
