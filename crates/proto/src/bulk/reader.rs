//! Finds the messages in the frames of a body.

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt;
use tonic::{Code, Status};

use super::{Chunks, broken, message::PREFIX_BYTES};
use crate::{
    Error,
    wire::{DATA_BYTES_MAX, from_status},
};

/// Bytes of a message at most: those of its payload, and room for what stands around it in any release.
const MESSAGE_BYTES_MAX: usize = DATA_BYTES_MAX + 4096;

/// Neighbours that are both smaller are copied together, so that a message in tiny frames takes little more memory than
/// its bytes.
const CRUMB_BYTES: usize = 1024;

/// What ends a stream well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// The end of the body: a request.
    Silently,
    /// A status: a response.
    WithStatus,
}

/// The messages of a body, one after another. After an error, and after the end, there are none.
pub(crate) struct Reader<B> {
    body: Option<B>,
    ends: Ends,
    /// What came and was not handed out: less than a message and one frame.
    waiting: Chunks,
    /// Bytes of the message that is coming, once they are known.
    length: Option<usize>,
}

impl<B> Reader<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(crate) fn of_request(body: B) -> Self {
        Self { body: Some(body), ends: Ends::Silently, waiting: Chunks::default(), length: None }
    }

    pub(crate) fn of_response(body: B) -> Self {
        Self { body: Some(body), ends: Ends::WithStatus, waiting: Chunks::default(), length: None }
    }

    /// One that has nothing to say.
    pub(crate) fn ended() -> Self {
        Self { body: None, ends: Ends::Silently, waiting: Chunks::default(), length: None }
    }

    /// The next message, when it is there to its last byte; `None` after the last. May be cancelled without loss.
    ///
    /// # Errors
    /// The status of the other side, if it is a bad one; [`Error::Unavailable`] if the body breaks, ends within a message
    /// or is not what gRPC agrees on.
    pub(crate) async fn next(&mut self) -> Result<Option<Chunks>, Error> {
        let found = self.find().await;
        if !matches!(found, Ok(Some(_))) {
            *self = Self::ended();
        }
        found
    }

    async fn find(&mut self) -> Result<Option<Chunks>, Error> {
        loop {
            if let Some(message) = self.waiting_message()? {
                return Ok(Some(message));
            }
            let Some(body) = &mut self.body else { return Ok(None) };
            let trailers = match body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => {
                        self.push(bytes);
                        continue;
                    }
                    Err(frame) => frame.into_trailers().ok(),
                },
                Some(Err(error)) => return Err(from_status(&Status::from_error(error.into()))),
                None => None,
            };
            return match trailers.as_ref().and_then(Status::from_header_map) {
                Some(status) if status.code() != Code::Ok => Err(from_status(&status)),
                None if self.ends == Ends::WithStatus => Err(broken("it ended without a status")),
                _ if self.length.is_some() || self.waiting.len() > 0 => Err(broken("it ended within a message")),
                _ => Ok(None),
            };
        }
    }

    fn push(&mut self, bytes: Bytes) {
        let bytes = match self.waiting.pop_back_if(|last| last.len() < CRUMB_BYTES && bytes.len() < CRUMB_BYTES) {
            Some(last) => [last, bytes].concat().into(),
            None => bytes,
        };
        self.waiting.push(bytes);
    }

    /// The message that waits, if it is all there.
    fn waiting_message(&mut self) -> Result<Option<Chunks>, Error> {
        let length = match self.length {
            Some(length) => length,
            None if self.waiting.len() < PREFIX_BYTES => return Ok(None),
            None => {
                if self.waiting.get_u8() != 0 {
                    return Err(broken("a message is compressed, which was not agreed"));
                }
                let length = self.waiting.get_u32() as usize;
                if length > MESSAGE_BYTES_MAX {
                    return Err(broken(format_args!("a message of {length} bytes")));
                }
                *self.length.insert(length)
            }
        };
        let message = self.waiting.split(length);
        if message.is_some() {
            self.length = None;
        }
        Ok(message)
    }
}
