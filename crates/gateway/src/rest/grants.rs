//! Sharing with people: roles on entries, and what is shared with whom.

use std::{collections::HashMap, sync::Arc};

use accounts::Role;
use axum::extract::State;
use base::{AccountId, EntryId, GrantId, SpaceId, Time};
use drive::{Drive, Grant, NewGrant, Shared, Subject};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, PageQuery, Query, given, page_limit, parse_id, parse_time},
    rest::{
        page::{self, Page},
        views::EntryView,
    },
    state::App,
};

/// Somebody, a group, or everyone who is signed in.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Subject)]
pub(crate) struct SubjectView {
    /// `user`, `group`, `everyone`.
    #[schema(example = "user")]
    kind: &'static str,
    /// `usr_…` or `grp_…`; `null` for everyone.
    #[schema(example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: Option<String>,
    /// What a user signs in with, or what a group is called; `null` for everyone, and for what is gone.
    #[schema(example = "ada")]
    name: Option<String>,
    #[schema(example = "Ada Lovelace")]
    display_name: Option<String>,
    /// The version of a user's picture; `null` without one, and for groups and everyone.
    #[schema(example = "1f0b7c9a2d3e4f50")]
    picture: Option<String>,
}

/// A role that was given on an entry.
#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
pub(crate) struct GrantView {
    #[schema(value_type = String, example = "grt_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: GrantId,
    /// Where it was given.
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    entry_id: EntryId,
    subject: SubjectView,
    /// `viewer`, `commenter`, `editor`, `manager`.
    #[schema(example = "editor")]
    role: &'static str,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-21T00:00:00.000000Z")]
    expires_at: Option<Time>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    #[schema(value_type = String, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    created_by: AccountId,
    /// It was given on a folder above the entry that was asked for.
    inherited: bool,
}

/// What was given on an entry and above it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Grants {
    /// Those of the entry itself first, then those of the folders above it, nearest first.
    items: Vec<GrantView>,
}

/// Something that is shared, once for each grant.
#[derive(Serialize, ToSchema)]
#[schema(as = Shared)]
pub(crate) struct SharedView {
    grant: GrantView,
    entry: EntryView,
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    /// Who gave it.
    shared_by: SubjectView,
}

/// To whom a role is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubjectBody {
    /// `user`, `group`, `everyone`.
    #[schema(example = "user")]
    kind: String,
    /// `usr_…` or `grp_…`; absent for everyone.
    #[schema(example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: Option<String>,
}

/// A role to give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantBody {
    subject: SubjectBody,
    /// `viewer`, `commenter`, `editor`, `manager`.
    #[schema(example = "editor")]
    role: String,
    /// When it ends, as RFC 3339 says; never where it is absent.
    #[schema(example = "2026-12-21T00:00:00Z")]
    expires_at: Option<String>,
}

/// What is to change about a grant; what is absent stays, and `null` takes the end away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantUpdateBody {
    /// `viewer`, `commenter`, `editor`, `manager`.
    #[schema(example = "viewer")]
    role: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "2026-12-21T00:00:00Z")]
    expires_at: Option<Option<String>>,
}

/// List who has which role on an entry
///
/// Those who were given one on the entry itself, and those who were given one on a folder above it that the caller sees.
#[utoipa::path(get, path = "/api/v1/entries/{id}/grants", tag = "Sharing", security(("token" = [])),
    params(("id" = String, Path, description = "An entry's id, `ent_…`; of a team's root for its members.")),
    responses((status = 200, description = "The roles.", body = Grants)))]
pub(crate) async fn list_grants(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
) -> Result<Json<Grants>, Problem> {
    let drive = &app.state.drive;
    let found = drive.grants(&caller.actor(), id).await?;
    let mut names = Names::new(drive);
    let mut items = Vec::with_capacity(found.len());
    for grant in found {
        items.push(names.grant(grant).await?);
    }
    Ok(Json(Grants { items }))
}

/// Share an entry with somebody
///
/// Gives a user, a group or everyone signed in a role on the entry and all below it, or changes the one they were given there. On
/// the root of a team's space that makes a member. Needs the role `manager`; the answer has 201 if they had none there.
#[utoipa::path(put, path = "/api/v1/entries/{id}/grants", tag = "Sharing", security(("token" = [])), request_body = GrantBody,
    params(("id" = String, Path, description = "An entry's id, `ent_…`.")),
    responses(
        (status = 200, description = "The role that was changed.", body = GrantView),
        (status = 201, description = "The role that was given.", body = GrantView),
    ))]
pub(crate) async fn put_grant(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
    Json(body): Json<GrantBody>,
) -> Result<(StatusCode, Json<GrantView>), Problem> {
    let new = NewGrant {
        subject: subject(&body.subject)?,
        role: role(&body.role)?,
        expires: body.expires_at.as_deref().map(parse_time).transpose()?,
    };
    let (grant, is_new) = app.state.drive.give(&caller.actor(), id, new).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Names::new(&app.state.drive).grant(grant).await?)))
}

/// Change a role that was given
#[utoipa::path(patch, path = "/api/v1/grants/{id}", tag = "Sharing", security(("token" = [])), request_body = GrantUpdateBody,
    params(("id" = String, Path, description = "A grant's id, `grt_…`.")),
    responses((status = 200, description = "The role.", body = GrantView)))]
pub(crate) async fn update_grant(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<GrantId>,
    _: NoQuery,
    Json(body): Json<GrantUpdateBody>,
) -> Result<Json<GrantView>, Problem> {
    let role = body.role.as_deref().map(role).transpose()?;
    let expires = match body.expires_at {
        None => None,
        Some(expires) => Some(expires.as_deref().map(parse_time).transpose()?),
    };
    let grant = app.state.drive.change_grant(&caller.actor(), id, role, expires).await?;
    Ok(Json(Names::new(&app.state.drive).grant(grant).await?))
}

/// Take a role back
///
/// It counts for nothing from the moment of the answer on. Who has it may give it up.
#[utoipa::path(delete, path = "/api/v1/grants/{id}", tag = "Sharing", security(("token" = [])),
    params(("id" = String, Path, description = "A grant's id, `grt_…`.")),
    responses((status = 204, description = "It is taken back.")))]
pub(crate) async fn delete_grant(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<GrantId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.drive.take(&caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List what others share with one
///
/// Without the spaces of which one is a member: those are in `/api/v1/spaces`. An entry comes once for each grant.
#[utoipa::path(get, path = "/api/v1/shared-with-me", tag = "Sharing", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of what is shared.", body = Page<SharedView>)))]
pub(crate) async fn list_shared_with_me(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<SharedView>>, Problem> {
    let (limit, after) = place(&query)?;
    let drive = &app.state.drive;
    shared(drive, drive.shared_with_me(&caller.actor(), after, limit).await?).await
}

/// List what one shares with others
#[utoipa::path(get, path = "/api/v1/shared-by-me", tag = "Sharing", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of what is shared.", body = Page<SharedView>)))]
pub(crate) async fn list_shared_by_me(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<SharedView>>, Problem> {
    let (limit, after) = place(&query)?;
    let drive = &app.state.drive;
    shared(drive, drive.shared_by_me(&caller.actor(), after, limit).await?).await
}

fn place(query: &PageQuery) -> Result<(u32, Option<GrantId>), Problem> {
    let after = query.cursor.as_deref().map(|cursor| parse_id(&page::position(cursor)?)).transpose()?;
    Ok((page_limit(query.limit)?, after))
}

async fn shared(drive: &Drive, found: drive::SharedPage) -> Result<Json<Page<SharedView>>, Problem> {
    let next_cursor = found.next.map(|last| page::cursor(&last.to_string()));
    let mut names = Names::new(drive);
    let mut items = Vec::with_capacity(found.items.len());
    for Shared { grant, entry } in found.items {
        items.push(SharedView {
            space_id: grant.space,
            shared_by: names.subject(Subject::Account(grant.created_by)).await?,
            grant: names.grant(grant).await?,
            entry: entry.into(),
        });
    }
    Ok(Json(Page { items, next_cursor }))
}

/// # Errors
/// `invalid-request` for a word that is no role.
fn role(text: &str) -> Result<Role, Problem> {
    Role::parse(text).ok_or_else(|| Problem::invalid("`role` must be `viewer`, `commenter`, `editor` or `manager`."))
}

/// # Errors
/// `invalid-request`, `invalid-id`.
fn subject(body: &SubjectBody) -> Result<Subject, Problem> {
    match (body.kind.as_str(), body.id.as_deref()) {
        ("user", Some(id)) => Ok(Subject::Account(parse_id(id)?)),
        ("group", Some(id)) => Ok(Subject::Group(parse_id(id)?)),
        ("everyone", None) => Ok(Subject::Everyone),
        _ => Err(Problem::invalid("`subject` is a `user` or a `group` with its `id`, or `everyone` without.")),
    }
}

/// The names of those who are on a page, each asked for once.
struct Names<'a> {
    drive: &'a Drive,
    known: HashMap<Subject, SubjectView>,
}

impl<'a> Names<'a> {
    fn new(drive: &'a Drive) -> Self {
        Self { drive, known: HashMap::new() }
    }

    async fn subject(&mut self, subject: Subject) -> Result<SubjectView, Problem> {
        if let Some(known) = self.known.get(&subject) {
            return Ok(known.clone());
        }
        let (kind, id) = match subject {
            Subject::Account(id) => ("user", Some(id.to_string())),
            Subject::Group(id) => ("group", Some(id.to_string())),
            Subject::Everyone => ("everyone", None),
        };
        let mut view = SubjectView { kind, id, name: None, display_name: None, picture: None };
        if let Some(shown) = self.drive.shown(subject).await? {
            view.name = Some(shown.name);
            view.display_name = Some(shown.display_name);
            view.picture = shown.picture;
        }
        self.known.insert(subject, view.clone());
        Ok(view)
    }

    async fn grant(&mut self, grant: Grant) -> Result<GrantView, Problem> {
        Ok(GrantView {
            id: grant.id,
            entry_id: grant.entry,
            subject: self.subject(grant.subject).await?,
            role: grant.role.as_str(),
            expires_at: grant.expires,
            created_at: grant.created,
            created_by: grant.created_by,
            inherited: grant.inherited,
        })
    }
}
