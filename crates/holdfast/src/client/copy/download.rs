//! The bytes of one file on their way down, to a part file that becomes the file when it is whole and verified.

use std::{
    fs,
    fs::TryLockError,
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use reqwest::{Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::{Conflict, Context, plan};
use crate::client::{
    api::Entry,
    backoff::{Backoff, Patience},
    credentials::{blocking, stopped},
    failure::Failure,
    report::Meter,
    resume::{Kind, is_at, key},
};

/// What a file is called until it is whole.
const PART: &str = ".holdfast-part";

/// Bytes that are hashed and written at once, while the next ones arrive: a transfer holds two of these.
const BATCH_BYTES: usize = 1 << 20;

/// What is remembered of a part file: which version of the file it is the beginning of.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    etag: String,
}

/// Brings a file down. Gives where it is in the end, or nothing if it was left out.
pub(super) async fn download(
    context: &Context,
    mut entry: Entry,
    local: &Path,
    meter: &Arc<Meter>,
) -> Result<Option<PathBuf>, Failure> {
    let part = part_path(local);
    // Small files are brought down again rather than remembered.
    let mut record = match entry.bytes() >= context.sizes.download_resumes {
        true => {
            let (server, path) = (context.api.server().as_str(), plan::absolute(local)?);
            let key = key(&[server.as_bytes(), path.as_os_str().as_encoded_bytes()]);
            Some(context.shelf.take(Kind::Download, &key)?)
        }
        false => None,
    };
    let begun = Begun { etag: entry.etag.clone().unwrap_or_default() };
    let resumes = record.as_mut().is_some_and(|record| record.read::<Begun>().as_ref() == Some(&begun));
    let mut sink = {
        let (part, size) = (part.clone(), entry.bytes());
        blocking(move || Sink::open(part, if resumes { size } else { 0 })).await?
    };
    if let Some(record) = &mut record {
        record.write(&begun)?;
    }
    meter.resume_at(sink.written);

    let mut backoff = Backoff::new(Patience::Long);
    while sink.written < entry.bytes() {
        let before = sink.written;
        let failure = match open(context, &mut entry, sink.written).await {
            Ok(None) => {
                // Another version, or a server that knows no ranges: from the beginning.
                sink = blocking(move || sink.restart()).await?;
                meter.resume_at(0);
                if let Some(record) = &mut record {
                    record.write(&Begun { etag: entry.etag.clone().unwrap_or_default() })?;
                }
                Some(context.api.broken("the file was changed"))
            }
            Ok(Some(response)) => {
                let (back, ended) = receive(context, response, sink, entry.bytes(), meter).await?;
                sink = back;
                ended
            }
            Err(failure) => Some(failure),
        };
        if sink.written > before {
            backoff.reset();
        }
        let Some(failure) = failure else { continue };
        if !backoff.wait(&failure).await {
            if record.is_none() || failure.is_missing() {
                let _ = fs::remove_file(&part);
            }
            return Err(failure);
        }
    }

    let (hash, local, conflict) = (entry.hash(), local.to_owned(), context.conflict);
    let published = blocking(move || sink.publish(hash, &local, conflict)).await;
    if let Some(record) = record {
        record.finish();
    }
    published
}

/// Asks for the bytes from `offset` on. Nothing, if what comes is not the continuation of what is here; then `entry` is
/// the file as it is now.
async fn open(context: &Context, entry: &mut Entry, offset: u64) -> Result<Option<Response>, Failure> {
    let etag = entry.etag.clone().unwrap_or_default();
    let response = match context.api.bytes(entry.id, offset, &etag).await {
        Err(failure) if failure.has_status(416) => None,
        response => Some(response?),
    };
    let fits = response.as_ref().is_some_and(|response| {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let same_version = header(header::ETAG).is_none_or(|tag| tag == etag);
        let same_place = match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                header(header::CONTENT_RANGE).is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
            }
            _ => offset == 0,
        };
        same_version && same_place
    });
    if fits {
        return Ok(response);
    }
    *entry = context.api.entry(entry.id).await?;
    if entry.is_folder() {
        return Err(Failure::Failed("this is not a file any more".into()));
    }
    Ok(None)
}

/// Takes a body in. Gives what broke it off, if something on the network did; what is written by then counts.
async fn receive(
    context: &Context,
    mut response: Response,
    sink: Sink,
    size: u64,
    meter: &Meter,
) -> Result<(Sink, Option<Failure>), Failure> {
    let mut left = size - sink.written;
    let mut writer = Writer::Idle(sink);
    let (mut batch, mut waiting) = (Vec::new(), 0);
    let ended = loop {
        match context.api.chunk(&mut response).await {
            Ok(Some(chunk)) => {
                let Some(rest) = left.checked_sub(chunk.len() as u64) else {
                    return Err(Failure::Failed("the server sends more bytes than the file has".into()));
                };
                left = rest;
                meter.moved(chunk.len() as u64);
                waiting += chunk.len();
                batch.push(chunk);
                if waiting >= BATCH_BYTES {
                    writer = Writer::start(writer.idle().await?, std::mem::take(&mut batch));
                    waiting = 0;
                }
            }
            Ok(None) if left > 0 => break Some(context.api.broken("the answer ended early")),
            Ok(None) => break None,
            Err(failure) => break Some(failure),
        }
    };
    let sink = Writer::start(writer.idle().await?, batch).idle().await?;
    Ok((sink, ended))
}

/// A part file that waits for bytes, or is being written to.
enum Writer {
    Idle(Sink),
    Busy(JoinHandle<Result<Sink, Failure>>),
}

impl Writer {
    fn start(mut sink: Sink, batch: Vec<Bytes>) -> Self {
        Self::Busy(tokio::task::spawn_blocking(move || sink.write(&batch).map(|()| sink)))
    }

    async fn idle(self) -> Result<Sink, Failure> {
        match self {
            Self::Idle(sink) => Ok(sink),
            Self::Busy(task) => task.await.map_err(stopped)?,
        }
    }
}

/// A part file, locked, with the BLAKE3 of what is in it.
struct Sink {
    path: PathBuf,
    file: fs::File,
    hasher: Box<blake3::Hasher>,
    written: u64,
}

impl Sink {
    /// Opens a part file and keeps what is in it, if that is at most `keep` bytes.
    fn open(path: PathBuf, keep: u64) -> Result<Self, Failure> {
        let local = |error| Failure::local(&path, error);
        let file = loop {
            let mut options = fs::OpenOptions::new();
            // A link that somebody put there is not followed.
            let flags = rustix::fs::OFlags::NOFOLLOW.bits();
            options.read(true).write(true).create(true).truncate(false).custom_flags(flags.cast_signed());
            let file = options.open(&path).map_err(local)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let why = "another holdfast command is writing to it at the moment";
                    return Err(Failure::Failed(why.into()).about(path.display()));
                }
                Err(TryLockError::Error(error)) => return Err(local(error)),
            }
            // Another command may have finished between the two: then this is its file, and not a part file any more.
            if is_at(&file, &path) {
                break file;
            }
        };
        let mut sink = Self { hasher: Box::default(), written: 0, file, path };
        let length = sink.file.metadata().map_err(|error| Failure::local(&sink.path, error))?.len();
        if length == 0 || length > keep {
            return sink.restart();
        }
        let mut reader = io::BufReader::with_capacity(BATCH_BYTES, &sink.file).take(length);
        sink.hasher.update_reader(&mut reader).map_err(|error| Failure::local(&sink.path, error))?;
        sink.written = length;
        Ok(sink)
    }

    /// The same part file, empty.
    fn restart(mut self) -> Result<Self, Failure> {
        let mut empty = || {
            self.file.set_len(0)?;
            io::Seek::rewind(&mut self.file)
        };
        empty().map_err(|error| Failure::local(&self.path, error))?;
        Ok(Self { hasher: Box::default(), written: 0, ..self })
    }

    fn write(&mut self, batch: &[Bytes]) -> Result<(), Failure> {
        for bytes in batch {
            self.file.write_all(bytes).map_err(|error| Failure::local(&self.path, error))?;
            self.hasher.update(bytes);
            self.written += bytes.len() as u64;
        }
        Ok(())
    }

    /// Verifies what was written and gives it its name. Where the name is taken, `conflict` decides; nothing is given if
    /// that means to leave the file out.
    fn publish(self, hash: Option<blake3::Hash>, local: &Path, conflict: Conflict) -> Result<Option<PathBuf>, Failure> {
        if hash.is_some_and(|hash| hash != self.hasher.finalize()) {
            let _ = fs::remove_file(&self.path);
            return Err(Failure::Failed(
                "its bytes do not match its BLAKE3: they were damaged on the way; copy it again".into(),
            ));
        }
        let failed = |error| Failure::local(local, error);
        if conflict == Conflict::Replace {
            fs::rename(&self.path, local).map_err(failed)?;
            return Ok(Some(local.to_owned()));
        }
        for n in 1.. {
            let candidate = if n == 1 { local.to_owned() } else { numbered(local, n) };
            if place(&self.path, &candidate).map_err(failed)? {
                return Ok(Some(candidate));
            }
            if conflict != Conflict::Rename {
                break;
            }
        }
        let _ = fs::remove_file(&self.path);
        match conflict {
            Conflict::Skip => Ok(None),
            _ => Err(Failure::Failed("another file has the name".into()).about(local.display())),
        }
    }
}

/// Gives the part file this name, unless something has it.
fn place(part: &Path, name: &Path) -> io::Result<bool> {
    match fs::hard_link(part, name) {
        Ok(()) => fs::remove_file(part).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // A file system without links, such as FAT: looking first is the best there is.
        Err(_) if fs::symlink_metadata(name).is_ok() => Ok(false),
        Err(_) => fs::rename(part, name).map(|()| true),
    }
}

/// The path to try as number `n`: `x (2).txt`.
fn numbered(local: &Path, n: u64) -> PathBuf {
    let stem = local.file_stem().unwrap_or_default().to_string_lossy();
    let suffix = local.extension().map_or_else(|| format!(" ({n})"), |ext| format!(" ({n}).{}", ext.to_string_lossy()));
    local.with_file_name(format!(
        "{}{suffix}",
        shortened(&stem, base::limits::NAME_BYTES_MAX.saturating_sub(suffix.len()))
    ))
}

/// Where the bytes of a file are until it is whole. A name that would be too long is shortened, and told from others by
/// its hash.
fn part_path(local: &Path) -> PathBuf {
    let name = local.file_name().unwrap_or_default();
    if name.len() + PART.len() <= base::limits::NAME_BYTES_MAX {
        let mut part = name.to_owned();
        part.push(PART);
        return local.with_file_name(part);
    }
    let hash = &key(&[name.as_encoded_bytes()])[..16];
    let text = name.to_string_lossy();
    let stem = shortened(&text, base::limits::NAME_BYTES_MAX - PART.len() - hash.len() - 1);
    local.with_file_name(format!("{stem}-{hash}{PART}"))
}

/// The beginning of a text, at most this many bytes.
fn shortened(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sink(dir: &Path, bytes: &[u8]) -> Sink {
        let mut sink = Sink::open(part_path(&dir.join("f")), 0).unwrap();
        sink.write(&[Bytes::copy_from_slice(bytes)]).unwrap();
        sink
    }

    #[test]
    fn parts_go_on_where_they_were() {
        let dir = tempfile::tempdir().unwrap();
        drop(sink(dir.path(), b"hello, "));
        let mut resumed = Sink::open(dir.path().join("f.holdfast-part"), 12).unwrap();
        assert_eq!(resumed.written, 7);
        resumed.write(&[Bytes::from_static(b"world")]).unwrap();
        let local = dir.path().join("f");
        assert_eq!(
            resumed.publish(Some(blake3::hash(b"hello, world")), &local, Conflict::Replace).unwrap(),
            Some(local.clone())
        );
        assert_eq!(fs::read(&local).unwrap(), b"hello, world");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        // One that is longer than the file now is starts over.
        drop(sink(dir.path(), b"hello, "));
        assert_eq!(Sink::open(dir.path().join("f.holdfast-part"), 6).unwrap().written, 0);
    }

    #[test]
    fn damage_never_gets_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let local = dir.path().join("f");
        fs::write(&local, "old").unwrap();
        assert!(sink(dir.path(), b"damaged").publish(Some(blake3::hash(b"right")), &local, Conflict::Replace).is_err());
        assert_eq!(fs::read(&local).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn conflicts() {
        let dir = tempfile::tempdir().unwrap();
        let local = dir.path().join("f");
        fs::write(&local, "old").unwrap();
        let publish = |conflict| sink(dir.path(), b"new").publish(None, &local, conflict);
        assert_eq!(publish(Conflict::Skip).unwrap(), None);
        assert!(publish(Conflict::Fail).is_err());
        assert_eq!(fs::read(&local).unwrap(), b"old");
        assert_eq!(publish(Conflict::Rename).unwrap(), Some(dir.path().join("f (2)")));
        assert_eq!(publish(Conflict::Rename).unwrap(), Some(dir.path().join("f (3)")));
        assert_eq!(publish(Conflict::Replace).unwrap(), Some(local.clone()));
        assert_eq!(fs::read(&local).unwrap(), b"new");
    }

    #[test]
    fn one_command_at_a_time_and_no_links() {
        let dir = tempfile::tempdir().unwrap();
        let first = sink(dir.path(), b"x");
        assert!(Sink::open(dir.path().join("f.holdfast-part"), 0).is_err());
        drop(first);
        let trap = dir.path().join("trap.holdfast-part");
        std::os::unix::fs::symlink(dir.path().join("victim"), &trap).unwrap();
        assert!(Sink::open(trap, 0).is_err());
    }

    #[test]
    fn names_of_parts_and_copies() {
        let check = |name: &str, n, expected: &str| assert_eq!(numbered(Path::new(name), n), Path::new(expected));
        check("/a/x.txt", 2, "/a/x (2).txt");
        check(".bashrc", 3, ".bashrc (3)");
        let long = "я".repeat(127);
        let part = part_path(Path::new(&long));
        assert!(part.as_os_str().len() <= 255 && part.to_string_lossy().ends_with(PART));
        assert_ne!(part, part_path(Path::new(&format!("{}z", "я".repeat(126)))));
        assert!(numbered(Path::new(&long), 2).as_os_str().len() <= 255);
    }
}
