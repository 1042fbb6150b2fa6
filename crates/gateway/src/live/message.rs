//! What goes over a live socket, as JSON text.

use axum::extract::ws::Utf8Bytes;
use base::SpaceId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{error::Problem, rest::spaces::Change};

/// Changes of one push at most; who is behind by more is told to pull.
pub(super) const CHANGES_MAX: u32 = 50;

/// A command of the client. `id` is the client's own, and comes back in the reply.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Command {
    /// Says who is there: first of all, and again with a newer token before the old one expires.
    Hello { id: u64, token: String },
    /// Wants the changes of a space, after `since` or from now on.
    Follow { id: u64, space: String, since: Option<String> },
    /// Wants them no more.
    Unfollow { id: u64, space: String },
    /// Wants an answer, to know that the connection lives.
    Ping { id: u64 },
}

impl Command {
    pub(super) fn id(&self) -> u64 {
        match self {
            Self::Hello { id, .. } | Self::Follow { id, .. } | Self::Unfollow { id, .. } | Self::Ping { id } => *id,
        }
    }
}

/// The answer to a command: one of both.
#[derive(Debug, Serialize)]
pub(super) struct Reply {
    reply: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

impl Reply {
    pub(super) fn new(id: Option<u64>, result: Result<Value, Problem>) -> Self {
        match result {
            Ok(ok) => Self { reply: id, ok: Some(ok), error: None },
            Err(problem) => {
                // The same document as over REST, but that a socket has no request ids.
                let document = serde_json::from_slice(&problem.body("")).unwrap_or(Value::Null);
                Self { reply: id, ok: None, error: Some(document) }
            }
        }
    }
}

/// What the server says by itself.
#[derive(Serialize)]
#[serde(tag = "push", rename_all = "lowercase")]
pub(super) enum Push {
    /// What happened after `since`, up to `next`, with nothing left out.
    Changes { space: SpaceId, since: String, next: String, items: Vec<Change> },
    /// More happened than a push holds: to be pulled from the client's own cursor up to `next`. Pushes go on after that.
    Behind { space: SpaceId, next: String },
    /// The list of spaces, or of what is shared with one, became another: to be asked for again.
    Spaces {},
    /// The space is followed no more: it cannot be seen any longer, or its journal cannot be continued.
    Ended { space: SpaceId, error: Value },
}

/// A message in the bytes that go out.
pub(super) fn text(message: &impl Serialize) -> Utf8Bytes {
    serde_json::to_string(message).expect("messages are made of text, numbers and maps").into()
}
