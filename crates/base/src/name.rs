//! What an entry of the tree may be called.

use std::fmt;

use serde::{Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::limits;

/// A name of a folder or file: NFC, 1 to 255 bytes of UTF-8, no separator and no control character.
///
/// Case is kept. Two names that differ only by Unicode normal form are the same name, since both become NFC here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing at all.
    #[error("a name must not be empty")]
    Empty,
    /// Over the limit after normalisation.
    #[error("a name must not be longer than {} bytes of UTF-8", limits::NAME_BYTES_MAX)]
    TooLong,
    /// `.`, `..`, or one that Holdfast keeps for itself.
    #[error("this name is reserved")]
    Reserved,
    /// A character that separates paths, controls a terminal, or cannot be seen.
    #[error("a name must not contain U+{:04X}", *.0 as u32)]
    Character(char),
    /// White space at either end, which people cannot see and some systems drop.
    #[error("a name must not begin or end with white space")]
    Space,
}

impl Name {
    /// Normalises and checks `text`.
    ///
    /// # Errors
    /// A [`NameError`] that says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, NameError> {
        // Bounded before it is normalised: NFC can grow a text threefold, and never shrinks one below a third.
        if text.len() > limits::NAME_BYTES_MAX * 3 {
            return Err(NameError::TooLong);
        }
        let name: String = if is_nfc(text) { text.to_owned() } else { text.nfc().collect() };
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > limits::NAME_BYTES_MAX {
            return Err(NameError::TooLong);
        }
        if let Some(refused) = name.chars().find(|&c| is_refused(c)) {
            return Err(NameError::Character(refused));
        }
        if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
            return Err(NameError::Space);
        }
        if name == "." || name == ".." || name.to_lowercase().starts_with(".holdfast") {
            return Err(NameError::Reserved);
        }
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as text, taken out.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Separators of any system, controls (C0, DEL, C1), line and paragraph separators, and the overrides of writing
/// direction that make `gpj.exe` look like `exe.jpg` (Unicode Technical Report 36, 2.8).
fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_people_write() {
        for good in
            ["a", "Отчёт за год.docx", "c++ notes?.txt", "con", ".bashrc", "a b", "日本語", "👩‍👩‍👧.png", &"x".repeat(255)]
        {
            assert_eq!(Name::new(good).map(Name::into_string).as_deref(), Ok(good));
        }
    }

    #[test]
    fn normal_forms_are_one_name() {
        assert_eq!(Name::new("e\u{301}"), Name::new("\u{e9}"));
        assert_eq!(Name::new("\u{438}\u{306}"), Name::new("\u{439}"));
    }

    #[test]
    fn refuses_with_the_reason() {
        let check = |text: &str, why| assert_eq!(Name::new(text), Err(why), "{text:?}");
        check("", NameError::Empty);
        check(".", NameError::Reserved);
        check("..", NameError::Reserved);
        check(".Holdfast-tmp", NameError::Reserved);
        check("a/b", NameError::Character('/'));
        check("a\\b", NameError::Character('\\'));
        check("a\0b", NameError::Character('\0'));
        check("a\nb", NameError::Character('\n'));
        check("a\u{202e}gpj", NameError::Character('\u{202e}'));
        check(" a", NameError::Space);
        check("a\u{a0}", NameError::Space);
        check(&"x".repeat(256), NameError::TooLong);
        check(&"я".repeat(128), NameError::TooLong);
        check(&"e\u{301}".repeat(1000), NameError::TooLong);
    }
}
