//! Sessions that hear at once of what others do: over a WebSocket, and by a call that waits.

use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::harness::{Answer, PATIENCE, Shape, User, World};

/// A live socket of somebody.
pub(crate) struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    /// Pushes that came while a reply was waited for.
    pushes: Vec<Value>,
}

impl Live {
    async fn open(url: &str) -> Self {
        let mut request =
            format!("{}/api/v1/live", url.replace("http://", "ws://")).into_client_request().expect("a URL");
        request.headers_mut().insert("sec-websocket-protocol", "holdfast.v1".parse().expect("a header"));
        let (socket, answer) = tokio_tungstenite::connect_async(request).await.expect("a WebSocket");
        assert_eq!(answer.headers()["sec-websocket-protocol"], "holdfast.v1");
        Self { socket, next_id: 0, pushes: Vec::new() }
    }

    pub(crate) async fn of(user: &User) -> Self {
        let mut live = Self::open(&user.url).await;
        let hello = live.ask(json!({ "do": "hello", "token": user.token })).await;
        assert_eq!(hello["ok"]["user"], user.user["id"], "{hello}");
        live
    }

    pub(crate) async fn follow(user: &User, space: &str, since: Option<&str>) -> Self {
        let mut live = Self::of(user).await;
        let followed = live.ask(json!({ "do": "follow", "space": space, "since": since })).await;
        assert_eq!(followed["ok"]["space"], space, "{followed}");
        live
    }

    /// Sends a command and waits for its reply.
    async fn ask(&mut self, mut command: Value) -> Value {
        self.next_id += 1;
        command["id"] = self.next_id.into();
        self.say(&command.to_string()).await;
        loop {
            let message = self.hear().await.expect("a reply");
            if message["reply"] == self.next_id {
                return message;
            }
            self.pushes.push(message);
        }
    }

    async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("an open socket");
    }

    /// The next message, or the code that the socket was closed with.
    pub(crate) async fn hear(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("nothing came") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    pub(crate) async fn push(&mut self) -> Value {
        if !self.pushes.is_empty() {
            return self.pushes.remove(0);
        }
        self.hear().await.expect("a push")
    }

    /// Hears pushes until the space is at this cursor; checks that they join without a gap.
    async fn until(&mut self, from: &str, cursor: &str) -> Vec<Value> {
        let (mut at, mut items) = (from.to_owned(), Vec::new());
        while at != cursor {
            let push = self.push().await;
            assert_eq!((&push["push"], &push["since"]), (&json!("changes"), &json!(at)), "{push}");
            items.extend(push["items"].as_array().expect("items").iter().cloned());
            at = push["next"].as_str().expect("a cursor").to_owned();
        }
        items
    }
}

async fn cursor(user: &User, space: &str) -> String {
    let space = user.get(&format!("/spaces/{space}")).await.expect(200);
    format!("{}.{}", space["epoch"], space["sequence"])
}

async fn changes(user: &User, space: &str, since: &str) -> Vec<Value> {
    let page = user.get(&format!("/spaces/{space}/changes?limit=1000&since={since}")).await.expect(200);
    assert_eq!(page["more"], false);
    page["items"].as_array().expect("items").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_hear_of_changes_on_one_process() {
    hear_of_changes(World::start(Shape::Single, "").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_hear_of_changes_on_another_gateway() {
    hear_of_changes(World::start(Shape::Cluster, "").await).await;
}

async fn hear_of_changes(mut world: World) {
    let writer = world.admin().await;
    let reader = writer.at(world.gateways.last().expect("a gateway"));
    let other = User::register(&world.gateways[0].url, "other").await;
    let space = writer.user["space_id"].as_str().expect("an id").to_owned();

    // Every change comes, in order, and is what a pull would give.
    let start = cursor(&writer, &space).await;
    let mut live = Live::follow(&reader, &space, None).await;
    let began = Instant::now();
    for number in 0..20 {
        writer.upload(&format!("{number}"), vec![1; 10]).await;
    }
    let end = cursor(&writer, &space).await;
    let pushed = live.until(&start, &end).await;
    // Without a word from the other process it would take a look every five seconds to find each.
    assert!(began.elapsed() < Duration::from_secs(4), "it took {:?}", began.elapsed());
    assert_eq!(pushed, changes(&writer, &space, &start).await);

    // Whoever comes back goes on where they were.
    drop(live);
    writer.upload("meanwhile", vec![1; 10]).await;
    let mut live = Live::follow(&reader, &space, Some(&end)).await;
    let later = cursor(&writer, &space).await;
    let pushed = live.until(&end, &later).await;
    assert_eq!(pushed[0]["entry"]["name"], "meanwhile");

    // Too far behind: told to pull, and pushes go on from there.
    let mut late = Live::of(&reader).await;
    for number in 0..60 {
        writer.post("/folders", &json!({ "name": format!("folder {number}") })).await.expect(201);
    }
    late.ask(json!({ "do": "follow", "space": space, "since": later })).await;
    let push = late.push().await;
    assert_eq!(push["push"], "behind", "{push}");
    assert_eq!(push["next"], cursor(&writer, &space).await);
    assert_eq!(changes(&writer, &space, &later).await.len(), 60);
    let before = push["next"].as_str().expect("a cursor").to_owned();
    writer.upload("after", vec![1; 10]).await;
    assert_eq!(late.until(&before, &cursor(&writer, &space).await).await.len(), 1);

    // A call can wait as well.
    let now = cursor(&writer, &space).await;
    let path = format!("/spaces/{space}/changes?since={now}&wait=");
    let waiting = tokio::spawn(reader.request("GET", &format!("{path}30")).send());
    writer.upload("awaited", vec![1; 10]).await;
    let page: Value = waiting.await.expect("no panic").expect("an answer").json().await.expect("JSON");
    assert_eq!(page["items"][0]["entry"]["name"], "awaited", "{page}");
    let now = cursor(&writer, &space).await;
    let nothing = reader.get(&format!("/spaces/{space}/changes?since={now}&wait=1")).await.expect(200);
    assert_eq!((nothing["items"].as_array().map(Vec::len), &nothing["next"]), (Some(0), &json!(now)));
    reader.get(&format!("{path}51")).await.refused(400, "invalid-request");

    refusals(&reader, &other, &space).await;
    given(&writer, &other.at(world.gateways.last().expect("a gateway"))).await;
    ends(&writer, &reader).await;

    // A socket does not hold a shutdown up, and is told.
    let mut left = Live::follow(&reader, &space, None).await;
    for gateway in &mut world.gateways {
        let took = gateway.terminate();
        assert!(took < Duration::from_secs(8), "the shutdown took {took:?}");
    }
    assert_eq!(left.hear().await, Err(Some(1001)));
}

async fn refusals(reader: &User, other: &User, space: &str) {
    // Somebody else's space is not there.
    let mut live = Live::of(other).await;
    for wrong in [space, "spc_0197f3c6b1d07c3a9d2e5f60718293a4"] {
        let refused = live.ask(json!({ "do": "follow", "space": wrong })).await;
        assert_eq!(refused["error"]["code"], "not-found", "{refused}");
    }
    let mut live = Live::of(reader).await;
    for (command, code) in [
        (json!({ "do": "follow", "space": "nonsense" }), "invalid-id"),
        (json!({ "do": "follow", "space": space, "since": "nonsense" }), "invalid-cursor"),
        (json!({ "do": "follow", "space": space, "since": "9.1" }), "cursor-gone"),
        (json!({ "do": "hello", "token": other.token }), "invalid-request"),
    ] {
        let refused = live.ask(command).await;
        assert_eq!(refused["error"]["code"], code, "{refused}");
    }
    for nonsense in ["", "[]", "{}", "{\"id\":1}", "{\"id\":1,\"do\":\"dance\"}", "{\"id\":-1,\"do\":\"ping\"}"] {
        live.say(nonsense).await;
        let refused = live.hear().await.expect("a reply");
        assert_eq!(
            (&refused["reply"], &refused["error"]["code"]),
            (&Value::Null, &json!("invalid-request")),
            "{nonsense}"
        );
    }
    assert_eq!(live.ask(json!({ "do": "unfollow", "space": space })).await["ok"]["followed"], false);
    assert_eq!(live.ask(json!({ "do": "ping" })).await["ok"], json!({}));
    live.socket.send(Message::binary(vec![1])).await.expect("an open socket");
    assert_eq!(live.hear().await, Err(Some(1003)));

    for first in [json!({ "id": 1, "do": "ping" }), json!({ "id": 1, "do": "hello", "token": "nonsense" })] {
        let mut stranger = Live::open(&reader.url).await;
        stranger.say(&first.to_string()).await;
        assert!(stranger.hear().await.expect("a reply")["error"]["code"].is_string());
        assert_eq!(stranger.hear().await, Err(Some(4401)));
    }
    reader.get("/live").await.refused(426, "upgrade-required");
    let huge = format!("{{\"id\":1,\"do\":\"ping\",\"x\":\"{}\"}}", "x".repeat(70_000));
    let mut stranger = Live::open(&reader.url).await;
    // It may be cut while it is still being sent.
    let _ = stranger.socket.send(Message::text(huge)).await;
    assert!(stranger.hear().await.is_err());
}

/// Whoever is given something hears of it in every session, also on another gateway, and of what becomes of it.
async fn given(writer: &User, other: &User) {
    let mut live = Live::of(other).await;
    let mut bystander = Live::of(writer).await;
    let team = writer.post("/spaces", &json!({ "name": "Team" })).await.expect(201);
    let text = |key: &str| team[key].as_str().expect("text").to_owned();
    assert_eq!(bystander.push().await, json!({ "push": "spaces" }), "one's other sessions have it too");
    let spaces = async || {
        let all = other.get("/spaces").await.expect(200)["items"].as_array().expect("items").clone();
        all.iter().map(|space| space["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let grants = format!("/entries/{}/grants", text("root_id"));
    let body = json!({ "subject": { "kind": "user", "id": other.user["id"] }, "role": "viewer" });
    let grant = Answer::of(writer.request("PUT", &grants).json(&body)).await;
    assert!(grant.status < 300, "{grant:?}");
    let grant = grant.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(live.push().await, json!({ "push": "spaces" }));
    assert!(spaces().await.contains(&"Team".to_owned()));

    let renamed = writer.request("PATCH", &format!("/spaces/{}", text("id"))).json(&json!({ "name": "Crew" }));
    assert_eq!(Answer::of(renamed).await.status, 200);
    assert_eq!(live.push().await, json!({ "push": "spaces" }));
    assert!(spaces().await.contains(&"Crew".to_owned()));

    assert_eq!(writer.delete(&format!("/grants/{grant}")).await.status, 204);
    assert_eq!(live.push().await, json!({ "push": "spaces" }));
    assert!(!spaces().await.contains(&"Crew".to_owned()));

    // By a group as well: when it is given something, and when somebody comes in or goes.
    let group = writer.post("/groups", &json!({ "name": "Sailors" })).await.expect(201);
    let member = format!(
        "/groups/{}/members/{}",
        group["id"].as_str().expect("an id"),
        other.user["id"].as_str().expect("an id")
    );
    assert_eq!(Answer::of(writer.request("PUT", &member)).await.status, 204);
    assert_eq!(live.push().await, json!({ "push": "spaces" }));
    let body = json!({ "subject": { "kind": "group", "id": group["id"] }, "role": "viewer" });
    assert!(Answer::of(writer.request("PUT", &grants).json(&body)).await.status < 300);
    assert_eq!(live.push().await, json!({ "push": "spaces" }));
    assert!(spaces().await.contains(&"Crew".to_owned()));
    assert_eq!(writer.delete(&member).await.status, 204);
    assert_eq!(live.push().await, json!({ "push": "spaces" }));
    assert!(!spaces().await.contains(&"Crew".to_owned()));
}

/// A session that ends takes its sockets along at once, also on another gateway.
async fn ends(writer: &User, reader: &User) {
    let gone = User::login(&writer.url, "admin", crate::harness::PASSWORD).await;
    let mut live = Live::open(&reader.url).await;
    live.ask(json!({ "do": "hello", "token": gone.token })).await;
    let began = Instant::now();
    assert_eq!(gone.post("/logout", &json!({})).await.status, 204);
    assert_eq!(live.hear().await, Err(Some(4401)));
    assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
}
