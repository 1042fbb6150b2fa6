//! Pictures of people: kept as they came, seen wherever people are, gone with the account.

use accounts::{AuditFilter, Found, NewPerson, PictureKind, Principal};
use base::Secret;
use db::params;
use serde_json::json;
use testkit::database::TestDb;

use super::{Fixture, HERE, PASSWORD, code};

testkit::both! {
    a_picture_is_kept_replaced_and_removed,
    a_picture_shows_wherever_people_are_listed,
    administrators_remove_what_should_not_be_seen,
    a_picture_goes_with_its_account,
}

/// The head of a PNG with this side, and something that tells it from others.
fn png(side: u32, mark: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend([side.to_be_bytes(), side.to_be_bytes()].concat());
    bytes.push(mark);
    bytes
}

async fn admin(fixture: &Fixture) -> Principal {
    fixture.accounts.ensure_admin(Some(Secret::new(PASSWORD))).await.expect("made");
    fixture.sign_in("admin").await.1
}

async fn a_picture_is_kept_replaced_and_removed(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let accounts = &fixture.accounts;
    let ada = fixture.register("ada").await;
    assert_eq!(ada.picture, None);
    let (_, principal) = fixture.sign_in("ada").await;
    assert_eq!(code(accounts.picture(ada.id).await), "picture-not-found");
    let bob = fixture.register("bob").await;

    let first = accounts.set_picture(&principal, PictureKind::Png, png(64, 1)).await.expect("set").picture;
    let first = first.expect("a version");
    let kept = accounts.picture(ada.id).await.expect("a picture");
    assert_eq!((kept.version.as_str(), kept.kind, kept.bytes), (first.as_str(), PictureKind::Png, png(64, 1)));
    assert_eq!(code(accounts.picture(bob.id).await), "picture-not-found");

    // What is refused changes nothing.
    for (kind, bytes) in [(PictureKind::Jpeg, png(64, 2)), (PictureKind::Png, png(63, 2))] {
        assert_eq!(code(accounts.set_picture(&principal, kind, bytes).await), "invalid-picture");
    }
    assert_eq!(accounts.picture(ada.id).await.expect("a picture").version, first);

    let second = accounts.set_picture(&principal, PictureKind::Png, png(65, 2)).await.expect("set").picture;
    assert!(second.is_some_and(|version| version != first), "other bytes have another version");
    assert_eq!(accounts.picture(ada.id).await.expect("a picture").bytes, png(65, 2));
    // The same bytes again are the same version, so that nobody has to fetch them again.
    let again = accounts.set_picture(&principal, PictureKind::Png, png(64, 1)).await.expect("set").picture;
    assert_eq!(again, Some(first));

    for _ in 0..2 {
        accounts.remove_picture(&principal).await.expect("gone");
        assert_eq!(code(accounts.picture(ada.id).await), "picture-not-found");
    }
    assert_eq!(accounts.user(&principal, ada.id).await.expect("ada").picture, None);
}

async fn a_picture_shows_wherever_people_are_listed(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let accounts = &fixture.accounts;
    let admin = admin(&fixture).await;
    let ada = fixture.register("ada").await;
    fixture.register("adam").await;
    let (_, principal) = fixture.sign_in("ada").await;
    let set = accounts.set_picture(&principal, PictureKind::Png, png(64, 1)).await.expect("set").picture;
    assert!(set.is_some());

    let found = accounts.find_people(&admin, "ada", 10).await.expect("people");
    let pictures: Vec<_> = found
        .into_iter()
        .map(|found| match found {
            Found::Account { name, picture, .. } => (name, picture),
            Found::Group { name, .. } => panic!("{name} is no person"),
        })
        .collect();
    assert_eq!(pictures, [("ada".to_owned(), set.clone()), ("adam".to_owned(), None)]);
    let group = accounts.create_group(&admin, "adamant").await.expect("made");
    accounts.set_member(&admin, group.id, ada.id, true).await.expect("in it");
    let members = accounts.members(&admin, group.id, None, 10).await.expect("members").items;
    assert_eq!(members[0].picture, set);
    let listed = accounts.people(&admin, "ada", "", 10).await.expect("people").items;
    let listed: Vec<_> = listed.into_iter().map(|person| (person.user.picture, person.second_factor)).collect();
    assert_eq!(listed, [(set.clone(), false), (None, false)]);
    assert_eq!(accounts.person(&admin, ada.id).await.expect("ada").user.picture, set);
    let (tokens, _) = fixture.sign_in("ada").await;
    assert_eq!(tokens.user.picture, set);
}

async fn administrators_remove_what_should_not_be_seen(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let accounts = &fixture.accounts;
    let admin = admin(&fixture).await;
    let ada = fixture.register("ada").await;
    let (_, principal) = fixture.sign_in("ada").await;
    let set = accounts.set_picture(&principal, PictureKind::Png, png(64, 1)).await.expect("set").picture;
    assert_eq!(code(accounts.remove_picture_of(&principal, ada.id, HERE).await), "permission-missing");
    // Power over others is only touched by those who have it as well.
    let helper = NewPerson {
        name: "helper".to_owned(),
        password: Some(Secret::new(PASSWORD)),
        display_name: None,
        email: None,
        permissions: Some(vec!["admin.users".to_owned()]),
        quota_bytes: None,
        language: None,
    };
    accounts.make_person(&admin, helper, HERE).await.expect("made");
    let (_, helper) = fixture.sign_in("helper").await;
    assert_eq!(code(accounts.remove_picture_of(&helper, admin.account, HERE).await), "permission-missing");

    for _ in 0..2 {
        accounts.remove_picture_of(&helper, ada.id, HERE).await.expect("gone");
        assert_eq!(code(accounts.picture(ada.id).await), "picture-not-found");
    }
    let filter = AuditFilter { action: Some("picture-removed"), ..AuditFilter::default() };
    let log = accounts.audit(&admin, &filter, None, 10).await.expect("the log").items;
    assert_eq!(log.len(), 1, "one removal, one line: {log:?}");
    assert_eq!((log[0].actor, log[0].account), (Some(helper.account), Some(ada.id)));
    assert_eq!(log[0].detail, json!({ "picture": set }));
}

async fn a_picture_goes_with_its_account(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let accounts = &fixture.accounts;
    let admin = admin(&fixture).await;
    let ada = fixture.register("ada").await;
    let (_, principal) = fixture.sign_in("ada").await;
    accounts.set_picture(&principal, PictureKind::Png, png(64, 1)).await.expect("set");
    accounts.close_person(&admin, ada.id, json!({ "what": "remove" }), HERE).await.expect("closed");
    // A request that was let in a moment before does not bring one back.
    assert_eq!(code(accounts.set_picture(&principal, PictureKind::Png, png(65, 1)).await), "user-not-found");
    accounts.erase_person(&admin, ada.id, HERE).await.expect("erased");
    let left: Vec<(u64,)> = fixture.test.db.query("SELECT count(*) FROM picture", &params![]).await.expect("a count");
    assert_eq!(left, [(0,)]);
}
