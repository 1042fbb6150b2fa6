//! What people say of an entry beside its name: a description, tags, and properties with a type.

use std::collections::BTreeMap;

use base::{TagId, Time};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Bytes of a description.
pub(crate) const DESCRIPTION_BYTES_MAX: usize = 4096;

/// Properties that an entry can have.
pub(crate) const PROPERTIES_MAX: usize = 50;

/// Bytes of a property's name.
pub(crate) const PROPERTY_NAME_BYTES_MAX: usize = 100;

/// Bytes of all properties of an entry, names and texts together: each change of the entry writes all of them down.
pub(crate) const PROPERTIES_BYTES_MAX: usize = 8192;

/// Bytes of a property that is text.
pub(crate) const PROPERTY_TEXT_BYTES_MAX: usize = 1024;

/// What is said of an entry. The JSON form is part of that of the entry, and stands in the database as it is here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Extras {
    /// In the words of whoever wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags of the space, those that were put on first before others. A tag that was deleted since may be among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<TagId>,
    /// By their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Property>,
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "lowercase")]
pub enum Property {
    /// Text.
    Text(String),
    /// A number.
    Number(serde_json::Number),
    /// A day: `2026-11-21`.
    Date(String),
    /// True or false.
    Boolean(bool),
}

/// What is to be said of an entry from now on. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Its description, or that it has none.
    pub description: Option<Option<String>>,
    /// Properties to set, or to remove.
    pub properties: BTreeMap<String, Option<Property>>,
}

impl Extras {
    /// As the database keeps it: nothing where nothing is said.
    ///
    /// # Errors
    /// [`Error::Shape`], which cannot happen: all of this is JSON.
    pub(crate) fn stored(&self) -> Result<Option<String>, Error> {
        if *self == Self::default() {
            return Ok(None);
        }
        serde_json::to_string(self).map(Some).map_err(|_| Error::Shape("extras that are no JSON"))
    }

    /// Reads what the database keeps.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub(crate) fn read(stored: Option<&str>) -> Result<Self, Error> {
        match stored {
            None => Ok(Self::default()),
            Some(text) => serde_json::from_str(text).map_err(|_| Error::Shape("the extras of an entry")),
        }
    }

    /// These with the changes made.
    ///
    /// # Errors
    /// [`Error::Details`].
    pub(crate) fn with(&self, details: Details) -> Result<Self, Error> {
        let mut new = self.clone();
        if let Some(description) = details.description {
            new.description = description.filter(|text| !text.is_empty());
        }
        for (name, value) in details.properties {
            match value {
                Some(value) => new.properties.insert(name, value),
                None => new.properties.remove(&name),
            };
        }
        new.check()?;
        Ok(new)
    }

    fn check(&self) -> Result<(), Error> {
        if self.description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_BYTES_MAX) {
            return Err(Error::Details("a description has at most 4096 bytes"));
        }
        if self.properties.len() > PROPERTIES_MAX {
            return Err(Error::Details("an entry has at most 50 properties"));
        }
        let bytes = |(name, value): (&String, &Property)| match value {
            Property::Text(text) | Property::Date(text) => name.len() + text.len(),
            Property::Number(_) | Property::Boolean(_) => name.len(),
        };
        if self.properties.iter().map(bytes).sum::<usize>() > PROPERTIES_BYTES_MAX {
            return Err(Error::Details("the properties of an entry have at most 8192 bytes together"));
        }
        for (name, value) in &self.properties {
            let named = !name.trim().is_empty() && name.len() <= PROPERTY_NAME_BYTES_MAX;
            if !named || name.chars().any(char::is_control) {
                return Err(Error::Details("the name of a property has 1 to 100 bytes and no control characters"));
            }
            match value {
                Property::Text(text) if text.len() > PROPERTY_TEXT_BYTES_MAX => {
                    return Err(Error::Details("a property that is text has at most 1024 bytes"));
                }
                Property::Date(day) if !is_day(day) => {
                    return Err(Error::Details("a property that is a date is a day like 2026-11-21"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether the text is a day of the calendar, as RFC 3339 writes it.
fn is_day(text: &str) -> bool {
    text.len() == 10 && format!("{text}T00:00:00Z").parse::<Time>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: Option<Property>) -> Details {
        Details { properties: BTreeMap::from([(name.to_owned(), value)]), ..Details::default() }
    }

    /// It stands in databases.
    #[test]
    fn the_stored_form_is_a_contract() {
        let tag = TagId::from_bytes([1; 16]);
        let extras = Extras {
            description: Some("a".into()),
            tags: vec![tag],
            properties: BTreeMap::from([
                ("b".into(), Property::Boolean(true)),
                ("d".into(), Property::Date("2026-02-28".into())),
                ("n".into(), Property::Number(3.into())),
                ("t".into(), Property::Text("x".into())),
            ]),
        };
        let stored = format!(
            r#"{{"description":"a","tags":["{tag}"],"properties":{{"b":{{"type":"boolean","value":true}},"d":{{"type":"date","value":"2026-02-28"}},"n":{{"type":"number","value":3}},"t":{{"type":"text","value":"x"}}}}}}"#
        );
        assert_eq!(extras.stored().expect("JSON"), Some(stored.clone()));
        assert_eq!(Extras::read(Some(&stored)).expect("the same"), extras);
        assert_eq!(
            (Extras::default().stored().expect("JSON"), Extras::read(None).expect("none")),
            (None, Extras::default())
        );
    }

    #[test]
    fn bounds_are_kept() {
        let none = Extras::default();
        let text = |length: usize| Property::Text("x".repeat(length));
        assert!(none.with(set("a", Some(text(PROPERTY_TEXT_BYTES_MAX)))).is_ok());
        assert!(none.with(set("a", Some(text(PROPERTY_TEXT_BYTES_MAX + 1)))).is_err());
        for name in ["", " ", "a\n", &"x".repeat(PROPERTY_NAME_BYTES_MAX + 1)] {
            assert!(none.with(set(name, Some(text(1)))).is_err(), "{name:?}");
        }
        for (day, good) in
            [("2024-02-29", true), ("2026-02-29", false), ("2026-1-1", false), ("2026-13-01", false), ("", false)]
        {
            assert_eq!(none.with(set("a", Some(Property::Date(day.into())))).is_ok(), good, "{day}");
        }
        let full = (0..PROPERTIES_MAX)
            .fold(none.clone(), |extras, n| extras.with(set(&n.to_string(), Some(text(1)))).expect("room for it"));
        assert!(full.with(set("one more", Some(text(1)))).is_err());
        let fewer = full.with(set("0", None)).expect("removed");
        assert!(fewer.with(set("one more", Some(text(1)))).is_ok());
        let long =
            (0..8).fold(none.clone(), |extras, n| extras.with(set(&n.to_string(), Some(text(1000)))).expect("room"));
        assert!(long.with(set("8", Some(text(1000)))).is_err());
        let described = |length: usize| Details { description: Some(Some("x".repeat(length))), ..Details::default() };
        assert!(
            none.with(described(DESCRIPTION_BYTES_MAX)).is_ok()
                && none.with(described(DESCRIPTION_BYTES_MAX + 1)).is_err()
        );
        assert_eq!(none.with(described(0)).expect("none"), none);
    }
}
