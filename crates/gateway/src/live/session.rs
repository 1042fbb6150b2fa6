//! One client at the other end of a socket, from its first message to its last.

use std::{collections::HashMap, sync::Arc, time::Duration};

use accounts::Principal;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use base::{AccountId, ErrorKind, SessionId, SpaceId};
use drive::Actor;
use futures::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{AbortHandle, Abortable, Aborted, FuturesUnordered},
};
use journal::{Cursor, Watch};
use serde_json::{Value, json};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{
    Feed,
    message::{Command, Push, Reply, text},
};
use crate::{error::Problem, extract::parse_id, state::App};

/// Time for the first message.
const HELLO: Duration = Duration::from_secs(10);

/// How often the token is looked at again and the client is pinged.
const BEAT: Duration = Duration::from_secs(15);

/// A client that was silent for this long is gone: it did not even answer pings.
const SILENCE: Duration = Duration::from_secs(60);

/// Spaces that one socket may follow.
const FOLLOWED_MAX: usize = 200;

/// Codes of the closing frame. Those from 4000 on are ours (RFC 6455, 7.4.2).
const GOING_AWAY: u16 = 1001;
const UNSUPPORTED: u16 = 1003;
const UNAUTHENTICATED: u16 = 4401;
const NO_HELLO: u16 = 4408;

/// Why a socket is closed by us.
struct Close(u16, &'static str);

/// A space that the client follows.
struct Followed {
    feed: Arc<Feed>,
    /// Up to where it was told.
    told: Cursor,
    waiting: AbortHandle,
}

/// A watch that has something to say.
type News = (SpaceId, Watch, Cursor);

struct Session {
    app: Arc<App>,
    socket: WebSocket,
    token: String,
    principal: Principal,
    followed: HashMap<SpaceId, Followed>,
    waiting: FuturesUnordered<Abortable<BoxFuture<'static, News>>>,
}

/// Serves a socket to its end.
pub(super) async fn run(app: Arc<App>, mut socket: WebSocket, token: Option<String>) {
    let sockets = metrics::gauge!("holdfast_live_sockets");
    sockets.increment(1);
    let opened = match token {
        Some(token) => sign_in(&app, token).await.map_err(|_| Some(Close(UNAUTHENTICATED, "the token is not good"))),
        None => hello(&app, &mut socket).await,
    };
    match opened {
        Ok((token, principal)) => {
            let session =
                Session { app, socket, token, principal, followed: HashMap::new(), waiting: FuturesUnordered::new() };
            session.serve().await;
        }
        Err(Some(close)) => end(&mut socket, close).await,
        Err(None) => {}
    }
    sockets.decrement(1);
}

/// The client's first message, which must say who it is; `None` if it went away.
async fn hello(app: &App, socket: &mut WebSocket) -> Result<(String, Principal), Option<Close>> {
    let first = async {
        loop {
            match socket.recv().await {
                Some(Ok(Message::Text(text))) => return Some(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    };
    let first = tokio::select! {
        first = timeout(HELLO, first) => first.map_err(|_| Some(Close(NO_HELLO, "no hello came")))?.ok_or(None)?,
        () = app.state.watch.stopping.cancelled() => return Err(Some(Close(GOING_AWAY, "the server stops"))),
    };
    let command = serde_json::from_str::<Command>(&first);
    let id = command.as_ref().ok().map(Command::id);
    let result = match command {
        Ok(Command::Hello { token, .. }) => sign_in(app, token).await,
        Ok(_) => Err(Problem::new(
            ErrorKind::Unauthenticated,
            "unauthenticated",
            "The first message must be `hello` with an access token.",
        )),
        Err(error) => Err(not_understood(&error)),
    };
    let answer = match &result {
        Ok((_, principal)) => Ok(welcome(principal)),
        Err(problem) => Err(problem.clone()),
    };
    let sent = socket.send(Message::Text(text(&Reply::new(id, answer)))).await;
    sent.map_err(|_| None)?;
    result.map_err(|_| Some(Close(UNAUTHENTICATED, "nobody is signed in")))
}

async fn sign_in(app: &App, token: String) -> Result<(String, Principal), Problem> {
    let principal = app.state.accounts.authenticate(&token).await?;
    Ok((token, principal))
}

fn welcome(principal: &Principal) -> Value {
    json!({ "user": principal.account, "session": principal.session })
}

fn not_understood(error: &serde_json::Error) -> Problem {
    Problem::invalid(format!("The message is not understood: {error}."))
}

async fn end(socket: &mut WebSocket, Close(code, reason): Close) {
    // The client may be gone already.
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}

impl Session {
    async fn serve(mut self) {
        let mut ends = self.app.state.accounts.session_ends();
        let mut given = self.app.state.accounts.given();
        let stopping = self.app.state.watch.stopping.clone();
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.reset();
        let mut heard = Instant::now();
        let close = loop {
            let step = tokio::select! {
                biased;
                () = stopping.cancelled() => Err(Some(Close(GOING_AWAY, "the server stops"))),
                ended = is_ended(&mut ends, self.principal.session) => match ended {
                    true => Err(Some(Close(UNAUTHENTICATED, "the session has ended"))),
                    false => self.look_again().await,
                },
                () = is_meant(&mut given, self.principal.account) => self.send(text(&Push::Spaces {})).await,
                message = self.socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.obey(&text).await,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                        Some(Ok(Message::Binary(_))) => Err(Some(Close(UNSUPPORTED, "messages are text"))),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(None),
                    }
                }
                Some(news) = self.waiting.next() => match news {
                    Ok((space, watch, head)) => self.tell(space, watch, head).await,
                    Err(Aborted) => Ok(()),
                },
                _ = beat.tick() => match heard.elapsed() > SILENCE {
                    true => Err(None),
                    false => self.look_again().await,
                },
            };
            if let Err(close) = step {
                break close;
            }
        };
        if let Some(close) = close {
            end(&mut self.socket, close).await;
        }
    }

    /// Makes sure that the client may still be here, and asks whether it is.
    async fn look_again(&mut self) -> Result<(), Option<Close>> {
        match self.app.state.accounts.authenticate(&self.token).await {
            Ok(principal) => self.principal = principal,
            // A database that is away says nothing about the session.
            Err(error) if error.kind() == ErrorKind::Unavailable => {}
            Err(_) => return Err(Some(Close(UNAUTHENTICATED, "the token is not good any more"))),
        }
        self.socket.send(Message::Ping(bytes::Bytes::new())).await.map_err(|_| None)
    }

    async fn obey(&mut self, message: &str) -> Result<(), Option<Close>> {
        let reply = match serde_json::from_str::<Command>(message) {
            Ok(command) => Reply::new(Some(command.id()), self.command(command).await),
            Err(error) => Reply::new(None, Err(not_understood(&error))),
        };
        self.send(text(&reply)).await
    }

    async fn command(&mut self, command: Command) -> Result<Value, Problem> {
        match command {
            Command::Hello { token, .. } => {
                let (token, principal) = sign_in(&self.app, token).await?;
                if principal.session != self.principal.session {
                    return Err(Problem::invalid("The token is of another session; open another socket for it."));
                }
                (self.token, self.principal) = (token, principal);
                Ok(welcome(&self.principal))
            }
            Command::Follow { space, since, .. } => self.follow(parse_id(&space)?, since).await,
            Command::Unfollow { space, .. } => {
                let space = parse_id(&space)?;
                Ok(json!({ "followed": self.leave(space) }))
            }
            Command::Ping { .. } => Ok(json!({})),
        }
    }

    async fn follow(&mut self, space: SpaceId, since: Option<String>) -> Result<Value, Problem> {
        if self.followed.len() >= FOLLOWED_MAX && !self.followed.contains_key(&space) {
            return Err(Problem::invalid(format!("One socket follows at most {FOLLOWED_MAX} spaces.")));
        }
        let actor = self.actor();
        let drive = &self.app.state.drive;
        let watch = drive.watch(&actor, space).await?;
        let told = match since {
            None => watch.head(),
            // A page of the journal tells whether it can be continued from there; what is on it is pushed.
            Some(since) => {
                drive.changes(&actor, space, Some(&since), 1).await?;
                since.parse().map_err(|_| Problem::invalid("`since` is not a cursor."))?
            }
        };
        self.leave(space);
        let waiting = self.wait(space, watch, told);
        self.followed.insert(space, Followed { feed: self.app.feeds.of(space), told, waiting });
        Ok(json!({ "space": space, "cursor": told.to_string() }))
    }

    /// Whether the space was followed.
    fn leave(&mut self, space: SpaceId) -> bool {
        let followed = self.followed.remove(&space);
        if let Some(followed) = &followed {
            followed.waiting.abort();
        }
        followed.is_some()
    }

    fn wait(&mut self, space: SpaceId, mut watch: Watch, told: Cursor) -> AbortHandle {
        let news = async move {
            let head = watch.passed(told).await;
            (space, watch, head)
        };
        let (abortable, handle) = futures::future::abortable(news.boxed());
        self.waiting.push(abortable);
        handle
    }

    /// Sends what happened in a space since the client was last told.
    async fn tell(&mut self, space: SpaceId, watch: Watch, head: Cursor) -> Result<(), Option<Close>> {
        let Some(followed) = self.followed.get(&space) else { return Ok(()) };
        let (feed, told) = (followed.feed.clone(), followed.told);
        match feed.push(&self.app, &self.actor(), space, told, head).await {
            Ok(pushed) => {
                self.send(pushed.text).await?;
                let waiting = self.wait(space, watch, pushed.next);
                if let Some(followed) = self.followed.get_mut(&space) {
                    followed.told = pushed.next;
                    followed.waiting = waiting;
                }
                Ok(())
            }
            Err(problem) => {
                self.leave(space);
                let error = serde_json::from_slice(&problem.body("")).unwrap_or(Value::Null);
                self.send(text(&Push::Ended { space, error })).await
            }
        }
    }

    fn actor(&self) -> Actor {
        Actor { principal: self.principal, operation: None }
    }

    async fn send(&mut self, text: axum::extract::ws::Utf8Bytes) -> Result<(), Option<Close>> {
        self.socket.send(Message::Text(text)).await.map_err(|_| None)
    }
}

/// Waits until something is given to an account or taken from it, or may have been.
async fn is_meant(given: &mut tokio::sync::broadcast::Receiver<AccountId>, account: AccountId) {
    loop {
        match given.recv().await {
            Ok(one) if one != account => {}
            Ok(_) | Err(RecvError::Lagged(_)) => break,
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
    // One word is enough for all that came with it.
    *given = given.resubscribe();
}

/// Waits for the end of a session; false if some ends were missed and the session must be looked at.
async fn is_ended(ends: &mut tokio::sync::broadcast::Receiver<SessionId>, session: SessionId) -> bool {
    loop {
        match ends.recv().await {
            Ok(ended) if ended == session => return true,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return false,
            // Nobody can end sessions any more: the process stops.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
