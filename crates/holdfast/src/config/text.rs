//! How values are written where the configuration is shown.

use base::{ByteSize, Secret};
use serde::Serializer;

/// What stands in the place of a secret.
const HIDDEN: &str = "[secret]";

const UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A size with the largest unit that loses nothing.
pub(super) fn exact(size: ByteSize) -> String {
    let (unit, scale) =
        UNITS.into_iter().find(|(_, scale)| size.0 >= *scale && size.0.is_multiple_of(*scale)).unwrap_or(("B", 1));
    format!("{} {unit}", size.0 / scale)
}

pub(super) fn size<S: Serializer>(size: &ByteSize, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&exact(*size))
}

pub(super) fn size_if_any<S: Serializer>(size: &Option<ByteSize>, serializer: S) -> Result<S::Ok, S::Error> {
    match size {
        Some(size) => serializer.serialize_some(&exact(*size)),
        None => serializer.serialize_none(),
    }
}

pub(super) fn hidden<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_some(HIDDEN),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_without_loss() {
        for (bytes, expected) in
            [(0, "0 B"), (1, "1 B"), (4096, "4 KiB"), (4097, "4097 B"), (256 << 20, "256 MiB"), (3 << 40, "3 TiB")]
        {
            let text = exact(ByteSize(bytes));
            assert_eq!(text, expected);
            assert_eq!(text.parse(), Ok(ByteSize(bytes)));
        }
    }
}
