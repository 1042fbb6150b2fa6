//! Copies to and from a server that fails on demand.

use std::{collections::BTreeMap, ffi::OsStr, fs, path::Path, sync::Arc};

use super::{Conflict, Context, Sizes, copy, plan::Order};
use crate::client::{
    failure::Failure,
    path::Place,
    report::{Report, Voice},
    resume::Shelf,
    stub::{Fault, Stub},
    tests::{connect, signed_in},
};

struct World {
    stub: Stub,
    dir: tempfile::TempDir,
    credentials: crate::client::credentials::Credentials,
}

impl World {
    async fn new() -> Self {
        let (stub, dir) = (Stub::start().await, tempfile::tempdir().unwrap());
        let credentials = signed_in(&stub, dir.path()).await;
        Self { stub, dir, credentials }
    }

    fn local(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        fs::create_dir_all(self.local(path).parent().unwrap()).unwrap();
        fs::write(self.local(path), bytes).unwrap();
    }

    /// `cp -r`, with local paths relative to the test's folder.
    async fn cp(&self, paths: &[&str], conflict: Conflict) -> Result<(), Failure> {
        let place = |path: &&str| match path.starts_with(':') {
            true => Place::parse(OsStr::new(path)).unwrap(),
            false => Place::Local(format!("{}/{path}", self.dir.path().display()).into()),
        };
        let mut sources: Vec<_> = paths.iter().map(place).collect();
        let destination = sources.pop().unwrap();
        let context = Context {
            api: connect(&self.credentials),
            report: Report::new(Voice::Quiet),
            shelf: Shelf::in_folder(self.local("state")),
            conflict,
            sizes: Sizes { whole_max: 64, upload_resumes: 1 << 20, download_resumes: 1 << 20 },
        };
        copy(Arc::new(context), Order { sources, destination, recursive: true }, 4).await
    }

    async fn replace(&self, paths: &[&str]) -> Result<(), Failure> {
        self.cp(paths, Conflict::Replace).await
    }

    fn remote(&self) -> Vec<String> {
        self.stub.files().into_keys().collect()
    }

    fn forget_log(&self) {
        self.stub.state.lock().log.clear();
    }
}

/// Files below a folder, by relative path.
fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                files.insert(path, fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(b"noise").finalize_xof().fill(&mut bytes);
    bytes
}

#[tokio::test]
async fn trees_go_up_and_down_and_a_second_time_nothing_moves() {
    let world = World::new().await;
    for (path, bytes) in
        [("d/a", &b"1"[..]), ("d/empty", b""), ("d/x/b", b"22"), ("d/x/y/c", &noise(5000)), ("d/x/z", &noise(3 << 20))]
    {
        world.write(path, bytes);
    }
    world.replace(&["d", ":/"]).await.unwrap();
    assert_eq!(world.remote(), ["/d/a", "/d/empty", "/d/x/b", "/d/x/y/c", "/d/x/z"]);
    world.forget_log();
    world.replace(&["d", ":/"]).await.unwrap();
    assert_eq!(world.stub.asked("POST"), [""; 0]);
    assert_eq!(world.stub.asked("PATCH"), [""; 0]);

    world.replace(&[":/d", "copy"]).await.unwrap();
    assert_eq!(tree(&world.local("copy")), tree(&world.local("d")));
    world.forget_log();
    world.replace(&[":/d/.", "copy"]).await.unwrap();
    assert_eq!(world.stub.asked("GET /files"), [""; 0]);

    // Within the server; the second time it finds everything there.
    world.replace(&[":/d", ":/e"]).await.unwrap();
    assert!(world.remote().contains(&"/e/x/y/c".to_owned()));
    world.replace(&[":/d/x/y/.", ":/d/x"]).await.unwrap();
    assert!(world.remote().contains(&"/d/x/c".to_owned()));
    world.forget_log();
    world.replace(&[":/d/x/y/.", ":/d/x"]).await.unwrap();
    assert_eq!(world.stub.asked("POST"), [""; 0]);
}

#[tokio::test]
async fn only_what_differs_moves_and_conflicts_are_decided() {
    let world = World::new().await;
    world.write("d/same", b"same");
    world.write("d/other", b"mine!");
    for (conflict, expected, failed) in
        [(Conflict::Skip, "theirs", false), (Conflict::Fail, "theirs", true), (Conflict::Replace, "mine!", false)]
    {
        world.stub.put("/d/same", b"same");
        world.stub.put("/d/other", b"theirs");
        let result = world.cp(&["d", ":/"], conflict).await;
        assert_eq!(result.err().map(|failure| failure.status()), failed.then_some(6), "{conflict:?}");
        assert_eq!(world.stub.files()["/d/other"], expected.as_bytes(), "{conflict:?}");
    }
    world.stub.put("/d/other", b"theirs");
    world.cp(&["d", ":/"], Conflict::Rename).await.unwrap();
    assert_eq!(world.remote(), ["/d/other", "/d/other (2)", "/d/same"]);

    world.stub.put("/d/other", b"theirs");
    world.cp(&[":/d", "."], Conflict::Skip).await.unwrap();
    assert_eq!(fs::read(world.local("d/other")).unwrap(), b"mine!");
    assert_eq!(world.cp(&[":/d", "."], Conflict::Fail).await.unwrap_err().status(), 6);
    world.cp(&[":/d/other", "d"], Conflict::Rename).await.unwrap();
    // `other (2)` came down with the folder before.
    assert_eq!(fs::read(world.local("d/other (3)")).unwrap(), b"theirs");
    world.replace(&[":/d", "."]).await.unwrap();
    assert_eq!(fs::read(world.local("d/other")).unwrap(), b"theirs");
}

#[tokio::test]
async fn a_large_upload_goes_on_where_the_server_is() {
    let world = World::new().await;
    let bytes = noise(4 << 20);
    world.write("big", &bytes);
    // It breaks twice within the command; the third time the server has a fault that waiting does not mend.
    world.stub.state.lock().faults =
        vec![Fault::Keep(1 << 20, 503), Fault::Keep(300_000, 502), Fault::Keep(70_000, 500)];
    assert_eq!(world.replace(&["big", ":/"]).await.unwrap_err().status(), 1);
    assert_eq!(world.remote(), [""; 0]);
    // The same command again.
    world.replace(&["big", ":/"]).await.unwrap();
    assert_eq!(world.stub.files()["/big"], bytes);
    assert_eq!(world.stub.asked("POST /uploads").len(), 1);
    assert_eq!(world.stub.asked("PATCH").len(), 4);
    assert_eq!(fs::read_dir(world.local("state/uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_upload_that_the_server_forgot_or_whose_file_changed_begins_again() {
    let world = World::new().await;
    world.write("big", &noise(2 << 20));
    world.stub.state.lock().faults = vec![Fault::Keep(1 << 20, 500)];
    world.replace(&["big", ":/"]).await.unwrap_err();
    world.write("big", &noise((2 << 20) + 1));
    world.replace(&["big", ":/"]).await.unwrap();
    assert_eq!(world.stub.files()["/big"], noise((2 << 20) + 1));
    assert_eq!(world.stub.asked("POST /uploads").len(), 2);
}

#[tokio::test]
async fn an_upload_that_cannot_become_a_file_is_given_up() {
    let world = World::new().await;
    world.write("big", &noise(2 << 20));
    world.stub.state.lock().faults = vec![Fault::Status(507)];
    world.replace(&["big", ":/"]).await.unwrap_err();
    assert_eq!(world.stub.asked("DELETE /uploads").len(), 1);
    assert_eq!(fs::read_dir(world.local("state/uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_large_download_goes_on_where_the_part_file_is() {
    let world = World::new().await;
    let bytes = noise(4 << 20);
    world.stub.put("/big", &bytes);
    world.stub.state.lock().faults = vec![Fault::Cut(1_500_000), Fault::Status(500)];
    world.replace(&[":/big", "big"]).await.unwrap_err();
    let kept = fs::metadata(world.local("big.holdfast-part")).unwrap().len();
    assert!(kept > 0 && !world.local("big").exists(), "{kept}");
    world.forget_log();
    world.replace(&[":/big", "big"]).await.unwrap();
    assert!(
        world.stub.asked("GET /files")[0].ends_with(&format!(" bytes={kept}-")),
        "{:?}",
        world.stub.asked("GET /files")
    );
    assert_eq!(fs::read(world.local("big")).unwrap(), bytes);
    assert!(!world.local("big.holdfast-part").exists());
    assert_eq!(fs::read_dir(world.local("state/downloads")).unwrap().count(), 0);
}

#[tokio::test]
async fn versions_are_never_mixed() {
    let world = World::new().await;
    world.stub.put("/big", &noise(4 << 20));
    world.stub.state.lock().faults = vec![Fault::Cut(1_500_000), Fault::Change];
    world.replace(&[":/big", "big"]).await.unwrap();
    assert_eq!(fs::read(world.local("big")).unwrap(), world.stub.files()["/big"]);
    // Nor over two commands.
    world.stub.put("/big", &noise(4 << 20));
    world.stub.state.lock().faults = vec![Fault::Cut(1_500_000), Fault::Status(500)];
    world.replace(&[":/big", "again"]).await.unwrap_err();
    world.stub.put("/big", &noise(3 << 20));
    world.replace(&[":/big", "again"]).await.unwrap();
    assert_eq!(fs::read(world.local("again")).unwrap(), noise(3 << 20));
}

#[tokio::test]
async fn a_small_download_that_fails_leaves_nothing() {
    let world = World::new().await;
    world.stub.put("/small", &noise(5000));
    world.stub.state.lock().faults = vec![Fault::Cut(1000), Fault::Status(500)];
    world.replace(&[":/small", "small"]).await.unwrap_err();
    assert!(!world.local("small").exists() && !world.local("small.holdfast-part").exists());
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let world = World::new().await;
    world.write("a", &noise(5000));
    world.stub.state.lock().faults = vec![Fault::Status(503), Fault::Status(429)];
    world.replace(&["a", ":/"]).await.unwrap();
    assert_eq!(world.stub.files()["/a"], noise(5000));
}

#[tokio::test]
async fn what_cannot_be_copied_is_counted_and_the_rest_is_copied() {
    let world = World::new().await;
    world.write("d/good", b"1");
    world.write("d/bad\nname", b"2");
    std::os::unix::fs::symlink("good", world.local("d/link")).unwrap();
    assert_eq!(world.replace(&["d", ":/"]).await.unwrap_err().status(), 6);
    assert_eq!(world.remote(), ["/d/good"]);
    // A file where a folder is to be.
    world.stub.put("/e/d", b"in the way");
    assert_eq!(world.replace(&["d", ":/e"]).await.unwrap_err().status(), 1);
}

#[tokio::test]
async fn a_copy_that_made_its_folder_goes_on_in_it_and_later_ones_go_inside() {
    let world = World::new().await;
    world.write("d/a", b"1");
    world.write("d/b", b"2");
    world.stub.state.lock().faults = vec![Fault::Status(500)];
    assert_eq!(world.replace(&["d", ":/new"]).await.unwrap_err().status(), 6);
    world.replace(&["d/", ":/new"]).await.unwrap();
    assert_eq!(world.remote(), ["/new/a", "/new/b"]);
    // It is whole now, so this is another copy, as with cp.
    world.replace(&["d", ":/new"]).await.unwrap();
    assert_eq!(world.remote(), ["/new/a", "/new/b", "/new/d/a", "/new/d/b"]);

    world.stub.state.lock().faults = vec![Fault::Status(500)];
    assert_eq!(world.replace(&[":/new/d", "down"]).await.unwrap_err().status(), 6);
    world.replace(&[":/new/d", "down"]).await.unwrap();
    assert_eq!(tree(&world.local("down")).into_keys().collect::<Vec<_>>(), ["a", "b"]);
    world.replace(&[":/new/d", "down"]).await.unwrap();
    assert_eq!(tree(&world.local("down")).into_keys().collect::<Vec<_>>(), ["a", "b", "d/a", "d/b"]);
}

#[tokio::test]
async fn a_lost_session_ends_the_copy() {
    let world = World::new().await;
    for n in 0..20 {
        world.write(&format!("d/{n}"), &noise(1000));
    }
    {
        let mut state = world.stub.state.lock();
        (state.access, state.refresh) = ("x".into(), "y".into());
    }
    assert_eq!(world.replace(&["d", ":/"]).await.unwrap_err().status(), 4);
}

#[tokio::test]
async fn several_sources_need_a_folder_and_keep_their_names() {
    let world = World::new().await;
    world.write("a", b"1");
    world.write("x/a", b"2");
    world.write("b", b"3");
    world.stub.put("/d/z", b"z");
    assert_eq!(world.replace(&["a", "b", ":/no"]).await.unwrap_err().status(), 3);
    // Two of one name: the second is refused, not put over the first.
    assert_eq!(world.replace(&["a", "x/a", "b", ":/d"]).await.unwrap_err().status(), 6);
    assert_eq!(world.stub.files()["/d/a"], b"1");
    assert_eq!(world.stub.files()["/d/b"], b"3");
    assert_eq!(world.replace(&["a", "b"]).await.unwrap_err().status(), 2);
    assert_eq!(world.replace(&["a", ":/no/"]).await.unwrap_err().status(), 3);
    assert_eq!(world.replace(&["nothing", ":/"]).await.unwrap_err().status(), 3);
}
