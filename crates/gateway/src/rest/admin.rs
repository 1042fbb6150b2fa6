//! Administration: storage servers, the cluster, background work.

use std::sync::Arc;

use accounts::AdminDeed;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use base::{JobId, NodeId, Time};
use bus::{JobState, JobView, Running};
use files::{Loss, NodeView, Overview};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::NodeAdmin,
    error::Problem,
    extract::{Id, Json, NoQuery, Query, page_limit, parse_id},
    rest::page::{self, Page},
    state::{App, ClientAddress},
};

/// All storage servers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Nodes {
    items: Vec<Node>,
}

/// A storage server.
#[derive(Serialize, ToSchema)]
pub(crate) struct Node {
    #[schema(value_type = String, example = "nod_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: NodeId,
    /// Where it answers; empty for one inside the gateway's process.
    #[schema(example = "10.0.0.7:7801")]
    address: String,
    /// `active`, `draining`, `removed`.
    #[schema(example = "active")]
    state: String,
    /// Whether it gives signs of life.
    live: bool,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    last_seen_at: Time,
    /// Of the program.
    version: String,
    /// Of its file system.
    total_bytes: u64,
    /// That it can still take.
    free_bytes: u64,
    /// Of its parts.
    part_bytes: u64,
    part_count: u64,
    /// Whether it takes parts.
    writable: bool,
    /// Why it does not.
    trouble: Option<String>,
}

/// The cluster at a glance.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClusterView {
    /// Raised by each change of the placement.
    epoch: u64,
    /// Parity parts that a new file gets now.
    parity: usize,
    /// How new files choose among placement groups.
    #[schema(example = "rendezvous")]
    strategy: &'static str,
    moves: Moves,
    repairs: Repairs,
    scrub: Scrub,
    garbage: Garbage,
    intents: Intents,
}

/// Parts on their way after a change of the placement.
#[derive(Serialize, ToSchema)]
struct Moves {
    /// Whether everything is where it belongs.
    settled: bool,
    /// To be moved when the epoch began.
    bytes_planned: u64,
    /// Moved since.
    bytes_moved: u64,
    /// Still to be moved, about.
    bytes_left: u64,
    bytes_per_second: u64,
    /// Until the end at that rate; `null` when nothing moves.
    eta_seconds: Option<u64>,
}

/// Parts that are to be rebuilt.
#[derive(Serialize, ToSchema)]
struct Repairs {
    /// Extents whose repair waits or runs.
    waiting: u64,
    /// Extents that were given up.
    failed: u64,
}

/// The pass that reads everything back.
#[derive(Serialize, ToSchema)]
struct Scrub {
    #[schema(value_type = Option<String>, format = DateTime)]
    pass_started_at: Option<Time>,
    /// From 0 to 1.
    progress: f64,
    parts_checked: u64,
    /// Parts found bad in this pass.
    damaged: u64,
}

/// Parts that nothing refers to.
#[derive(Serialize, ToSchema)]
struct Garbage {
    /// Extents with parts to remove.
    extents: u64,
    /// About.
    bytes: u64,
    /// When the first of them may be removed; until then downloads that began before still read them.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_at: Option<Time>,
}

/// Writes under way.
#[derive(Serialize, ToSchema)]
struct Intents {
    open: u64,
    /// When the first of them is taken for dead, unless its writer renews it before.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_at: Option<Time>,
}

/// A unit of background work.
#[derive(Serialize, ToSchema)]
pub(crate) struct Job {
    #[schema(value_type = String, example = "job_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: JobId,
    #[schema(example = "files.repair")]
    kind: String,
    /// `running` while somebody works on it, `waiting` before and between attempts; `dead` when it was given up.
    #[schema(example = "dead")]
    state: &'static str,
    /// What it is about, as it was asked for.
    #[schema(value_type = Object)]
    payload: serde_json::Value,
    /// Higher ones first.
    priority: i64,
    /// How often it was tried.
    attempts: u32,
    /// Not before; while it runs, until when nobody else takes it.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    due_at: Time,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    /// What the last attempt failed with.
    error: Option<String>,
    /// When the attempt began that runs now.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    started_at: Option<Time>,
    /// The process that does it: its host and number there.
    #[schema(example = "files-1:4711")]
    worker: Option<String>,
    /// How far it is, some seconds ago; `null` where nobody works on it, and for kinds that do not tell.
    progress: Option<JobProgress>,
}

/// How far a job is.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobProgress {
    /// What is done of it.
    #[schema(example = 12000)]
    done: u64,
    /// Of how much; `null` where that is not known.
    #[schema(example = 50000)]
    total: Option<u64>,
    /// `entries` (of a tree or a trash) or `bytes`.
    #[schema(example = "entries")]
    unit: &'static str,
}

/// What the loss of a storage server means.
#[derive(Serialize, ToSchema)]
pub(crate) struct Removal {
    /// Parts that were on it.
    parts: u64,
    /// Of these, parts that are being rebuilt on other servers; `repairs` of `GET /api/v1/admin/cluster` shows how far.
    parts_to_rebuild: u64,
    /// Extents that have too few parts left: the files that have them can no longer be read whole.
    lost_extents: u64,
    /// The bytes of those extents.
    lost_bytes: u64,
}

/// How to remove.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveQuery {
    #[serde(default)]
    force: bool,
}

/// Which jobs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsQuery {
    state: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// List storage servers
#[utoipa::path(get, path = "/api/v1/admin/nodes", tag = "Administration", security(("token" = [])),
    responses((status = 200, description = "All that are or were in the cluster.", body = Nodes)))]
pub(crate) async fn list_nodes(State(app): State<Arc<App>>, _: NodeAdmin, _: NoQuery) -> Result<Json<Nodes>, Problem> {
    let nodes = app.state.cluster.nodes().await?;
    Ok(Json(Nodes { items: nodes.into_iter().map(Node::from).collect() }))
}

/// Empty a storage server
///
/// Its data moves away in the background; it goes on serving until it has.
#[utoipa::path(post, path = "/api/v1/admin/nodes/{id}/drain", tag = "Administration", security(("token" = [])),
    params(("id" = String, Path, description = "A storage server's id, `nod_…`.")),
    responses((status = 202, description = "The drain has begun.")))]
pub(crate) async fn drain_node(
    State(app): State<Arc<App>>,
    _: NodeAdmin,
    Id(id): Id<NodeId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.cluster.drain(id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Take a drain back
#[utoipa::path(post, path = "/api/v1/admin/nodes/{id}/activate", tag = "Administration", security(("token" = [])),
    params(("id" = String, Path, description = "A storage server's id, `nod_…`.")),
    responses((status = 200, description = "The server takes new files again.")))]
pub(crate) async fn activate_node(
    State(app): State<Arc<App>>,
    _: NodeAdmin,
    Id(id): Id<NodeId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.cluster.activate(id).await?;
    Ok(StatusCode::OK)
}

/// Remove a storage server
///
/// Only when it holds nothing that is needed: drain it first. A server that is dead for good cannot be drained; with
/// `force=true` its parts are given up. Those that parity can stand in for are rebuilt on the other servers, and the answer
/// says what cannot be. A server that still gives signs of life is not removed by force.
#[utoipa::path(delete, path = "/api/v1/admin/nodes/{id}", tag = "Administration", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A storage server's id, `nod_…`."),
        ("force" = Option<bool>, Query, description = "`true` to give up what a dead server holds."),
    ),
    responses(
        (status = 200, description = "With `force=true`: the server is no longer part of the cluster, and this is what that costs.", body = Removal),
        (status = 204, description = "The server is no longer part of the cluster."),
    ))]
pub(crate) async fn remove_node(
    State(app): State<Arc<App>>,
    _: NodeAdmin,
    Id(id): Id<NodeId>,
    Query(query): Query<RemoveQuery>,
) -> Result<Response, Problem> {
    let loss = if query.force { Loss::Accepted } else { Loss::Refused };
    let removal = app.state.cluster.remove(id, loss).await?;
    if !query.force {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Json(Removal {
        parts: removal.parts,
        parts_to_rebuild: removal.rebuilt,
        lost_extents: removal.lost_extents,
        lost_bytes: removal.lost_bytes,
    })
    .into_response())
}

/// Show the cluster
#[utoipa::path(get, path = "/api/v1/admin/cluster", tag = "Administration", security(("token" = [])),
    responses((status = 200, description = "Moves, repairs, scrub and clean-up at a glance.", body = ClusterView)))]
pub(crate) async fn get_cluster(
    State(app): State<Arc<App>>,
    _: NodeAdmin,
    _: NoQuery,
) -> Result<Json<ClusterView>, Problem> {
    Ok(Json(app.state.cluster.overview().await?.into()))
}

/// List background work
#[utoipa::path(get, path = "/api/v1/admin/jobs", tag = "Administration", security(("token" = [])),
    params(
        ("state" = Option<String>, Query, description = "`waiting`, `running` or `dead`; `dead` if absent."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of jobs in the order in which they were asked for.", body = Page<Job>)))]
pub(crate) async fn list_jobs(
    State(app): State<Arc<App>>,
    _: NodeAdmin,
    Query(query): Query<JobsQuery>,
) -> Result<Json<Page<Job>>, Problem> {
    let state = match query.state.as_deref() {
        None | Some("dead") => JobState::Dead,
        Some("waiting") => JobState::Waiting,
        Some("running") => JobState::Running,
        Some(_) => return Err(Problem::invalid("`state` must be `waiting`, `running` or `dead`.")),
    };
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| parse_id::<JobId>(&page::position(&cursor)?)).transpose()?;
    let jobs = app.state.jobs.list(state, after, limit).await?;
    // A full page may be the last one; the page after it is then empty.
    let full = jobs.len() == limit as usize;
    let next_cursor = jobs.last().filter(|_| full).map(|last| page::cursor(&last.id.to_string()));
    Ok(Json(Page { items: jobs.into_iter().map(Job::from).collect(), next_cursor }))
}

/// Try a dead job again
#[utoipa::path(post, path = "/api/v1/admin/jobs/{id}/retry", tag = "Administration", security(("token" = [])),
    params(("id" = String, Path, description = "A job's id, `job_…`.")),
    responses((status = 200, description = "The job waits again, with all its attempts before it.", body = Job)))]
pub(crate) async fn retry_job(
    State(app): State<Arc<App>>,
    NodeAdmin(principal): NodeAdmin,
    ClientAddress(address): ClientAddress,
    Id(id): Id<JobId>,
    _: NoQuery,
) -> Result<Json<Job>, Problem> {
    let job = app.state.jobs.retry_dead(id).await?;
    let detail = serde_json::json!({ "job": id, "kind": job.kind });
    app.state.accounts.log_admin_alone(AdminDeed::JobRetried, (&principal, address), None, detail).await;
    Ok(Json(job.into()))
}

/// Cancel a job
///
/// One that may be left undone: emptying a trash (what is still in it stays), hashing a file, a letter. Whoever works on it
/// stops within seconds. What the store needs to stay in order cannot be cancelled.
#[utoipa::path(delete, path = "/api/v1/admin/jobs/{id}", tag = "Administration", security(("token" = [])),
    params(("id" = String, Path, description = "A job's id, `job_…`.")),
    responses((status = 204, description = "It will not be done.")))]
pub(crate) async fn cancel_job(
    State(app): State<Arc<App>>,
    NodeAdmin(principal): NodeAdmin,
    ClientAddress(address): ClientAddress,
    Id(id): Id<JobId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let kinds: Vec<&str> = drive::jobs::CANCELLABLE.into_iter().chain([accounts::LETTERS]).collect();
    let job = app.state.jobs.cancel(id, &kinds).await?;
    let detail = serde_json::json!({ "job": id, "kind": job.kind });
    app.state.accounts.log_admin_alone(AdminDeed::JobCancelled, (&principal, address), None, detail).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Background work of one kind.
#[derive(Serialize, ToSchema)]
pub(crate) struct QueueView {
    #[schema(example = "files.repair")]
    kind: String,
    /// Jobs that wait or are worked on.
    waiting: u64,
    /// Jobs that were given up.
    dead: u64,
    /// For how long the oldest of those that wait could have been worked on.
    lag_seconds: u64,
    /// Whether jobs of this kind can be cancelled.
    cancellable: bool,
}

/// All background work by its kinds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Queues {
    items: Vec<QueueView>,
}

/// Show how much background work waits
#[utoipa::path(get, path = "/api/v1/admin/queues", tag = "Administration", security(("token" = [])),
    responses((status = 200, description = "Jobs by their kinds; kinds without a job are not listed.", body = Queues)))]
pub(crate) async fn list_queues(
    State(app): State<Arc<App>>,
    _: NodeAdmin,
    _: NoQuery,
) -> Result<Json<Queues>, Problem> {
    let items = app.state.jobs.queues().await?.into_iter().map(|queue| QueueView {
        cancellable: queue.kind == accounts::LETTERS || drive::jobs::CANCELLABLE.contains(&queue.kind.as_str()),
        kind: queue.kind,
        waiting: queue.waiting,
        dead: queue.dead,
        lag_seconds: queue.lag.as_secs(),
    });
    Ok(Json(Queues { items: items.collect() }))
}

impl From<NodeView> for Node {
    fn from(node: NodeView) -> Self {
        Self {
            id: node.id,
            address: node.address,
            state: node.state,
            live: node.live,
            last_seen_at: node.last_seen_at,
            version: node.version,
            total_bytes: node.total_bytes,
            free_bytes: node.free_bytes,
            part_bytes: node.part_bytes,
            part_count: node.part_count,
            writable: node.writable,
            trouble: node.trouble,
        }
    }
}

impl From<Overview> for ClusterView {
    fn from(overview: Overview) -> Self {
        let Overview { epoch, parity, strategy, moves, repairs, scrub, garbage, intents } = overview;
        Self {
            epoch,
            parity,
            strategy,
            moves: Moves {
                settled: moves.settled,
                bytes_planned: moves.bytes_planned,
                bytes_moved: moves.bytes_moved,
                bytes_left: moves.bytes_left,
                bytes_per_second: moves.bytes_per_second,
                eta_seconds: moves.eta_seconds,
            },
            repairs: Repairs { waiting: repairs.waiting, failed: repairs.failed },
            scrub: Scrub {
                pass_started_at: scrub.pass_started_at,
                progress: scrub.progress,
                parts_checked: scrub.parts_checked,
                damaged: scrub.damaged,
            },
            garbage: Garbage { extents: garbage.extents, bytes: garbage.bytes, oldest_at: garbage.oldest_at },
            intents: Intents { open: intents.open, oldest_at: intents.oldest_at },
        }
    }
}

impl From<JobView> for Job {
    fn from(job: JobView) -> Self {
        let (started_at, worker, tally) = match job.running {
            Some(Running { since, worker, tally }) => (Some(since), worker, tally),
            None => (None, None, None),
        };
        Self {
            id: job.id,
            kind: job.kind,
            state: match job.state {
                JobState::Waiting => "waiting",
                JobState::Running => "running",
                JobState::Dead => "dead",
            },
            // A payload that is no JSON is shown as the text that it is.
            payload: serde_json::from_str(&job.payload).unwrap_or(serde_json::Value::String(job.payload)),
            priority: job.priority,
            attempts: job.attempts,
            due_at: job.due,
            created_at: job.created,
            error: job.error,
            started_at,
            worker,
            progress: tally.map(|tally| JobProgress {
                done: tally.done,
                total: tally.total,
                unit: tally.unit.as_str(),
            }),
        }
    }
}
