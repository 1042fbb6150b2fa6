//! What each call may be refused with: codes that go together here, the rows of the calls below.

mod accounts;
mod administration;
mod files;

use base::ErrorKind;

/// A code that a call may be refused with.
pub(super) type Refusal = (ErrorKind, &'static str);

pub(super) const EVERY: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-request"),
    (ErrorKind::Internal, "internal"),
    (ErrorKind::Unavailable, "database-unavailable"),
    (ErrorKind::Unavailable, "overloaded"),
];

pub(super) const TOKEN: &[Refusal] = &[
    (ErrorKind::Unauthenticated, "wrong-credentials"),
    (ErrorKind::Unauthenticated, "unauthenticated"),
    (ErrorKind::Unauthenticated, "invalid-token"),
    (ErrorKind::Unauthenticated, "token-expired"),
    (ErrorKind::Unauthenticated, "session-ended"),
    (ErrorKind::Denied, "permission-missing"),
];

pub(super) const JSON: &[Refusal] =
    &[(ErrorKind::TooLarge, "body-too-large"), (ErrorKind::Invalid, "unsupported-media-type")];

pub(super) const INVALID_ID: &[Refusal] = &[(ErrorKind::Invalid, "invalid-id")];

pub(super) const ID: &[Refusal] =
    &[(ErrorKind::Invalid, "invalid-id"), (ErrorKind::NotFound, "not-found"), (ErrorKind::Denied, "role-too-low")];

pub(super) const GRANT: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-grant"),
    (ErrorKind::Conflict, "last-manager"),
    (ErrorKind::Conflict, "plan-members"),
];

pub(super) const NOT_FOUND: &[Refusal] = &[(ErrorKind::NotFound, "not-found")];

pub(super) const PLAN: &[Refusal] = &[(ErrorKind::Invalid, "invalid-plan")];

pub(super) const GROUP: &[Refusal] = &[(ErrorKind::NotFound, "group-not-found")];

pub(super) const GROUP_NAME: &[Refusal] =
    &[(ErrorKind::Invalid, "invalid-group-name"), (ErrorKind::Exists, "group-name-taken")];

pub(super) const NAME: &[Refusal] = &[(ErrorKind::Invalid, "invalid-name"), (ErrorKind::Exists, "name-taken")];

pub(super) const PLACE: &[Refusal] = &[(ErrorKind::Invalid, "not-a-folder"), (ErrorKind::Invalid, "too-deep")];

/// Of a client's own id for what is new.
pub(super) const ID_TAKEN: &[Refusal] = &[(ErrorKind::Exists, "id-taken")];

pub(super) const MATCH: &[Refusal] = &[(ErrorKind::Precondition, "precondition-failed")];

pub(super) const TRASHED: &[Refusal] = &[(ErrorKind::Conflict, "in-trash")];

pub(super) const RESTORE: &[Refusal] = &[
    (ErrorKind::Conflict, "in-trash"),
    (ErrorKind::Conflict, "not-in-trash"),
    (ErrorKind::Conflict, "original-folder-gone"),
    (ErrorKind::Invalid, "other-space"),
];

pub(super) const READ: &[Refusal] = &[
    (ErrorKind::Invalid, "not-a-file"),
    (ErrorKind::Precondition, "precondition-failed"),
    (ErrorKind::Internal, "content-damaged"),
    (ErrorKind::Unavailable, "storage-unreachable"),
    (ErrorKind::Unavailable, "busy"),
];

pub(super) const WRITE: &[Refusal] = &[
    (ErrorKind::TooLarge, "file-too-large"),
    (ErrorKind::Invalid, "body-cut"),
    (ErrorKind::Invalid, "body-malformed"),
    (ErrorKind::Invalid, "body-too-short"),
    (ErrorKind::TooLarge, "body-too-long"),
    (ErrorKind::Invalid, "checksum-mismatch"),
    (ErrorKind::Invalid, "unsupported-media-type"),
    (ErrorKind::TooLarge, "plan-file-size"),
    (ErrorKind::Conflict, "upload-cancelled"),
    (ErrorKind::Quota, "quota-exceeded"),
    (ErrorKind::Unavailable, "too-few-nodes"),
    (ErrorKind::Unavailable, "storage-write-failed"),
    (ErrorKind::Unavailable, "busy"),
    (ErrorKind::Conflict, "write-expired"),
];

/// What every call of a visitor may be refused with.
pub(super) const VISIT: &[Refusal] =
    &[(ErrorKind::NotFound, "not-found"), (ErrorKind::NotFound, "link-expired"), (ErrorKind::Denied, "links-off")];

pub(super) const LOOK: &[Refusal] = &[(ErrorKind::Denied, "link-locked"), (ErrorKind::Denied, "link-forbids")];

pub(super) const USED_UP: &[Refusal] = &[(ErrorKind::NotFound, "link-used-up")];

pub(super) const LINK: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-link"),
    (ErrorKind::Invalid, "invalid-password"),
    (ErrorKind::Invalid, "not-a-folder"),
    (ErrorKind::Unavailable, "busy"),
];

pub(super) const PROFILE: &[Refusal] =
    &[(ErrorKind::Invalid, "invalid-display-name"), (ErrorKind::Invalid, "invalid-language")];

/// Of calls that send a letter.
pub(super) const MAIL: &[Refusal] = &[(ErrorKind::Invalid, "invalid-email"), (ErrorKind::Denied, "mail-off")];

pub(super) const PERSON: &[Refusal] = &[(ErrorKind::Invalid, "invalid-id"), (ErrorKind::NotFound, "user-not-found")];

pub(super) const PERSON_FIELDS: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-scopes"),
    (ErrorKind::Invalid, "invalid-email"),
    (ErrorKind::Exists, "email-taken"),
];

pub(super) const TAG: &[Refusal] = &[(ErrorKind::Invalid, "invalid-tag-name"), (ErrorKind::Exists, "name-taken")];
/// Of calls that want the password again.
pub(super) const PROOF: &[Refusal] = &[
    (ErrorKind::Denied, "wrong-password"),
    (ErrorKind::Denied, "sign-in-again"),
    (ErrorKind::Throttled, "too-many-attempts"),
    (ErrorKind::Unavailable, "busy"),
];

/// Of calls that speak with an identity provider.
pub(super) const PROVIDER: &[Refusal] =
    &[(ErrorKind::NotFound, "provider-not-found"), (ErrorKind::Unavailable, "provider-unavailable")];

/// Of calls with what came back from one.
pub(super) const RETURNED: &[Refusal] = &[
    (ErrorKind::Unauthenticated, "sign-in-expired"),
    (ErrorKind::Denied, "provider-refused"),
    (ErrorKind::Throttled, "too-many-attempts"),
];

/// Of calls with a passkey's answer.
pub(super) const PASSKEY: &[Refusal] = &[
    (ErrorKind::Unauthenticated, "sign-in-expired"),
    (ErrorKind::Denied, "passkey-refused"),
    (ErrorKind::Denied, "passkeys-off"),
];

pub(super) const NEW_KEY: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-display-name"),
    (ErrorKind::Invalid, "invalid-scopes"),
    (ErrorKind::Invalid, "invalid-expiry"),
    (ErrorKind::Conflict, "too-many-keys"),
];

pub(super) const TUS: &[Refusal] = &[(ErrorKind::Precondition, "unsupported-tus-version")];

/// What a call may be refused with, beyond [`EVERY`] and, for calls with a token, [`TOKEN`]; none if it is no call of ours.
pub(super) fn of(operation: &str) -> Option<&'static [&'static [Refusal]]> {
    accounts::of(operation).or_else(|| files::of(operation)).or_else(|| administration::of(operation))
}
