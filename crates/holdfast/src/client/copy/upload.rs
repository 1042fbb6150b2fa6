//! The bytes of one file on their way up: in one request, or by a resumable upload that survives breaks and kills.

use std::{
    fs, io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use base::UploadId;
use bytes::Bytes;
use futures::stream;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::{Context, plan};
use crate::client::{
    api::{Child, Entry, Put},
    backoff::{Backoff, Patience},
    credentials::{blocking, stopped},
    failure::{Failure, Refusal},
    path::RemotePath,
    report::Meter,
    resume::{Kind, key},
};

/// Bytes that are read, hashed and sent at once. One such block is read ahead, so a transfer holds two.
const BLOCK_BYTES: usize = 512 << 10;

/// A file of this machine, open.
#[derive(Clone)]
pub(super) struct Source(Arc<Inner>);

struct Inner {
    path: PathBuf,
    file: fs::File,
    bytes: u64,
    /// Seconds and nanoseconds of the last change, when it was opened.
    modified: (i64, i64),
    /// All of it, if it is small.
    whole: Option<(Bytes, blake3::Hash)>,
    hashing: Mutex<Hashing>,
    /// What went wrong with reading: the HTTP client only tells that its body failed.
    trouble: Mutex<Option<Failure>>,
}

/// The BLAKE3 of the file's beginning. Blocks that are sent again are not hashed again.
#[derive(Default)]
struct Hashing {
    hasher: blake3::Hasher,
    upto: u64,
}

impl Hashing {
    /// Takes a block, as far as it is new.
    fn take(&mut self, offset: u64, block: &[u8]) {
        if let Some(skip) = self.upto.checked_sub(offset)
            && let Some(new) = usize::try_from(skip).ok().and_then(|skip| block.get(skip..))
        {
            self.hasher.update(new);
            self.upto += new.len() as u64;
        }
    }
}

impl Source {
    /// Opens a file, and reads it if it has at most `whole_max` bytes.
    pub(super) fn open(path: &Path, whole_max: u64) -> Result<Self, Failure> {
        let local = |error| Failure::local(path, error);
        let file = fs::File::open(path).map_err(local)?;
        let meta = file.metadata().map_err(local)?;
        if !meta.is_file() {
            return Err(Failure::Failed("this is not a file any more".into()).about(path.display()));
        }
        let mut source = Inner {
            path: path.to_owned(),
            file,
            bytes: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            whole: None,
            hashing: Mutex::default(),
            trouble: Mutex::new(None),
        };
        if source.bytes <= whole_max {
            let mut whole = vec![0; usize::try_from(source.bytes).map_err(|_| changed(path))?];
            source.file.read_exact_at(&mut whole, 0).map_err(|error| source.failure(error))?;
            source.check()?;
            let hash = blake3::hash(&whole);
            source.whole = Some((whole.into(), hash));
        }
        Ok(Self(Arc::new(source)))
    }

    /// Whether a file of the server has the same bytes. Unknown is no.
    pub(super) async fn is_same(&self, entry: &Entry) -> Result<bool, Failure> {
        match entry.hash() {
            Some(hash) if entry.bytes() == self.0.bytes => Ok(self.hash().await? == hash),
            _ => Ok(false),
        }
    }

    /// The BLAKE3 of the whole file; reads what was not read so far.
    async fn hash(&self) -> Result<blake3::Hash, Failure> {
        if let Some((_, hash)) = &self.0.whole {
            return Ok(*hash);
        }
        self.hash_upto(self.0.bytes).await?;
        Ok(self.0.hashing.lock().hasher.finalize())
    }

    /// Hashes what lies before this offset and was not hashed so far.
    async fn hash_upto(&self, end: u64) -> Result<(), Failure> {
        let source = self.clone();
        blocking(move || {
            loop {
                let offset = source.0.hashing.lock().upto;
                if offset >= end {
                    return Ok(());
                }
                source.0.block(offset, end)?;
            }
        })
        .await
    }

    /// The bytes from `offset` on as a body.
    fn body(&self, offset: u64, meter: &Arc<Meter>) -> reqwest::Body {
        if let Some((whole, _)) = &self.0.whole {
            meter.resume_at(0);
            meter.moved(whole.len() as u64);
            return whole.clone().into();
        }
        meter.resume_at(offset);
        let start = Reading { source: self.clone(), meter: meter.clone(), offset, ahead: None };
        reqwest::Body::wrap_stream(stream::try_unfold(start, Reading::next))
    }

    /// What really happened, if it happened on this machine.
    fn explain(&self, failure: Failure) -> Failure {
        self.0.trouble.lock().take().unwrap_or(failure)
    }
}

/// The position of a body in its file.
struct Reading {
    source: Source,
    meter: Arc<Meter>,
    offset: u64,
    /// The block at `offset`, being read while the one before is being sent.
    ahead: Option<JoinHandle<Result<Bytes, Failure>>>,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, io::Error> {
        let end = self.source.0.bytes;
        if self.offset >= end {
            return Ok(None);
        }
        let block = self.ahead.take().unwrap_or_else(|| self.read(self.offset));
        match block.await.unwrap_or_else(|error| Err(stopped(error))) {
            Ok(block) => {
                self.offset += block.len() as u64;
                self.meter.moved(block.len() as u64);
                if self.offset < end {
                    self.ahead = Some(self.read(self.offset));
                }
                Ok(Some((block, self)))
            }
            Err(failure) => {
                let error = io::Error::other(failure.to_string());
                *self.source.0.trouble.lock() = Some(failure);
                Err(error)
            }
        }
    }

    fn read(&self, offset: u64) -> JoinHandle<Result<Bytes, Failure>> {
        let source = self.source.clone();
        tokio::task::spawn_blocking(move || source.0.block(offset, source.0.bytes))
    }
}

impl Inner {
    /// Reads the block at `offset`, at most to `end`, and hashes it.
    fn block(&self, offset: u64, end: u64) -> Result<Bytes, Failure> {
        let length = usize::try_from(end - offset).map_or(BLOCK_BYTES, |left| left.min(BLOCK_BYTES));
        let mut block = vec![0; length];
        self.file.read_exact_at(&mut block, offset).map_err(|error| self.failure(error))?;
        self.hashing.lock().take(offset, &block);
        Ok(block.into())
    }

    fn failure(&self, error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => changed(&self.path),
            _ => Failure::local(&self.path, error),
        }
    }

    /// Whether the file is what it was when it was opened.
    fn check(&self) -> Result<(), Failure> {
        let meta = self.file.metadata().map_err(|error| Failure::local(&self.path, error))?;
        let is_same = (meta.len(), meta.mtime(), meta.mtime_nsec()) == (self.bytes, self.modified.0, self.modified.1);
        if is_same { Ok(()) } else { Err(changed(&self.path)) }
    }
}

fn changed(path: &Path) -> Failure {
    Failure::Failed("it was changed while it was read; copy it again".into()).about(path.display())
}

/// Makes the source a file of the server, and makes sure that the bytes there are the ones here.
pub(super) async fn upload(
    context: &Context,
    source: &Source,
    place: &Child,
    remote: &RemotePath,
    meter: &Arc<Meter>,
) -> Result<Entry, Failure> {
    let stored = if source.0.bytes < context.sizes.upload_resumes {
        at_once(context, source, place, meter).await
    } else {
        resumable(context, source, place, remote, meter).await
    };
    let stored = stored.map_err(|failure| source.explain(failure))?;
    source.0.check()?;
    match stored.hash() {
        // After a resumed upload, what an earlier command sent is read once more for this.
        Some(hash) if hash != source.hash().await? => Err(Failure::Failed(
            "the server has other bytes than were sent: they were damaged on the way; copy it again".into(),
        )),
        _ if stored.bytes() != source.0.bytes => {
            Err(Failure::Failed("the server has a part of it only; copy it again".into()))
        }
        _ => Ok(stored),
    }
}

async fn at_once(context: &Context, source: &Source, place: &Child, meter: &Arc<Meter>) -> Result<Entry, Failure> {
    let put = Put {
        length: source.0.bytes,
        hash: source.0.whole.as_ref().map(|(_, hash)| *hash),
        on_conflict: context.conflict.for_server(),
        activity: meter.activity(),
    };
    let mut backoff = Backoff::new(Patience::Long);
    loop {
        let failure = match context.api.put(Patience::None, place, &put, || source.body(0, meter)).await {
            Ok(entry) => return Ok(entry),
            Err(failure) => source.explain(failure),
        };
        // An answer that got lost may have been a file; a second attempt would make a second one under a new name.
        let is_ambiguous = failure.refusal().is_none() && context.conflict == super::Conflict::Rename;
        if is_ambiguous || !backoff.wait(&failure).await {
            return Err(failure);
        }
    }
}

/// What is remembered of an upload.
#[derive(Serialize, Deserialize)]
struct Begun {
    upload: UploadId,
}

async fn resumable(
    context: &Context,
    source: &Source,
    place: &Child,
    remote: &RemotePath,
    meter: &Arc<Meter>,
) -> Result<Entry, Failure> {
    let mut record = context.shelf.take(Kind::Upload, &record_key(context, source, remote)?)?;
    let mut begun: Option<Begun> = record.read();
    let mut backoff = Backoff::new(Patience::Long);
    let mut reached = 0;
    loop {
        let known = match &begun {
            None => None,
            Some(Begun { upload }) => match context.api.upload(*upload).await {
                Ok(state) if state.length.is_none_or(|length| length == source.0.bytes) => Some((*upload, state)),
                Ok(_) => None,
                // Expired and cleaned away, or of another account: begin again.
                Err(failure) if failure.is_missing() => None,
                Err(failure) => return Err(failure),
            },
        };
        let (upload, offset) = match known {
            Some((_, state)) if state.entry_id.is_some() => {
                // Another command, or this one before its answer got lost, sent the last byte.
                meter.resume_at(source.0.bytes);
                let entry = match state.entry_id {
                    Some(id) => context.api.entry(id).await,
                    None => continue,
                };
                record.finish();
                return entry;
            }
            Some((upload, state)) => (upload, state.offset),
            None => {
                let upload = context.api.create_upload(place, source.0.bytes, context.conflict.for_server()).await?;
                let new = Begun { upload };
                record.write(&new)?;
                begun = Some(new);
                reached = 0;
                (upload, 0)
            }
        };
        if offset > reached {
            reached = offset;
            backoff.reset();
        }
        source.hash_upto(offset).await?;
        let left = source.0.bytes - offset.min(source.0.bytes);
        let body = || source.body(offset, meter);
        let failure = match context.api.append(upload, offset, left, meter.activity(), body).await {
            Ok(Some(entry)) => {
                let entry = context.api.entry(entry).await;
                record.finish();
                return entry;
            }
            // It took the bytes and does not say what became of them: look.
            Ok(None) => context.api.broken("it did not say what became of an upload"),
            Err(failure) => source.explain(failure),
        };
        let goes_on = ["offset-mismatch", "upload-finished", "body-cut", "body-too-short"]
            .iter()
            .any(|code| failure.has_code(code));
        let waits = if goes_on || failure.is_missing() {
            backoff.wait(&context.api.broken(&failure.to_string())).await
        } else {
            backoff.wait(&failure).await
        };
        if waits {
            continue;
        }
        // What the server refuses for good will not go better next time; what merely broke, or is its fault, may.
        if is_final(&failure) {
            context.api.abandon(upload).await;
            record.finish();
        }
        return Err(failure);
    }
}

/// Whether the upload can never become a file: the name is taken, the space is full, the bytes are refused.
fn is_final(failure: &Failure) -> bool {
    let refused = |refusal: &Refusal| matches!(refusal.status, 400 | 403 | 404 | 409..=422 | 460 | 507);
    failure.refusal().is_some_and(refused)
        && !failure.has_code("upload-taken-over")
        && !failure.has_code("offset-mismatch")
}

/// The same command for the same file, unchanged, finds its upload again.
fn record_key(context: &Context, source: &Source, remote: &RemotePath) -> Result<String, Failure> {
    let path = plan::absolute(&source.0.path)?;
    let conflict = format!("{:?}", context.conflict);
    Ok(key(&[
        context.api.server().as_str().as_bytes(),
        context.api.account()?.as_bytes(),
        path.as_os_str().as_encoded_bytes(),
        &source.0.bytes.to_le_bytes(),
        &source.0.modified.0.to_le_bytes(),
        &source.0.modified.1.to_le_bytes(),
        remote.query().as_bytes(),
        conflict.as_bytes(),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    #[tokio::test]
    async fn the_hash_is_that_of_the_file_in_whatever_order_blocks_are_sent_again() {
        let bytes: Vec<u8> = (0..3 * BLOCK_BYTES as u32 + 17).map(|n| n as u8 ^ (n >> 11) as u8).collect();
        let (_dir, path) = file(&bytes);
        let source = Source::open(&path, 0).unwrap();
        source.0.block(0, source.0.bytes).unwrap();
        // The server kept less than was sent; the rest is read again from the middle of a block.
        source.0.block(1000, source.0.bytes).unwrap();
        source.0.block(0, source.0.bytes).unwrap();
        assert_eq!(source.hash().await.unwrap(), blake3::hash(&bytes));
        // Resumed by another command, which begins in the middle.
        let source = Source::open(&path, 0).unwrap();
        source.0.block(BLOCK_BYTES as u64, source.0.bytes).unwrap();
        assert_eq!(source.hash().await.unwrap(), blake3::hash(&bytes));
    }

    #[test]
    fn changes_under_the_hands_are_noticed() {
        let (_dir, path) = file(b"1234567890");
        let source = Source::open(&path, 0).unwrap();
        assert!(source.0.check().is_ok());
        fs::write(&path, b"12345").unwrap();
        assert!(source.0.check().is_err());
        assert!(source.0.block(0, 10).unwrap_err().to_string().contains("changed while it was read"));
    }

    #[test]
    fn small_files_are_read_whole() {
        let (_dir, path) = file(b"");
        let source = Source::open(&path, 4).unwrap();
        assert_eq!(source.0.whole.as_ref().unwrap().1, blake3::hash(b""));
        let (_dir, path) = file(b"12345");
        assert!(Source::open(&path, 4).unwrap().0.whole.is_none());
    }
}
