//! Tokens that are good, and all the ways in which one is not.

use std::time::Duration;

use super::*;
use crate::Permission;

const NOW: Time = Time::from_micros(1_795_224_415_000_000);
const LIFETIME: Duration = Duration::from_secs(900);

fn keys() -> Keys {
    Keys::new(&StoredKey::make()).expect("a key")
}

fn principal() -> Principal {
    Principal {
        account: AccountId::from_bytes([1; 16]),
        session: SessionId::from_bytes([2; 16]),
        permissions: Permissions::of([Permission::Files, Permission::AdminNodes]),
        space: SpaceId::from_bytes([3; 16]),
        root: EntryId::from_bytes([4; 16]),
    }
}

fn token(keys: &Keys) -> String {
    keys.access(&principal(), NOW, LIFETIME).expect("a token").expose().to_owned()
}

fn code(result: Result<Principal, Error>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "good")
}

#[test]
fn round_trips() {
    let keys = keys();
    assert_eq!(keys.check(&token(&keys), NOW).expect("a good token"), principal());
}

#[test]
fn times_have_a_minute_of_leeway_at_either_end() {
    let keys = keys();
    let token = token(&keys);
    let check = |offset: i64, expected: &str| {
        let now = Time::from_micros(NOW.as_micros() + offset * 1_000_000);
        assert_eq!(code(keys.check(&token, now)), expected, "{offset} s");
    };
    check(0, "good");
    check(899, "good");
    check(959, "good");
    check(960, "token-expired");
    check(1_000_000, "token-expired");
    // The clock was set back: a little is nothing, more is a token that would live too long.
    check(-60, "good");
    check(-61, "token-expired");
    check(-1_000_000, "token-expired");
}

#[test]
fn every_changed_character_is_noticed() {
    let keys = keys();
    let token = token(&keys);
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("ASCII");
        // The last digit of the signature carries bits that mean nothing; a decoder may refuse or ignore them.
        if index + 1 < token.len() {
            assert_eq!(code(keys.check(&changed, NOW)), "invalid-token", "{index}");
        }
    }
}

#[test]
fn other_algorithms_keys_and_shapes_are_refused() {
    let (ours, other) = (keys(), keys());
    let refused = |token: &str| assert_eq!(code(ours.check(token, NOW)), "invalid-token", "{token}");
    refused(&token(&other));
    for text in ["", ".", "..", "a.b.c", "Bearer", &"x".repeat(3000)] {
        refused(text);
    }
    let good = token(&ours);
    let parts: Vec<_> = good.split('.').collect();
    for head in [
        r#"{"alg":"none","typ":"JWT"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"HS384","typ":"JWT"}"#,
        r#"{"alg":"RS256","typ":"JWT"}"#,
        r#"{"typ":"JWT"}"#,
    ] {
        let head = base64url(head.as_bytes());
        refused(&format!("{head}.{}.", parts[1]));
        refused(&format!("{head}.{}.{}", parts[1], parts[2]));
    }
    // Properly signed with our key, yet not what we make.
    let sign = |header: &Header, claims: &serde_json::Value| {
        jsonwebtoken::encode(header, claims, &ours.signing).expect("a token")
    };
    let claims = serde_json::json!({"sub": principal().account, "sid": principal().session, "perms": ["files"],
        "spc": principal().space, "root": principal().root, "iat": NOW.as_secs(), "exp": NOW.as_secs() + 900});
    assert_eq!(code(ours.check(&sign(&ours.header, &claims), NOW)), "good");
    refused(&sign(&Header::new(Algorithm::HS256), &claims));
    refused(&sign(&Header { alg: Algorithm::HS512, ..ours.header.clone() }, &claims));
    for missing in ["sub", "sid", "perms", "spc", "root", "iat", "exp"] {
        let mut claims = claims.clone();
        claims.as_object_mut().expect("an object").remove(missing);
        refused(&sign(&ours.header, &claims));
    }
    let mut wrong_kind = claims;
    wrong_kind["sub"] = wrong_kind["sid"].clone();
    refused(&sign(&ours.header, &wrong_kind));
}

#[test]
fn successors_are_a_function_of_key_and_token() {
    let (ours, other) = (keys(), keys());
    let first = RefreshToken::make();
    let text = |token: RefreshToken| token.into_secret().expose().to_owned();
    let second = text(ours.successor(&first));
    assert_eq!(second, text(ours.successor(&first)));
    assert_ne!(second, text(other.successor(&first)));
    let third = text(ours.successor(&RefreshToken::parse(&second).expect("our own form")));
    let first = text(first);
    assert!(first != second && second != third && first != third);
}

#[test]
fn refresh_tokens_have_one_form() {
    let token = RefreshToken::make().into_secret().expose().to_owned();
    assert_eq!(token.len(), 47);
    assert!(RefreshToken::parse(&token).is_some());
    for bad in ["", "hfr_", &token[1..], &token[..46], &format!("{token}A"), &format!("{}=", &token[..46])] {
        assert!(RefreshToken::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn base64url_is_that_of_the_rfc() {
    // RFC 4648, section 10, without the padding.
    for (text, expected) in
        [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")]
    {
        assert_eq!(base64url(text.as_bytes()), expected);
    }
    assert_eq!(base64url(&[0xfb, 0xff, 0xfe]), "-__-");
}
