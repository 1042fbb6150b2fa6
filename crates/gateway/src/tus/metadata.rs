//! `Upload-Metadata`: keys with values in Base64.

use base::EntryId;
use base64::{Engine, engine::general_purpose::STANDARD};
use drive::OnConflict;
use http::HeaderMap;

use crate::{
    body::declared_type,
    error::Problem,
    extract::{parse_conflict, parse_id},
};

/// Bytes of the header at most; it is kept with the upload.
const METADATA_BYTES_MAX: usize = 4 << 10;

/// What the client says of the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// `filename`, or `name`, which some clients send in its place.
    pub(crate) name: Option<String>,
    /// `filetype`, or `type`.
    pub(crate) content_type: Option<String>,
    /// `parent`: the folder's id.
    pub(crate) parent: Option<EntryId>,
    /// `on_conflict`.
    pub(crate) on_conflict: OnConflict,
    /// The header as it came, for `HEAD`.
    pub(crate) text: String,
}

/// Reads the header. Keys that we do not know are kept and otherwise passed over: clients put their own things there.
///
/// # Errors
/// `invalid-request` for what is no such header, `invalid-id` for a parent that is none.
pub(crate) fn read(headers: &HeaderMap) -> Result<Metadata, Problem> {
    let Some(value) = headers.get("upload-metadata") else {
        return Ok(Metadata::default());
    };
    let refuse = |why: &str| Problem::invalid(format!("`Upload-Metadata` cannot be read: {why}."));
    let text = value.to_str().map_err(|_| refuse("it is not plain text"))?.trim();
    if text.len() > METADATA_BYTES_MAX {
        return Err(refuse("it is too long"));
    }
    let mut metadata = Metadata { text: text.to_owned(), ..Metadata::default() };
    let mut seen: Vec<&str> = Vec::new();
    for pair in text.split(',').map(str::trim).filter(|_| !text.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        if key.is_empty() {
            return Err(refuse("a key is empty"));
        }
        if seen.contains(&key) {
            return Err(refuse("a key is there twice"));
        }
        seen.push(key);
        let bytes = STANDARD.decode(value.trim()).map_err(|_| refuse("a value is not Base64"))?;
        let known = matches!(key, "filename" | "name" | "filetype" | "type" | "parent" | "on_conflict");
        if !known {
            continue;
        }
        let value = String::from_utf8(bytes).map_err(|_| refuse("a value is not UTF-8"))?;
        match key {
            "filename" => metadata.name = Some(value),
            "name" if metadata.name.is_none() => metadata.name = Some(value),
            "filetype" => metadata.content_type = declared_type(Some(&value))?,
            "type" if metadata.content_type.is_none() => metadata.content_type = declared_type(Some(&value))?,
            "parent" if !value.is_empty() => metadata.parent = Some(parse_id(&value)?),
            "on_conflict" => metadata.on_conflict = parse_conflict(Some(&value))?,
            _ => {}
        }
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Metadata, Problem> {
        read(&HeaderMap::from_iter([(
            http::HeaderName::from_static("upload-metadata"),
            text.parse().expect("a header value"),
        )]))
    }

    #[test]
    fn reads_what_clients_send() {
        let metadata =
            with("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential").expect("the specification's example");
        assert_eq!(metadata.name.as_deref(), Some("world_domination_plan.pdf"));
        assert!(metadata.text.ends_with("is_confidential"));
        // Uppy sends both.
        let metadata =
            with("name Yg==,filename YQ==,type dGV4dC9wbGFpbg==,filetype dGV4dC9jc3Y=, relativePath bnVsbA==")
                .expect("good");
        assert_eq!((metadata.name.as_deref(), metadata.content_type.as_deref()), (Some("a"), Some("text/csv")));
        assert_eq!(with("on_conflict cmVuYW1l").expect("good").on_conflict, OnConflict::Rename);
        assert_eq!(read(&HeaderMap::new()).expect("nothing is fine"), Metadata::default());
        assert_eq!(with("").expect("empty is fine"), Metadata::default());
    }

    #[test]
    fn refuses_the_rest() {
        for bad in [
            "filename ?",
            "filename YQ==,filename Yg==",
            "filename YQ==,,",
            ", filename YQ==",
            "filename /w==",
            "on_conflict YQ==",
            "parent YQ==",
            "filetype YQ==",
        ] {
            assert!(with(bad).is_err(), "{bad}");
        }
        assert!(with(&format!("filename {}", "QUFB".repeat(4000))).is_err());
    }
}
