//! Entries as clients see them.

use std::collections::BTreeMap;

use accounts::Role;
use axum::response::{IntoResponse, Response};
use base::{EntryId, SpaceId, TagId, Time, VersionId};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{digest::to_hex, extract::Json};

/// A folder or file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub(crate) struct EntryView {
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: EntryId,
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    /// The folder it is in; `null` for a root.
    #[schema(value_type = Option<String>, example = "ent_0197f3c6b1d07c3a9d2e5f6071829300")]
    parent_id: Option<EntryId>,
    /// Empty for a root.
    #[schema(example = "report.pdf")]
    name: String,
    kind: EntryKind,
    /// Raised by each change.
    #[schema(example = 1)]
    revision: u64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    /// When the bytes changed last.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    modified_at: Time,
    #[serde(flatten)]
    file: Option<FileView>,
    /// It is in the trash, or in a folder that is. Absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    trashed: bool,
    /// What one may do with it: `viewer`, `commenter`, `editor`, `manager`. Only where a single entry was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, example = "manager")]
    role: Option<&'static str>,
    #[serde(flatten)]
    extras: Option<ExtrasView>,
}

/// What an entry is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntryKind {
    Folder,
    File,
}

/// What an entry may have beside all that.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EntryExtras)]
struct ExtrasView {
    /// In people's own words. Absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "The version that was signed.")]
    description: Option<String>,
    /// Ids of tags; one that the space's tags do not list was deleted. Absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["tag_0197f3c6b1d07c3a9d2e5f60718293a4"]))]
    tags: Vec<TagId>,
    /// By their names. Absent if there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, PropertyView>)]
    properties: BTreeMap<String, drive::Property>,
    /// What is below a folder. Only answers that show entries as they are now have it, changes do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TotalView>)]
    total: Option<drive::Total>,
}

/// A property of an entry.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Property)]
#[serde(tag = "type", content = "value", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum PropertyView {
    /// At most 1024 bytes.
    Text(String),
    #[schema(value_type = f64)]
    Number(serde_json::Number),
    /// A day: `2026-11-21`.
    Date(String),
    Boolean(bool),
}

impl From<PropertyView> for drive::Property {
    fn from(property: PropertyView) -> Self {
        match property {
            PropertyView::Text(text) => Self::Text(text),
            PropertyView::Number(number) => Self::Number(number),
            PropertyView::Date(day) => Self::Date(day),
            PropertyView::Boolean(truth) => Self::Boolean(truth),
        }
    }
}

/// What is below a folder, however deep.
#[derive(ToSchema)]
#[schema(as = Total)]
#[expect(dead_code, reason = "it describes the drive's own form")]
struct TotalView {
    /// Of the current versions of files.
    bytes: u64,
    files: u64,
    folders: u64,
}

/// What only files have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FileFields)]
struct FileView {
    /// Bytes.
    #[schema(example = 1_048_576)]
    size: u64,
    #[schema(example = "application/pdf")]
    content_type: String,
    /// 64 hexadecimal digits; `null` until it is known, after a concatenated upload.
    blake3: Option<String>,
    #[schema(value_type = String, example = "ver_0197f3c6b1d07c3a9d2e5f60718293a4")]
    version_id: VersionId,
    /// For `If-Match` and `If-None-Match`, with its quotes.
    #[schema(example = "\"0197f3c6b1d07c3a9d2e5f60718293a4\"")]
    etag: String,
}

impl From<drive::Entry> for EntryView {
    fn from(entry: drive::Entry) -> Self {
        let etag = entry.etag();
        let (kind, file) = match entry.kind {
            drive::Kind::Folder => (EntryKind::Folder, None),
            drive::Kind::File(info) => {
                let blake3 = info.blake3.map(|hash| to_hex(&hash));
                let file = FileView {
                    size: info.size,
                    content_type: info.content_type,
                    blake3,
                    version_id: info.version,
                    etag,
                };
                (EntryKind::File, Some(file))
            }
        };
        Self {
            id: entry.id,
            space_id: entry.space,
            parent_id: entry.parent,
            name: entry.name,
            kind,
            revision: entry.revision,
            created_at: entry.created,
            modified_at: entry.modified,
            file,
            trashed: entry.trashed,
            role: None,
            extras: Some(ExtrasView {
                description: entry.extras.description,
                tags: entry.extras.tags,
                properties: entry.extras.properties,
                total: entry.total,
            }),
        }
    }
}

/// An entry as an answer: its JSON, with the entity tag as a header.
pub(crate) struct WithTag(pub(crate) drive::Entry);

impl IntoResponse for WithTag {
    fn into_response(self) -> Response {
        let etag = HeaderValue::try_from(self.0.etag()).expect("an entity tag is digits between quotes");
        ([(header::ETAG, etag)], Json(EntryView::from(self.0))).into_response()
    }
}

/// An entry as an answer, with what the caller may do with it.
pub(crate) struct WithRole(pub(crate) drive::Entry, pub(crate) Role);

impl IntoResponse for WithRole {
    fn into_response(self) -> Response {
        let etag = HeaderValue::try_from(self.0.etag()).expect("an entity tag is digits between quotes");
        let view = EntryView { role: Some(self.1.as_str()), ..EntryView::from(self.0) };
        ([(header::ETAG, etag)], Json(view)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The journal keeps entries in the drive's own JSON form; clients must see no difference.
    #[test]
    fn the_form_is_that_of_the_journal() {
        let file = drive::Kind::File(drive::FileInfo {
            size: 5,
            content_type: "text/plain".into(),
            blake3: Some([9; 32]),
            version: VersionId::from_bytes([4; 16]),
        });
        let extras = drive::Extras {
            description: Some("x".into()),
            tags: vec![TagId::from_bytes([5; 16])],
            properties: BTreeMap::from([("p".into(), drive::Property::Date("2026-11-21".into()))]),
        };
        let total = Some(drive::Total { bytes: 1, files: 2, folders: 3 });
        for (kind, trashed, extras, total) in
            [(drive::Kind::Folder, false, extras, total), (file, true, drive::Extras::default(), None)]
        {
            let entry = drive::Entry {
                id: EntryId::from_bytes([1; 16]),
                space: SpaceId::from_bytes([2; 16]),
                parent: None,
                name: "a".into(),
                kind,
                revision: 3,
                created: Time::from_micros(0),
                modified: Time::from_micros(1),
                trashed,
                extras,
                total,
            };
            let journal = serde_json::to_value(&entry).expect("JSON");
            assert_eq!(serde_json::to_value(EntryView::from(entry)).expect("JSON"), journal);
        }
    }
}
