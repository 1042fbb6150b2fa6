//! Answers of the API, as far as the client reads them. Fields that it does not know are no error: servers grow.

use base::{EntryId, Secret, SpaceId, Time, UploadId};
use serde::{Deserialize, Serialize};

use super::super::credentials::Profile;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum EntryKind {
    Folder,
    File,
}

/// A folder or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Entry {
    pub(in super::super) id: EntryId,
    pub(in super::super) parent_id: Option<EntryId>,
    pub(in super::super) name: String,
    pub(in super::super) kind: EntryKind,
    pub(in super::super) revision: u64,
    pub(in super::super) created_at: String,
    pub(in super::super) modified_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) content_type: Option<String>,
    /// 64 hexadecimal digits; none until it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) blake3: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) version_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) etag: Option<String>,
}

impl Entry {
    pub(in super::super) fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }

    /// Bytes; none in a folder.
    pub(in super::super) fn bytes(&self) -> u64 {
        self.size.unwrap_or(0)
    }

    /// The BLAKE3, where it is known.
    pub(in super::super) fn hash(&self) -> Option<blake3::Hash> {
        blake3::Hash::from_hex(self.blake3.as_deref()?).ok()
    }
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Page<T> {
    pub(in super::super) items: Vec<T>,
    #[serde(default)]
    pub(in super::super) next_cursor: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct Me {
    pub(in super::super) id: String,
    pub(in super::super) name: String,
    #[serde(default)]
    pub(in super::super) display_name: String,
    #[serde(default)]
    pub(in super::super) permissions: Vec<String>,
    pub(in super::super) space_id: SpaceId,
    pub(in super::super) root_id: EntryId,
}

/// What signing in gives.
#[derive(Deserialize)]
pub(in super::super) struct Tokens {
    access_token: Secret,
    /// Seconds.
    expires_in: i64,
    refresh_token: Secret,
    pub(in super::super) user: Me,
}

impl Tokens {
    /// As it is kept, by this machine's clock.
    pub(in super::super) fn profile(self, now: Time) -> Profile {
        Profile {
            name: self.user.name,
            space_id: self.user.space_id,
            root_id: self.user.root_id,
            access_token: self.access_token,
            expires_at: now.as_secs().saturating_add(self.expires_in),
            refresh_token: self.refresh_token,
        }
    }
}

/// A space and the room in it.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct Space {
    pub(in super::super) used_bytes: u64,
    #[serde(default)]
    pub(in super::super) quota_bytes: Option<u64>,
}

/// How far an upload is.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Upload {
    pub(in super::super) offset: u64,
    #[serde(default)]
    pub(in super::super) length: Option<u64>,
    /// The file that it became.
    #[serde(default)]
    pub(in super::super) entry_id: Option<EntryId>,
}

/// A new upload, as its `Location` names it.
pub(in super::super) fn upload_of(location: &str) -> Option<UploadId> {
    location.trim_end_matches('/').rsplit('/').next()?.parse().ok()
}

/// Where the parts of a file lie.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct Layout {
    pub(in super::super) size: u64,
    #[serde(default)]
    pub(in super::super) inline: bool,
    #[serde(default)]
    pub(in super::super) extents: Vec<Extent>,
}

/// A run of bytes of a file that is cut as a whole.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct Extent {
    pub(in super::super) offset: u64,
    pub(in super::super) length: u64,
    pub(in super::super) data_parts: u32,
    pub(in super::super) parity_parts: u32,
    #[serde(default)]
    pub(in super::super) parts: Vec<Part>,
}

/// One part of an extent.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct Part {
    pub(in super::super) index: u32,
    pub(in super::super) role: String,
    pub(in super::super) node_id: String,
    pub(in super::super) length: u64,
    #[serde(default)]
    pub(in super::super) checksum: Option<String>,
    pub(in super::super) state: String,
    #[serde(default)]
    pub(in super::super) verified_at: Option<String>,
}

/// An RFC 9457 problem; anything may be missing in what proxies answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Problem {
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) detail: Option<String>,
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) request_id: Option<String>,
    /// Of a sign-in that takes a second step.
    #[serde(default)]
    pub(super) challenge: Option<Secret>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_newer_servers_are_read() {
        let text = r#"{"id":"ent_0197f3c6b1d07c3a9d2e5f60718293a4","space_id":"spc_0197f3c6b1d07c3a9d2e5f60718293a4",
            "parent_id":null,"name":"","kind":"folder","revision":1,"created_at":"x","modified_at":"y","news":[]}"#;
        let entry: Entry = serde_json::from_str(text).unwrap();
        assert!(entry.is_folder() && entry.bytes() == 0 && entry.hash().is_none());
    }

    #[test]
    fn uploads_are_found_behind_any_proxy() {
        let id = "upl_0197f3c6b1d07c3a9d2e5f60718293a4";
        for location in [format!("/api/v1/uploads/{id}"), format!("http://inner:9/x/uploads/{id}/"), id.to_owned()] {
            assert_eq!(upload_of(&location).unwrap().to_string(), id);
        }
        assert!(upload_of("/api/v1/uploads/ent_0197f3c6b1d07c3a9d2e5f60718293a4").is_none());
    }
}
