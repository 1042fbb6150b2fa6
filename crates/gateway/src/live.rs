//! One socket for everything that happens: `/api/v1/live`, a WebSocket with the subprotocol `holdfast.v1`.
//!
//! Nothing queues for a client. A session keeps for each space the number up to which its client was told; when the space
//! changes and the socket takes bytes, the changes after that number are read and sent. A client that is slow is behind by
//! more than a push holds, and is then told to pull.

mod message;
mod session;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use axum::{
    Router,
    extract::{
        State,
        ws::{Utf8Bytes, WebSocketUpgrade},
    },
    response::{IntoResponse, Response},
    routing::any,
};
use base::{ErrorKind, SpaceId};
use drive::{Access, Actor};
use http::HeaderMap;
use journal::Cursor;
use parking_lot::Mutex;

use crate::{
    auth,
    error::Problem,
    live::message::{CHANGES_MAX, Push},
    state::App,
};

/// What both sides speak.
const SUBPROTOCOL: &str = "holdfast.v1";

/// What each socket keeps for reading. Messages are small and thousands of sockets are idle; the library's own default is
/// 128 KiB.
const READ_BUFFER_BYTES: usize = 2 << 10;

/// Bytes of a client's message at most.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/api/v1/live", any(connect))
}

/// Takes a socket. A browser cannot put a token in the headers of one, so the token may come in the first message instead.
async fn connect(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| {
        Problem::new(
            ErrorKind::Invalid,
            "upgrade-required",
            "This address is a WebSocket (RFC 6455) with the subprotocol `holdfast.v1`.",
        )
    })?;
    let token = match headers.contains_key(http::header::AUTHORIZATION) {
        false => None,
        true => {
            auth::authenticate(&app, &headers).await?;
            auth::bearer(&headers).map(str::to_owned)
        }
    };
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    if upgrade.selected_protocol().is_none() {
        return Err(Problem::invalid("The subprotocol `holdfast.v1` must be asked for."));
    }
    Ok(upgrade.on_upgrade(move |socket| session::run(app, socket, token)).into_response())
}

/// What is being pushed, kept once for all sockets that are at the same place of the same space.
#[derive(Default)]
pub(crate) struct Feeds(Mutex<HashMap<SpaceId, Weak<Feed>>>);

/// The last push of a space.
#[derive(Default)]
pub(crate) struct Feed(tokio::sync::Mutex<Option<Pushed>>);

/// A push in the bytes that go out.
#[derive(Clone)]
pub(crate) struct Pushed {
    since: Cursor,
    /// Up to where a client knows everything that has it.
    pub(crate) next: Cursor,
    pub(crate) text: Utf8Bytes,
}

impl Feeds {
    /// The feed of a space, for as long as somebody holds it.
    pub(crate) fn of(&self, space: SpaceId) -> Arc<Feed> {
        let mut feeds = self.0.lock();
        if let Some(feed) = feeds.get(&space).and_then(Weak::upgrade) {
            return feed;
        }
        // Whoever comes first after others went sweeps up behind them.
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = Arc::new(Feed::default());
        feeds.insert(space, Arc::downgrade(&feed));
        feed
    }
}

impl Feed {
    /// What a client is sent that knows everything up to `since`, while the newest change is at `head`.
    ///
    /// # Errors
    /// As [`drive::Drive::changes`]; whether the actor may still see the space is asked each time.
    pub(crate) async fn push(
        &self,
        app: &App,
        actor: &Actor,
        space: SpaceId,
        since: Cursor,
        head: Cursor,
    ) -> Result<Pushed, Problem> {
        if app.state.drive.access_to(actor, space).await? == Access::Part {
            // Everybody sees another part: nothing of it is anybody else's.
            return made(app, actor, space, since, head).await;
        }
        let mut last = self.0.lock().await;
        if let Some(last) = last.as_ref().filter(|last| last.since == since && last.next.sequence >= head.sequence) {
            return Ok(last.clone());
        }
        let pushed = made(app, actor, space, since, head).await?;
        *last = Some(pushed.clone());
        Ok(pushed)
    }
}

async fn made(app: &App, actor: &Actor, space: SpaceId, since: Cursor, head: Cursor) -> Result<Pushed, Problem> {
    let page = app.state.drive.changes(actor, space, Some(&since.to_string()), CHANGES_MAX).await?;
    let (push, next) = if page.more {
        let next = Cursor { epoch: page.next.epoch, sequence: head.sequence.max(page.next.sequence) };
        (Push::Behind { space, next: next.to_string() }, next)
    } else {
        let items = page.items.into_iter().map(Into::into).collect();
        (Push::Changes { space, since: since.to_string(), next: page.next.to_string(), items }, page.next)
    };
    Ok(Pushed { since, next, text: message::text(&push) })
}
