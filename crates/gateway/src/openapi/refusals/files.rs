//! Spaces, files, sharing and uploads.

use base::ErrorKind;

use super::{
    GRANT, GROUP, GROUP_NAME, ID, ID_TAKEN, INVALID_ID, JSON, LINK, LOOK, MATCH, NAME, PLACE, READ, RESTORE, Refusal,
    TAG, TRASHED, TUS, USED_UP, VISIT, WRITE,
};

/// The row of a call, if it is one of these.
pub(super) fn of(operation: &str) -> Option<&'static [&'static [Refusal]]> {
    Some(match operation {
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
        "presign_download" => &[JSON, INVALID_ID],
        "download_presigned" => &[
            READ,
            &[
                (ErrorKind::Unauthenticated, "invalid-token"),
                (ErrorKind::Unauthenticated, "session-ended"),
                (ErrorKind::Denied, "permission-missing"),
                (ErrorKind::NotFound, "not-found"),
                (ErrorKind::Range, "range-not-satisfiable"),
                (ErrorKind::TooLarge, "archive-too-large"),
            ],
        ],
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
                (ErrorKind::Conflict, "upload-taken-over"),
                (ErrorKind::Conflict, "plan-links"),
                (ErrorKind::TooLarge, "plan-file-size"),
                (ErrorKind::Quota, "quota-exceeded"),
            ],
        ],
        _ => return None,
    })
}
