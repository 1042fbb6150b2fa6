//! Settings of the whole server, and what of them everybody may know.

use std::sync::Arc;

use accounts::SettingView;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Json, NoQuery},
    state::{App, ClientAddress},
};

/// A setting of the server.
#[derive(Serialize, ToSchema)]
#[schema(as = Setting)]
pub(crate) struct SettingItem {
    #[schema(example = "trash_days")]
    key: &'static str,
    /// What holds: text, a number, or true or false.
    #[schema(example = json!(30))]
    value: Value,
    /// What the configuration says.
    #[schema(example = json!(30))]
    default: Value,
    /// Where the value comes from: `configuration`, or `administrators` who changed it.
    #[schema(example = "configuration")]
    source: &'static str,
    /// What it is for, and which values it takes.
    meaning: &'static str,
}

/// All settings.
#[derive(Serialize, ToSchema)]
pub(crate) struct SettingsView {
    items: Vec<SettingItem>,
}

/// What everybody may know of a server.
#[derive(Serialize, ToSchema)]
pub(crate) struct Instance {
    /// What the server calls itself.
    #[schema(example = "Holdfast")]
    name: String,
    /// A line for people who sign in; may be empty.
    welcome: String,
    /// Who may make an account: `open`, `invitation`, `closed`.
    #[schema(example = "open")]
    registration: &'static str,
}

impl From<Vec<SettingView>> for SettingsView {
    fn from(views: Vec<SettingView>) -> Self {
        let item = |view: SettingView| SettingItem {
            key: view.key,
            value: view.value,
            default: view.default,
            source: if view.changed { "administrators" } else { "configuration" },
            meaning: view.meaning,
        };
        Self { items: views.into_iter().map(item).collect() }
    }
}

/// Show the server's name, its welcome and who may register
///
/// For the page where people sign in: no token is needed.
#[utoipa::path(get, path = "/api/v1/public/instance", tag = "Accounts",
    responses((status = 200, description = "What everybody may know.", body = Instance)))]
pub(crate) async fn get_instance(State(app): State<Arc<App>>, _: NoQuery) -> Result<Json<Instance>, Problem> {
    let values = app.state.accounts.settings().fresh().await;
    Ok(Json(Instance {
        name: values.name.clone(),
        welcome: values.welcome.clone(),
        registration: values.registration.as_str(),
    }))
}

/// List the settings
///
/// Those that can be changed while the server runs. What new spaces get, `default_for` of a plan says.
#[utoipa::path(get, path = "/api/v1/admin/settings", tag = "Administration", security(("token" = [])),
    responses((status = 200, description = "All settings with their defaults.", body = SettingsView)))]
pub(crate) async fn list_settings(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
) -> Result<Json<SettingsView>, Problem> {
    Ok(Json(app.state.accounts.list_settings(&caller.principal).await?.into()))
}

/// Change settings
///
/// A map of keys to values, of which all are taken or none; `null` goes back to what the configuration says. All gateways
/// obey within seconds.
#[utoipa::path(patch, path = "/api/v1/admin/settings", tag = "Administration", security(("token" = [])),
    request_body(content = Object, example = json!({ "trash_days": 14, "welcome": null })),
    responses((status = 200, description = "All settings as they are now.", body = SettingsView)))]
pub(crate) async fn update_settings(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    _: NoQuery,
    Json(changes): Json<Map<String, Value>>,
) -> Result<Json<SettingsView>, Problem> {
    Ok(Json(app.state.accounts.change_settings(&caller.principal, changes, address).await?.into()))
}
