//! People in the hands of administrators: accounts, their sessions, invitations, and the audit log.

use std::sync::Arc;

use accounts::{AuditFilter, AuditView, InvitationView, NewInvitation, NewPerson, PersonUpdate, PersonView, Reset};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use base::{AccountId, AuditId, Secret, SessionId, SpaceId, TicketId, Time};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Ids, Json, NoQuery, PageQuery, Query, given, page_limit, parse_id, parse_time},
    rest::{
        accounts::User,
        page::{self, Page},
        sessions::{self, SessionView},
    },
    state::{App, ClientAddress},
};

/// An account as administrators see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Person {
    #[serde(flatten)]
    user: User,
    /// Since when it may not be used.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    disabled_at: Option<Time>,
    /// The bound of its own space.
    quota_bytes: Option<u64>,
    /// What is in its own space.
    used_bytes: u64,
    /// Whether it has a second factor.
    second_factor: bool,
}

/// An account to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPersonBody {
    /// 2 to 64 characters: letters, digits, `.`, `_`, `-`, `@`. Unique without regard to case.
    #[schema(example = "ada")]
    name: String,
    /// 8 to 256 characters; one is made up where it is absent.
    #[schema(value_type = Option<String>, example = "correct horse battery staple")]
    password: Option<Secret>,
    #[schema(example = "Ada Lovelace")]
    display_name: Option<String>,
    /// Counts as confirmed.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// `files` and `share`, where absent.
    #[schema(example = json!(["files", "share"]))]
    permissions: Option<Vec<String>>,
    /// Of its own space; the usual bound, where absent.
    quota_bytes: Option<u64>,
    /// `en` or `ru`.
    #[schema(example = "en")]
    language: Option<String>,
}

/// What to change of an account; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonBody {
    #[schema(example = "Ada Lovelace")]
    display_name: Option<String>,
    /// `en` or `ru`.
    #[schema(example = "en")]
    language: Option<String>,
    /// All that it may do from now on.
    #[schema(example = json!(["files", "share"]))]
    permissions: Option<Vec<String>>,
    /// Disabling ends its sessions.
    disabled: Option<bool>,
    /// Counts as confirmed; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "ada@example.org")]
    email: Option<Option<String>>,
    /// Of its own space; `null` for no bound.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>)]
    quota_bytes: Option<Option<u64>>,
}

/// An account that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedPerson {
    #[serde(flatten)]
    person: Person,
    /// The password, if it was made up; it is shown this once.
    password: Option<String>,
}

/// How somebody gets a new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPersonBody {
    /// `temporary`: one is made up and shown once, and all sessions end. `mail`: the owner is mailed a link.
    #[schema(example = "temporary")]
    by: String,
}

/// A password that was made up.
#[derive(Serialize, ToSchema)]
pub(crate) struct TemporaryPassword {
    /// It is shown this once.
    #[schema(example = "k3vd-9xqa-7mzn-pw2h-t8rc")]
    password: String,
}

/// Somebody to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationBody {
    /// Where the link is mailed; without one it is yours to hand on.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// What the account may do: `files` and `share`, where absent.
    #[schema(example = json!(["files", "share"]))]
    permissions: Option<Vec<String>>,
    /// `en` or `ru`; yours, where absent.
    #[schema(example = "en")]
    language: Option<String>,
    /// When it ends, within a year; in a week, where absent.
    #[schema(format = DateTime, example = "2026-11-28T01:26:55.000000Z")]
    expires_at: Option<String>,
}

/// An invitation that is still good.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invitation {
    #[schema(value_type = String, example = "tkt_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: TicketId,
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    #[schema(example = json!(["files", "share"]))]
    permissions: Vec<String>,
    #[schema(example = "en")]
    language: String,
    /// Who invites.
    #[schema(value_type = Option<String>, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    invited_by: Option<AccountId>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    #[schema(value_type = String, format = DateTime, example = "2026-11-28T01:26:55.000000Z")]
    expires_at: Time,
    /// `invitation` of `POST /api/v1/register`.
    token: String,
    /// The link, if the server knows by which address people reach it.
    #[schema(example = "https://files.example.org/invitation#token=…")]
    url: Option<String>,
}

/// A line of the audit log.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditLine {
    #[schema(value_type = String, example = "aud_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: AuditId,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    at: Time,
    #[schema(example = "sign-in")]
    action: String,
    /// Who; `null` for somebody unknown.
    #[schema(value_type = Option<String>, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    actor_id: Option<AccountId>,
    /// To whose account.
    #[schema(value_type = Option<String>, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    account_id: Option<AccountId>,
    /// From where.
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// What else is worth knowing.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

/// Which accounts are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeopleQuery {
    search: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Which lines are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    actor: Option<String>,
    account: Option<String>,
    action: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// List accounts
#[utoipa::path(get, path = "/api/v1/admin/users", tag = "People", security(("token" = [])),
    params(
        ("search" = Option<String>, Query, description = "Part of a name, shown name or address."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of accounts, in order of their names.", body = Page<Person>)))]
pub(crate) async fn list_people(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PeopleQuery>,
) -> Result<Json<Page<Person>>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| page::position(&cursor)).transpose()?.unwrap_or_default();
    let search = query.search.unwrap_or_default();
    let people = app.state.accounts.people(&caller.principal, &search, &after, limit).await?;
    let next_cursor = people.items.last().filter(|_| people.more).map(|last| page::cursor(&last.position));
    Ok(Json(Page { items: people.items.into_iter().map(Person::from).collect(), next_cursor }))
}

/// Create an account for somebody
#[utoipa::path(post, path = "/api/v1/admin/users", tag = "People", security(("token" = [])), request_body = NewPersonBody,
    responses((status = 201, description = "The account.", body = CreatedPerson)))]
pub(crate) async fn create_person(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<NewPersonBody>,
) -> Result<impl IntoResponse, Problem> {
    let new = NewPerson {
        name: body.name,
        password: body.password,
        display_name: body.display_name,
        email: body.email,
        permissions: body.permissions,
        quota_bytes: quota(body.quota_bytes)?,
        language: body.language,
    };
    let (person, password) = app.state.accounts.make_person(&caller.principal, new, from).await?;
    let password = password.map(|password| password.expose().to_owned());
    Ok((StatusCode::CREATED, NEVER_KEPT, Json(CreatedPerson { person: person.into(), password })))
}

/// Show an account as administrators see it
#[utoipa::path(get, path = "/api/v1/admin/users/{id}", tag = "People", security(("token" = [])),
    params(("id" = String, Path, description = "An account's id, `usr_…`.")),
    responses((status = 200, description = "The account.", body = Person)))]
pub(crate) async fn get_person(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<AccountId>,
    _: NoQuery,
) -> Result<Json<Person>, Problem> {
    Ok(Json(app.state.accounts.person(&caller.principal, id).await?.into()))
}

/// Change an account
///
/// An account that may administer is only changed by those who may do the same. The last one that may administer accounts
/// keeps that permission.
#[utoipa::path(patch, path = "/api/v1/admin/users/{id}", tag = "People", security(("token" = [])), request_body = PersonBody,
    params(("id" = String, Path, description = "An account's id, `usr_…`.")),
    responses((status = 200, description = "The account as it is now.", body = Person)))]
pub(crate) async fn update_person(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Id(id): Id<AccountId>,
    _: NoQuery,
    Json(body): Json<PersonBody>,
) -> Result<Json<Person>, Problem> {
    let update = PersonUpdate {
        display_name: body.display_name,
        language: body.language,
        permissions: body.permissions,
        disabled: body.disabled,
        email: body.email,
        quota_bytes: body.quota_bytes.map(quota).transpose()?,
    };
    Ok(Json(app.state.accounts.update_person(&caller.principal, id, update, from).await?.into()))
}

/// A bound for bytes, as far as counters go.
///
/// # Errors
/// `invalid-request`.
fn quota(bytes: Option<u64>) -> Result<Option<u64>, Problem> {
    if bytes.is_some_and(|bytes| i64::try_from(bytes).is_err()) {
        return Err(Problem::invalid("`quota_bytes` is at most 9223372036854775807."));
    }
    Ok(bytes)
}

/// What becomes of the files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndQuery {
    files: String,
    to: Option<String>,
}

/// What became of the files.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndedAccount {
    /// The team's space that the files are in now; `null` if they are removed, or there were none.
    #[schema(value_type = Option<String>, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: Option<SpaceId>,
}

/// Delete an account
///
/// Nobody signs in as it, and nobody finds it; what it did stays in the history. With `files=hand-over` its space becomes a team's
/// with its name, versions, trash and history, whose manager is `to`, who also takes over the teams that nobody else manages.
/// With `files=remove` all that was its own is removed for good. A request that was cut off can be sent again.
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}", tag = "People", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An account's id, `usr_…`."),
        ("files" = String, Query, description = "`remove` or `hand-over`."),
        ("to" = Option<String>, Query, description = "Who takes the files over: an account's id."),
    ),
    responses((status = 200, description = "It is gone.", body = EndedAccount)))]
pub(crate) async fn delete_person(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Id(id): Id<AccountId>,
    Query(query): Query<EndQuery>,
) -> Result<Json<EndedAccount>, Problem> {
    let files = match (query.files.as_str(), query.to.as_deref()) {
        ("remove", None) => drive::Files::Remove,
        ("hand-over", Some(to)) => drive::Files::HandOver { to: parse_id(to)? },
        _ => return Err(Problem::invalid("`files` must be `remove`, or `hand-over` with `to`.")),
    };
    let (accounts, drive) = (&app.state.accounts, &app.state.drive);
    let space_id = drive.end_account(accounts, &caller.actor(), id, files, from).await?;
    Ok(Json(EndedAccount { space_id }))
}

/// Give somebody a new password
#[utoipa::path(post, path = "/api/v1/admin/users/{id}/reset-password", tag = "People", security(("token" = [])),
    request_body = ResetPersonBody, params(("id" = String, Path, description = "An account's id, `usr_…`.")),
    responses(
        (status = 200, description = "A temporary password, shown this once.", body = TemporaryPassword),
        (status = 202, description = "A letter is on its way."),
    ))]
pub(crate) async fn reset_person(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Id(id): Id<AccountId>,
    _: NoQuery,
    Json(body): Json<ResetPersonBody>,
) -> Result<Response, Problem> {
    let reset = match body.by.as_str() {
        "temporary" => Reset::Temporary,
        "mail" => Reset::Mail,
        _ => return Err(Problem::invalid("`by` must be `temporary` or `mail`.")),
    };
    Ok(match app.state.accounts.reset_person(&caller.principal, id, reset, from).await? {
        Some(password) => {
            (NEVER_KEPT, Json(TemporaryPassword { password: password.expose().to_owned() })).into_response()
        }
        None => StatusCode::ACCEPTED.into_response(),
    })
}

/// Take away somebody's second factor
///
/// For people who have lost both the app and the recovery codes.
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}/second-factor", tag = "People", security(("token" = [])),
    params(("id" = String, Path, description = "An account's id, `usr_…`.")),
    responses((status = 204, description = "Name and password are enough again.")))]
pub(crate) async fn remove_second_factor_of(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Id(id): Id<AccountId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.remove_factor_of(&caller.principal, id, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List somebody's sessions
#[utoipa::path(get, path = "/api/v1/admin/users/{id}/sessions", tag = "People", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An account's id, `usr_…`."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of sessions.", body = Page<SessionView>)))]
pub(crate) async fn list_sessions_of(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<AccountId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<SessionView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let sessions = app.state.accounts.sessions_of(&caller.principal, id, after, limit).await?;
    Ok(Json(sessions::paged(sessions)))
}

/// End all of somebody's sessions
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}/sessions", tag = "People", security(("token" = [])),
    params(("id" = String, Path, description = "An account's id, `usr_…`.")),
    responses((status = 204, description = "All have ended.")))]
pub(crate) async fn end_sessions_of(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Id(id): Id<AccountId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.end_sessions_of(&caller.principal, id, None, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End one of somebody's sessions
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}/sessions/{session}", tag = "People", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An account's id, `usr_…`."),
        ("session" = String, Path, description = "A session's id, `ses_…`."),
    ),
    responses((status = 204, description = "The session has ended.")))]
pub(crate) async fn end_session_of(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Ids(id, session): Ids<AccountId, SessionId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.end_sessions_of(&caller.principal, id, Some(session), from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List invitations
///
/// Those that are still good.
#[utoipa::path(get, path = "/api/v1/admin/invitations", tag = "People", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of invitations, oldest first.", body = Page<Invitation>)))]
pub(crate) async fn list_invitations(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<impl IntoResponse, Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let found = app.state.accounts.invitations(&caller.principal, after, limit).await?;
    let next_cursor = found.items.last().filter(|_| found.more).map(|last| page::cursor(&last.id.to_string()));
    let items = found.items.into_iter().map(Invitation::from).collect();
    Ok((NEVER_KEPT, Json(Page::<Invitation> { items, next_cursor })))
}

/// Invite somebody
///
/// By mail, or with a link to hand on. It is good for one account, also where registration is closed.
#[utoipa::path(post, path = "/api/v1/admin/invitations", tag = "People", security(("token" = [])), request_body = InvitationBody,
    responses((status = 201, description = "The invitation.", body = Invitation)))]
pub(crate) async fn create_invitation(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<InvitationBody>,
) -> Result<impl IntoResponse, Problem> {
    let new = NewInvitation {
        email: body.email,
        permissions: body.permissions,
        language: body.language,
        expires: body.expires_at.as_deref().map(parse_time).transpose()?,
    };
    let made = app.state.accounts.invite(&caller.principal, new, from).await?;
    Ok((StatusCode::CREATED, NEVER_KEPT, Json(Invitation::from(made))))
}

/// Take an invitation back
#[utoipa::path(delete, path = "/api/v1/admin/invitations/{id}", tag = "People", security(("token" = [])),
    params(("id" = String, Path, description = "An invitation's id, `tkt_…`.")),
    responses((status = 204, description = "It is good for nothing now.")))]
pub(crate) async fn delete_invitation(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<TicketId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.remove_invitation(&caller.principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read the audit log
///
/// Newest first: sign-ins and failed ones, passwords, second factors, tokens, invitations, changes by administrators.
#[utoipa::path(get, path = "/api/v1/admin/audit", tag = "People", security(("token" = [])),
    params(
        ("actor" = Option<String>, Query, description = "Only what this account did."),
        ("account" = Option<String>, Query, description = "Only what was done to this account."),
        ("action" = Option<String>, Query, description = "Only this, for example `sign-in-failed`."),
        ("since" = Option<String>, Query, description = "Not before this time."),
        ("until" = Option<String>, Query, description = "Before this time."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of the log.", body = Page<AuditLine>)))]
pub(crate) async fn list_audit(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditLine>>, Problem> {
    let limit = page_limit(query.limit)?;
    let before = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let filter = AuditFilter {
        actor: query.actor.as_deref().map(parse_id).transpose()?,
        account: query.account.as_deref().map(parse_id).transpose()?,
        action: query.action.as_deref(),
        since: query.since.as_deref().map(parse_time).transpose()?,
        until: query.until.as_deref().map(parse_time).transpose()?,
    };
    let found = app.state.accounts.audit(&caller.principal, &filter, before, limit).await?;
    let next_cursor = found.items.last().filter(|_| found.more).map(|last| page::cursor(&last.id.to_string()));
    Ok(Json(Page { items: found.items.into_iter().map(AuditLine::from).collect(), next_cursor }))
}

/// Secrets stay out of every cache.
const NEVER_KEPT: [(header::HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

impl From<PersonView> for Person {
    fn from(view: PersonView) -> Self {
        Self {
            user: view.user.into(),
            disabled_at: view.disabled,
            quota_bytes: view.quota_bytes,
            used_bytes: view.used_bytes,
            second_factor: view.second_factor,
        }
    }
}

impl From<InvitationView> for Invitation {
    fn from(view: InvitationView) -> Self {
        Self {
            id: view.id,
            email: view.email,
            permissions: view.permissions.words(),
            language: view.language,
            invited_by: view.made_by,
            created_at: view.created,
            expires_at: view.expires,
            token: view.token.expose().to_owned(),
            url: view.url.map(|url| url.expose().to_owned()),
        }
    }
}

impl From<AuditView> for AuditLine {
    fn from(view: AuditView) -> Self {
        Self {
            id: view.id,
            at: view.at,
            action: view.action,
            actor_id: view.actor,
            account_id: view.account,
            address: view.address,
            detail: view.detail,
        }
    }
}
