//! The calls of the API that commands are made of.

use base::{EntryId, Name, UploadId};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, Response, header};
use serde_json::json;

use super::{Activity, Api, Entry, Page, Upload, types::upload_of};
use crate::client::{backoff::Patience, failure::Failure, path::RemotePath};

/// What the server is to do when the name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum OnConflict {
    Fail,
    Replace,
    Rename,
}

impl OnConflict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Replace => "replace",
            Self::Rename => "rename",
        }
    }
}

/// A place for something new: a name in a folder.
#[derive(Debug, Clone)]
pub(in super::super) struct Child {
    pub(in super::super) parent: EntryId,
    pub(in super::super) name: Name,
}

/// Entries on one page: as many as the server gives.
const PAGE_LIMIT: &str = "1000";

impl Api {
    /// The entry at a path, if there is one.
    pub(in super::super) async fn find(&self, path: &RemotePath) -> Result<Option<Entry>, Failure> {
        match self.resolve(path).await {
            Ok(entry) => Ok(Some(entry)),
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The entry at a path.
    pub(in super::super) async fn resolve(&self, path: &RemotePath) -> Result<Entry, Failure> {
        let at = format!("/spaces/{}/entry", self.space()?);
        self.get(Patience::Brief, &at, &[("path", path.query())]).await.map_err(|failure| failure.about(path))
    }

    pub(in super::super) async fn entry(&self, id: EntryId) -> Result<Entry, Failure> {
        self.get(Patience::Long, &format!("/entries/{id}"), &[(); 0]).await
    }

    /// A page of what is in a folder, in the order of names.
    pub(in super::super) async fn children(
        &self,
        patience: Patience,
        folder: EntryId,
        cursor: Option<&str>,
    ) -> Result<Page<Entry>, Failure> {
        let mut query = vec![("limit", PAGE_LIMIT)];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.get(patience, &format!("/folders/{folder}/children"), &query).await
    }

    pub(in super::super) async fn create_folder(&self, patience: Patience, place: &Child) -> Result<Entry, Failure> {
        let body = json!({ "name": place.name, "parent_id": place.parent });
        self.read(self.send(patience, Method::POST, "/folders", &body).await?).await
    }

    /// Copies an entry to a place in the same space. No byte is moved.
    pub(in super::super) async fn copy(
        &self,
        entry: EntryId,
        place: &Child,
        on_conflict: OnConflict,
    ) -> Result<Entry, Failure> {
        let body = json!({ "name": place.name, "parent_id": place.parent, "on_conflict": on_conflict.as_str() });
        self.read(self.send(Patience::Long, Method::POST, &format!("/entries/{entry}/copy"), &body).await?).await
    }

    /// Makes a file of a body. `body` runs once for each attempt.
    pub(in super::super) async fn put(
        &self,
        patience: Patience,
        place: &Child,
        put: &Put<'_>,
        body: impl Fn() -> reqwest::Body + Send + Sync,
    ) -> Result<Entry, Failure> {
        let mut query = vec![
            ("name", place.name.as_str().to_owned()),
            ("parent", place.parent.to_string()),
            ("on_conflict", put.on_conflict.as_str().to_owned()),
        ];
        query.extend(put.hash.map(|hash| ("blake3", hash.to_hex().to_string())));
        let make = || {
            let request = self.request(Method::POST, "/files").query(&query);
            request.header(header::CONTENT_LENGTH, put.length).body(body())
        };
        self.read(self.call(patience, put.activity, make).await?).await
    }

    /// Begins a resumable upload.
    pub(in super::super) async fn create_upload(
        &self,
        place: &Child,
        length: u64,
        on_conflict: OnConflict,
    ) -> Result<UploadId, Failure> {
        let pairs = [
            ("filename", place.name.as_str().to_owned()),
            ("parent", place.parent.to_string()),
            ("on_conflict", on_conflict.as_str().to_owned()),
        ];
        let metadata = pairs.map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).join(",");
        let make = || {
            let request = self.request(Method::POST, "/uploads").header("tus-resumable", "1.0.0");
            request
                .header("upload-length", length)
                .header("upload-metadata", &metadata)
                .header(header::CONTENT_LENGTH, 0)
        };
        let response = self.call(Patience::Long, &Activity::default(), make).await?;
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        location
            .and_then(upload_of)
            .ok_or_else(|| Failure::Failed(format!("{} began an upload without saying where", self.server())))
    }

    /// How far an upload is.
    pub(in super::super) async fn upload(&self, id: UploadId) -> Result<Upload, Failure> {
        self.get(Patience::Long, &format!("/uploads/{id}"), &[(); 0]).await
    }

    /// Sends the bytes of an upload from `offset` on, once.
    ///
    /// Gives the file that it became, if these were the last ones.
    pub(in super::super) async fn append(
        &self,
        id: UploadId,
        offset: u64,
        length: u64,
        activity: &Activity,
        body: impl Fn() -> reqwest::Body + Send + Sync,
    ) -> Result<Option<EntryId>, Failure> {
        let path = format!("/uploads/{id}");
        let make = || {
            let request = self.request(Method::PATCH, &path).header("tus-resumable", "1.0.0");
            let request = request.header("upload-offset", offset).header(header::CONTENT_LENGTH, length);
            request.header(header::CONTENT_TYPE, "application/offset+octet-stream").body(body())
        };
        let response = self.call(Patience::None, activity, make).await?;
        let entry = response.headers().get("holdfast-entry").and_then(|value| value.to_str().ok());
        Ok(entry.and_then(|text| text.parse().ok()))
    }

    /// Gives an upload up. Where that fails, the server's clean-up does it in its time.
    pub(in super::super) async fn abandon(&self, id: UploadId) {
        let path = format!("/uploads/{id}");
        let make = || self.request(Method::DELETE, &path).header("tus-resumable", "1.0.0");
        let _ = self.call(Patience::None, &Activity::default(), make).await;
    }

    /// The bytes of a file from `offset` on, if it still is the version of this entity tag; else the whole file.
    pub(in super::super) async fn bytes(&self, file: EntryId, offset: u64, etag: &str) -> Result<Response, Failure> {
        let path = format!("/files/{file}");
        let make = || {
            let request = self.request(Method::GET, &path);
            if offset == 0 {
                return request;
            }
            request.header(header::RANGE, format!("bytes={offset}-")).header(header::IF_RANGE, etag)
        };
        self.call(Patience::None, &Activity::default(), make).await
    }
}

/// What a body that becomes a file is sent with.
#[derive(Debug)]
pub(in super::super) struct Put<'a> {
    pub(in super::super) length: u64,
    /// Lets the server refuse bytes that were damaged on the way.
    pub(in super::super) hash: Option<blake3::Hash>,
    pub(in super::super) on_conflict: OnConflict,
    pub(in super::super) activity: &'a Activity,
}
