//! Signing in without a password: at a real identity provider, and with passkeys.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use reqwest::Url;
use serde_json::{Value, json};
use testkit::authenticator::Authenticator;

use crate::harness::{Answer, PASSWORD, PATIENCE, Shape, User, World, eventually, free_port, not_run};

/// What names the folder of the provider's packages; `cargo xtask test` sets it.
const PACKAGES: &str = "HOLDFAST_TEST_OIDC";

/// The address by which people reach the server, as the configuration says. Nothing in these tests goes there.
const PUBLIC: &str = "https://files.example.org";

/// The process of an identity provider.
struct Provider {
    child: Child,
    url: String,
}

impl Provider {
    /// Starts one that sends people back to [`PUBLIC`], and tells `gateway` who signed out.
    fn start(port: u16, gateway: &str) -> Self {
        let modules = std::env::var(PACKAGES).expect("looked at before");
        let client = json!({
            "client_id": "holdfast", "client_secret": "a secret/with: signs", "redirect_uris": [format!("{PUBLIC}/sign-in/company")],
            "post_logout_redirect_uris": [format!("{PUBLIC}/")], "response_types": ["code"],
            "grant_types": ["authorization_code"], "scope": "openid profile email groups",
            "backchannel_logout_uri": format!("{gateway}/api/v1/providers/company/sign-out"),
            "backchannel_logout_session_required": true,
        });
        let options = json!({ "modules": modules, "port": port, "clients": [client] });
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oidc/provider.mjs");
        let mut child = Command::new("node")
            .args([script.display().to_string(), options.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let first = lines.next().expect("a line").expect("text");
        assert_eq!(first, "ready");
        // It goes on to say things, and would end if nobody listened.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    /// Says who comes next, and what the provider claims of them.
    async fn person(&self, claims: &Value) {
        let put = reqwest::Client::new().put(format!("{}/test/person", self.url)).json(claims);
        assert_eq!(put.send().await.expect("an answer").status(), 204);
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser, as far as signing in needs one: cookies for each server, and redirections.
struct Browser {
    http: reqwest::Client,
    gateway: String,
    cookies: BTreeMap<u16, BTreeMap<String, String>>,
}

impl Browser {
    fn new(gateway: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { http, gateway: gateway.to_owned(), cookies: BTreeMap::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let port = request.url().port().expect("a port");
        let jar = self.cookies.entry(port).or_default();
        let line: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = reqwest::RequestBuilder::from_parts(client, request).header("Cookie", line.join("; "));
        let answer = Answer::of(request).await;
        for set in answer.headers.get_all("set-cookie") {
            let (name, rest) = set.to_str().expect("text").split_once('=').expect("a cookie");
            jar.insert(name.to_owned(), rest.split(';').next().unwrap_or_default().to_owned());
        }
        answer
    }

    /// A call of the API from the page, with the cookies.
    async fn call(&mut self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        let mut request = self.http.post(format!("{}/api/v1{path}", self.gateway)).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        self.send(request).await
    }

    /// Goes to an address and on until it is at the public one; gives the query there.
    async fn goes(&mut self, address: &str) -> BTreeMap<String, String> {
        let mut address = Url::parse(address).expect("an address");
        for _ in 0..10 {
            if address.as_str().starts_with(PUBLIC) {
                return address.query_pairs().into_owned().collect();
            }
            let answer = self.send(self.http.get(address.clone())).await;
            assert!([302, 303].contains(&answer.status), "{address}: {answer:?}");
            address = address.join(answer.header("location")).expect("an address");
        }
        panic!("it goes in circles: {address}");
    }

    /// Signs in at the provider, up to what comes back from it.
    async fn returns(&mut self, begin: &str, token: Option<&str>, body: &Value) -> Value {
        let begun = self.call(begin, token, body).await.expect(200);
        let mut query = self.goes(begun["url"].as_str().expect("an address")).await;
        query.retain(|name, _| ["code", "state", "iss"].contains(&name.as_str()));
        json!(query)
    }

    async fn finishes(&mut self, returned: &Value) -> Answer {
        self.call("/login/providers/company/finish", None, returned).await
    }

    async fn signs_in(&mut self) -> Answer {
        let returned = self.returns("/login/providers/company", None, &json!({ "client": "browser" })).await;
        self.finishes(&returned).await
    }

    /// Somebody who is signed in by the provider.
    async fn user(&mut self) -> User {
        let tokens = self.signs_in().await.expect(200);
        let text = |name: &str| tokens[name].as_str().expect("text").to_owned();
        User {
            http: self.http.clone(),
            url: self.gateway.clone(),
            token: text("access_token"),
            refresh_token: text("refresh_token"),
            user: tokens["user"].clone(),
        }
    }
}

fn settings(port: u16) -> String {
    format!(
        "gateway.public_url = {PUBLIC:?}\naccounts.registration = \"closed\"\n\
         [[oidc]]\nid = \"company\"\nname = \"Company account\"\nissuer = \"http://127.0.0.1:{port}\"\n\
         client_id = \"holdfast\"\nclient_secret = \"a secret/with: signs\"\nscopes = [\"profile\", \"email\", \"groups\"]\n\
         groups = {{ staff = \"Staff\" }}\npermissions = {{ admins = [\"admin.users\"] }}\n"
    )
}

fn ada(groups: &[&str]) -> Value {
    json!({
        "sub": "person-1", "preferred_username": "ada", "name": "Ada Lovelace", "email": "ada@example.org",
        "email_verified": true, "groups": groups,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_at_a_provider() {
    if std::env::var_os(PACKAGES).is_none() {
        return not_run("the packages of the identity provider are missing");
    }
    let port = free_port();
    let world = World::start(Shape::Single, &settings(port)).await;
    let url = &world.gateways[0].url;
    let admin = world.admin().await;
    let anonymous = reqwest::Client::new();
    let ways = Answer::of(anonymous.get(format!("{url}/api/v1/login/ways"))).await.expect(200);
    assert_eq!(ways["providers"], json!([{ "id": "company", "name": "Company account" }]));
    assert_eq!((&ways["passkeys"], &ways["registration"]), (&json!(true), &json!(false)));

    // It is not there yet: that is said at once, and passwords work.
    let mut browser = Browser::new(url);
    let refused = browser.call("/login/providers/company", None, &json!({})).await;
    assert_ne!(refused.header("retry-after"), "");
    refused.refused(503, "provider-unavailable");
    browser.call("/login/providers/other", None, &json!({})).await.refused(404, "provider-not-found");
    User::login(url, "admin", PASSWORD).await;

    let provider = Provider::start(port, url);
    let begun = eventually("the provider is asked again", PATIENCE, async || {
        // Whatever host a request names, people come back to the configured address only.
        let request = anonymous.post(format!("{url}/api/v1/login/providers/company")).json(&json!({}));
        let request = request.header("Host", "evil.example.net").header("X-Forwarded-Host", "evil.example.net");
        let answer = Answer::of(request.header("Forwarded", "host=evil.example.net")).await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    let cookie = begun.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly; SameSite=Lax; Secure") && cookie.contains("Max-Age=600"), "{cookie}");
    let address = begun.expect(200)["url"].as_str().expect("an address").to_owned();
    assert!(address.contains("&redirect_uri=https%3A%2F%2Ffiles.example.org%2Fsign-in%2Fcompany&"), "{address}");
    let elsewhere = json!({ "return_to": "https://evil.example.net" });
    browser.call("/login/providers/company", None, &elsewhere).await.refused(400, "invalid-request");
    let redirected = address.replace("files.example.org", "evil.example.net");
    assert_eq!(Answer::of(browser.http.get(redirected)).await.status, 400, "the provider knows where people come from");

    // The first sign-in makes the account, the second finds it, whatever it is called by then.
    provider.person(&ada(&["staff", "admins"])).await;
    let first = browser.user().await;
    assert_eq!((&first.user["name"], &first.user["email"]), (&json!("ada"), &json!("ada@example.org")));
    let id = first.user["id"].as_str().expect("an id").to_owned();
    let members = async || {
        let groups = admin.get("/groups").await.expect(200);
        let group = groups["items"].as_array().expect("a list").iter().find(|it| it["name"] == "Staff").cloned();
        group.expect("made by the sign-in")["members"].clone()
    };
    assert_eq!((&first.user["has_password"], &admin.user["has_password"]), (&json!(false), &json!(true)));
    assert_eq!(members().await, 1);
    assert_eq!(first.get("/admin/users").await.status, 200);
    let mut renamed = ada(&[]);
    renamed["preferred_username"] = json!("countess");
    provider.person(&renamed).await;
    let mut other_browser = Browser::new(url);
    let second = other_browser.user().await;
    assert_eq!(second.user["id"], json!(id));
    // What the provider took is gone, for the session from before as well.
    assert_eq!(members().await, 0);
    eventually("the permission is gone", PATIENCE, async || {
        (first.get("/admin/users").await.status == 403).then_some(())
    })
    .await;
    let sessions = second.get("/sessions").await.expect(200);
    assert_eq!(sessions["items"].as_array().map(Vec::len), Some(2));

    // What was begun elsewhere, is of another time, or was used, opens nothing.
    let mut third = Browser::new(url);
    let returned = third.returns("/login/providers/company", None, &json!({})).await;
    browser.finishes(&returned).await.refused(401, "sign-in-expired");
    let mut stranger = returned.clone();
    stranger["state"] = json!("another");
    third.finishes(&stranger).await.refused(401, "sign-in-expired");
    let mut stranger = returned.clone();
    stranger["iss"] = json!("https://id.example.net");
    third.finishes(&stranger).await.refused(403, "provider-refused");
    let kept = third.cookies.clone();
    assert_eq!(third.finishes(&returned).await.status, 200);
    assert!(third.cookies.values().all(|jar| jar.get("holdfast-sign-in").is_none_or(String::is_empty)));
    third.finishes(&returned).await.refused(401, "sign-in-expired");
    third.cookies = kept;
    // The provider refuses a code that was used before it is looked at here that the state was.
    third.finishes(&returned).await.refused(403, "provider-refused");

    // Somebody with an account and a password links the provider's account to it, and unlinks it.
    let new = json!({ "name": "grace", "password": PASSWORD });
    admin.post("/admin/users", &new).await.expect(201);
    let grace = User::login(url, "grace", PASSWORD).await;
    provider.person(&json!({ "sub": "person-2", "preferred_username": "grace" })).await;
    let mut hers = Browser::new(url);
    let link = "/me/providers/company/link";
    hers.call(link, Some(&grace.token), &json!({ "password": "wrong horse" })).await.refused(403, "wrong-password");
    let returned = hers.returns(link, Some(&grace.token), &json!({ "password": PASSWORD })).await;
    let linked = hers.call(&format!("{link}/finish"), Some(&grace.token), &returned).await.expect(201);
    assert_eq!(hers.user().await.user["id"], grace.user["id"]);
    let list = grace.get("/me/identities").await.expect(200);
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["shown"]), (&linked["id"], &json!("grace")));
    let remove = format!("/me/identities/{}/remove", linked["id"].as_str().expect("an id"));
    assert_eq!(grace.post(&remove, &json!({ "password": PASSWORD })).await.status, 204);
    grace.post(&remove, &json!({ "password": PASSWORD })).await.refused(404, "identity-not-found");
    let own = second.get("/me/identities").await.expect(200)["items"][0]["id"].clone();
    let remove = format!("/me/identities/{}/remove", own.as_str().expect("an id"));
    second.post(&remove, &json!({})).await.refused(409, "last-way-in");

    // Signing out there: both sessions that this browser began by it end, and nobody else's.
    provider.person(&ada(&[])).await;
    let mut browser = Browser::new(url);
    let (one, two) = (browser.user().await, browser.user().await);
    let out = one.post("/logout/provider", &json!({})).await.expect(200);
    one.get("/me").await.refused(401, "session-ended");
    assert_eq!(two.get("/me").await.status, 200);
    let page = browser.send(browser.http.get(out["url"].as_str().expect("an address"))).await;
    assert_eq!(page.status, 200, "{page:?}");
    let page = String::from_utf8(page.body).expect("text");
    let secret = page.split("name=\"xsrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form");
    let confirm = browser.http.post(format!("{}/session/end/confirm", provider.url));
    let confirm = confirm.header("Content-Type", "application/x-www-form-urlencoded");
    let back = browser.send(confirm.body(format!("xsrf={secret}&logout=yes"))).await;
    assert_eq!(back.header("location"), format!("{PUBLIC}/"), "{back:?}");
    eventually("the provider has told us", PATIENCE, async || (two.get("/me").await.status == 401).then_some(())).await;
    assert_eq!(second.get("/me").await.status, 200);
    let forged = anonymous.post(format!("{url}/api/v1/providers/company/sign-out"));
    let forged = forged.header("Content-Type", "application/x-www-form-urlencoded").body("logout_token=a.b.c");
    Answer::of(forged).await.refused(403, "provider-refused");

    // A disabled account stays out; and when the provider has gone, whoever is in stays in.
    let disable = admin.request("PATCH", &format!("/admin/users/{id}"));
    assert_eq!(Answer::of(disable.json(&json!({ "disabled": true }))).await.status, 200);
    Browser::new(url).signs_in().await.refused(403, "account-disabled");
    drop(provider);
    let mut late = Browser::new(url);
    assert_eq!(late.call("/login/providers/company", None, &json!({})).await.status, 200, "it is known for a while");
    assert_eq!(grace.get("/me").await.status, 200);
    let actions = admin.get("/admin/audit?action=sign-in").await.expect(200);
    let by_provider = |line: &Value| line["detail"]["provider"] == "company";
    assert!(actions["items"].as_array().expect("a list").iter().any(by_provider), "{actions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_signs_in_over_http() {
    let settings = format!("gateway.public_url = {PUBLIC:?}\n");
    let world = World::start(Shape::Single, &settings).await;
    let (url, admin) = (&world.gateways[0].url, world.admin().await);
    let proof = json!({ "password": PASSWORD });
    admin.post("/me/passkeys", &json!({})).await.refused(403, "wrong-password");
    let begun = admin.post("/me/passkeys", &proof).await;
    assert_eq!(begun.header("cache-control"), "no-store");
    let begun = begun.expect(200);
    let mut device = Authenticator::new(PUBLIC);
    let credential = device.create(&begun["options"]);
    let new = json!({ "ceremony": begun["ceremony"], "credential": credential, "name": "Laptop" });
    let passkey = admin.post("/me/passkeys/finish", &new).await.expect(201);
    assert_eq!((&passkey["name"], &passkey["last_used_at"]), (&json!("Laptop"), &Value::Null));
    admin.post("/me/passkeys/finish", &new).await.refused(401, "sign-in-expired");

    let anonymous = reqwest::Client::new();
    let call = async |path: &str, body: &Value| {
        Answer::of(anonymous.post(format!("{url}/api/v1/login/passkey{path}")).json(body)).await
    };
    let begun = call("", &json!({})).await.expect(200);
    let answer = json!({
        "ceremony": begun["ceremony"], "credential": device.get(&begun["options"]), "client": "phone",
    });
    let tokens = call("/finish", &answer).await;
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_eq!(tokens.expect(200)["user"]["id"], admin.user["id"]);
    let replayed = call("/finish", &answer).await;
    assert!([401, 403].contains(&replayed.status), "{replayed:?}");
    call("/finish", &json!({ "ceremony": "x", "credential": {} })).await.refused(401, "sign-in-expired");

    let id = passkey["id"].as_str().expect("an id");
    let rename = admin.request("PATCH", &format!("/me/passkeys/{id}"));
    assert_eq!(Answer::of(rename.json(&json!({ "name": "Phone" }))).await.expect(200)["name"], "Phone");
    let listed = admin.get("/me/passkeys").await.expect(200);
    assert_eq!((&listed["items"][0]["name"], listed["items"][0]["last_used_at"].is_string()), (&json!("Phone"), true));
    assert_eq!(admin.post(&format!("/me/passkeys/{id}/remove"), &proof).await.status, 204);
    let begun = call("", &json!({})).await.expect(200);
    let answer = json!({ "ceremony": begun["ceremony"], "credential": device.get(&begun["options"]) });
    call("/finish", &answer).await.refused(403, "passkey-refused");
    admin.post(&format!("/me/passkeys/{id}/remove"), &proof).await.refused(404, "passkey-not-found");
}
