//! Signing in at identity providers: who becomes whom, what the provider decides, and every way in which an answer is not good.

mod idp;

use std::{collections::BTreeMap, time::Duration};

use accounts::{
    AuditFilter, Begun, Error, Options, Permission, Permissions, Principal, Provider, Providers, Reset, Returned,
    SecondStep, Tokens,
};
use base::{AccountId, Clock, ErrorKind, GroupId, IdentityId, Secret};
use db::identities::IdentityRow;
use serde_json::{Map, Value, json};
use testkit::database::TestDb;

use self::idp::{CLIENT, ISSUER, Idp};
use super::{Fixture, HERE, PASSWORD, code, login};

testkit::both! {
    the_first_sign_in_makes_an_account_and_the_second_finds_it,
    names_that_are_taken_get_a_number,
    groups_and_permissions_follow_the_provider,
    tokens_that_are_not_good_are_refused,
    only_the_browser_that_began_ends_it_and_once,
    addresses_tie_accounts_only_where_that_is_wanted,
    disabled_accounts_stay_out,
    while_the_provider_is_down_passwords_work,
    new_keys_are_fetched_and_not_too_often,
    linking_and_unlinking_leave_a_way_in,
    a_provider_that_is_gone_is_no_way_in,
    administrators_see_and_remove_identities,
    an_account_without_a_password_gets_one,
    the_second_factor_is_asked_for_unless_the_provider_stands_for_it,
    signing_out_there_ends_the_sessions_here,
}

/// What is configured in these tests, changed by `change`.
fn provider(change: impl FnOnce(&mut Provider)) -> Provider {
    let mut provider = Provider {
        id: "company".to_owned(),
        name: "Company account".to_owned(),
        issuer: ISSUER.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(Secret::new("of the client")),
        scopes: vec!["profile".to_owned(), "email".to_owned()],
        group_claim: "groups".to_owned(),
        groups: BTreeMap::new(),
        permissions: BTreeMap::new(),
        create_accounts: true,
        mail_domains: Vec::new(),
        link_by_mail: false,
        second_factor: false,
    };
    change(&mut provider);
    provider
}

/// Accounts with such a provider.
async fn with(test: TestDb, change: impl FnOnce(&mut Provider)) -> (Fixture, std::sync::Arc<Idp>) {
    let mut fixture = Fixture::new(test).await;
    let idp = Idp::new(fixture.clock.handle());
    let providers = Providers { list: vec![provider(change)], wire: idp.clone() };
    let options = Options {
        providers: Some(providers),
        public_url: Some("https://files.example.org/".to_owned()),
        ..Options::default()
    };
    fixture.accounts = super::open(&fixture.test, &fixture.clock, options).await;
    (fixture, idp)
}

/// What the provider says of Ada.
fn ada() -> Value {
    json!({
        "sub": "1234", "preferred_username": "ada", "name": "Ada Lovelace", "email": "Ada@example.org",
        "email_verified": true, "sid": "there-1", "locale": "ru-RU",
    })
}

/// What comes back from the provider after a beginning.
fn back(begun: &Begun) -> Returned {
    let url = url::Url::parse(&begun.url).expect("an address");
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    Returned {
        flow: Some(begun.flow.expose().to_owned()),
        code: Secret::new("good"),
        state: query["state"].clone(),
        issuer: None,
        address: HERE,
    }
}

/// Signs in at the provider as somebody.
async fn sign_in(fixture: &Fixture, idp: &Idp, claims: &Value) -> Result<(Tokens, Principal), Error> {
    let begun = fixture.accounts.begin_provider("company", Some("browser")).await?;
    idp.says(&begun, claims);
    let tokens = fixture.accounts.finish_provider("company", back(&begun)).await?;
    let principal = fixture.accounts.authenticate(tokens.access.expose()).await?;
    Ok((tokens, principal))
}

async fn good(fixture: &Fixture, idp: &Idp, claims: &Value) -> Principal {
    sign_in(fixture, idp, claims).await.expect("signed in").1
}

async fn permissions(fixture: &Fixture, id: AccountId) -> String {
    let row = db::accounts::account(&fixture.test.db, id).await.expect("a database").expect("an account");
    row.permissions
}

async fn the_first_sign_in_makes_an_account_and_the_second_finds_it(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    let ways = fixture.accounts.ways_in().await;
    assert_eq!((ways.providers[0].id.as_str(), ways.passkeys, ways.mail), ("company", true, false));
    let begun = fixture.accounts.begin_provider("company", Some("browser")).await.expect("begun");
    for part in [
        "https://id.example.org/auth?response_type=code&client_id=holdfast",
        "redirect_uri=https%3A%2F%2Ffiles.example.org%2Fsign-in%2Fcompany&",
        "scope=openid+profile+email&",
        "code_challenge_method=S256",
    ] {
        assert!(begun.url.contains(part), "{}", begun.url);
    }
    assert!(!begun.flow.expose().contains("company"), "what the browser keeps is sealed");

    let (tokens, one) = sign_in(&fixture, &idp, &ada()).await.expect("signed in");
    assert_eq!((tokens.user.name.as_str(), tokens.user.display_name.as_str()), ("ada", "Ada Lovelace"));
    let private = tokens.user.private.expect("one's own");
    assert_eq!((private.email.as_deref(), private.language.as_str()), (Some("Ada@example.org"), "ru"));
    assert_eq!(private.permissions, Permissions::of([Permission::Files, Permission::Share]));
    // The name there may change and be somebody else's; who it is never does.
    let mut renamed = ada();
    renamed["preferred_username"] = json!("countess");
    renamed["email"] = json!("countess@example.org");
    let two = good(&fixture, &idp, &renamed).await;
    assert_eq!(two.account, one.account);
    let mut other = ada();
    (other["sub"], other["email"]) = (json!("5678"), json!("another@example.org"));
    assert_ne!(good(&fixture, &idp, &other).await.account, one.account);

    let identities = fixture.accounts.identities(&two).await.expect("a list");
    assert_eq!((identities.len(), identities[0].shown.as_str()), (1, "countess@example.org"));
    assert_eq!(identities[0].provider_name, "Company account");
    let sessions = fixture.accounts.sessions(&two, None, 10).await.expect("a list");
    assert_eq!(sessions.items.iter().map(|it| it.client.as_str()).collect::<Vec<_>>(), ["browser", "browser"]);
    fixture.accounts.end_session(&two, one.session).await.expect("revocable as any other");
    assert_eq!(code(fixture.accounts.authenticate(tokens.access.expose()).await), "session-ended");
    fixture.accounts.refresh(sign_in(&fixture, &idp, &ada()).await.expect("in").0.refresh.expose()).await.expect("on");
    // There is no password, and none is right.
    for guess in ["", PASSWORD, "        "] {
        assert_eq!(code(fixture.accounts.login(login("ada", guess)).await), "wrong-credentials", "{guess:?}");
    }
}

async fn names_that_are_taken_get_a_number(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    fixture.register("Ada").await;
    let mut names = Vec::new();
    for number in 0..12 {
        let claims = json!({ "sub": format!("s{number}"), "preferred_username": "ada", "email": null });
        names.push(sign_in(&fixture, &idp, &claims).await.expect("in").0.user.name);
    }
    assert_eq!(names[..2], ["ada-2", "ada-3"]);
    assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), 12);
    // Two first sign-ins at once make one account.
    let claims = json!({ "sub": "twice", "preferred_username": "grace" });
    let (one, two) = tokio::join!(sign_in(&fixture, &idp, &claims), sign_in(&fixture, &idp, &claims));
    let (one, two) = (one.expect("in").0.user, two.expect("in").0.user);
    assert_eq!((one.name.as_str(), one.id), ("grace", two.id));
}

async fn groups_and_permissions_follow_the_provider(test: TestDb) {
    let (fixture, idp) = with(test, |it| {
        it.group_claim = "realm_access.roles".to_owned();
        it.groups = [("people", "Staff"), ("staff", "staff"), ("board", "Board")]
            .map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()))
            .into();
        it.permissions = [("admins".to_owned(), Permissions::of([Permission::AdminUsers]))].into();
    })
    .await;
    let admin = fixture.accounts.ensure_admin(Some(Secret::new(PASSWORD))).await.map(|_| "admin").expect("an admin");
    let (_, admin) = fixture.sign_in(admin).await;
    let by_hand = fixture.accounts.create_group(&admin, "By hand").await.expect("a group").id;
    let with_roles = |roles: &[&str]| {
        let mut claims = ada();
        claims["realm_access"] = json!({ "roles": roles });
        claims
    };
    let groups = async |account: AccountId| {
        let rows = db::groups::of_account(&fixture.test.db, account).await.expect("a database");
        let mut names: Vec<_> = rows.into_iter().map(|row| row.name).collect();
        names.sort();
        names.join(" ")
    };
    let (tokens, ada) = sign_in(&fixture, &idp, &with_roles(&["staff", "admins", "other"])).await.expect("in");
    assert_eq!(groups(ada.account).await, "Staff");
    assert!(ada.permissions.has(Permission::AdminUsers));
    fixture.accounts.set_member(&admin, by_hand, ada.account, true).await.expect("added");

    // What was taken there counts in sessions from before, too, and what was given here by hand stays.
    good(&fixture, &idp, &with_roles(&["people", "board"])).await;
    assert_eq!(groups(ada.account).await, "Board By hand Staff");
    fixture.clock.advance(Duration::from_secs(2));
    let before = fixture.accounts.authenticate(tokens.access.expose()).await.expect("goes on");
    assert!(!before.permissions.has(Permission::AdminUsers));
    assert_eq!(permissions(&fixture, ada.account).await, "files share");
    // No groups at all is what it is when the provider says nothing of them.
    good(&fixture, &idp, &self::ada()).await;
    assert_eq!(groups(ada.account).await, "By hand");
    let group: Vec<GroupId> = db::groups::list(&fixture.test.db, None, 10)
        .await
        .expect("a database")
        .into_iter()
        .filter(|group| group.name == "Staff" || group.name == "staff")
        .map(|group| group.id)
        .collect();
    assert_eq!(group.len(), 1, "one group, whatever its case");

    // The last administrator keeps the power to let others in.
    good(&fixture, &idp, &with_roles(&["admins"])).await;
    let id = admin.account;
    fixture
        .test
        .db
        .write(db::Lane::Free, async move |tx| db::persons::set_permissions(&tx, id, "files").await)
        .await
        .expect("set");
    good(&fixture, &idp, &with_roles(&[])).await;
    assert_eq!(permissions(&fixture, ada.account).await, "files share admin.users");
}

async fn tokens_that_are_not_good_are_refused(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    let now = fixture.clock.now().as_secs();
    let refused = async |change: Value, reason: &str| {
        let mut claims = ada();
        let Value::Object(change) = change else { panic!("an object") };
        claims.as_object_mut().expect("an object").extend(change);
        let error = sign_in(&fixture, &idp, &claims).await.expect_err(reason);
        assert_eq!((error.code(), error.kind()), ("provider-refused", ErrorKind::Denied), "{error}");
        assert!(error.to_string().contains(reason), "{error}: {reason}");
        // Attempts from one address are bounded.
        fixture.clock.advance(Duration::from_secs(31));
    };
    refused(json!({ "iss": "https://other.example.org" }), "another issuer").await;
    refused(json!({ "aud": "another" }), "for another client").await;
    refused(json!({ "aud": null }), "for another client").await;
    refused(json!({ "aud": [CLIENT, "another"] }), "given to another client").await;
    refused(json!({ "aud": [CLIENT, "another"], "azp": "another" }), "given to another client").await;
    refused(json!({ "azp": "another" }), "given to another client").await;
    refused(json!({ "exp": now - 600 }), "expired").await;
    refused(json!({ "exp": null }), "never ends").await;
    refused(json!({ "iat": now + 36000 }), "from the future").await;
    refused(json!({ "iat": null }), "from the future").await;
    refused(json!({ "nbf": now + 36000 }), "not good yet").await;
    refused(json!({ "nonce": "another" }), "another sign-in").await;
    refused(json!({ "nonce": null }), "another sign-in").await;
    refused(json!({ "at_hash": "AAAA" }), "belong together").await;
    refused(json!({ "sub": "" }), "who this is").await;
    refused(json!({ "#": "signed by another" }), "wrong signature").await;
    refused(json!({ "#": "unknown key" }), "key that it does not have").await;
    refused(json!({ "#": "HS256 with the public key" }), "way that is not taken").await;
    refused(json!({ "#": "no signature" }), "cannot be read").await;
    refused(json!({ "#": "two people", "email": null }), "two different things").await;
    refused(json!({ "#": "no ID token" }), "no ID token").await;
    // And what is unusual but good: another audience beside us, the hash of the access token, groups as one text.
    let mut claims = ada();
    claims.as_object_mut().expect("an object").extend(Map::from_iter([
        ("aud".to_owned(), json!([CLIENT, "another"])),
        ("azp".to_owned(), json!(CLIENT)),
        ("at_hash".to_owned(), json!(idp::at_hash())),
        ("groups".to_owned(), json!("one")),
    ]));
    good(&fixture, &idp, &claims).await;
}

async fn only_the_browser_that_began_ends_it_and_once(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    let begun = fixture.accounts.begin_provider("company", None).await.expect("begun");
    let other = fixture.accounts.begin_provider("company", None).await.expect("begun");
    idp.says(&begun, &ada());
    let finish = async |change: &dyn Fn(&mut Returned)| {
        let mut returned = back(&begun);
        change(&mut returned);
        code(fixture.accounts.finish_provider("company", returned).await)
    };
    assert_eq!(finish(&|it| it.flow = None).await, "sign-in-expired");
    assert_eq!(finish(&|it| it.flow = Some("nonsense".to_owned())).await, "sign-in-expired");
    assert_eq!(finish(&|it| it.flow = Some(other.flow.expose().to_owned())).await, "sign-in-expired");
    assert_eq!(finish(&|it| it.state = "another".to_owned()).await, "sign-in-expired");
    assert_eq!(finish(&|it| it.issuer = Some("https://other.example.org".to_owned())).await, "provider-refused");
    assert_eq!(finish(&|it| it.code = Secret::new("bad")).await, "provider-refused");
    assert_eq!(idp.asked_of_token(), 1, "what does not fit does not reach the provider");
    assert_eq!(code(fixture.accounts.finish_provider("another", back(&begun)).await), "provider-not-found");
    assert_eq!(finish(&|it| it.issuer = Some(ISSUER.to_owned())).await, "good");
    // The provider would give tokens for the code once more; here the state is used up.
    assert_eq!(finish(&|_| {}).await, "sign-in-expired");
    idp.says(&other, &ada());
    fixture.clock.advance(Duration::from_secs(601));
    assert_eq!(code(fixture.accounts.finish_provider("company", back(&other)).await), "sign-in-expired");
    // A beginning for linking is none for signing in, and the other way round.
    let me = good(&fixture, &idp, &ada()).await;
    let link = fixture.accounts.begin_link(&me, "company", &Secret::new("")).await.expect("begun");
    idp.says(&link, &ada());
    assert_eq!(code(fixture.accounts.finish_provider("company", back(&link)).await), "sign-in-expired");
    let begun = fixture.accounts.begin_provider("company", None).await.expect("begun");
    idp.says(&begun, &ada());
    assert_eq!(code(fixture.accounts.finish_link(&me, "company", back(&begun)).await), "sign-in-expired");
    // What was used up is forgotten when it is too old to be used.
    fixture.clock.advance(Duration::from_secs(1300));
    fixture.accounts.prune(100).await.expect("pruned");
    let (left,): (u64,) =
        fixture.test.db.query_one("SELECT count(*) FROM spent", &db::params![]).await.expect("a count");
    assert_eq!(left, 0);
}

async fn addresses_tie_accounts_only_where_that_is_wanted(test: TestDb) {
    let (mut fixture, idp) = with(test, |_| {}).await;
    let owner = fixture.register("owner").await.id;
    let set = async move |tx| db::persons::set_email(&tx, owner, Some(("ada@example.org", "ada@example.org"))).await;
    fixture.test.db.write(db::Lane::Free, set).await.expect("an address");
    assert_eq!(code(sign_in(&fixture, &idp, &ada()).await), "email-taken");
    // An address that the provider does not answer for is nobody's.
    let mut unproven = ada();
    unproven["email_verified"] = json!(false);
    unproven["sub"] = json!("unproven");
    let (tokens, _) = sign_in(&fixture, &idp, &unproven).await.expect("in");
    assert_eq!(tokens.user.private.expect("one's own").email, None);

    let again = async |fixture: &mut Fixture, change: &dyn Fn(&mut Provider)| {
        let providers = Providers { list: vec![provider(change)], wire: idp.clone() };
        let (providers, public_url) = (Some(providers), Some("https://files.example.org".to_owned()));
        let options = Options { providers, public_url, ..Options::default() };
        fixture.accounts = super::open(&fixture.test, &fixture.clock, options).await;
    };
    again(&mut fixture, &|it| it.link_by_mail = true).await;
    unproven["sub"] = json!("unproven too");
    assert_ne!(good(&fixture, &idp, &unproven).await.account, owner);
    assert_eq!(good(&fixture, &idp, &ada()).await.account, owner);

    again(&mut fixture, &|it| it.create_accounts = false).await;
    assert_eq!(good(&fixture, &idp, &ada()).await.account, owner, "who is linked is known");
    let stranger = json!({ "sub": "stranger", "email": "s@example.org", "email_verified": true });
    assert_eq!(code(sign_in(&fixture, &idp, &stranger).await), "identity-unknown");

    again(&mut fixture, &|it| it.mail_domains = vec!["Example.org".to_owned()]).await;
    good(&fixture, &idp, &stranger).await;
    for email in [json!("s@example.org.evil.net"), json!("s@sub.example.org"), Value::Null] {
        let claims = json!({ "sub": "other", "email": email, "email_verified": true });
        assert_eq!(code(sign_in(&fixture, &idp, &claims).await), "identity-forbidden", "{email}");
    }
    let claims = json!({ "sub": "stranger", "email": "s@example.org", "email_verified": false });
    assert_eq!(code(sign_in(&fixture, &idp, &claims).await), "identity-forbidden");
}

async fn disabled_accounts_stay_out(test: TestDb) {
    let (fixture, idp) = with(test, |it| it.link_by_mail = true).await;
    let me = good(&fixture, &idp, &ada()).await.account;
    let since = Some(fixture.clock.now());
    let disable = async move |tx| db::persons::set_disabled(&tx, me, since).await;
    fixture.test.db.write(db::Lane::Free, disable).await.expect("disabled");
    assert_eq!(code(sign_in(&fixture, &idp, &ada()).await), "account-disabled");
    let mut other = ada();
    other["sub"] = json!("another with the address");
    assert_eq!(code(sign_in(&fixture, &idp, &other).await), "account-disabled");
    let (identities,): (u64,) =
        fixture.test.db.query_one("SELECT count(*) FROM identity", &db::params![]).await.expect("a count");
    assert_eq!(identities, 1);
}

async fn while_the_provider_is_down_passwords_work(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    fixture.register("local").await;
    idp.down(true);
    let error = fixture.accounts.begin_provider("company", None).await.expect_err("down");
    assert_eq!((error.code(), error.kind()), ("provider-unavailable", ErrorKind::Unavailable));
    assert!(error.retry_after().is_some());
    let asked = idp.asked();
    assert_eq!(code(fixture.accounts.begin_provider("company", None).await), "provider-unavailable");
    assert_eq!(idp.asked(), asked, "it is left alone for a moment");
    fixture.sign_in("local").await;
    idp.down(false);
    fixture.clock.advance(Duration::from_secs(4));
    good(&fixture, &idp, &ada()).await;
    // What is known serves for a while, also when it should be looked at again.
    let asked = idp.asked();
    fixture.accounts.begin_provider("company", None).await.expect("known");
    assert_eq!(idp.asked(), asked);
    let begun = fixture.accounts.begin_provider("company", None).await.expect("known");
    idp.down(true);
    fixture.clock.advance(Duration::from_secs(300));
    assert_eq!(code(fixture.accounts.finish_provider("company", back(&begun)).await), "provider-unavailable");
    fixture.clock.advance(Duration::from_secs(3700));
    fixture.accounts.begin_provider("company", None).await.expect("old, and better than nothing");
    fixture.clock.advance(Duration::from_secs(25 * 3600));
    assert_eq!(code(fixture.accounts.begin_provider("company", None).await), "provider-unavailable");
}

async fn new_keys_are_fetched_and_not_too_often(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    good(&fixture, &idp, &ada()).await;
    idp.changes_key("second");
    assert_eq!(code(sign_in(&fixture, &idp, &ada()).await), "provider-refused", "too soon to ask again");
    fixture.clock.advance(Duration::from_secs(31));
    good(&fixture, &idp, &ada()).await;
    let asked = idp.asked();
    let mut forged = ada();
    forged["#"] = json!("unknown key");
    for _ in 0..3 {
        assert_eq!(code(sign_in(&fixture, &idp, &forged).await), "provider-refused");
    }
    assert_eq!(idp.asked() - asked, 3, "three codes, and no keys");
}

async fn linking_and_unlinking_leave_a_way_in(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    fixture.register("local").await;
    let (_, local) = fixture.sign_in("local").await;
    let password = Secret::new(PASSWORD);
    let link = async |who: &Principal, proof: &Secret, claims: &Value| {
        let begun = fixture.accounts.begin_link(who, "company", proof).await?;
        idp.says(&begun, claims);
        fixture.accounts.finish_link(who, "company", back(&begun)).await
    };
    assert_eq!(code(link(&local, &Secret::new("wrong horse"), &ada()).await), "wrong-password");
    let linked = link(&local, &password, &ada()).await.expect("linked");
    assert_eq!(link(&local, &password, &ada()).await.expect("again").id, linked.id);
    assert_eq!(good(&fixture, &idp, &ada()).await.account, local.account);
    fixture.register("other").await;
    let (_, other) = fixture.sign_in("other").await;
    assert_eq!(code(link(&other, &password, &ada()).await), "identity-taken");
    // A beginning of one person is none of another.
    let begun = fixture.accounts.begin_link(&local, "company", &password).await.expect("begun");
    idp.says(&begun, &json!({ "sub": "third" }));
    assert_eq!(code(fixture.accounts.finish_link(&other, "company", back(&begun)).await), "sign-in-expired");
    assert_eq!(code(fixture.accounts.unlink(&other, linked.id, &password, HERE).await), "identity-not-found");
    fixture.accounts.unlink(&local, linked.id, &password, HERE).await.expect("unlinked");
    assert_eq!(code(fixture.accounts.unlink(&local, linked.id, &password, HERE).await), "identity-not-found");
    assert_ne!(good(&fixture, &idp, &ada()).await.account, local.account, "somebody else from now on");

    // Without a password, the last way in stays.
    let nobody = Secret::new("");
    let alone = good(&fixture, &idp, &json!({ "sub": "alone", "preferred_username": "alone" })).await;
    let first = fixture.accounts.identities(&alone).await.expect("a list")[0].id;
    assert_eq!(code(fixture.accounts.unlink(&alone, first, &nobody, HERE).await), "last-way-in");
    link(&alone, &nobody, &json!({ "sub": "a second" })).await.expect("linked");
    fixture.accounts.unlink(&alone, first, &nobody, HERE).await.expect("one is left");
    let second = fixture.accounts.identities(&alone).await.expect("a list")[0].id;
    assert_eq!(code(fixture.accounts.unlink(&alone, second, &nobody, HERE).await), "last-way-in");
}

/// Links an account of another provider, as it was when that one was configured.
async fn link_elsewhere(fixture: &Fixture, account: AccountId) -> IdentityId {
    let row = IdentityRow {
        id: IdentityId::from_bytes([7; 16]),
        account,
        provider: "former".to_owned(),
        subject: "ada".to_owned(),
        shown: "ada@former.example".to_owned(),
        created: fixture.clock.now(),
        used: None,
    };
    let id = row.id;
    let insert = async move |tx| db::identities::insert(&tx, &row).await;
    assert!(fixture.test.db.write(db::Lane::Free, insert).await.expect("linked"));
    id
}

async fn a_provider_that_is_gone_is_no_way_in(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    let (accounts, nobody) = (&fixture.accounts, Secret::new(""));
    let ada = good(&fixture, &idp, &ada()).await;
    let real = accounts.identities(&ada).await.expect("a list")[0].id;
    let former = link_elsewhere(&fixture, ada.account).await;
    let listed = accounts.identities(&ada).await.expect("a list");
    assert!(listed.iter().any(|it| it.id == former && it.provider_name == "former"), "{listed:?}");
    // Two are linked, and by one of them somebody can sign in.
    assert_eq!(code(accounts.unlink(&ada, real, &nobody, HERE).await), "last-way-in");
    accounts.unlink(&ada, former, &nobody, HERE).await.expect("it opened nothing");
    assert_eq!(code(accounts.unlink(&ada, real, &nobody, HERE).await), "last-way-in");
}

async fn administrators_see_and_remove_identities(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    let accounts = &fixture.accounts;
    accounts.ensure_admin(Some(Secret::new(PASSWORD))).await.expect("made");
    let (_, admin) = fixture.sign_in("admin").await;
    let person = good(&fixture, &idp, &ada()).await;
    let id = person.account;
    let listed = accounts.identities_of(&admin, id).await.expect("a list");
    assert_eq!(listed, accounts.identities(&person).await.expect("a list"));
    assert_eq!(code(accounts.identities_of(&person, id).await), "permission-missing");
    let real = listed[0].id;
    assert_eq!(code(accounts.unlink_of(&person, id, real, HERE).await), "permission-missing");
    assert_eq!(code(accounts.unlink_of(&admin, admin.account, real, HERE).await), "identity-not-found");
    let former = link_elsewhere(&fixture, id).await;
    assert_eq!(code(accounts.unlink_of(&admin, id, real, HERE).await), "last-way-in");
    accounts.unlink_of(&admin, id, former, HERE).await.expect("it opened nothing");
    fixture.clock.advance(Duration::from_secs(1));
    accounts.reset_person(&admin, id, Reset::Temporary, HERE).await.expect("a password");
    let (tokens, _) = sign_in(&fixture, &idp, &ada()).await.expect("signed in");
    accounts.unlink_of(&admin, id, real, HERE).await.expect("unlinked");
    fixture.clock.advance(Duration::from_secs(2));
    assert!(accounts.authenticate(tokens.access.expose()).await.is_ok(), "sessions go on");
    let filter = AuditFilter { action: Some("identity-unlinked"), account: Some(id), ..AuditFilter::default() };
    let log = accounts.audit(&admin, &filter, None, 10).await.expect("the log").items;
    assert_eq!(log.iter().map(|line| line.actor).collect::<Vec<_>>(), [Some(admin.account); 2]);
    assert_eq!(log[0].detail, json!({ "provider": "company", "identity": real }));
    assert_eq!(code(sign_in(&fixture, &idp, &ada()).await.map(drop)), "email-taken", "a stranger from now on");
}

async fn an_account_without_a_password_gets_one(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    let (_, me) = sign_in(&fixture, &idp, &ada()).await.expect("in");
    let (none, new) = (Secret::new(""), Secret::new("a first password"));
    fixture.clock.advance(Duration::from_secs(601));
    let late = fixture.accounts.change_password(&me, none.clone(), new.clone(), HERE).await;
    assert_eq!(code(late), "sign-in-again", "a token that was stolen is not enough");
    let me = good(&fixture, &idp, &ada()).await;
    fixture.accounts.change_password(&me, none.clone(), new.clone(), HERE).await.expect("set");
    fixture.accounts.login(login("ada", "a first password")).await.expect("signed in");
    assert_eq!(code(fixture.accounts.change_password(&me, none, new, HERE).await), "wrong-password");
    assert_eq!(good(&fixture, &idp, &ada()).await.account, me.account);
}

async fn the_second_factor_is_asked_for_unless_the_provider_stands_for_it(test: TestDb) {
    let (mut fixture, idp) = with(test, |_| {}).await;
    let me = good(&fixture, &idp, &ada()).await;
    let setup = fixture.accounts.begin_second_factor(&me, &Secret::new("")).await.expect("begun");
    let secret = totp_rs::Secret::try_from_base32(setup.secret.expose()).expect("base 32");
    let app = totp_rs::Builder::new().with_secret(secret).with_account_name("ada").with_issuer(Some("Holdfast"));
    let app = app.build().expect("an app");
    let now = |fixture: &Fixture| Secret::new(app.generate(fixture.clock.now().as_secs().unsigned_abs()).to_string());
    fixture.accounts.confirm_second_factor(&me, &now(&fixture), HERE).await.expect("on");
    fixture.clock.advance(Duration::from_secs(60));
    let Err(Error::SecondFactorRequired { challenge, .. }) = sign_in(&fixture, &idp, &ada()).await else {
        panic!("a code is asked for");
    };
    let step = SecondStep { challenge, code: now(&fixture), address: HERE };
    let tokens = fixture.accounts.second_step(step).await.expect("signed in");
    let session = fixture.accounts.authenticate(tokens.access.expose()).await.expect("a session");
    // It is known by what the session began: signing out there ends it.
    let url = fixture.accounts.logout_of_provider(&session).await.expect("out").expect("an address");
    assert_eq!(
        url,
        "https://id.example.org/out?client_id=holdfast&post_logout_redirect_uri=https%3A%2F%2Ffiles.example.org%2F"
    );
    assert_eq!(code(fixture.accounts.authenticate(tokens.access.expose()).await), "session-ended");

    let providers = Providers { list: vec![provider(|it| it.second_factor = true)], wire: idp.clone() };
    let (providers, public_url) = (Some(providers), Some("https://files.example.org".to_owned()));
    fixture.accounts =
        super::open(&fixture.test, &fixture.clock, Options { providers, public_url, ..Options::default() }).await;
    good(&fixture, &idp, &ada()).await;
}

async fn signing_out_there_ends_the_sessions_here(test: TestDb) {
    let (fixture, idp) = with(test, |_| {}).await;
    let with_sid = |sid: &str| {
        let mut claims = ada();
        claims["sid"] = json!(sid);
        claims
    };
    let (one, _) = sign_in(&fixture, &idp, &with_sid("one")).await.expect("in");
    let (two, _) = sign_in(&fixture, &idp, &with_sid("two")).await.expect("in");
    let (other, _) = sign_in(&fixture, &idp, &json!({ "sub": "other", "sid": "one" })).await.expect("in");
    let state = async |tokens: &Tokens| code(fixture.accounts.authenticate(tokens.access.expose()).await);
    let tell =
        async |claims: Value| code(fixture.accounts.provider_logout("company", &idp.logout_token(&claims), HERE).await);
    let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    assert_eq!(tell(json!({ "jti": "a", "sub": "1234" })).await, "provider-refused", "no event");
    assert_eq!(tell(json!({ "jti": "a", "sub": "1234", "events": events, "nonce": "n" })).await, "provider-refused");
    assert_eq!(tell(json!({ "jti": "a", "events": events })).await, "provider-refused", "about nobody");
    assert_eq!(tell(json!({ "sub": "1234", "events": events })).await, "provider-refused", "without a name");
    let old = fixture.clock.now().as_secs() - 3600;
    assert_eq!(tell(json!({ "jti": "a", "sub": "1234", "events": events, "iat": old })).await, "provider-refused");
    assert_eq!(tell(json!({ "jti": "a", "sub": "1234", "events": events, "aud": "x" })).await, "provider-refused");
    assert_eq!(state(&one).await, "good");

    assert_eq!(tell(json!({ "jti": "b", "sub": "1234", "sid": "one", "events": events })).await, "good");
    assert_eq!((state(&one).await, state(&two).await, state(&other).await), ("session-ended", "good", "good"));
    assert_eq!(code(fixture.accounts.refresh(one.refresh.expose()).await), "session-ended");
    assert_eq!(tell(json!({ "jti": "c", "sub": "1234", "events": events })).await, "good");
    assert_eq!((state(&two).await, state(&other).await), ("session-ended", "good"));
    // The same message again ends nothing of what began since.
    let (three, _) = sign_in(&fixture, &idp, &ada()).await.expect("in");
    assert_eq!(tell(json!({ "jti": "c", "sub": "1234", "events": events })).await, "sign-in-expired");
    assert_eq!(state(&three).await, "good");
}
