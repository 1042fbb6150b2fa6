//! How far a reader has come.

use std::{fmt, str::FromStr};

/// A place in the journal of a space: after the change of this number, in this epoch.
///
/// Its text form is `epoch.sequence` in decimal, the same for the same cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Of the space when the cursor was given. It changes when the numbers cannot be continued, for example when a
    /// space was restored from a backup.
    pub epoch: u64,
    /// The last change that the reader has; 0 for none.
    pub sequence: u64,
}

/// The text is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is two numbers with a dot between them, as an earlier answer gave it")]
pub struct ParseCursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let (epoch, sequence) = text.split_once('.').ok_or(ParseCursorError)?;
        Ok(Self { epoch: number(epoch)?, sequence: number(sequence)? })
    }
}

/// A number as `Display` prints it: no sign, no leading zero. It must also fit what databases count with.
fn number(text: &str) -> Result<u64, ParseCursorError> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|&value| canonical && i64::try_from(value).is_ok()).ok_or(ParseCursorError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_round_trips(epoch in 0u64..=i64::MAX as u64, sequence in 0u64..=i64::MAX as u64) {
            let cursor = Cursor { epoch, sequence };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn any_text_is_refused_or_canonical(text in "[0-9.+ -]{0,24}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }

    #[test]
    fn refuses_other_text() {
        for bad in ["", ".", "1", "1.", ".1", "1.2.3", "+1.2", "01.2", "1.-2", "1.9223372036854775808", "a.b", "1 .2"] {
            assert_eq!(bad.parse::<Cursor>(), Err(ParseCursorError), "{bad}");
        }
    }
}
