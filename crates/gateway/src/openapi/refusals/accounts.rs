//! Accounts, sessions and ways to sign in.

use base::ErrorKind;

use super::{
    INVALID_ID, JSON, MAIL, NEW_KEY, PASSKEY, PERSON, PERSON_FIELDS, PROFILE, PROOF, PROVIDER, RETURNED, Refusal,
};

/// The row of a call, if it is one of these.
pub(super) fn of(operation: &str) -> Option<&'static [&'static [Refusal]]> {
    Some(match operation {
        "register" => &[
            JSON,
            &[
                (ErrorKind::Denied, "registration-closed"),
                (ErrorKind::Exists, "name-taken"),
                (ErrorKind::Invalid, "invalid-account-name"),
                (ErrorKind::Invalid, "invalid-display-name"),
                (ErrorKind::Invalid, "invalid-password"),
                (ErrorKind::Invalid, "invalid-language"),
                (ErrorKind::Invalid, "link-used"),
                (ErrorKind::Exists, "email-taken"),
                (ErrorKind::Unavailable, "busy"),
            ],
        ],
        "update_me" => &[JSON, PROFILE],
        "change_email" => &[JSON, PROOF, MAIL],
        "verify_email" => &[JSON, &[(ErrorKind::Invalid, "link-used"), (ErrorKind::Exists, "email-taken")]],
        "ask_password_reset" => &[JSON, MAIL, &[(ErrorKind::Throttled, "too-many-attempts")]],
        "reset_password" => &[
            JSON,
            &[
                (ErrorKind::Invalid, "link-used"),
                (ErrorKind::Invalid, "invalid-password"),
                (ErrorKind::Unavailable, "busy"),
            ],
        ],
        "list_people" | "list_invitations" => &[],
        "list_audit" => &[INVALID_ID],
        "get_person" | "list_sessions_of" | "list_identities_of" | "list_passkeys_of" => &[PERSON],
        "create_person" => &[
            JSON,
            PROFILE,
            PERSON_FIELDS,
            &[
                (ErrorKind::Exists, "name-taken"),
                (ErrorKind::Invalid, "invalid-account-name"),
                (ErrorKind::Invalid, "invalid-password"),
                (ErrorKind::Unavailable, "busy"),
            ],
        ],
        "update_person" => &[JSON, PERSON, PROFILE, PERSON_FIELDS, &[(ErrorKind::Conflict, "last-administrator")]],
        "delete_person" => &[
            PERSON,
            &[
                (ErrorKind::Conflict, "own-account"),
                (ErrorKind::Conflict, "last-administrator"),
                (ErrorKind::Conflict, "last-manager"),
                (ErrorKind::Invalid, "subject-unknown"),
                (ErrorKind::Invalid, "invalid-space-name"),
            ],
        ],
        "reset_person" => &[
            JSON,
            PERSON,
            &[(ErrorKind::Denied, "mail-off"), (ErrorKind::Conflict, "no-email"), (ErrorKind::Unavailable, "busy")],
        ],
        "remove_second_factor_of" => &[PERSON, &[(ErrorKind::Conflict, "second-factor-off")]],
        "end_sessions_of" => &[PERSON],
        "remove_identity_of" => {
            &[PERSON, &[(ErrorKind::NotFound, "identity-not-found"), (ErrorKind::Conflict, "last-way-in")]]
        }
        "remove_passkey_of" => {
            &[PERSON, &[(ErrorKind::NotFound, "passkey-not-found"), (ErrorKind::Conflict, "last-way-in")]]
        }
        "end_session_of" => &[PERSON, &[(ErrorKind::NotFound, "session-not-found")]],
        "create_invitation" => &[
            JSON,
            MAIL,
            &[
                (ErrorKind::Invalid, "invalid-scopes"),
                (ErrorKind::Invalid, "invalid-language"),
                (ErrorKind::Invalid, "invalid-expiry"),
            ],
        ],
        "delete_invitation" => &[INVALID_ID, &[(ErrorKind::NotFound, "invitation-not-found")]],
        "login" => &[
            JSON,
            &[
                (ErrorKind::Unauthenticated, "wrong-credentials"),
                (ErrorKind::Unauthenticated, "second-factor-required"),
                (ErrorKind::Denied, "account-disabled"),
                (ErrorKind::Throttled, "too-many-attempts"),
                (ErrorKind::Unavailable, "busy"),
            ],
        ],
        "login_second_factor" => &[
            JSON,
            &[
                (ErrorKind::Unauthenticated, "challenge-expired"),
                (ErrorKind::Denied, "wrong-code"),
                (ErrorKind::Denied, "account-disabled"),
                (ErrorKind::Throttled, "too-many-attempts"),
            ],
        ],
        "list_ways_in" | "list_identities" | "list_passkeys" | "logout_of_provider" => &[],
        "begin_provider" => &[JSON, PROVIDER],
        "finish_provider" => &[
            JSON,
            PROVIDER,
            RETURNED,
            &[
                (ErrorKind::Unauthenticated, "second-factor-required"),
                (ErrorKind::Denied, "account-disabled"),
                (ErrorKind::Denied, "identity-unknown"),
                (ErrorKind::Denied, "identity-forbidden"),
                (ErrorKind::Exists, "email-taken"),
            ],
        ],
        "begin_link" => &[JSON, PROOF, PROVIDER],
        "finish_link" => &[JSON, PROVIDER, RETURNED, &[(ErrorKind::Exists, "identity-taken")]],
        "remove_identity" => &[
            JSON,
            PROOF,
            INVALID_ID,
            &[(ErrorKind::NotFound, "identity-not-found"), (ErrorKind::Conflict, "last-way-in")],
        ],
        "provider_sign_out" => &[
            JSON,
            PROVIDER,
            &[(ErrorKind::Unauthenticated, "sign-in-expired"), (ErrorKind::Denied, "provider-refused")],
        ],
        "begin_passkey_login" => &[&[(ErrorKind::Denied, "passkeys-off")]],
        "finish_passkey_login" => {
            &[JSON, PASSKEY, &[(ErrorKind::Denied, "account-disabled"), (ErrorKind::Throttled, "too-many-attempts")]]
        }
        "begin_passkey" => {
            &[JSON, PROOF, &[(ErrorKind::Denied, "passkeys-off"), (ErrorKind::Conflict, "too-many-keys")]]
        }
        "finish_passkey" => {
            &[JSON, PASSKEY, &[(ErrorKind::Invalid, "invalid-display-name"), (ErrorKind::Conflict, "too-many-keys")]]
        }
        "rename_passkey" => &[
            JSON,
            INVALID_ID,
            &[(ErrorKind::NotFound, "passkey-not-found"), (ErrorKind::Invalid, "invalid-display-name")],
        ],
        "remove_passkey" => &[
            JSON,
            PROOF,
            INVALID_ID,
            &[(ErrorKind::NotFound, "passkey-not-found"), (ErrorKind::Conflict, "last-way-in")],
        ],
        "get_second_factor" => &[],
        "begin_second_factor" => &[JSON, PROOF, &[(ErrorKind::Conflict, "second-factor-on")]],
        "confirm_second_factor" => &[
            JSON,
            &[
                (ErrorKind::Denied, "wrong-code"),
                (ErrorKind::Conflict, "second-factor-on"),
                (ErrorKind::Conflict, "second-factor-off"),
            ],
        ],
        "renew_recovery_codes" | "remove_second_factor" => {
            &[JSON, PROOF, &[(ErrorKind::Conflict, "second-factor-off")]]
        }
        "refresh" => &[
            JSON,
            &[
                (ErrorKind::Unauthenticated, "invalid-token"),
                (ErrorKind::Unauthenticated, "token-expired"),
                (ErrorKind::Unauthenticated, "token-reused"),
                (ErrorKind::Unauthenticated, "session-ended"),
                (ErrorKind::Denied, "account-disabled"),
            ],
        ],
        "change_password" => &[
            JSON,
            &[
                (ErrorKind::Denied, "wrong-password"),
                (ErrorKind::Denied, "sign-in-again"),
                (ErrorKind::Invalid, "invalid-password"),
                (ErrorKind::Throttled, "too-many-attempts"),
                (ErrorKind::Unavailable, "busy"),
            ],
        ],
        "logout" | "get_me" | "list_sessions" | "list_spaces" | "list_tokens" | "list_s3_keys" => &[],
        "create_token" | "create_s3_key" => &[JSON, NEW_KEY],
        "delete_token" | "delete_s3_key" => &[INVALID_ID, &[(ErrorKind::NotFound, "key-not-found")]],
        "end_session" => &[INVALID_ID, &[(ErrorKind::NotFound, "session-not-found")]],
        "put_picture" => &[JSON, &[(ErrorKind::Invalid, "invalid-picture"), (ErrorKind::NotFound, "user-not-found")]],
        "delete_picture" => &[],
        "get_picture" => {
            &[PERSON, &[(ErrorKind::NotFound, "picture-not-found"), (ErrorKind::Precondition, "precondition-failed")]]
        }
        "delete_picture_of" => &[PERSON],
        "get_user" => &[INVALID_ID, &[(ErrorKind::NotFound, "user-not-found")]],
        _ => return None,
    })
}
