//! Many small files in one request: no request, and hardly a wait, for each of them.

use std::{collections::HashMap, sync::Arc};

use axum::extract::{Request, State};
use base::{EntryId, ErrorKind, Name};
use bytes::Bytes;
use drive::{Actor, Entry, OnConflict, Put, Target};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream, stream::FuturesUnordered};
use http::header;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    body::{declared_type, incoming},
    digest,
    error::Problem,
    extract::{Json, Query, parse_conflict, parse_id, parse_name},
    frames::{Frame, FrameHeader, Frames},
    rest::views::EntryView,
    state::App,
};

/// The media type of a body of frames.
const MEDIA_TYPE: &str = "application/vnd.holdfast.batch";

/// Bytes of one file at most; larger ones go by themselves, where they can be resumed.
const FILE_BYTES_MAX: usize = 8 << 20;

/// Files of one request at most.
const FILES_MAX: usize = 10_000;

/// Files that are stored at once: as many as one commit of the database carries.
const AT_ONCE: usize = 128;

/// Bytes of files that are being stored at once.
const BYTES_AT_ONCE: usize = 32 << 20;

/// Where the files go and what happens where a name is taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchQuery {
    parent: Option<String>,
    on_conflict: Option<String>,
}

/// What became of the files.
#[derive(Serialize, ToSchema)]
#[schema(as = Batch)]
pub(crate) struct BatchView {
    /// One for each file, in the order of the body.
    items: Vec<ResultView>,
    /// Files that were not stored, without those that were skipped.
    refused: usize,
    /// Why the rest of the body was not read, if it was not: what came before stands in `items` and is stored.
    #[schema(value_type = Option<crate::error::ProblemDocument>)]
    error: Option<serde_json::Value>,
}

/// What became of one file.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResult)]
struct ResultView {
    /// As the frame said it.
    path: String,
    /// `created`, `replaced`, `skipped`, `refused`.
    status: &'static str,
    #[schema(value_type = Option<EntryView>)]
    entry: Option<Entry>,
    #[schema(value_type = Option<crate::error::ProblemDocument>)]
    error: Option<serde_json::Value>,
}

/// What to do if a name is taken: the drive's rules, and one more that only makes sense among many.
#[derive(Clone, Copy)]
enum Rule {
    Drive(OnConflict),
    Skip,
}

impl Rule {
    fn parse(text: Option<&str>) -> Result<Self, Problem> {
        match text {
            Some("skip") => Ok(Self::Skip),
            other => parse_conflict(other).map(Self::Drive),
        }
    }
}

/// Upload many small files
///
/// The body is a sequence of frames: the length of a header (4 bytes, big-endian), the header as JSON
/// (`{"path","size","content_type"?,"blake3"?,"on_conflict"?,"id"?}`), and `size` bytes. `path` is names with `/` between them; folders
/// that are missing are made. Up to 10,000 files of up to 8 MiB each.
///
/// Each file has a result of its own, and one that is refused does not stop the others. When the answer comes, all that
/// it calls stored is durable.
#[utoipa::path(post, path = "/api/v1/batch", tag = "Files", security(("token" = [])),
    params(
        ("parent" = Option<String>, Query, description = "The folder that paths begin in; the root of one's own space where it is absent."),
        ("on_conflict" = Option<String>, Query,
            description = "For files that do not say: `fail` (the default), `replace`, `rename`, `skip`."),
    ),
    request_body(content = String, content_type = "application/vnd.holdfast.batch", description = "Frames."),
    responses((status = 200, description = "What became of each file.", body = BatchView)))]
pub(crate) async fn upload_batch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<BatchQuery>,
    request: Request,
) -> Result<Json<BatchView>, Problem> {
    let given = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    if given != Some(MEDIA_TYPE.as_bytes()) {
        let detail = format!("The body must be `{MEDIA_TYPE}`.");
        return Err(Problem::new(ErrorKind::Invalid, "unsupported-media-type", detail));
    }
    let rule = Rule::parse(query.on_conflict.as_deref())?;
    let actor = caller.actor();
    let parent = query.parent.as_deref().map(parse_id).transpose()?.unwrap_or(actor.principal.root);
    // A folder that is not there, or not the caller's, is refused as a whole and before the body is read.
    app.state.drive.children(&actor, parent, None, 1).await?;
    let frames = Frames::new(incoming(request.into_body(), app.options.body_idle), FILE_BYTES_MAX);
    let batch = Batch { app: &app, actor: &actor, rule, folders: Folders::from(parent) };
    Ok(Json(batch.run(frames).await))
}

struct Batch<'a> {
    app: &'a App,
    actor: &'a Actor,
    rule: Rule,
    folders: Folders,
}

/// The result of a file, with its place and how many bytes it held.
type Done = (usize, usize, Result<(&'static str, Option<Entry>), Problem>);

impl Batch<'_> {
    async fn run(mut self, mut frames: Frames) -> BatchView {
        let mut items: Vec<ResultView> = Vec::new();
        let mut running: FuturesUnordered<BoxFuture<'_, Done>> = FuturesUnordered::new();
        let mut held = 0;
        let error = loop {
            let frame = tokio::select! {
                biased;
                Some((at, bytes, result)) = running.next() => {
                    held -= bytes;
                    items[at].settle(result);
                    continue;
                }
                frame = frames.next(), if running.len() < AT_ONCE && held < BYTES_AT_ONCE => frame,
            };
            let Frame { header, bytes } = match frame {
                Ok(Some(frame)) => frame,
                Ok(None) => break None,
                Err(problem) => break Some(problem),
            };
            if items.len() == FILES_MAX {
                break Some(Problem::invalid(format!("A batch has at most {FILES_MAX} files.")));
            }
            let at = items.len();
            items.push(ResultView { path: header.path.clone(), status: "refused", entry: None, error: None });
            match self.put(&header, bytes.as_ref()).await {
                Ok((put, rule)) => {
                    let bytes = bytes.unwrap_or_default();
                    held += bytes.len();
                    running.push(store(self.app, self.actor, at, put, rule, bytes).boxed());
                }
                Err(problem) => items[at].settle(Err(problem)),
            }
        };
        while let Some((at, _, result)) = running.next().await {
            items[at].settle(result);
        }
        let refused = items.iter().filter(|item| item.error.is_some()).count();
        BatchView { items, refused, error: error.as_ref().map(document) }
    }

    /// What to ask of the drive, with the folders on the way made.
    async fn put(&mut self, header: &FrameHeader, bytes: Option<&Bytes>) -> Result<(Put, Rule), Problem> {
        if bytes.is_none() {
            let detail = format!("A file of a batch has at most {FILE_BYTES_MAX} bytes; larger ones go by themselves.");
            return Err(Problem::new(ErrorKind::TooLarge, "file-too-large", detail));
        }
        let names = header.path.split('/').map(parse_name).collect::<Result<Vec<_>, _>>()?;
        let (name, folders) = names.split_last().ok_or_else(|| Problem::invalid("A file needs a name."))?;
        let rule = match &header.on_conflict {
            None => self.rule,
            given => Rule::parse(given.as_deref())?,
        };
        let on_conflict = match rule {
            Rule::Drive(on_conflict) => on_conflict,
            Rule::Skip => OnConflict::Fail,
        };
        let content_type = declared_type(header.content_type.as_deref())?;
        let blake3 = digest::expected(header.blake3.as_deref(), &http::HeaderMap::new())?;
        let parent = Some(self.folders.find(self.app, self.actor, folders).await?);
        let id = header.id.as_deref().map(parse_id).transpose()?;
        let target = Target::Child { parent, name: name.clone(), on_conflict, id };
        Ok((Put { target, content_type, length: Some(header.size), blake3 }, rule))
    }
}

async fn store(app: &App, actor: &Actor, at: usize, put: Put, rule: Rule, bytes: Bytes) -> Done {
    let held = bytes.len();
    let body = stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed();
    let result = match app.state.drive.put(actor, put, body).await {
        Ok(stored) => Ok((if stored.created { "created" } else { "replaced" }, Some(stored.entry))),
        Err(drive::Error::NameTaken) if matches!(rule, Rule::Skip) => Ok(("skipped", None)),
        Err(error) => Err(error.into()),
    };
    (at, held, result)
}

impl ResultView {
    fn settle(&mut self, result: Result<(&'static str, Option<Entry>), Problem>) {
        match result {
            Ok((status, entry)) => (self.status, self.entry) = (status, entry),
            Err(problem) => self.error = Some(document(&problem)),
        }
    }
}

/// The refusal of one file among many; the request's id is in the header of the answer.
fn document(problem: &Problem) -> serde_json::Value {
    serde_json::from_slice(&problem.body("")).unwrap_or_default()
}

/// The folders that were found or made for this request, by their paths.
struct Folders {
    base: EntryId,
    known: HashMap<Vec<Name>, EntryId>,
}

impl Folders {
    fn from(base: EntryId) -> Self {
        Self { base, known: HashMap::new() }
    }

    async fn find(&mut self, app: &App, actor: &Actor, names: &[Name]) -> Result<EntryId, Problem> {
        // From the deepest one that is known on.
        let (mut depth, mut folder) = (1..=names.len())
            .rev()
            .find_map(|depth| Some((depth, *self.known.get(&names[..depth])?)))
            .unwrap_or((0, self.base));
        while depth < names.len() {
            folder = app.state.drive.folder_named(actor, folder, &names[depth]).await?;
            depth += 1;
            self.known.insert(names[..depth].to_vec(), folder);
        }
        Ok(folder)
    }
}
