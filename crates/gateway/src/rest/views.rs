//! Entries as clients see them.

use accounts::Role;
use axum::response::{IntoResponse, Response};
use base::{EntryId, SpaceId, Time, VersionId};
use http::{HeaderValue, header};
use serde::Serialize;
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
}

/// What an entry is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntryKind {
    Folder,
    File,
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
        for (kind, trashed) in [(drive::Kind::Folder, false), (file, true)] {
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
            };
            let journal = serde_json::to_value(&entry).expect("JSON");
            assert_eq!(serde_json::to_value(EntryView::from(entry)).expect("JSON"), journal);
        }
    }
}
