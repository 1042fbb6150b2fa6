//! The REST calls, one module for each resource of the URL space.

mod accounts;
mod activity;
mod admin;
mod archive;
mod batch;
mod bulk;
mod entries;
mod files;
mod folders;
mod grants;
mod groups;
mod keys;
mod links;
mod mail;
mod oversight;
mod page;
mod passkeys;
mod people;
mod personal;
mod pictures;
mod plans;
mod presigned;
mod providers;
mod public;
mod retention;
mod second_factor;
mod sessions;
mod settings;
pub(crate) mod spaces;
mod tags;
mod trash;
mod undo;
mod uploads;
mod versions;
mod views;
mod ways;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use crate::state::App;

/// The REST calls with their description.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::default()
        .routes(routes!(accounts::register))
        .routes(routes!(sessions::login))
        .routes(routes!(second_factor::login_second_factor))
        .routes(routes!(providers::list_ways_in))
        .routes(routes!(providers::begin_provider))
        .routes(routes!(providers::finish_provider))
        .routes(routes!(passkeys::begin_passkey_login))
        .routes(routes!(passkeys::finish_passkey_login))
        .routes(routes!(sessions::refresh))
        .routes(routes!(sessions::logout))
        .routes(routes!(providers::logout_of_provider))
        .routes(routes!(providers::provider_sign_out))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(accounts::get_me, accounts::update_me))
        .routes(routes!(mail::change_email))
        .routes(routes!(mail::verify_email))
        .routes(routes!(mail::ask_password_reset))
        .routes(routes!(mail::reset_password))
        .routes(routes!(accounts::change_password))
        .routes(routes!(accounts::get_user))
        .routes(routes!(pictures::put_picture, pictures::delete_picture))
        .routes(routes!(pictures::get_picture))
        .routes(routes!(pictures::delete_picture_of))
        .routes(routes!(spaces::list_spaces, spaces::create_space))
        .routes(routes!(spaces::get_space, spaces::rename_space, spaces::delete_space))
        .routes(routes!(second_factor::get_second_factor, second_factor::begin_second_factor))
        .routes(routes!(second_factor::confirm_second_factor))
        .routes(routes!(second_factor::renew_recovery_codes))
        .routes(routes!(second_factor::remove_second_factor))
        .routes(routes!(providers::list_identities))
        .routes(routes!(providers::begin_link))
        .routes(routes!(providers::finish_link))
        .routes(routes!(providers::remove_identity))
        .routes(routes!(passkeys::list_passkeys, passkeys::begin_passkey))
        .routes(routes!(passkeys::finish_passkey))
        .routes(routes!(passkeys::rename_passkey))
        .routes(routes!(passkeys::remove_passkey))
        .routes(routes!(keys::list_tokens, keys::create_token))
        .routes(routes!(keys::delete_token))
        .routes(routes!(keys::list_s3_keys, keys::create_s3_key))
        .routes(routes!(keys::delete_s3_key))
        .routes(routes!(spaces::get_usage))
        .routes(routes!(spaces::list_entries))
        .routes(routes!(plans::get_plan_use))
        .routes(routes!(spaces::list_changes))
        .routes(routes!(spaces::resolve_path))
        .routes(routes!(folders::create_folder))
        .routes(routes!(folders::get_folder, folders::delete_folder))
        .routes(routes!(folders::list_children))
        .merge(files::routes())
        .routes(routes!(batch::upload_batch).layer(DefaultBodyLimit::disable()))
        .routes(routes!(archive::download_archive))
        .routes(routes!(presigned::presign_download))
        .routes(routes!(presigned::download_presigned))
        .routes(routes!(entries::get_entry, entries::update_entry, entries::delete_entry))
        .routes(routes!(entries::copy_entry))
        .routes(routes!(bulk::bulk))
        .routes(routes!(personal::add_favourite, personal::remove_favourite))
        .routes(routes!(personal::list_favourites))
        .routes(routes!(personal::list_recent))
        .routes(routes!(retention::get_retention, retention::update_retention))
        .routes(routes!(tags::list_tags, tags::create_tag))
        .routes(routes!(tags::update_tag, tags::delete_tag))
        .routes(routes!(tags::merge_tag))
        .routes(routes!(tags::tag_entries, tags::list_tagged))
        .routes(routes!(trash::restore_entry))
        .routes(routes!(trash::restore_file))
        .routes(routes!(trash::list_trash, trash::empty_trash))
        .routes(routes!(trash::get_emptying))
        .routes(routes!(activity::list_activity))
        .routes(routes!(undo::undo))
        .routes(routes!(undo::redo))
        .routes(routes!(versions::list_versions))
        .routes(routes!(versions::download_version, versions::update_version, versions::delete_version))
        .routes(routes!(versions::restore_version))
        .routes(routes!(grants::list_grants, grants::put_grant))
        .routes(routes!(grants::update_grant, grants::delete_grant))
        .routes(routes!(grants::list_shared_with_me))
        .routes(routes!(grants::list_shared_by_me))
        .routes(routes!(groups::find_people))
        .routes(routes!(groups::list_groups, groups::create_group))
        .routes(routes!(groups::rename_group, groups::delete_group))
        .routes(routes!(groups::list_members))
        .routes(routes!(groups::add_member, groups::remove_member))
        .routes(routes!(links::create_early_link))
        .routes(routes!(links::create_link, links::list_entry_links))
        .routes(routes!(links::list_links))
        .routes(routes!(links::get_link, links::update_link, links::delete_link))
        .routes(routes!(links::list_link_events))
        .merge(public::routes())
        .routes(routes!(uploads::get_upload))
        .routes(routes!(uploads::finish_upload))
        .routes(routes!(people::list_people, people::create_person))
        .routes(routes!(people::get_person, people::update_person, people::delete_person))
        .routes(routes!(people::reset_person))
        .routes(routes!(people::remove_second_factor_of))
        .routes(routes!(people::list_sessions_of, people::end_sessions_of))
        .routes(routes!(people::end_session_of))
        .routes(routes!(ways::list_identities_of))
        .routes(routes!(ways::remove_identity_of))
        .routes(routes!(ways::list_passkeys_of))
        .routes(routes!(ways::remove_passkey_of))
        .routes(routes!(people::list_invitations, people::create_invitation))
        .routes(routes!(people::delete_invitation))
        .routes(routes!(people::list_audit))
        .routes(routes!(plans::list_plans, plans::create_plan))
        .routes(routes!(plans::get_plan, plans::update_plan, plans::delete_plan))
        .routes(routes!(plans::assign_plan))
        .routes(routes!(oversight::list_all_spaces))
        .routes(routes!(settings::get_instance))
        .routes(routes!(settings::list_settings, settings::update_settings))
        .routes(routes!(oversight::get_any_space, oversight::update_any_space, oversight::delete_any_space))
        .routes(routes!(oversight::give_manager))
        .routes(routes!(oversight::list_all_uploads))
        .routes(routes!(oversight::cancel_any_upload))
        .routes(routes!(admin::list_nodes))
        .routes(routes!(admin::remove_node))
        .routes(routes!(admin::drain_node))
        .routes(routes!(admin::activate_node))
        .routes(routes!(admin::get_cluster))
        .routes(routes!(admin::list_jobs))
        .routes(routes!(admin::retry_job))
        .routes(routes!(admin::cancel_job))
        .routes(routes!(admin::list_queues))
}
