//! What `holdfast login` learns, kept in one file that only its owner reads.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::PathBuf,
};

use base::{EntryId, Secret, SpaceId, Time};
use serde::{Deserialize, Serialize, Serializer};

use super::{failure::Failure, folders};

/// The sessions of all servers that somebody signed in to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Book {
    /// The form of this file; another one is refused instead of guessed at.
    version: u32,
    /// The server of commands that name none: the one signed in to last.
    pub(super) current: Option<String>,
    /// Sessions by the server's address.
    pub(super) servers: BTreeMap<String, Profile>,
}

/// A session with one server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Profile {
    /// The account's name.
    pub(super) name: String,
    /// The account's own space.
    pub(super) space_id: SpaceId,
    /// The root folder of that space.
    pub(super) root_id: EntryId,
    #[serde(serialize_with = "exposed")]
    pub(super) access_token: Secret,
    /// When the access token ends, by this machine's clock: seconds since 1970.
    pub(super) expires_at: i64,
    #[serde(serialize_with = "exposed")]
    pub(super) refresh_token: Secret,
}

/// The one place that tokens are written to.
fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// Before its end, an access token counts as ended for this many seconds: requests take time, and clocks drift.
const MARGIN_SECS: i64 = 30;

impl Profile {
    /// Whether the access token can still be used.
    pub(super) fn is_fresh(&self, now: Time) -> bool {
        now.as_secs() + MARGIN_SECS < self.expires_at
    }
}

const VERSION: u32 = 1;

/// The file, and the lock beside it.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    dir: PathBuf,
}

/// The sole right to change the file, over all processes. It ends with this value, or with the process.
///
/// A refresh token can be spent once. Whoever spends it holds this from before it reads the token until the next one is
/// on disk, so that of two commands at once the second finds the fresh token of the first.
#[derive(Debug)]
pub(super) struct Turn {
    _lock: File,
}

impl Credentials {
    /// Those of the user who runs the command.
    pub(super) fn of_user() -> Result<Self, Failure> {
        folders::config().map(Self::in_folder)
    }

    pub(super) fn in_folder(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.join("credentials.json")
    }

    /// Reads them; nobody has signed in yet where there is no file.
    pub(super) fn load(&self) -> Result<Book, Failure> {
        let path = self.path();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Book::default()),
            Err(error) => return Err(Failure::local(path, error)),
        };
        // The parser's own words may quote what stands in the file, which is tokens.
        match serde_json::from_slice::<Book>(&text) {
            Ok(book) if book.version == VERSION => Ok(book),
            _ => Err(Failure::Failed(format!(
                "{} cannot be understood; remove it and sign in again with `holdfast login URL`",
                path.display()
            ))),
        }
    }

    /// Waits for the right to change them.
    pub(super) async fn turn(&self) -> Result<Turn, Failure> {
        let dir = self.dir.clone();
        blocking(move || {
            folders::make_private(&dir)?;
            let path = dir.join("credentials.lock");
            let lock = folders::open_private(&path).map_err(|error| Failure::local(&path, error))?;
            lock.lock().map_err(|error| Failure::local(&path, error))?;
            Ok(Turn { _lock: lock })
        })
        .await
    }

    /// Writes them, durably and all at once.
    pub(super) fn save(&self, _turn: &Turn, book: &Book) -> Result<(), Failure> {
        let book = Book { version: VERSION, ..book.clone() };
        let text = serde_json::to_vec_pretty(&book).expect("a struct of text and numbers is JSON");
        folders::replace_private(&self.path(), &text).map_err(|error| Failure::local(self.path(), error))
    }
}

/// Runs work that waits for the disk where it holds up no other task.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(stopped(error)),
    }
}

/// A task ended without a result: it panicked, which goes on here, or the program is being stopped.
pub(super) fn stopped(error: tokio::task::JoinError) -> Failure {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Failure::Failed("the command was stopped".into()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    pub(in super::super) fn profile(token: &str) -> Profile {
        Profile {
            name: "ada".into(),
            space_id: SpaceId::from_bytes([1; 16]),
            root_id: EntryId::from_bytes([2; 16]),
            access_token: Secret::new(token),
            expires_at: 1000,
            refresh_token: Secret::new(format!("{token}-refresh")),
        }
    }

    #[tokio::test]
    async fn they_round_trip_and_only_their_owner_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = Credentials::in_folder(dir.path().join("holdfast"));
        assert!(credentials.load().unwrap().servers.is_empty());
        let turn = credentials.turn().await.unwrap();
        let mut book = Book { current: Some("http://h".into()), ..Book::default() };
        book.servers.insert("http://h".into(), profile("t"));
        credentials.save(&turn, &book).unwrap();
        let read = credentials.load().unwrap();
        assert_eq!(read.current.as_deref(), Some("http://h"));
        assert_eq!(read.servers["http://h"].refresh_token.expose(), "t-refresh");
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(credentials.path()), 0o600);
        assert_eq!(mode(dir.path().join("holdfast")), 0o700);
    }

    #[tokio::test]
    async fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = Credentials::in_folder(dir.path().to_owned());
        let first = credentials.turn().await.unwrap();
        let lock = folders::open_private(&dir.path().join("credentials.lock")).unwrap();
        assert!(lock.try_lock().is_err());
        drop(first);
        assert!(lock.try_lock().is_ok());
    }

    #[test]
    fn damage_is_reported_without_tokens() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = Credentials::in_folder(dir.path().to_owned());
        for text in ["{\"version\":1,\"servers\":\"hf_secret\"}", "{\"version\":2,\"servers\":{}}", "hf_secret"] {
            fs::write(credentials.path(), text).unwrap();
            let failure = credentials.load().unwrap_err().to_string();
            assert!(failure.contains("sign in again") && !failure.contains("hf_secret"), "{failure}");
        }
        assert!(!format!("{:?}", profile("hf_secret")).contains("hf_secret"));
    }

    #[test]
    fn tokens_end_a_little_early() {
        let profile = profile("t");
        assert!(profile.is_fresh(Time::from_micros(900_000_000)));
        assert!(!profile.is_fresh(Time::from_micros(980_000_000)));
    }
}
