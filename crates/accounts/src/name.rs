//! What an account may be called, what others see, and when two names are the same.

use unicode_normalization::UnicodeNormalization;

use crate::Error;

/// Characters of an account name.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=64;

/// Characters of a display name at most.
const DISPLAY_CHARS_MAX: usize = 100;

/// Bytes of any name before it is normalised: four bytes a character, and three characters that compose to one.
const RAW_BYTES_MAX: usize = 64 * 4 * 3;

/// The name that somebody signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountName {
    /// As its owner wrote it, in NFC.
    pub(crate) shown: String,
    /// What is unique.
    pub(crate) key: String,
}

impl AccountName {
    /// Checks a name.
    ///
    /// Two names are the same if they differ only by case, by normal form, or by compatibility forms such as full-width
    /// letters: in the manner of the profile UsernameCaseMapped of RFC 8265, with NFKC in the place of its width mapping.
    ///
    /// # Errors
    /// [`Error::NameInvalid`].
    pub(crate) fn new(text: &str) -> Result<Self, Error> {
        if text.len() > RAW_BYTES_MAX {
            return Err(Error::NameInvalid);
        }
        let shown: String = text.nfc().collect();
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
        if !NAME_CHARS.contains(&shown.chars().count()) || !shown.chars().all(allowed) {
            return Err(Error::NameInvalid);
        }
        let key = fold(&shown);
        Ok(Self { shown, key })
    }
}

/// Checks a name to be shown.
///
/// # Errors
/// [`Error::DisplayNameInvalid`].
pub(crate) fn display_name(text: &str) -> Result<String, Error> {
    if text.len() > DISPLAY_CHARS_MAX * 4 * 3 {
        return Err(Error::DisplayNameInvalid);
    }
    let name: String = text.trim().nfc().collect();
    let count = name.chars().count();
    if count == 0 || count > DISPLAY_CHARS_MAX || name.chars().any(is_unseen) {
        return Err(Error::DisplayNameInvalid);
    }
    Ok(name)
}

/// Bytes of an e-mail address at most (RFC 5321, 4.5.3.1).
const EMAIL_BYTES_MAX: usize = 254;

/// Characters that an address may have only in forms that nobody uses, and that would let one be taken for several.
const EMAIL_NEVER: &[char] = &['<', '>', '(', ')', '[', ']', ',', ';', ':', '"', '\\'];

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmailAddress {
    /// As its owner wrote it, in NFC.
    pub(crate) shown: String,
    /// What is unique: in lower case. Servers may tell case apart before the `@`, and none does.
    pub(crate) key: String,
}

impl EmailAddress {
    /// Checks an address as far as text can be checked: whether it exists, a letter tells.
    ///
    /// # Errors
    /// [`Error::EmailInvalid`].
    pub(crate) fn new(text: &str) -> Result<Self, Error> {
        if text.len() > EMAIL_BYTES_MAX {
            return Err(Error::EmailInvalid);
        }
        let shown: String = text.trim().nfc().collect();
        let allowed = |c: char| !c.is_whitespace() && !is_unseen(c) && !EMAIL_NEVER.contains(&c);
        let (local, domain) = shown.split_once('@').ok_or(Error::EmailInvalid)?;
        let labels = || domain.split('.');
        let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
        let good = (1..=64).contains(&local.len())
            && local.split('.').all(|part| !part.is_empty())
            && local.chars().all(allowed)
            && labels().all(label);
        if !good {
            return Err(Error::EmailInvalid);
        }
        let key = shown.chars().flat_map(char::to_lowercase).collect();
        Ok(Self { shown, key })
    }
}

/// The words by whose beginnings somebody with these names is found: the names themselves, and the words in them.
pub(crate) fn words(names: &[&str]) -> Vec<String> {
    let folded: Vec<String> = names.iter().map(|name| fold(name)).collect();
    let inner = folded.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
    let mut words: Vec<String> =
        folded.iter().map(String::as_str).chain(inner).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Text as it is looked for: case and compatibility forms do not matter.
pub(crate) fn fold(text: &str) -> String {
    // Character by character, because `str::to_lowercase` looks at neighbours for the Greek final sigma, whose two lower-case
    // forms are one letter here.
    text.trim().nfkc().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).nfkc().collect()
}

/// What a client calls itself, made fit for a list: it is shown, never compared.
pub(crate) fn client(text: &str) -> String {
    let seen: String = text.chars().filter(|&c| !is_unseen(c)).take(DISPLAY_CHARS_MAX).collect();
    seen.trim().to_owned()
}

/// Controls, separators of lines, and the overrides of writing direction that make a name read as another.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_have() {
        for good in ["ada", "Ada.Lovelace", "a_b-c@example.org", "Андрей", "ÅSA", "李雷", "x1", &"y".repeat(64)]
        {
            let name = AccountName::new(good).expect(good);
            assert_eq!(name.shown, good);
        }
        let long = "y".repeat(65);
        let huge = "e\u{301}".repeat(10_000);
        for bad in ["", "a", "a b", "a/b", "a\0b", "ada!", "a\u{202e}b", " ada", "ada\n", &long, &huge] {
            assert!(AccountName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_same_name_in_other_clothes() {
        let same = |a: &str, b: &str| {
            assert_eq!(AccountName::new(a).expect(a).key, AccountName::new(b).expect(b).key, "{a} {b}");
        };
        same("Ada", "aDA");
        same("\u{e9}va", "e\u{301}VA");
        same("ＡＤＭＩＮ", "admin");
        same("ΟΔΟΣ", "οδοσ");
        same("οδος", "οδοσ");
        same("ﬁn", "FIN");
        assert_ne!(AccountName::new("ada").expect("ada").key, AccountName::new("adä").expect("adä").key);
    }

    #[test]
    fn addresses_that_people_have() {
        for good in ["ada@example.org", "A.d-a+x@mail.example.co.uk", "root@localhost", "почта@пример.рф", "o'b@x.io"]
        {
            assert_eq!(EmailAddress::new(&format!(" {good} ")).expect(good).shown, good);
        }
        assert_eq!(EmailAddress::new("Ada@Example.ORG").expect("an address").key, "ada@example.org");
        let (long, huge) = (format!("{}@x.org", "a".repeat(65)), format!("a@{}.org", "x".repeat(300)));
        let odd =
            ["", "ada", "@x.org", "ada@", "a@b@c.org", "a b@x.org", "ada@x..org", "ada@.org", ".a@x.org", "a..b@x.org"];
        let sly = [
            "a@x.org\r\nBcc: b@x.org",
            "a,b@x.org",
            "Ada <a@x.org>",
            "a@x.org, b@x.org",
            "a\u{202e}@x.org",
            "a@[1.2.3.4]",
        ];
        for bad in odd.into_iter().chain(sly).chain([long.as_str(), huge.as_str()]) {
            assert!(EmailAddress::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn display_names_and_clients() {
        assert_eq!(display_name("  Ada Lovelace ").expect("a name"), "Ada Lovelace");
        for bad in ["", "   ", "a\nb", "a\u{202e}b", &"x".repeat(101)] {
            assert!(display_name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(client(" curl\r\n8 \u{202e}"), "curl8");
        assert_eq!(client(&"x".repeat(1000)).len(), 100);
    }
}
