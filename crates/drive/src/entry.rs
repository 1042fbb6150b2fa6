//! Entries as callers see them, and the conditions under which one is changed.

use std::collections::BTreeMap;

use base::{EntryId, Name, SpaceId, TagId, Time, VersionId};
use db::{
    totals,
    tree::{self, EntryRow},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap};

use crate::{Error, Extras, Property};

/// A folder or file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which one.
    pub id: EntryId,
    /// The space it is in.
    pub space: SpaceId,
    /// The folder it is in; none for a root.
    pub parent: Option<EntryId>,
    /// Its name; empty for a root.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Raised by each change.
    pub revision: u64,
    /// When it was made.
    pub created: Time,
    /// When its bytes changed last; for a folder, when it was made.
    pub modified: Time,
    /// Whether it is in the trash, or in a folder that is. Only looks at single entries and folders say so.
    pub trashed: bool,
    /// What people say of it.
    pub extras: Extras,
    /// What is below it, if it is a folder that was looked at. Nothing that keeps in step with changes has this: it is
    /// another one after each change of anything below, which is none of the folder itself.
    pub total: Option<Total>,
}

/// What is below a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Total {
    /// Bytes of the current versions of files.
    pub bytes: u64,
    /// Files.
    pub files: u64,
    /// Folders.
    pub folders: u64,
}

impl From<totals::Total> for Total {
    fn from(row: totals::Total) -> Self {
        let counted = |number: i64| number.max(0).cast_unsigned();
        Self { bytes: counted(row.bytes), files: counted(row.files), folders: counted(row.folders) }
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Holds other entries.
    Folder,
    /// Holds bytes.
    File(FileInfo),
}

/// The current version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// Its bytes.
    pub size: u64,
    /// Their media type.
    pub content_type: String,
    /// Their BLAKE3; none until it is known, after a concatenated upload.
    pub blake3: Option<[u8; 32]>,
    /// Which version.
    pub version: VersionId,
}

impl Entry {
    /// The entity tag, with its quotes: of a file its version, of a folder its revision.
    pub fn etag(&self) -> String {
        match &self.kind {
            Kind::File(info) => format!("\"{}\"", info.version.0.as_simple()),
            Kind::Folder => format!("\"{}\"", self.revision),
        }
    }

    /// What is known of its bytes, if it is a file.
    pub fn file(&self) -> Option<&FileInfo> {
        match &self.kind {
            Kind::File(info) => Some(info),
            Kind::Folder => None,
        }
    }
}

impl TryFrom<&EntryRow> for Entry {
    type Error = Error;

    fn try_from(row: &EntryRow) -> Result<Self, Error> {
        let kind = match row.kind {
            tree::FOLDER => Kind::Folder,
            tree::FILE => Kind::File(FileInfo {
                size: row.size,
                content_type: row.content_type.clone().ok_or(Error::Shape("a file without a media type"))?,
                blake3: row.blake3,
                version: row.version.ok_or(Error::Shape("a file without a version"))?,
            }),
            _ => return Err(Error::Shape("neither folder nor file")),
        };
        Ok(Self {
            id: row.id,
            space: row.space,
            parent: row.parent,
            name: row.name.clone(),
            kind,
            revision: row.revision,
            created: row.created,
            modified: row.modified,
            trashed: false,
            extras: Extras::read(row.extras.as_deref())?,
            total: None,
        })
    }
}

/// The JSON form of the API, which is also what the journal keeps.
impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("space_id", &self.space)?;
        map.serialize_entry("parent_id", &self.parent)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("kind", if self.file().is_some() { "file" } else { "folder" })?;
        map.serialize_entry("revision", &self.revision)?;
        map.serialize_entry("created_at", &self.created)?;
        map.serialize_entry("modified_at", &self.modified)?;
        if let Kind::File(info) = &self.kind {
            map.serialize_entry("size", &info.size)?;
            map.serialize_entry("content_type", &info.content_type)?;
            map.serialize_entry(
                "blake3",
                &info.blake3.map(|hash| blake3::Hash::from_bytes(hash).to_hex().to_string()),
            )?;
            map.serialize_entry("version_id", &info.version)?;
            map.serialize_entry("etag", &self.etag())?;
        }
        if self.trashed {
            map.serialize_entry("trashed", &true)?;
        }
        if let Some(description) = &self.extras.description {
            map.serialize_entry("description", description)?;
        }
        if !self.extras.tags.is_empty() {
            map.serialize_entry("tags", &self.extras.tags)?;
        }
        if !self.extras.properties.is_empty() {
            map.serialize_entry("properties", &self.extras.properties)?;
        }
        if let Some(total) = &self.total {
            map.serialize_entry("total", total)?;
        }
        map.end()
    }
}

/// From the same form: what an entry was stands in the journal.
impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Form {
            id: EntryId,
            space_id: SpaceId,
            parent_id: Option<EntryId>,
            name: String,
            kind: String,
            revision: u64,
            created_at: String,
            modified_at: String,
            size: Option<u64>,
            content_type: Option<String>,
            blake3: Option<String>,
            version_id: Option<VersionId>,
            #[serde(default)]
            trashed: bool,
            description: Option<String>,
            #[serde(default)]
            tags: Vec<TagId>,
            #[serde(default)]
            properties: BTreeMap<String, Property>,
            total: Option<Total>,
        }
        let form = Form::deserialize(deserializer)?;
        let time = |text: &str| text.parse::<Time>().map_err(|_| D::Error::custom("a time"));
        let hash = |hex: &String| blake3::Hash::from_hex(hex).map(Into::into).map_err(|_| D::Error::custom("a hash"));
        let kind = match form.kind.as_str() {
            "folder" => Kind::Folder,
            "file" => Kind::File(FileInfo {
                size: form.size.ok_or_else(|| D::Error::missing_field("size"))?,
                content_type: form.content_type.ok_or_else(|| D::Error::missing_field("content_type"))?,
                blake3: form.blake3.as_ref().map(hash).transpose()?,
                version: form.version_id.ok_or_else(|| D::Error::missing_field("version_id"))?,
            }),
            _ => return Err(D::Error::custom("neither folder nor file")),
        };
        Ok(Self {
            id: form.id,
            space: form.space_id,
            parent: form.parent_id,
            name: form.name,
            kind,
            revision: form.revision,
            created: time(&form.created_at)?,
            modified: time(&form.modified_at)?,
            trashed: form.trashed,
            extras: Extras { description: form.description, tags: form.tags, properties: form.properties },
            total: form.total,
        })
    }
}

/// What to do when the name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Refuse with [`Error::NameTaken`].
    #[default]
    Fail,
    /// Make the bytes a new version of the file that has the name. A folder is never replaced.
    Replace,
    /// Take a free name like it: `x (2).txt`.
    Rename,
}

impl OnConflict {
    /// As it stands in requests and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Replace => "replace",
            Self::Rename => "rename",
        }
    }

    /// Reads the form of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Fail, Self::Replace, Self::Rename].into_iter().find(|choice| choice.as_str() == text)
    }
}

/// The states that an entry may be in for a change to happen: the caller's `If-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Any state, as long as the entry exists.
    Any,
    /// One of these entity tags, with or without their quotes.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Whether the entry is in such a state. A file may be named by its revision too, since a rename does not change
    /// its version.
    ///
    /// # Errors
    /// [`Error::Precondition`].
    pub fn check(condition: Option<&Self>, entry: &Entry) -> Result<(), Error> {
        match condition {
            None | Some(Self::Any) => Ok(()),
            Some(Self::OneOf(tags)) => {
                let (etag, revision) = (entry.etag(), entry.revision.to_string());
                let holds = tags
                    .iter()
                    .map(|tag| tag.trim_matches('"'))
                    .any(|tag| tag == etag.trim_matches('"') || tag == revision);
                if holds { Ok(()) } else { Err(Error::Precondition) }
            }
        }
    }
}

/// The name to try as number `n` of those like `name`: the number goes before the extension, and the stem is shortened
/// where the whole would be too long.
pub(crate) fn numbered(name: &Name, n: u64, kind: NameOf) -> Result<Name, Error> {
    let text = name.as_str();
    let (stem, extension) = match text.rfind('.') {
        Some(at) if at > 0 && kind == NameOf::File => text.split_at(at),
        _ => (text, ""),
    };
    let suffix = format!(" ({n}){extension}");
    let mut room = base::limits::NAME_BYTES_MAX.saturating_sub(suffix.len()).min(stem.len());
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    // An extension that fills the whole name leaves no room for a stem; then the number goes to the end instead.
    if room == 0 && kind == NameOf::File {
        return numbered(name, n, NameOf::Folder);
    }
    Ok(Name::new(&format!("{}{suffix}", &stem[..room]))?)
}

/// Whether `found` is `name`, or `name` with a number as [`numbered`] makes it.
pub(crate) fn numbered_like(name: &Name, found: &str) -> bool {
    let number = |kind| {
        let at = found.rfind(" (")? + 2;
        let n: u64 = found[at..at + found[at..].find(')')?].parse().ok()?;
        numbered(name, n, kind).ok().filter(|numbered| numbered.as_str() == found)
    };
    found == name.as_str() || number(NameOf::File).or_else(|| number(NameOf::Folder)).is_some()
}

/// Whether a name has an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameOf {
    File,
    Folder,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_names_are_names() {
        let check = |name: &str, kind, expected: &str| {
            let name = Name::new(name).expect("a good name");
            assert_eq!(numbered(&name, 2, kind).expect("a good name").as_str(), expected);
        };
        check("x.txt", NameOf::File, "x (2).txt");
        check("x", NameOf::File, "x (2)");
        check(".bashrc", NameOf::File, ".bashrc (2)");
        check("a.tar.gz", NameOf::File, "a.tar (2).gz");
        check("v1.2", NameOf::Folder, "v1.2 (2)");
        check(&"я".repeat(127), NameOf::File, &format!("{} (2)", "я".repeat(125)));
        check(&format!("{}.txt", "x".repeat(251)), NameOf::File, &format!("{} (2).txt", "x".repeat(247)));
        check(&format!("x.{}", "y".repeat(253)), NameOf::File, &format!("x.{} (2)", "y".repeat(249)));
    }

    #[test]
    fn numbered_names_are_known_again() {
        let check = |name: &str, found: &str| numbered_like(&Name::new(name).expect("a good name"), found);
        assert!(check("x.txt", "x.txt") && check("x.txt", "x (2).txt") && check("x", "x (41)"));
        assert!(check(&"я".repeat(127), &format!("{} (2)", "я".repeat(125))));
        for other in ["y (2).txt", "x (2) (3).txt", "x (b).txt", "x ().txt", "x (02).txt", " (", "(", ""] {
            assert!(!check("x.txt", other), "{other}");
        }
    }

    #[test]
    fn entries_are_read_back() {
        let id = EntryId::from_bytes([1; 16]);
        let folder = Entry {
            id,
            space: SpaceId::from_bytes([2; 16]),
            parent: Some(EntryId::from_bytes([3; 16])),
            name: "ä".into(),
            kind: Kind::Folder,
            revision: 7,
            created: Time::from_micros(1_700_000_000_123_456),
            modified: Time::from_micros(1_700_000_000_000_001),
            trashed: false,
            extras: Extras {
                description: Some("x".into()),
                tags: vec![TagId::from_bytes([5; 16])],
                properties: BTreeMap::from([("p".into(), Property::Boolean(true))]),
            },
            total: Some(Total { bytes: 1, files: 2, folders: 3 }),
        };
        let info = FileInfo {
            size: 5,
            content_type: "text/plain".into(),
            blake3: Some([9; 32]),
            version: VersionId::from_bytes([4; 16]),
        };
        let unhashed = Kind::File(FileInfo { blake3: None, ..info.clone() });
        for kind in [Kind::Folder, Kind::File(info), unhashed] {
            let entry = Entry { kind, ..folder.clone() };
            let json = serde_json::to_string(&entry).expect("JSON");
            assert_eq!(serde_json::from_str::<Entry>(&json).expect("the same"), entry, "{json}");
        }
    }

    #[test]
    fn tags_match_with_and_without_quotes() {
        let folder = Entry {
            id: EntryId::from_bytes([1; 16]),
            space: SpaceId::from_bytes([2; 16]),
            parent: None,
            name: String::new(),
            kind: Kind::Folder,
            revision: 7,
            created: Time::default(),
            modified: Time::default(),
            trashed: false,
            extras: Extras::default(),
            total: None,
        };
        let holds = |tags: &[&str]| {
            let condition = IfMatch::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect());
            IfMatch::check(Some(&condition), &folder).is_ok()
        };
        assert!(holds(&["\"7\""]) && holds(&["6", "7"]));
        assert!(!holds(&[]) && !holds(&["\"8\""]));
        assert!(IfMatch::check(None, &folder).is_ok() && IfMatch::check(Some(&IfMatch::Any), &folder).is_ok());
    }
}
