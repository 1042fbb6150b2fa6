//! What the derived description cannot say by itself: which fields answers always have, what a flattened part of an answer
//! is, and the header that every change takes.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::auth::OPERATION_ID;

/// The calls that change the tree and so are told apart by the client's own id.
const CHANGES: [&str; 23] = [
    "bulk",
    "create_folder",
    "delete_folder",
    "create_file",
    "upload_batch",
    "replace_file",
    "delete_file",
    "update_entry",
    "copy_entry",
    "create_tag",
    "update_tag",
    "delete_tag",
    "merge_tag",
    "tag_entries",
    "delete_entry",
    "restore_entry",
    "restore_file",
    "restore_version",
    "undo",
    "redo",
    "create_upload",
    "append_upload",
    "finish_upload",
];

/// Brings the description to what the calls really take and answer.
pub(super) fn correct(description: &mut Value) {
    if let Some(schemas) = description.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        let derived = schemas.clone();
        let mut flattened = BTreeSet::new();
        // Only bodies of requests leave fields out.
        for (_, schema) in schemas.iter_mut().filter(|(name, _)| !name.ends_with("Body")) {
            settle(schema, &derived, &mut flattened);
        }
        schemas.retain(|name, _| !flattened.contains(name));
    }
    for item in description["paths"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
                never_null(&mut parameter["schema"]);
            }
            let Some(id) = operation["operationId"].as_str() else { continue };
            if CHANGES.contains(&id) {
                name_operation(operation);
            }
        }
    }
}

/// Says of a schema, and of all within it, which fields are always there: all that are required or can be null. Those of
/// a flattened `Option` are there or not; that is derived as "these fields, or null", which no object is.
fn settle(schema: &mut Value, derived: &Map<String, Value>, flattened: &mut BTreeSet<String>) {
    let parts = schema.get("allOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut sometimes = Map::new();
    for name in parts.iter().filter_map(nullable_reference) {
        sometimes
            .extend(derived.get(&name).and_then(|part| part["properties"].as_object()).cloned().unwrap_or_default());
        flattened.insert(name);
    }
    if let Some(mut own) = parts.into_iter().find(|part| part["properties"].is_object() && !sometimes.is_empty()) {
        if let Some(description) = schema.get("description") {
            own["description"] = description.clone();
        }
        *schema = own;
    }
    let required: BTreeSet<String> = schema["required"]
        .as_array()
        .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        // What is never null and not required is left out at times.
        let always: Vec<String> = properties
            .iter()
            .filter(|(name, field)| required.contains(*name) || may_be_null(field))
            .map(|(name, _)| name.clone())
            .collect();
        properties.extend(sometimes);
        schema["required"] = always.into();
    }
    match schema {
        Value::Object(fields) => {
            for (key, inner) in fields.iter_mut() {
                match inner {
                    // A field may be called as a part of a schema is.
                    Value::Object(named) if key == "properties" => {
                        named.values_mut().for_each(|field| settle(field, derived, flattened));
                    }
                    inner => settle(inner, derived, flattened),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| settle(inner, derived, flattened)),
        _ => {}
    }
}

/// A header or query parameter that is not given is absent. It cannot be null.
fn never_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type")
        && let Some(only) = types.as_array().and_then(|list| list.iter().find(|one| *one != "null")).cloned()
    {
        *types = only;
    }
}

/// Whether a field can be null.
fn may_be_null(field: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    is_null(&field["type"])
        || field["type"].as_array().is_some_and(|kinds| kinds.iter().any(is_null))
        || field["oneOf"].as_array().is_some_and(|choices| choices.iter().any(|one| is_null(&one["type"])))
}

/// The name behind `oneOf: [{$ref}, {type: null}]`.
fn nullable_reference(part: &Value) -> Option<String> {
    let choice = part["oneOf"].as_array()?;
    let reference = choice.iter().find_map(|one| one["$ref"].as_str())?;
    Some(reference.rsplit('/').next()?.to_owned())
}

fn name_operation(operation: &mut Value) {
    let parameter = json!({
        "name": "Operation-Id",
        "in": "header",
        "required": false,
        "description": "The client's own id of this change. `operation_id` of the journal shows it to all who follow the space.",
        "schema": { "type": "string", "format": "uuid" },
    });
    debug_assert!(
        "Operation-Id".eq_ignore_ascii_case(OPERATION_ID),
        "the header that is documented is the one that is read"
    );
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flattened_fields_are_optional_and_all_others_are_required() {
        let mut description = json!({
            "paths": { "/x": { "post": { "operationId": "create_folder",
                "parameters": [{ "name": "If-Match", "in": "header", "schema": { "type": ["string", "null"] } }] } } },
            "components": { "schemas": {
                "Entry": { "description": "An entry.", "allOf": [
                    { "oneOf": [{ "$ref": "#/components/schemas/FileFields" }, { "type": "null" }] },
                    { "type": "object", "required": ["id"], "properties": {
                        "id": {}, "parent": { "type": ["string", "null"] }, "trashed": { "type": "boolean" },
                        "properties": { "type": ["object", "null"] },
                    } },
                ] },
                "FileFields": { "type": "object", "required": ["size"], "properties": { "size": {}, "hash": {} } },
                "Page": { "type": "object", "properties": { "items": { "type": "array", "items": { "allOf": [
                    { "oneOf": [{ "$ref": "#/components/schemas/FileFields" }, { "type": "null" }] },
                    { "type": "object", "required": ["id"], "properties": { "id": {} } },
                ] } } } },
                "NewBody": { "type": "object", "properties": { "name": {} } },
            } },
        });
        correct(&mut description);
        let schemas = &description["components"]["schemas"];
        assert_eq!(schemas["Entry"]["required"], json!(["id", "parent", "properties"]));
        assert_eq!(schemas["Entry"]["properties"].as_object().map(Map::len), Some(6));
        assert_eq!(schemas["Entry"]["properties"]["properties"], json!({ "type": ["object", "null"] }));
        let item = &schemas["Page"]["properties"]["items"]["items"];
        assert_eq!((&item["required"], item["properties"].as_object().map(Map::len)), (&json!(["id"]), Some(3)));
        assert!(schemas["FileFields"].is_null() && schemas["NewBody"]["required"].is_null());
        let parameters = &description["paths"]["/x"]["post"]["parameters"];
        assert_eq!(
            (&parameters[0]["schema"]["type"], &parameters[1]["name"]),
            (&json!("string"), &json!("Operation-Id"))
        );
    }
}
