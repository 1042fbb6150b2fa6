//! What takes a change back, as it stands in the journal.

use std::collections::BTreeMap;

use accounts::Role;
use base::{EntryId, GrantId, SpaceId, TagId, Time, VersionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Property, sharing::SubjectForm};

/// The form that this version of the program writes.
const FORM: u32 = 1;

/// What to do with the entry of a change to take the change back. The entry itself stands in the journal's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(crate) enum Inverse {
    /// Put it into the trash.
    Trash,
    /// Take it out of the trash, to where it was.
    Restore {
        /// The folder.
        parent_id: EntryId,
        /// Its name there.
        name: String,
    },
    /// Move it to where it was.
    Move {
        /// The folder.
        parent_id: EntryId,
        /// Its name there.
        name: String,
    },
    /// Move it to where it was, in another space.
    Back {
        /// The space.
        space_id: SpaceId,
        /// The folder.
        parent_id: EntryId,
        /// Its name there.
        name: String,
    },
    /// Make an older version of it the current one again.
    Content {
        /// Which one.
        version_id: VersionId,
    },
    /// Give one of its versions back what was said of it.
    Label {
        /// Which one.
        version_id: VersionId,
        /// Its name.
        name: Option<String>,
        /// Whether it was pinned.
        pinned: bool,
        /// The name that the change gave it: nothing else is taken back.
        made_name: Option<String>,
        /// Whether the change left it pinned.
        made_pinned: bool,
    },
    /// Say of it what was said before.
    Details {
        /// Its description.
        description: Option<String>,
        /// All of its properties.
        properties: BTreeMap<String, Property>,
    },
    /// Give it back the tags that it had.
    Tagged {
        /// Those that were taken off.
        put_on: Vec<TagId>,
        /// Those that were put on.
        take_off: Vec<TagId>,
    },
    /// Make a tag of the space what it was. The entry is the root.
    Tag {
        /// Which one.
        tag_id: TagId,
        /// What it was.
        was: TagState,
        /// What the change made of it: nothing else is taken back.
        made: TagState,
    },
    /// Give somebody back what they were given on it before.
    Grant {
        /// Who.
        subject: SubjectForm,
        /// What they had.
        was: Option<Standing>,
        /// What the change gave them: nothing else is taken back.
        made: Option<Standing>,
        /// The grant that was made, changed or removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant_id: Option<GrantId>,
    },
}

/// All that a change can make of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagState {
    pub(crate) name: String,
    pub(crate) colour: String,
    pub(crate) merged_id: Option<TagId>,
    pub(crate) deleted: bool,
}

/// What somebody was given on an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The role.
    pub(crate) role: Role,
    /// Until when.
    #[serde(with = "time")]
    pub(crate) expires: Option<Time>,
}

/// Times in the text form of the API.
mod time {
    use base::Time;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
        time.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse()).transpose().map_err(|_| D::Error::custom("a time"))
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    #[serde(flatten)]
    what: Inverse,
}

impl Inverse {
    /// As the journal keeps it.
    ///
    /// # Errors
    /// [`Error::Shape`], which cannot happen: ids and text are JSON.
    pub(crate) fn into_json(self) -> Result<Value, Error> {
        serde_json::to_value(Stored { v: FORM, what: self }).map_err(|_| Error::Shape("an inverse that is no JSON"))
    }

    /// Reads what the journal keeps; `None` for a form that this version of the program does not know.
    pub(crate) fn from_json(text: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        (stored.v == FORM).then_some(stored.what)
    }
}

#[cfg(test)]
mod tests {
    use base::AccountId;

    use super::*;

    /// They stand in the journals of old databases.
    #[test]
    fn the_stored_form_is_a_contract() {
        let (entry, version) = (EntryId::from_bytes([1; 16]), VersionId::from_bytes([2; 16]));
        let (e, v) = (entry.to_string(), version.to_string());
        let tag = TagId::from_bytes([3; 16]);
        let state = |merged_id| TagState { name: "a".into(), colour: "red".into(), merged_id, deleted: false };
        for (inverse, stored) in [
            (Inverse::Trash, r#"{"do":"trash","v":1}"#.to_owned()),
            (
                Inverse::Restore { parent_id: entry, name: "a".into() },
                format!(r#"{{"do":"restore","name":"a","parent_id":"{e}","v":1}}"#),
            ),
            (
                Inverse::Move { parent_id: entry, name: "a".into() },
                format!(r#"{{"do":"move","name":"a","parent_id":"{e}","v":1}}"#),
            ),
            (Inverse::Content { version_id: version }, format!(r#"{{"do":"content","v":1,"version_id":"{v}"}}"#)),
            (
                Inverse::Label {
                    version_id: version,
                    name: None,
                    pinned: true,
                    made_name: Some("a".into()),
                    made_pinned: false,
                },
                format!(
                    r#"{{"do":"label","made_name":"a","made_pinned":false,"name":null,"pinned":true,"v":1,"version_id":"{v}"}}"#
                ),
            ),
            (
                Inverse::Grant {
                    subject: SubjectForm::Everyone,
                    was: None,
                    made: Some(Standing { role: Role::Viewer, expires: Some(Time::from_micros(1)) }),
                    grant_id: None,
                },
                r#"{"do":"grant","made":{"expires":"1970-01-01T00:00:00.000001Z","role":"viewer"},"subject":{"kind":"everyone"},"v":1,"was":null}"#.to_owned(),
            ),
            (
                Inverse::Grant {
                    subject: SubjectForm::User(AccountId::from_bytes([3; 16])),
                    was: Some(Standing { role: Role::Manager, expires: None }),
                    made: None,
                    grant_id: Some(GrantId::from_bytes([4; 16])),
                },
                format!(
                    r#"{{"do":"grant","grant_id":"{}","made":null,"subject":{{"id":"{}","kind":"user"}},"v":1,"was":{{"expires":null,"role":"manager"}}}}"#,
                    GrantId::from_bytes([4; 16]),
                    AccountId::from_bytes([3; 16])
                ),
            ),
            (
                Inverse::Back { space_id: SpaceId::from_bytes([5; 16]), parent_id: entry, name: "a".into() },
                format!(
                    r#"{{"do":"back","name":"a","parent_id":"{e}","space_id":"{}","v":1}}"#,
                    SpaceId::from_bytes([5; 16])
                ),
            ),
            (
                Inverse::Details {
                    description: None,
                    properties: BTreeMap::from([("p".into(), Property::Boolean(true))]),
                },
                r#"{"description":null,"do":"details","properties":{"p":{"type":"boolean","value":true}},"v":1}"#
                    .to_owned(),
            ),
            (
                Inverse::Tagged { put_on: vec![tag], take_off: Vec::new() },
                format!(r#"{{"do":"tagged","put_on":["{tag}"],"take_off":[],"v":1}}"#),
            ),
            (
                Inverse::Tag { tag_id: tag, was: state(None), made: state(Some(tag)) },
                format!(
                    r#"{{"do":"tag","made":{{"colour":"red","deleted":false,"merged_id":"{tag}","name":"a"}},"tag_id":"{tag}","v":1,"was":{{"colour":"red","deleted":false,"merged_id":null,"name":"a"}}}}"#
                ),
            ),
        ] {
            let json: Value = serde_json::from_str(&stored).expect("JSON");
            assert_eq!(inverse.clone().into_json().expect("JSON"), json);
            assert_eq!(Inverse::from_json(&stored), Some(inverse));
        }
        assert_eq!(Inverse::from_json(r#"{"do":"trash","v":2}"#), None);
        assert_eq!(Inverse::from_json(r#"{"do":"shred","v":1}"#), None);
        assert_eq!(Inverse::from_json(r#"{"do":"remove"}"#), None);
    }
}
