//! Pages of lists, and the cursors between them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Problem;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// In the order of the list.
    pub(crate) items: Vec<T>,
    /// What to give as `cursor` for the next page; `null` on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// Where a list went on: opaque to clients, so that what is in it may change.
pub(crate) fn cursor(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(position)
}

/// The position in a cursor.
///
/// # Errors
/// `invalid-request` for text that was never a cursor.
pub(crate) fn position(cursor: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Problem::invalid("`cursor` is not one of ours."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip() {
        for text in ["", "a", "日本語 & x=y"] {
            assert_eq!(position(&cursor(text)).expect("one of ours"), text);
        }
        for bad in ["=", "a", "//8", "gICA"] {
            assert!(position(bad).is_err(), "{bad}");
        }
    }
}
