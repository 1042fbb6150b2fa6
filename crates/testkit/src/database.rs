//! A database of its own for each test, on both engines.
//!
//! SQLite databases are files in a temporary folder. PostgreSQL databases are made on the server that
//! `HOLDFAST_TEST_POSTGRES` names (the URL of a superuser), as copies of a migrated template, and dropped with the test.
//! Without that variable the tests fail: a suite that skips half of itself in silence would prove nothing.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use base::{Clock, Secret, Time};
use db::{Access, Backend, Db, Migration, Options};
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

const VARIABLE: &str = "HOLDFAST_TEST_POSTGRES";

/// Serialises the making of templates by the test processes that run side by side.
const TEMPLATE_LOCK: &str = "SELECT pg_advisory_lock(7525352680829580149)";

/// Generates for each named function, an `async fn(TestDb)`, a module of its name with the tests `sqlite` and
/// `postgres`. With `STEPS => …` in front the database has that schema instead of the product's.
///
/// ```text
/// testkit::both! { creates_a_folder, refuses_a_second_one }
///
/// async fn creates_a_folder(test: TestDb) { … }
/// ```
#[macro_export]
macro_rules! both {
    ($steps:expr => $($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::database::sqlite_with($steps).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::database::postgres_with($steps).await).await;
            }
        }
    )+};
    ($($name:ident),+ $(,)?) => { $crate::both! { ::db::migrate::PRODUCT => $($name),+ } };
}

/// A migrated database that exists as long as this does.
pub struct TestDb {
    /// The open database.
    pub db: Db,
    backend: Backend,
    steps: &'static [Migration],
    _place: Place,
}

enum Place {
    Folder { _folder: TempDir },
    Server { admin: Box<Config>, name: String },
}

impl TestDb {
    /// Where the database is, for a second connection beside `db`.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// How `db` was opened.
    pub fn options(&self) -> Options {
        options(self.backend.clone(), self.steps)
    }

    /// A further handle with connections of its own. SQLite wants `db` closed before.
    pub async fn reopen(&self) -> Db {
        Db::open(self.options()).await.expect("the test's database opens again")
    }

    /// The file of a SQLite database.
    ///
    /// # Panics
    /// On PostgreSQL.
    pub fn path(&self) -> PathBuf {
        match &self.backend {
            Backend::Sqlite { path } => path.clone(),
            Backend::Postgres { .. } => panic!("a database on PostgreSQL has no path"),
        }
    }

    /// A plain connection to a PostgreSQL database, for what `Db` does not offer.
    ///
    /// # Panics
    /// On SQLite.
    pub async fn client(&self) -> Client {
        match &self.backend {
            Backend::Postgres { url } => connect(&url.expose().parse().expect("a URL that served before")).await,
            Backend::Sqlite { .. } => panic!("a database on SQLite has no server"),
        }
    }

    async fn open(backend: Backend, steps: &'static [Migration], place: Place) -> Self {
        let db = Db::open(options(backend.clone(), steps)).await.expect("a new database opens");
        db.migrate().await.expect("a new database takes its schema");
        Self { db, backend, steps, _place: place }
    }
}

/// A SQLite database with the product's schema.
pub async fn sqlite() -> TestDb {
    sqlite_with(db::migrate::PRODUCT).await
}

/// A SQLite database with the product's schema in memory, where the machine has a file system there: for tests in which
/// the disk under the database is not what is tested, and the time that it takes would be most of theirs.
pub async fn sqlite_in_memory() -> TestDb {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder");
    let backend = Backend::Sqlite { path: folder.path().join("test.db") };
    TestDb::open(backend, db::migrate::PRODUCT, Place::Folder { _folder: folder }).await
}

/// A PostgreSQL database with the product's schema.
///
/// # Panics
/// If `HOLDFAST_TEST_POSTGRES` is not set, or no server answers there.
pub async fn postgres() -> TestDb {
    postgres_with(db::migrate::PRODUCT).await
}

/// A SQLite database with this schema.
pub async fn sqlite_with(steps: &'static [Migration]) -> TestDb {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let backend = Backend::Sqlite { path: folder.path().join("test.db") };
    TestDb::open(backend, steps, Place::Folder { _folder: folder }).await
}

/// A PostgreSQL database with this schema.
///
/// # Panics
/// As [`postgres`].
pub async fn postgres_with(steps: &'static [Migration]) -> TestDb {
    let url = server();
    let admin: Config = url.parse().unwrap_or_else(|_| panic!("{VARIABLE} is not the URL of a PostgreSQL server"));
    let client = connect(&admin).await;
    let template = template(&client, &url, steps).await;
    let name = format!("holdfast_test_{}", unique());
    // Two tests may copy one template at once; what PostgreSQL does not allow is a connection to it meanwhile.
    execute(&client, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    let backend = Backend::Postgres { url: Secret::new(with_database(&url, &name)) };
    TestDb::open(backend, steps, Place::Server { admin: Box::new(admin), name }).await
}

/// The migrated database that others are copied from, named after the text of its schema. It stays on the server.
async fn template(client: &Client, url: &str, steps: &'static [Migration]) -> String {
    // FNV-1a, 64 bits: it only has to tell the schemas of one developer's working copies apart.
    let text = steps.iter().flat_map(|step| step.name.bytes().chain([0]).chain(step.pg.bytes()).chain([0]));
    let sum = text.fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let name = format!("holdfast_template_{sum:016x}");
    execute(client, TEMPLATE_LOCK).await;
    let there = client.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await.expect("a list");
    if there.is_empty() {
        let draft = format!("holdfast_draft_{}", unique());
        execute(client, &format!("CREATE DATABASE {draft} TEMPLATE template0")).await;
        let backend = Backend::Postgres { url: Secret::new(with_database(url, &draft)) };
        let db = Db::open(options(backend, steps)).await.expect("a new database opens");
        db.migrate().await.expect("a new database takes its schema");
        db.close().await;
        // The name comes last: a template is whole or not there.
        execute(client, &format!("ALTER DATABASE {draft} RENAME TO {name}")).await;
    }
    execute(client, "SELECT pg_advisory_unlock_all()").await;
    name
}

impl Drop for Place {
    fn drop(&mut self) {
        // A folder is removed by its own drop.
        let Self::Server { admin, name } = self else { return };
        let (admin, name) = (admin.clone(), name.clone());
        // A drop cannot await, and the test's own runtime may be on its way down: a thread with a runtime of its own.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let client = connect(&admin).await;
                execute(&client, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            });
        });
        // If it panics it has said why, and the database stays on the server; the test's own result is not touched.
        let _ = dropped.join();
    }
}

fn options(backend: Backend, steps: &'static [Migration]) -> Options {
    Options { access: Access::Full, pool_size: 8, migrations: steps, ..Options::new(backend, Arc::new(Frozen)) }
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration; the server's place is the machine's")]
fn server() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: name a PostgreSQL server for tests, as in postgres://postgres@127.0.0.1:5432/postgres")
    })
}

/// The URL with another database in its path.
fn with_database(url: &str, name: &str) -> String {
    let (head, query) = url.split_once('?').map_or((url, None), |(head, query)| (head, Some(query)));
    let start = head.find("://").map_or(0, |at| at + 3);
    let host = head[start..].find('/').map_or(head, |at| &head[..start + at]);
    match query {
        Some(query) => format!("{host}/{name}?{query}"),
        None => format!("{host}/{name}"),
    }
}

fn unique() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

async fn connect(config: &Config) -> Client {
    let (client, connection) =
        config.connect(NoTls).await.unwrap_or_else(|why| panic!("the server of {VARIABLE} does not answer: {why}"));
    drive(connection);
    client
}

/// Runs the connection until its client is dropped, which ends it.
#[expect(clippy::disallowed_methods, reason = "the task ends with the client, whoever holds that")]
fn drive(connection: tokio_postgres::Connection<tokio_postgres::Socket, tokio_postgres::tls::NoTlsStream>) {
    tokio::spawn(async move {
        // A connection that the test has cut is no failure of the test.
        let _ = connection.await;
    });
}

async fn execute(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|why| panic!("{sql}: {why:?}"));
}

/// The clock that times commits for metrics, which no test reads.
struct Frozen;

impl Clock for Frozen {
    fn now(&self) -> Time {
        Time::from_micros(0)
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}
