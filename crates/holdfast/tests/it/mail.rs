//! Letters from a real server over real SMTP, and what their links open.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::harness::{Answer, PASSWORD, Shape, User, World, eventually};

/// A letter as it came in: for whom, and its text with all headers.
type Letter = (String, String);

/// A mail server that keeps what it is given. It wants a password, refuses `nobody@…` for good, and the first letter to
/// `busy@…` for now.
struct MailServer {
    port: u16,
    letters: Arc<Mutex<Vec<Letter>>>,
    _tasks: JoinSet<()>,
}

impl MailServer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let kept = letters.clone();
        tasks.spawn(async move {
            let mut clients = JoinSet::new();
            let busy = Arc::new(Mutex::new(true));
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, busy) = (kept.clone(), busy.clone());
                clients.spawn(async move { drop(converse(stream, &kept, &busy).await) });
            }
        });
        Self { port, letters, _tasks: tasks }
    }

    /// The next letter to an address, once it is there.
    async fn letter(&self, to: &str) -> String {
        eventually(&format!("a letter to {to}"), Duration::from_secs(20), async || {
            let mut letters = self.letters.lock().expect("no panic holds it");
            let at = letters.iter().position(|(address, _)| address == to)?;
            Some(letters.remove(at).1)
        })
        .await
    }

    /// The token in the next letter to an address.
    async fn token(&self, to: &str, page: &str) -> String {
        let letter = self.letter(to).await;
        let start = format!("https://files.example.org/{page}#token=");
        let (_, rest) = letter.split_once(&start).unwrap_or_else(|| panic!("{letter}"));
        rest.split_whitespace().next().expect("a token").to_owned()
    }
}

/// One client's session, as RFC 5321 has it.
async fn converse(stream: TcpStream, kept: &Mutex<Vec<Letter>>, busy: &Mutex<bool>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await?;
    let (mut signed_in, mut to, mut line) = (false, String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => {
                // The base 64 of \0post\0letmein.
                signed_in = line.trim().ends_with("AHBvc3QAbGV0bWVpbg==");
                if signed_in { "235 welcome" } else { "535 wrong" }
            }
            "MAIL" if !signed_in => "530 who are you",
            "RCPT" if line.contains("nobody@") => "550 there is nobody",
            "RCPT" if line.contains("busy@") && std::mem::take(&mut *busy.lock().expect("no panic holds it")) => {
                "451 come back later"
            }
            "RCPT" => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                "250 ok"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") && stream.read_line(&mut text).await? > 0 {}
                kept.lock().expect("no panic holds it").push((to.clone(), unfold(&text)));
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// The text without the soft line ends and the escapes of quoted-printable, as far as letters in English have them.
fn unfold(text: &str) -> String {
    text.replace("=\r\n", "").replace("=3D", "=").replace("=0A", "\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_sent_and_their_links_work() {
    let post = MailServer::start().await;
    let settings = format!(
        "accounts.registration = \"invitation\"\ngateway.public_url = \"https://files.example.org\"\n\
         mail.server = \"smtp://post@127.0.0.1:{}\"\nmail.from = \"Files <files@example.org>\"\nmail.password = \"letmein\"\n",
        post.port
    );
    let world = World::start(Shape::Single, &settings).await;
    let url = &world.gateways[0].url;
    let admin = world.admin().await;
    let call = async |path: &str, body: Value| {
        Answer::of(reqwest::Client::new().post(format!("{url}/api/v1{path}")).json(&body)).await
    };
    let register = |token: &str| json!({ "name": "ada", "password": PASSWORD, "invitation": token });
    call("/register", json!({ "name": "ada", "password": PASSWORD })).await.refused(403, "registration-closed");
    // One address that does not exist, and one whose server is busy for now, do not hold up the others.
    for name in ["nobody", "busy", "ada"] {
        let invitation = json!({ "email": format!("{name}@example.org") });
        admin.post("/admin/invitations", &invitation).await.expect(201);
    }
    let token = post.token("ada@example.org", "invitation").await;
    let ada = call("/register", register(&token)).await.expect(201);
    assert_eq!(ada["email"], "ada@example.org");
    let ada = User::login(url, "ada", PASSWORD).await;
    call("/register", register(&token)).await.refused(400, "link-used");

    let change = json!({ "email": "ada@new.example.org", "password": PASSWORD });
    assert_eq!(ada.post("/me/email", &change).await.status, 202);
    let token = post.token("ada@new.example.org", "verify-email").await;
    assert_eq!(call("/email/verify", json!({ "token": token })).await.status, 204);
    assert_eq!(ada.get("/me").await.expect(200)["email"], "ada@new.example.org");

    assert_eq!(call("/password-reset", json!({ "email": "nobody@example.org" })).await.status, 202);
    assert_eq!(call("/password-reset", json!({ "email": "Ada@new.example.org" })).await.status, 202);
    let letter_token = post.token("ada@new.example.org", "reset-password").await;
    let reset = json!({ "token": letter_token, "new_password": "another horse" });
    assert_eq!(call("/password-reset/confirm", reset.clone()).await.status, 204);
    call("/password-reset/confirm", reset).await.refused(400, "link-used");
    ada.get("/me").await.refused(401, "session-ended");
    User::login(url, "ada", "another horse").await;

    let letter = post.letter("busy@example.org").await;
    assert!(
        letter.contains("From: Files <files@example.org>") && letter.contains("Subject: You are invited"),
        "{letter}"
    );
    // What can never be delivered is a dead job, which administrators see.
    let jobs = admin.get("/admin/jobs").await.expect(200);
    let dead = jobs["items"].as_array().expect("a list");
    assert_eq!((dead.len(), &dead[0]["kind"]), (1, &json!("mail")), "{jobs}");
    assert!(!world.gateways[0].log().contains(&letter_token), "no secret is logged");
}
