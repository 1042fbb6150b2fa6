//! Demo data from outside: what is told to be there is there, looks lived in, and is told once only.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use base::Time;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{PASSWORD, Process, User, Wrap, free_port};

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_folder_becomes_an_organisation() {
    demo("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_postgres_becomes_an_organisation() {
    let database = testkit::database::postgres().await;
    let db::Backend::Postgres { url } = database.backend() else { panic!("a server was asked for") };
    demo(&format!("database = {:?}\n", url.expose())).await;
}

/// The words of a command on the system in this folder.
fn arguments(dir: &Path, command: &str) -> Vec<String> {
    let text = |path: &Path| path.display().to_string();
    let (config, data) = (text(&dir.join("config.toml")), text(&dir.join("data")));
    [command, "--config", &config, "--data-dir", &data].map(str::to_owned).to_vec()
}

fn seed(dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(arguments(dir, "seed-demo"))
        // Drawing is most of the work, and the sizes of pictures are all that this changes.
        .args(["--small", "--password", PASSWORD])
        .env("HOLDFAST_ADMIN_PASSWORD", PASSWORD)
        .output()
        .expect("the binary runs")
}

async fn serve(dir: &Path) -> Process {
    let listen = format!("127.0.0.1:{}", free_port());
    let mut words = arguments(dir, "serve");
    words.extend(["--listen".into(), listen.clone()]);
    Process::start(&Wrap::default(), &words, Some(&listen)).await
}

async fn demo(settings: &str) {
    let dir: TempDir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("config.toml"), settings).expect("a configuration");
    let done = seed(dir.path());
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{told}\n{}", String::from_utf8_lossy(&done.stderr));
    for word in ["14 people", "Анна Соколова", "Tom Whitfield", PASSWORD, "Done in "] {
        assert!(told.contains(word), "{word} is missing in {told}");
    }

    let mut server = serve(dir.path()).await;
    let listing = look(&server).await;
    server.terminate();

    let again = seed(dir.path());
    let reason = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!((again.status.code(), reason.contains("not empty")), (Some(1), true), "{reason}");
    let server = serve(dir.path()).await;
    let anna = User::login(&server.url, "anna", PASSWORD).await;
    assert_eq!(everything(&anna).await, listing, "a run that refused changed something");
}

/// The items of all pages of a listing.
async fn all(user: &User, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    // No listing here has a hundred pages.
    for _ in 0..100 {
        let mark = if path.contains('?') { '&' } else { '?' };
        let page = user.get(&format!("{path}{mark}limit=500{cursor}")).await.expect(200);
        items.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
    panic!("{path} does not end");
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn time(value: &Value, key: &str) -> Time {
    text(value, key).parse().expect("a time")
}

/// Every entry that somebody sees in spaces, by its path.
async fn everything(user: &User) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for space in all(user, "/spaces").await {
        let mut folders = vec![(text(&space, "name").to_owned(), text(&space, "root_id").to_owned())];
        while let Some((path, id)) = folders.pop() {
            for entry in all(user, &format!("/folders/{id}/children")).await {
                let path = format!("{path}/{}", text(&entry, "name"));
                if entry["kind"] == "folder" {
                    folders.push((path.clone(), text(&entry, "id").to_owned()));
                }
                found.insert(path, entry);
            }
        }
    }
    found
}

/// What one of the people finds; returns everything that she sees.
async fn look(server: &Process) -> BTreeMap<String, Value> {
    let anna = User::login(&server.url, "anna", PASSWORD).await;
    let spaces = all(&anna, "/spaces").await;
    let names: Vec<_> = spaces.iter().map(|space| text(space, "name")).collect();
    for name in ["Client work", "Studio", "Исследования", "Редакция"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let found = everything(&anna).await;
    files(&anna, &found).await;
    for space in &spaces {
        activity(&anna, text(space, "id"), text(space, "kind") == "team").await;
    }
    let research = spaces.iter().find(|space| text(space, "name") == "Исследования").expect("the group's space");
    let members = anna.get(&format!("/entries/{}/grants", text(research, "root_id"))).await.expect(200);
    let members = members["items"].as_array().expect("items");
    let kinds: Vec<_> = members.iter().map(|grant| text(&grant["subject"], "kind")).collect();
    assert!(kinds.contains(&"group") && kinds.contains(&"user") && members.len() >= 4, "{members:?}");
    let trash = all(&anna, &format!("/trash?space={}", text(research, "id"))).await;
    assert!(trash.len() >= 2, "{trash:?}");

    let report = &found["Исследования/Городские дворы/Отчёт/Отчёт.md"];
    let versions = all(&anna, &format!("/files/{}/versions", text(report, "id"))).await;
    assert_eq!(versions.len(), 3);
    assert!(versions.windows(2).all(|pair| time(&pair[0], "created_at") > time(&pair[1], "created_at")));
    assert_eq!((&versions[0]["name"], &versions[0]["pinned"]), (&"Окончательная редакция".into(), &true.into()));
    let links = all(&anna, "/links").await;
    assert_eq!(links.len(), 2, "{links:?}");
    assert!(links.iter().all(|link| link["opens"].as_u64().is_some_and(|opens| opens > 0)), "{links:?}");
    let shared = all(&anna, "/shared-with-me").await;
    assert!(shared.iter().any(|one| text(&one["grant"], "role") == "editor"), "{shared:?}");

    let mikhail = User::login(&server.url, "mikhail", PASSWORD).await;
    let groups = all(&mikhail, "/groups").await;
    assert_eq!(groups.len(), 5);
    assert!(groups.iter().all(|group| group["members"].as_u64().is_some_and(|members| members >= 4)), "{groups:?}");
    found
}

/// There are enough of them, and they are what their names say.
async fn files(anna: &User, found: &BTreeMap<String, Value>) {
    let files: Vec<_> = found.iter().filter(|(_, entry)| entry["kind"] == "file").collect();
    let bytes: u64 = files.iter().filter_map(|(_, entry)| entry["size"].as_u64()).sum();
    assert!(files.len() > 200, "{} files", files.len());
    assert!((36_000_000..160_000_000).contains(&bytes), "{bytes} bytes");
    assert!(files.iter().any(|(path, _)| path.matches('/').count() >= 5), "nothing lies deep");
    let read = async |ending: &str| {
        let (path, entry) = files.iter().rfind(|(path, _)| path.ends_with(ending)).expect("a file of this kind");
        let body = anna.get(&format!("/files/{}", text(entry, "id"))).await;
        assert_eq!((body.status, body.body.len() as u64), (200, entry["size"].as_u64().expect("a size")), "{path}");
        assert_eq!(blake3::hash(&body.body).to_hex().as_str(), text(entry, "blake3"), "{path}");
        body.body
    };
    for ending in [".jpg", ".png"] {
        let picture = image::load_from_memory(&read(ending).await).expect("a picture");
        assert!(picture.width() >= 300 && picture.height() >= 300);
    }
    assert!(read(".pdf").await.starts_with(b"%PDF-1.4"));
    assert!(read(".wav").await.starts_with(b"RIFF"));
    assert!(read(".ply").await.len() > 29_000_000);
    let story = String::from_utf8(read("Отчёт.md").await).expect("text");
    assert!(story.contains("Окончательная редакция") && !story.contains("{date"), "{story}");
}

/// What was done in a space is in order, in the past, and of a team's space over more than a month, by several people.
async fn activity(anna: &User, space: &str, team: bool) {
    let done = all(anna, &format!("/activity?space={space}")).await;
    let times: Vec<_> = done.iter().map(|one| time(one, "at")).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "the newest comes first");
    let (newest, oldest) = (times[0], *times.last().expect("something was done"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    assert!(newest < Time::from_micros(now.as_micros() as i64));
    if team {
        let people: std::collections::BTreeSet<_> = done.iter().map(|one| one["actor"].to_string()).collect();
        assert!(newest.since(oldest) > Duration::from_secs(30 * 86_400), "{oldest} to {newest}");
        assert!(people.len() >= 4, "{people:?}");
    }
}
