//! Groups of people, and finding people to share with.

use std::sync::Arc;

use accounts::{Found, Group, Member};
use axum::extract::State;
use base::{AccountId, GroupId, Time};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Ids, Json, NoQuery, PageQuery, Query, page_limit, parse_id},
    rest::page::{self, Page},
    state::App,
};

/// A group of people.
#[derive(Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct GroupView {
    #[schema(value_type = String, example = "grp_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: GroupId,
    #[schema(example = "Research")]
    name: String,
    /// How many people are in it.
    members: u64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
}

/// Somebody in a group.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupMember)]
pub(crate) struct MemberView {
    #[schema(value_type = String, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: AccountId,
    #[schema(example = "ada")]
    name: String,
    #[schema(example = "Ada Lovelace")]
    display_name: String,
    /// The version of their picture, if they have one.
    #[schema(example = "1f0b7c9a2d3e4f50")]
    picture: Option<String>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    added_at: Time,
}

/// Somebody to share with, or a group.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundPerson)]
pub(crate) struct PersonView {
    /// `user` or `group`.
    #[schema(example = "user")]
    kind: &'static str,
    #[schema(example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: String,
    #[schema(example = "ada")]
    name: String,
    #[schema(example = "Ada Lovelace")]
    display_name: String,
    /// The version of a user's picture; `null` without one, and for groups.
    #[schema(example = "1f0b7c9a2d3e4f50")]
    picture: Option<String>,
}

/// Those who were found.
#[derive(Serialize, ToSchema)]
pub(crate) struct People {
    /// Groups first.
    items: Vec<PersonView>,
}

/// A group's name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupBody {
    /// 1 to 100 characters; unique without regard to case.
    #[schema(example = "Research")]
    name: String,
}

/// Whom to look for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeopleQuery {
    query: String,
    limit: Option<u32>,
}

/// Find people and groups
///
/// Those whose name, or a word of whose name, begins with the text. Case does not matter.
#[utoipa::path(get, path = "/api/v1/people", tag = "Sharing", security(("token" = [])),
    params(
        ("query" = String, Query, description = "The beginning of a name or of a word in it."),
        ("limit" = Option<u32>, Query, description = "At most so many: 1 to 50, 20 if absent."),
    ),
    responses((status = 200, description = "Who was found.", body = People)))]
pub(crate) async fn find_people(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PeopleQuery>,
) -> Result<Json<People>, Problem> {
    if query.limit == Some(0) {
        return Err(Problem::invalid("`limit` must be at least 1."));
    }
    let found = app.state.accounts.find_people(&caller.principal, &query.query, query.limit.unwrap_or(20)).await?;
    Ok(Json(People { items: found.into_iter().map(PersonView::from).collect() }))
}

/// List groups
///
/// All of them for administrators of users, else those that one is in.
#[utoipa::path(get, path = "/api/v1/groups", tag = "Sharing", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of groups.", body = Page<GroupView>)))]
pub(crate) async fn list_groups(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<GroupView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let groups = app.state.accounts.groups(&caller.principal, after, limit).await?;
    let next_cursor = groups.items.last().filter(|_| groups.more).map(|last| page::cursor(&last.id.to_string()));
    Ok(Json(Page { items: groups.items.into_iter().map(GroupView::from).collect(), next_cursor }))
}

/// Create a group
#[utoipa::path(post, path = "/api/v1/groups", tag = "Sharing", security(("token" = [])), request_body = GroupBody,
    responses((status = 201, description = "The group, with nobody in it.", body = GroupView)))]
pub(crate) async fn create_group(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    Json(body): Json<GroupBody>,
) -> Result<(StatusCode, Json<GroupView>), Problem> {
    let group = app.state.accounts.create_group(&caller.principal, &body.name).await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}

/// Rename a group
#[utoipa::path(patch, path = "/api/v1/groups/{id}", tag = "Sharing", security(("token" = [])), request_body = GroupBody,
    params(("id" = String, Path, description = "A group's id, `grp_…`.")),
    responses((status = 200, description = "The group.", body = GroupView)))]
pub(crate) async fn rename_group(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<GroupId>,
    _: NoQuery,
    Json(body): Json<GroupBody>,
) -> Result<Json<GroupView>, Problem> {
    Ok(Json(app.state.accounts.rename_group(&caller.principal, id, &body.name).await?.into()))
}

/// Delete a group
///
/// What it was given, nobody has by it any more.
#[utoipa::path(delete, path = "/api/v1/groups/{id}", tag = "Sharing", security(("token" = [])),
    params(("id" = String, Path, description = "A group's id, `grp_…`.")),
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_group(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<GroupId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.delete_group(&caller.principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the people of a group
#[utoipa::path(get, path = "/api/v1/groups/{id}/members", tag = "Sharing", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A group's id, `grp_…`."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of people.", body = Page<MemberView>)))]
pub(crate) async fn list_members(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<GroupId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<MemberView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let members = app.state.accounts.members(&caller.principal, id, after, limit).await?;
    let last = members.items.last().filter(|_| members.more);
    let next_cursor = last.map(|last| page::cursor(&last.account.to_string()));
    Ok(Json(Page { items: members.items.into_iter().map(MemberView::from).collect(), next_cursor }))
}

/// Put somebody into a group
#[utoipa::path(put, path = "/api/v1/groups/{id}/members/{user}", tag = "Sharing", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A group's id, `grp_…`."),
        ("user" = String, Path, description = "An account's id, `usr_…`."),
    ),
    responses((status = 204, description = "They are in it.")))]
pub(crate) async fn add_member(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ids(group, user): Ids<GroupId, AccountId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.set_member(&caller.principal, group, user, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take somebody out of a group
///
/// What they had by the group they have no more.
#[utoipa::path(delete, path = "/api/v1/groups/{id}/members/{user}", tag = "Sharing", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A group's id, `grp_…`."),
        ("user" = String, Path, description = "An account's id, `usr_…`."),
    ),
    responses((status = 204, description = "They are not in it.")))]
pub(crate) async fn remove_member(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ids(group, user): Ids<GroupId, AccountId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.set_member(&caller.principal, group, user, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self { id: group.id, name: group.name, members: group.members, created_at: group.created }
    }
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            id: member.account,
            name: member.name,
            display_name: member.display_name,
            picture: member.picture,
            added_at: member.added,
        }
    }
}

impl From<Found> for PersonView {
    fn from(found: Found) -> Self {
        match found {
            Found::Account { id, name, display_name, picture } => {
                Self { kind: "user", id: id.to_string(), name, display_name, picture }
            }
            Found::Group { id, name } => {
                Self { kind: "group", id: id.to_string(), display_name: name.clone(), name, picture: None }
            }
        }
    }
}
