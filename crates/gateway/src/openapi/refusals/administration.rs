//! Plans, settings, storage servers and jobs.

use base::ErrorKind;

use super::{ID, INVALID_ID, JSON, MATCH, NOT_FOUND, PLAN, Refusal};

/// The row of a call, if it is one of these.
pub(super) fn of(operation: &str) -> Option<&'static [&'static [Refusal]]> {
    Some(match operation {
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
