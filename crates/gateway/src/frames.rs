//! Many small files in one body: for each a length, a header in JSON, and its bytes.
//!
//! ```text
//! frame  = header-length (4 bytes, big-endian) header (JSON) bytes (as many as the header's `size`)
//! body   = frame*
//! ```
//!
//! Nothing needs escaping and nothing is searched for, so a browser makes it from blobs without reading them.

use bytes::{Buf, Bytes, BytesMut};
use futures::StreamExt;
use serde::Deserialize;

use crate::{body::FileBody, error::Problem};

/// Bytes of one header at most.
const HEADER_BYTES_MAX: usize = 16 << 10;

/// Bytes that say how long a header is.
const LENGTH_BYTES: usize = 4;

/// What a frame says of its file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FrameHeader {
    /// Names with `/` between them, from the request's folder on.
    pub(crate) path: String,
    /// Bytes that follow.
    pub(crate) size: u64,
    pub(crate) content_type: Option<String>,
    pub(crate) blake3: Option<String>,
    pub(crate) on_conflict: Option<String>,
    /// The id that a new file is to have.
    pub(crate) id: Option<String>,
}

/// A file of the body.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) header: FrameHeader,
    /// None if there are more of them than a frame may have; they were passed over.
    pub(crate) bytes: Option<Bytes>,
}

/// Reads frames from a body.
pub(crate) struct Frames {
    body: FileBody,
    read: BytesMut,
    file_bytes_max: usize,
    /// A file that is too large, and how many of its bytes are still to come.
    passing: Option<(FrameHeader, u64)>,
}

impl Frames {
    /// Files of more than `file_bytes_max` bytes are passed over.
    pub(crate) fn new(body: FileBody, file_bytes_max: usize) -> Self {
        Self { body, read: BytesMut::new(), file_bytes_max, passing: None }
    }

    /// The next frame; `None` at the end of the body. May be cancelled and called again: nothing is taken from what was read
    /// before all of a frame is there.
    ///
    /// # Errors
    /// `invalid-request` for a header that is none, and for a body that ends in the middle of a frame. Nothing can be read
    /// after that.
    pub(crate) async fn next(&mut self) -> Result<Option<Frame>, Problem> {
        if self.passing.is_some() {
            return self.pass_over().await.map(Some);
        }
        if !self.fill(LENGTH_BYTES).await? {
            return if self.read.is_empty() { Ok(None) } else { Err(cut()) };
        }
        let length = (&self.read[..LENGTH_BYTES]).get_u32() as usize;
        if length > HEADER_BYTES_MAX {
            return Err(Problem::invalid(format!("The header of a frame has at most {HEADER_BYTES_MAX} bytes.")));
        }
        let head = LENGTH_BYTES + length;
        if !self.fill(head).await? {
            return Err(cut());
        }
        let header: FrameHeader = serde_json::from_slice(&self.read[LENGTH_BYTES..head])
            .map_err(|error| Problem::invalid(format!("The header of a frame cannot be read: {error}.")))?;
        match usize::try_from(header.size) {
            Ok(size) if size <= self.file_bytes_max => {
                if !self.fill(head + size).await? {
                    return Err(cut());
                }
                self.read.advance(head);
                Ok(Some(Frame { header, bytes: Some(self.read.split_to(size).freeze()) }))
            }
            _ => {
                self.read.advance(head);
                let left = header.size;
                self.passing = Some((header, left));
                self.pass_over().await.map(Some)
            }
        }
    }

    /// Reads until so many bytes are there; false if the body ends before.
    async fn fill(&mut self, bytes: usize) -> Result<bool, Problem> {
        if self.read.len() < bytes {
            self.read.reserve(bytes - self.read.len());
        }
        while self.read.len() < bytes {
            match self.body.next().await {
                Some(piece) => self.read.extend_from_slice(&piece.map_err(drive::Error::Body)?),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Throws the rest of a file away.
    async fn pass_over(&mut self) -> Result<Frame, Problem> {
        loop {
            if let Some((_, left)) = &mut self.passing {
                let here = self.read.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                self.read.advance(here);
                *left -= here as u64;
            }
            if let Some((header, _)) = self.passing.take_if(|(_, left)| *left == 0) {
                return Ok(Frame { header, bytes: None });
            }
            if !self.fill(1).await? {
                return Err(cut());
            }
        }
    }
}

fn cut() -> Problem {
    Problem::invalid("The body ends in the middle of a frame.")
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use proptest::prelude::*;

    use super::*;

    fn frame(header: &str, bytes: &[u8]) -> Vec<u8> {
        let mut frame = (header.len() as u32).to_be_bytes().to_vec();
        frame.extend_from_slice(header.as_bytes());
        frame.extend_from_slice(bytes);
        frame
    }

    /// A path, and the bytes unless they were passed over.
    type Read = (String, Option<Vec<u8>>);

    /// Everything that a body says, cut into pieces of so many bytes.
    fn read(body: &[u8], piece: usize) -> Result<Vec<Read>, Problem> {
        let pieces: Vec<_> = body.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut frames = Frames::new(stream::iter(pieces).boxed(), 100);
        let mut all = Vec::new();
        futures::executor::block_on(async {
            while let Some(frame) = frames.next().await? {
                all.push((frame.header.path, frame.bytes.map(|bytes| bytes.to_vec())));
            }
            Ok(all)
        })
    }

    proptest! {
        #[test]
        fn frames_are_read_however_they_are_cut(
            files in prop::collection::vec(("[a-z/]{1,12}", prop::collection::vec(any::<u8>(), 0..150)), 0..8),
            piece in 1usize..200,
        ) {
            let body: Vec<u8> = files
                .iter()
                .flat_map(|(path, bytes)| frame(&format!(r#"{{"path":"{path}","size":{}}}"#, bytes.len()), bytes))
                .collect();
            let expected: Vec<_> =
                files.into_iter().map(|(path, bytes)| (path, (bytes.len() <= 100).then_some(bytes))).collect();
            prop_assert_eq!(read(&body, piece).expect("a good body"), expected);
        }

        #[test]
        fn a_body_that_is_cut_off_is_refused(end in 1usize..45, piece in 1usize..50) {
            let body = frame(r#"{"path":"a","size":20}"#, &[7; 20]);
            prop_assume!(end < body.len());
            prop_assert!(read(&body[..end], piece).is_err());
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for header in ["", "x", "{}", r#"{"path":"a"}"#, r#"{"path":"a","size":-1}"#, r#"{"path":"a","size":0,"x":1}"#]
        {
            assert_eq!(read(&frame(header, b""), 9).expect_err(header).code(), "invalid-request");
        }
        assert!(read(&[0xff; 20], 9).is_err());
        assert!(read(&frame(r#"{"path":"a","size":18446744073709551615}"#, b"abc"), 2).is_err());
    }
}
