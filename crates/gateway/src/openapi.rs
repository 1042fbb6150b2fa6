//! The description of the API (OpenAPI 3.1), collected from the handlers, with the refusals of each call.

mod shape;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use base::ErrorKind;
use bytes::Bytes;
use http::{HeaderValue, header};
use utoipa::{
    Modify, OpenApi as _,
    openapi::{
        ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
        extensions::ExtensionsBuilder,
        path::Operation,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::{
    error::{ProblemDocument, Protocol, status},
    state::App,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Holdfast",
        description = "Files and folders over HTTP.\n\nSign in with `POST /api/v1/login` and send the access token as \
            `Authorization: Bearer …`. Refusals are problem documents (RFC 9457) with a stable `code`. An unknown query \
            parameter or JSON field is refused, so that a misspelled option is never silently ignored. Times are RFC 3339 \
            in UTC, sizes are bytes.",
        license(name = "Apache-2.0")
    ),
    tags(
        (name = "Accounts", description = "People."),
        (name = "Sessions", description = "Signing in and out. Access tokens live 15 minutes."),
        (name = "Tokens and keys", description = "For programs: API tokens, also as passwords of apps, and S3 keys. Only a signed-in person handles them."),
        (name = "Spaces", description = "Trees with their quota and their journal of changes."),
        (name = "Folders", description = "Folders and what is in them."),
        (name = "Files", description = "Bytes, both ways."),
        (name = "Versions", description = "What files were before."),
        (name = "History", description = "What was done, and taking one's own changes back."),
        (name = "Entries", description = "What folders and files have in common."),
        (name = "Tags", description = "Words with a colour, for the entries of a space."),
        (name = "Trash", description = "What was deleted and can come back."),
        (name = "Sharing", description = "Roles that people and groups have on entries, and the members of teams."),
        (name = "Links", description = "Ways in for people without an account, and what came of them."),
        (name = "Public links", description = "What visitors of a link call, without signing in."),
        (name = "Resumable uploads", description = "The tus protocol, version 1.0.0, for uploads that survive a broken connection."),
        (name = "People", description = "Accounts in the hands of administrators, invitations, and the audit log; needs the permission `admin.users`."),
        (name = "Administration", description = "Storage servers and background work; needs the permission `admin.nodes`."),
    ),
    components(schemas(ProblemDocument)),
    modifiers(&Token)
)]
struct Frame;

struct Token;

impl Modify for Token {
    fn modify(&self, api: &mut OpenApi) {
        let token = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An access token of `POST /api/v1/login` or `POST /api/v1/refresh`, or an API token of \
                 `POST /api/v1/me/tokens`. An API token may come as the password of HTTP Basic as well.",
            ))
            .build();
        api.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// The description without its calls.
pub(crate) fn frame() -> OpenApi {
    Frame::openapi()
}

/// The route of the finished description.
pub(crate) fn route(description: &OpenApi) -> Router<Arc<App>> {
    let json = Bytes::from(finished(description.clone()).to_string());
    Router::new().route("/api/v1/openapi.json", get(async move || document(json.clone())))
}

/// The description as it is served.
fn finished(mut description: OpenApi) -> serde_json::Value {
    add_refusals(&mut description);
    let mut json = serde_json::to_value(description).expect("a description is made of text, numbers and maps");
    shape::correct(&mut json);
    json
}

fn document(json: Bytes) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, json).into_response()
}

/// A code that a call may be refused with.
type Refusal = (ErrorKind, &'static str);

const EVERY: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-request"),
    (ErrorKind::Internal, "internal"),
    (ErrorKind::Unavailable, "database-unavailable"),
    (ErrorKind::Unavailable, "overloaded"),
];

const TOKEN: &[Refusal] = &[
    (ErrorKind::Unauthenticated, "wrong-credentials"),
    (ErrorKind::Unauthenticated, "unauthenticated"),
    (ErrorKind::Unauthenticated, "invalid-token"),
    (ErrorKind::Unauthenticated, "token-expired"),
    (ErrorKind::Unauthenticated, "session-ended"),
    (ErrorKind::Denied, "permission-missing"),
];

const JSON: &[Refusal] = &[(ErrorKind::TooLarge, "body-too-large"), (ErrorKind::Invalid, "unsupported-media-type")];

const INVALID_ID: &[Refusal] = &[(ErrorKind::Invalid, "invalid-id")];

const ID: &[Refusal] =
    &[(ErrorKind::Invalid, "invalid-id"), (ErrorKind::NotFound, "not-found"), (ErrorKind::Denied, "role-too-low")];

const GRANT: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-grant"),
    (ErrorKind::Conflict, "last-manager"),
    (ErrorKind::Conflict, "plan-members"),
];

const NOT_FOUND: &[Refusal] = &[(ErrorKind::NotFound, "not-found")];

const PLAN: &[Refusal] = &[(ErrorKind::Invalid, "invalid-plan")];

const GROUP: &[Refusal] = &[(ErrorKind::NotFound, "group-not-found")];

const GROUP_NAME: &[Refusal] = &[(ErrorKind::Invalid, "invalid-group-name"), (ErrorKind::Exists, "group-name-taken")];

const NAME: &[Refusal] = &[(ErrorKind::Invalid, "invalid-name"), (ErrorKind::Exists, "name-taken")];

const PLACE: &[Refusal] = &[(ErrorKind::Invalid, "not-a-folder"), (ErrorKind::Invalid, "too-deep")];

/// Of a client's own id for what is new.
const ID_TAKEN: &[Refusal] = &[(ErrorKind::Exists, "id-taken")];

const MATCH: &[Refusal] = &[(ErrorKind::Precondition, "precondition-failed")];

const TRASHED: &[Refusal] = &[(ErrorKind::Conflict, "in-trash")];

const RESTORE: &[Refusal] = &[
    (ErrorKind::Conflict, "in-trash"),
    (ErrorKind::Conflict, "not-in-trash"),
    (ErrorKind::Conflict, "original-folder-gone"),
    (ErrorKind::Invalid, "other-space"),
];

const READ: &[Refusal] = &[
    (ErrorKind::Invalid, "not-a-file"),
    (ErrorKind::Precondition, "precondition-failed"),
    (ErrorKind::Internal, "content-damaged"),
    (ErrorKind::Unavailable, "storage-unreachable"),
    (ErrorKind::Unavailable, "busy"),
];

const WRITE: &[Refusal] = &[
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
const VISIT: &[Refusal] =
    &[(ErrorKind::NotFound, "not-found"), (ErrorKind::NotFound, "link-expired"), (ErrorKind::Denied, "links-off")];

const LOOK: &[Refusal] = &[(ErrorKind::Denied, "link-locked"), (ErrorKind::Denied, "link-forbids")];

const USED_UP: &[Refusal] = &[(ErrorKind::NotFound, "link-used-up")];

const LINK: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-link"),
    (ErrorKind::Invalid, "invalid-password"),
    (ErrorKind::Invalid, "not-a-folder"),
    (ErrorKind::Unavailable, "busy"),
];

const PROFILE: &[Refusal] = &[(ErrorKind::Invalid, "invalid-display-name"), (ErrorKind::Invalid, "invalid-language")];

/// Of calls that send a letter.
const MAIL: &[Refusal] = &[(ErrorKind::Invalid, "invalid-email"), (ErrorKind::Denied, "mail-off")];

const PERSON: &[Refusal] = &[(ErrorKind::Invalid, "invalid-id"), (ErrorKind::NotFound, "user-not-found")];

const PERSON_FIELDS: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-scopes"),
    (ErrorKind::Invalid, "invalid-email"),
    (ErrorKind::Exists, "email-taken"),
];

const TAG: &[Refusal] = &[(ErrorKind::Invalid, "invalid-tag-name"), (ErrorKind::Exists, "name-taken")];
/// Of calls that want the password again.
const PROOF: &[Refusal] = &[
    (ErrorKind::Denied, "wrong-password"),
    (ErrorKind::Denied, "sign-in-again"),
    (ErrorKind::Throttled, "too-many-attempts"),
    (ErrorKind::Unavailable, "busy"),
];

/// Of calls that speak with an identity provider.
const PROVIDER: &[Refusal] =
    &[(ErrorKind::NotFound, "provider-not-found"), (ErrorKind::Unavailable, "provider-unavailable")];

/// Of calls with what came back from one.
const RETURNED: &[Refusal] = &[
    (ErrorKind::Unauthenticated, "sign-in-expired"),
    (ErrorKind::Denied, "provider-refused"),
    (ErrorKind::Throttled, "too-many-attempts"),
];

/// Of calls with a passkey's answer.
const PASSKEY: &[Refusal] = &[
    (ErrorKind::Unauthenticated, "sign-in-expired"),
    (ErrorKind::Denied, "passkey-refused"),
    (ErrorKind::Denied, "passkeys-off"),
];

const NEW_KEY: &[Refusal] = &[
    (ErrorKind::Invalid, "invalid-display-name"),
    (ErrorKind::Invalid, "invalid-scopes"),
    (ErrorKind::Invalid, "invalid-expiry"),
    (ErrorKind::Conflict, "too-many-keys"),
];

const TUS: &[Refusal] = &[(ErrorKind::Precondition, "unsupported-tus-version")];

/// What each call may be refused with, beyond [`EVERY`] and, for calls with a token, [`TOKEN`].
fn refusals(operation: &str) -> Option<&'static [&'static [Refusal]]> {
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
        "get_person" | "list_sessions_of" => &[PERSON],
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
        "get_space" | "get_usage" | "get_upload" | "get_entry" => &[ID],
        "list_changes" | "list_entries" => &[ID, &[(ErrorKind::Precondition, "cursor-gone")]],
        "resolve_path" => &[ID, PLACE, &[(ErrorKind::Invalid, "invalid-name")]],
        "create_folder" => &[JSON, ID, NAME, PLACE, TRASHED, ID_TAKEN],
        "get_folder" | "list_children" => &[ID, &[(ErrorKind::Invalid, "not-a-folder")]],
        "delete_folder" => &[ID, MATCH, PLACE, TRASHED, &[(ErrorKind::Invalid, "root-entry")]],
        "create_file" => &[ID, NAME, PLACE, TRASHED, WRITE, ID_TAKEN],
        "upload_batch" => {
            &[ID, PLACE, TRASHED, &[(ErrorKind::Invalid, "body-cut"), (ErrorKind::Invalid, "unsupported-media-type")]]
        }
        "replace_file" => &[ID, MATCH, TRASHED, WRITE, &[(ErrorKind::Invalid, "not-a-file")]],
        "download_file" => &[ID, READ, &[(ErrorKind::Range, "range-not-satisfiable")]],
        "head_file" => &[ID, READ],
        "delete_file" => &[ID, MATCH, TRASHED, &[(ErrorKind::Invalid, "not-a-file")]],
        "get_file_meta" | "list_parts" => &[ID, &[(ErrorKind::Invalid, "not-a-file")]],
        "update_entry" => &[
            JSON,
            ID,
            NAME,
            PLACE,
            MATCH,
            TRASHED,
            &[
                (ErrorKind::Conflict, "into-itself"),
                (ErrorKind::Invalid, "root-entry"),
                (ErrorKind::Invalid, "other-space"),
                (ErrorKind::Invalid, "invalid-details"),
                (ErrorKind::TooLarge, "too-many-entries"),
                (ErrorKind::TooLarge, "plan-file-size"),
                (ErrorKind::Conflict, "plan-links"),
                (ErrorKind::Quota, "quota-exceeded"),
            ],
        ],
        "bulk" => {
            &[JSON, INVALID_ID, &[(ErrorKind::TooLarge, "too-many-entries"), (ErrorKind::Invalid, "invalid-name")]]
        }
        "list_tags" | "list_tagged" | "delete_tag" | "get_retention" => &[ID],
        "update_retention" => {
            &[JSON, ID, &[(ErrorKind::Invalid, "invalid-retention"), (ErrorKind::Conflict, "beyond-plan")]]
        }
        "add_favourite" => &[ID, &[(ErrorKind::Conflict, "too-many-favourites")]],
        "remove_favourite" => &[ID],
        "list_favourites" => &[INVALID_ID],
        "list_recent" => &[],
        "create_tag" => &[JSON, ID, TAG, &[(ErrorKind::Conflict, "too-many-tags")]],
        "update_tag" => &[JSON, ID, TAG],
        "merge_tag" => &[JSON, ID, &[(ErrorKind::Invalid, "same-tag")]],
        "tag_entries" => {
            &[JSON, ID, TRASHED, &[(ErrorKind::TooLarge, "too-many-entries"), (ErrorKind::Conflict, "too-many-tags")]]
        }
        "copy_entry" => &[
            JSON,
            ID_TAKEN,
            ID,
            NAME,
            PLACE,
            TRASHED,
            &[
                (ErrorKind::Conflict, "into-itself"),
                (ErrorKind::Invalid, "root-entry"),
                (ErrorKind::Invalid, "other-space"),
                (ErrorKind::TooLarge, "too-many-entries"),
                (ErrorKind::TooLarge, "plan-file-size"),
                (ErrorKind::Quota, "quota-exceeded"),
            ],
        ],
        "delete_entry" => &[ID, MATCH, TRASHED, &[(ErrorKind::Invalid, "root-entry")]],
        "restore_entry" | "restore_file" => &[JSON, ID, NAME, PLACE, RESTORE],
        "list_activity" => &[ID],
        "undo" | "redo" => &[
            JSON,
            ID,
            &[
                (ErrorKind::Conflict, "undo-conflict"),
                (ErrorKind::Conflict, "not-undoable"),
                (ErrorKind::Conflict, "nothing-to-undo"),
                (ErrorKind::Conflict, "plan-members"),
                (ErrorKind::TooLarge, "plan-file-size"),
            ],
        ],
        "list_versions" => &[ID, &[(ErrorKind::Invalid, "not-a-file")]],
        "download_version" => &[ID, READ, &[(ErrorKind::Range, "range-not-satisfiable")]],
        "restore_version" => &[
            ID,
            MATCH,
            TRASHED,
            &[
                (ErrorKind::Invalid, "not-a-file"),
                (ErrorKind::TooLarge, "plan-file-size"),
                (ErrorKind::Quota, "quota-exceeded"),
            ],
        ],
        "update_version" => {
            &[JSON, ID, TRASHED, &[(ErrorKind::Invalid, "not-a-file"), (ErrorKind::Invalid, "invalid-version-name")]]
        }
        "delete_version" => {
            &[ID, TRASHED, &[(ErrorKind::Invalid, "not-a-file"), (ErrorKind::Conflict, "current-version")]]
        }
        "create_space" => &[
            JSON,
            &[
                (ErrorKind::Invalid, "invalid-space-name"),
                (ErrorKind::Conflict, "too-many-spaces"),
                (ErrorKind::Denied, "team-spaces-off"),
            ],
        ],
        "rename_space" => {
            &[JSON, ID, &[(ErrorKind::Invalid, "invalid-space-name"), (ErrorKind::Invalid, "personal-space")]]
        }
        "delete_space" => &[ID, &[(ErrorKind::Invalid, "personal-space")]],
        "list_grants" => &[ID],
        "put_grant" => &[
            JSON,
            ID,
            TRASHED,
            GRANT,
            &[
                (ErrorKind::Invalid, "root-entry"),
                (ErrorKind::Invalid, "subject-unknown"),
                (ErrorKind::Conflict, "too-many-grants"),
            ],
        ],
        "update_grant" => &[JSON, ID, TRASHED, GRANT],
        "delete_grant" => &[ID, TRASHED, &[(ErrorKind::Conflict, "last-manager")]],
        "list_shared_with_me" | "list_shared_by_me" | "find_people" | "list_groups" => &[INVALID_ID],
        "create_group" => &[JSON, GROUP_NAME],
        "rename_group" => &[JSON, INVALID_ID, GROUP, GROUP_NAME],
        "delete_group" | "list_members" => &[INVALID_ID, GROUP],
        "add_member" | "remove_member" => &[INVALID_ID, GROUP, &[(ErrorKind::NotFound, "user-not-found")]],
        "create_link" | "create_early_link" => &[
            JSON,
            ID,
            TRASHED,
            LINK,
            &[
                (ErrorKind::Invalid, "root-entry"),
                (ErrorKind::Conflict, "too-many-links"),
                (ErrorKind::Conflict, "plan-links"),
            ],
        ],
        "list_entry_links" | "get_link" | "delete_link" | "list_link_events" => &[ID],
        "list_links" => &[],
        "update_link" => &[JSON, ID, LINK],
        "open_link" => &[VISIT],
        "unlock_link" => &[
            JSON,
            VISIT,
            &[
                (ErrorKind::Denied, "link-locked"),
                (ErrorKind::Denied, "link-wrong-password"),
                (ErrorKind::Invalid, "invalid-display-name"),
                (ErrorKind::Throttled, "too-many-attempts"),
                (ErrorKind::Unavailable, "busy"),
            ],
        ],
        "get_linked_entry" => &[INVALID_ID, VISIT, LOOK],
        "list_linked_children" => &[INVALID_ID, VISIT, LOOK, &[(ErrorKind::Invalid, "not-a-folder")]],
        "download_linked_file" => {
            &[INVALID_ID, VISIT, LOOK, USED_UP, READ, &[(ErrorKind::Range, "range-not-satisfiable")]]
        }
        "download_archive" => {
            &[ID, READ, &[(ErrorKind::Range, "range-not-satisfiable"), (ErrorKind::TooLarge, "archive-too-large")]]
        }
        "download_linked_archive" => &[
            INVALID_ID,
            VISIT,
            LOOK,
            USED_UP,
            READ,
            &[(ErrorKind::Range, "range-not-satisfiable"), (ErrorKind::TooLarge, "archive-too-large")],
        ],
        "head_linked_file" => &[INVALID_ID, VISIT, LOOK, USED_UP, READ],
        "upload_by_link" => &[VISIT, LOOK, USED_UP, WRITE, &[(ErrorKind::Invalid, "invalid-name")]],
        "list_trash" | "empty_trash" | "get_emptying" => &[ID],
        "tus_options" => &[],
        "create_upload" => &[
            TUS,
            ID,
            NAME,
            PLACE,
            TRASHED,
            WRITE,
            &[(ErrorKind::Invalid, "bad-parts"), (ErrorKind::Conflict, "upload-not-complete")],
        ],
        "head_upload" => &[TUS, ID],
        "append_upload" => &[
            TUS,
            ID,
            NAME,
            PLACE,
            TRASHED,
            WRITE,
            &[
                (ErrorKind::Conflict, "offset-mismatch"),
                (ErrorKind::Conflict, "upload-taken-over"),
                (ErrorKind::Conflict, "upload-is-final"),
                (ErrorKind::Conflict, "upload-finished"),
                (ErrorKind::Conflict, "length-given"),
                (ErrorKind::TooLarge, "too-many-extents"),
            ],
        ],
        "terminate_upload" => &[TUS, ID],
        "finish_upload" => &[
            JSON,
            ID,
            NAME,
            PLACE,
            TRASHED,
            &[
                (ErrorKind::Conflict, "upload-not-complete"),
                (ErrorKind::Invalid, "other-space"),
                (ErrorKind::TooLarge, "plan-file-size"),
                (ErrorKind::Quota, "quota-exceeded"),
            ],
        ],
        "list_plans" => &[],
        "create_plan" => &[JSON, PLAN, &[(ErrorKind::Exists, "plan-name-taken")]],
        "get_plan" => &[INVALID_ID, NOT_FOUND],
        "update_plan" => &[JSON, INVALID_ID, NOT_FOUND, PLAN, &[(ErrorKind::Exists, "plan-name-taken")]],
        "delete_plan" => &[INVALID_ID, NOT_FOUND, &[(ErrorKind::Conflict, "plan-in-use")]],
        "assign_plan" => &[JSON, INVALID_ID, NOT_FOUND, PLAN],
        "get_plan_use" => &[ID],
        "get_instance" | "list_settings" => &[],
        "update_settings" => &[JSON, &[(ErrorKind::Invalid, "invalid-setting"), (ErrorKind::Unavailable, "busy")]],
        "list_all_spaces" | "list_all_uploads" => &[INVALID_ID],
        "get_any_space" => &[INVALID_ID, NOT_FOUND],
        "update_any_space" => &[JSON, INVALID_ID, NOT_FOUND, PLAN, MATCH],
        "delete_any_space" => &[INVALID_ID, NOT_FOUND, &[(ErrorKind::Invalid, "personal-space")]],
        "give_manager" => &[
            JSON,
            INVALID_ID,
            NOT_FOUND,
            &[
                (ErrorKind::Invalid, "personal-space"),
                (ErrorKind::Invalid, "subject-unknown"),
                (ErrorKind::Conflict, "has-manager"),
            ],
        ],
        "cancel_any_upload" => &[INVALID_ID, NOT_FOUND],
        "list_nodes" | "get_cluster" | "list_jobs" | "list_queues" => &[],
        "drain_node" => &[ID, &[(ErrorKind::Unavailable, "too-few-nodes")]],
        "activate_node" => &[ID],
        "remove_node" => &[ID, &[(ErrorKind::Conflict, "node-not-empty"), (ErrorKind::Conflict, "node-live")]],
        "retry_job" => &[INVALID_ID, &[(ErrorKind::NotFound, "job-not-found")]],
        "cancel_job" => {
            &[INVALID_ID, &[(ErrorKind::NotFound, "job-not-found"), (ErrorKind::Conflict, "job-not-cancellable")]]
        }
        _ => return None,
    })
}

/// Adds an answer for each status with which a call may be refused, and the codes behind it.
fn add_refusals(description: &mut OpenApi) {
    for item in description.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.head,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
            &mut item.options,
        ];
        for operation in operations.into_iter().flatten() {
            refuse(operation);
        }
    }
}

fn refuse(operation: &mut Operation) {
    let Some(own) = operation.operation_id.as_deref().and_then(refusals) else {
        return;
    };
    let token: &[Refusal] = if operation.security.is_some() { TOKEN } else { &[] };
    let protocol = if own.contains(&TUS) { Protocol::Tus } else { Protocol::Rest };
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for (kind, code) in own.iter().copied().chain([token, EVERY]).flatten() {
        let codes = by_status.entry(status(protocol, *kind, code).as_u16()).or_default();
        if !codes.contains(code) {
            codes.push(code);
        }
    }
    for (status, codes) in by_status {
        let listed = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
        let response = ResponseBuilder::new()
            .description(format!("Refused: {listed}."))
            .content(
                "application/problem+json",
                ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
            )
            .extensions(Some(ExtensionsBuilder::new().add("x-codes", codes).build()))
            .build();
        operation.responses.responses.insert(status.to_string(), RefOr::T(response));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{docs, state};

    fn described() -> OpenApi {
        let mut description = state::api().into_openapi();
        add_refusals(&mut description);
        description
    }

    fn operations(description: &OpenApi) -> Vec<&Operation> {
        let items = description.paths.paths.values();
        let operations = items
            .flat_map(|item| [&item.get, &item.head, &item.post, &item.put, &item.patch, &item.delete, &item.options]);
        operations.flatten().collect()
    }

    #[test]
    fn every_call_says_how_it_is_refused() {
        let description = described();
        let operations = operations(&description);
        assert!(operations.len() > 35, "{}", operations.len());
        for operation in operations {
            let id = operation.operation_id.as_deref().expect("an operation id");
            assert!(refusals(id).is_some(), "{id} has no row in the table of refusals");
            assert!(operation.responses.responses.contains_key("500"), "{id}");
            assert!(operation.summary.is_some() && operation.tags.is_some(), "{id}");
        }
    }

    #[test]
    fn every_code_of_a_call_is_explained() {
        for operation in operations(&described()) {
            for (_, code) in refusals(operation.operation_id.as_deref().unwrap_or_default())
                .unwrap_or_default()
                .iter()
                .copied()
                .flatten()
            {
                assert!(docs::CODES.contains(&format!("\n## {code}\n")), "{code} has no paragraph in docs/errors.md");
            }
        }
    }

    #[test]
    fn the_description_is_whole() {
        let json = finished(state::api().into_openapi());
        assert!(json["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
        let schemas = json["components"]["schemas"].as_object().expect("schemas");
        let text = json.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(schemas.contains_key(reference), "{reference} is referred to and not there");
        }
        assert!(schemas.contains_key("Problem") && schemas.contains_key("Entry"));
    }
}
