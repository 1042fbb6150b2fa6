//! The description of the API (OpenAPI 3.1), collected from the handlers, with the refusals of each call.

mod refusals;
mod shape;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
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
    openapi::refusals::{EVERY, Refusal, TOKEN, TUS},
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
    let Some(own) = operation.operation_id.as_deref().and_then(refusals::of) else {
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
            assert!(refusals::of(id).is_some(), "{id} has no row in the table of refusals");
            assert!(operation.responses.responses.contains_key("500"), "{id}");
            assert!(operation.summary.is_some() && operation.tags.is_some(), "{id}");
        }
    }

    #[test]
    fn every_code_of_a_call_is_explained() {
        for operation in operations(&described()) {
            for (_, code) in refusals::of(operation.operation_id.as_deref().unwrap_or_default())
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
