//! Paths on the command line: `:/docs/x.txt` is remote, everything else is local.

use std::{ffi::OsStr, fmt, path::PathBuf, str::FromStr};

use base::Name;

/// A path in one's own space: names from the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RemotePath {
    names: Vec<Name>,
    /// It was written with a slash or a dot at its end: a folder is meant.
    folder: bool,
    /// It was written with `/.` at its end: what is in the folder is meant, not the folder.
    contents: bool,
}

/// The text is not a remote path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParsePathError {
    #[error("a remote path begins with a colon, as in :/docs/x.txt")]
    Local,
    #[error("`..` does not stand in a remote path")]
    Parent,
    #[error("`{0}` cannot be a name on a server: {1}")]
    Name(String, base::NameError),
}

impl RemotePath {
    pub(super) fn root() -> Self {
        Self { names: Vec::new(), folder: true, contents: false }
    }

    pub(super) fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether it was written in a way that only fits a folder.
    pub(super) fn means_folder(&self) -> bool {
        self.folder
    }

    /// Whether what is in the folder is meant: it ends in `/.`, or it is the root, which has no name to go by.
    pub(super) fn means_contents(&self) -> bool {
        self.contents || self.is_root()
    }

    /// The last name; the root has none.
    pub(super) fn name(&self) -> Option<&Name> {
        self.names.last()
    }

    /// The folder that it is in; the root is in none.
    pub(super) fn parent(&self) -> Option<Self> {
        let (_, names) = self.names.split_last()?;
        Some(Self { names: names.to_vec(), folder: true, contents: false })
    }

    /// What has this name in this folder.
    pub(super) fn join(&self, name: &Name) -> Self {
        let mut names = self.names.clone();
        names.push(name.clone());
        Self { names, folder: false, contents: false }
    }

    /// The path and all folders above it, from the root's child down.
    pub(super) fn ancestry(&self) -> impl Iterator<Item = Self> + '_ {
        (1..=self.names.len()).map(|n| Self { names: self.names[..n].to_vec(), folder: true, contents: false })
    }

    /// As the API takes it: `/docs/x.txt`.
    pub(super) fn query(&self) -> String {
        if self.is_root() {
            return "/".into();
        }
        self.names.iter().flat_map(|name| ["/", name.as_str()]).collect()
    }
}

impl FromStr for RemotePath {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        let text = text.strip_prefix(':').ok_or(ParsePathError::Local)?;
        let last = text.rsplit('/').next().unwrap_or("");
        let mut names = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => return Err(ParsePathError::Parent),
                _ => names.push(Name::new(part).map_err(|why| ParsePathError::Name(part.to_owned(), why))?),
            }
        }
        Ok(Self { names, folder: matches!(last, "" | "."), contents: last == "." })
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":{}", self.query())
    }
}

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// On this machine.
    Local(PathBuf),
    /// On the server.
    Remote(RemotePath),
}

impl Place {
    /// Reads an argument. Whatever does not begin with a colon is local; a local name that does is written `./:name`.
    pub(super) fn parse(text: &OsStr) -> Result<Self, ParsePathError> {
        if !text.as_encoded_bytes().starts_with(b":") {
            return Ok(Self::Local(text.into()));
        }
        text.to_string_lossy().parse().map(Self::Remote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RemotePath {
        text.parse().unwrap()
    }

    #[test]
    fn reads_what_people_type() {
        let check = |text: &str, query: &str, folder: bool, contents: bool| {
            let path = path(text);
            assert_eq!(
                (path.query().as_str(), path.means_folder(), path.means_contents()),
                (query, folder, contents),
                "{text}"
            );
        };
        check(":", "/", true, true);
        check(":/", "/", true, true);
        check(":/docs", "/docs", false, false);
        check(":docs", "/docs", false, false);
        check(":/docs/", "/docs", true, false);
        check(":/docs/.", "/docs", true, true);
        check(":/docs//a b/./x.txt", "/docs/a b/x.txt", false, false);
        check(":/:odd", "/:odd", false, false);
        // Both normal forms are one path.
        assert_eq!(path(":/e\u{301}"), path(":/\u{e9}"));
    }

    #[test]
    fn refuses_what_cannot_be() {
        assert_eq!("docs".parse::<RemotePath>(), Err(ParsePathError::Local));
        assert_eq!(":/a/../b".parse::<RemotePath>(), Err(ParsePathError::Parent));
        for bad in [":/a\nb", ":/a\\b", ":/ a", ":/.holdfast-x"] {
            assert!(matches!(bad.parse::<RemotePath>(), Err(ParsePathError::Name(..))), "{bad}");
        }
    }

    #[test]
    fn families() {
        let x = path(":/a/b/x");
        assert_eq!(x.parent().unwrap().query(), "/a/b");
        assert_eq!(x.ancestry().map(|p| p.query()).collect::<Vec<_>>(), ["/a", "/a/b", "/a/b/x"]);
        assert_eq!(path(":/").parent(), None);
        assert_eq!(RemotePath::root().join(x.name().unwrap()).to_string(), ":/x");
    }

    #[test]
    fn ends_of_a_copy() {
        assert_eq!(Place::parse(OsStr::new("./:x")), Ok(Place::Local("./:x".into())));
        assert_eq!(Place::parse(OsStr::new(":/x")), Ok(Place::Remote(path(":/x"))));
    }
}
