//! What can go wrong in the drive.

use base::{ByteSize, ErrorKind, SpaceId, limits};

use crate::{Done, Shortage};

/// Why the drive did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such entry, folder, space or upload, or it is somebody else's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The entry is in the trash, or in a folder that is.
    #[error("the {0} is in the trash; restore it first")]
    InTrash(&'static str),
    /// The entry is not in the trash.
    #[error("this is not in the trash")]
    NotInTrash,
    /// What comes back from the trash has nowhere to go.
    #[error("the folder that it was in is gone or in the trash itself; name another one")]
    FolderGone,
    /// What happened since stands in the way of an undo or a redo; says what that is.
    #[error("{0}")]
    UndoConflict(String),
    /// The change can never be taken back; says why.
    #[error("{0}")]
    NotUndoable(&'static str),
    /// There is no change that could be taken back.
    #[error("there is nothing to {0}")]
    NothingToUndo(&'static str),
    /// The current version of a file is the file.
    #[error("this is the current version of the file, which cannot be removed by itself")]
    CurrentVersion,
    /// The description or a property cannot be like that; says what it must be.
    #[error("{0}")]
    Details(&'static str),
    /// The text is no name of a tag.
    #[error("the name of a tag has 1 to {} bytes and no control characters", limits::NAME_BYTES_MAX)]
    TagName,
    /// A tag cannot become a part of itself.
    #[error("a tag cannot be merged into itself")]
    SameTag,
    /// A space, or an entry, has as many tags as it may have.
    #[error("there are at most {0} tags")]
    TooManyTags(u64),
    /// A space cannot keep things like that.
    #[error("a space keeps its trash and its versions for up to 36500 days, and 1 to 10000 versions of a file")]
    Keep,
    /// A person has as many favourites as one may have.
    #[error("a person has at most {0} favourites")]
    TooManyFavourites(u64),
    /// The text is no name of a version.
    #[error("the name of a version has 1 to {} bytes and no control characters", limits::NAME_BYTES_MAX)]
    VersionName,
    /// The folder has an entry of that name.
    #[error("the folder has an entry of that name already")]
    NameTaken,
    /// A folder would come to lie inside itself.
    #[error("a folder cannot be put into itself or into a folder below it")]
    IntoItself,
    /// Folders would nest deeper than the limit.
    #[error("folders nest at most {} deep", limits::DEPTH_MAX)]
    TooDeep,
    /// The tree has more entries than one unit of work takes.
    #[error("more than {0} entries cannot be taken in one step")]
    TooManyEntries(usize),
    /// The root of a space stays where it is.
    #[error("the root folder of a space cannot be renamed, moved, copied, removed or linked to")]
    RootEntry,
    /// The entry is a file where a folder is needed.
    #[error("this is not a folder")]
    NotAFolder,
    /// The entry is a folder where a file is needed.
    #[error("this is not a file")]
    NotAFile,
    /// What was asked for is done within one space only.
    #[error("this cannot be done with a folder of another space")]
    OtherSpace,
    /// A role cannot be given like that.
    #[error("{0}")]
    GrantInvalid(&'static str),
    /// There is nobody of this id to give a role to.
    #[error("there is no such {0} to share with")]
    SubjectUnknown(&'static str),
    /// So many were given a role on the entry already.
    #[error("an entry is shared with at most {0} people and groups; make a group of them")]
    TooManyGrants(u64),
    /// A team's space always has a manager.
    #[error("this is the last manager of the space; make somebody else one first")]
    LastManager,
    /// An account cannot end that alone manages a team's space.
    #[error("nobody else manages the team's space “{0}”; make somebody a manager of it, or hand all over")]
    SoleManager(String),
    /// Text that is no name of a space.
    #[error("the name of a space has 1 to 100 characters, none of them a control character")]
    SpaceName,
    /// A personal space is its owner's as it is.
    #[error("a personal space has neither members nor another name")]
    PersonalSpace,
    /// The account made so many team spaces already.
    #[error("one account makes at most {0} team spaces")]
    TooManySpaces(u64),
    /// The link's time is over.
    #[error("this link has expired")]
    LinkExpired,
    /// The link allowed so many downloads or uploads, and they were made.
    #[error("what this link allowed has been used up")]
    LinkUsedUp,
    /// The link has a password, which was not given, or was changed since.
    #[error("this link needs its password first")]
    LinkLocked,
    /// That is not the password of the link.
    #[error("this is not the password of the link")]
    LinkPassword,
    /// The link is not for that.
    #[error("{0}")]
    LinkForbids(&'static str),
    /// A link cannot be like that.
    #[error("{0}")]
    LinkInvalid(&'static str),
    /// The entry has as many links as one may have.
    #[error("an entry has at most {0} links")]
    TooManyLinks(u64),
    /// The archive would hold more entries than one may.
    #[error("an archive has at most {0} entries; take a part of the tree")]
    ArchiveTooLarge(usize),
    /// A name on a path cannot be one.
    #[error(transparent)]
    Name(#[from] base::NameError),
    /// The text is no cursor of the journal.
    #[error(transparent)]
    Cursor(#[from] journal::ParseCursorError),
    /// An entry has the id that the client made.
    #[error("an entry has this id already")]
    IdTaken,
    /// The id that the client made is no UUIDv7.
    #[error("the id of a new entry must be a UUIDv7")]
    IdForm,
    /// The request was done before: this is no refusal, and no caller of this crate sees it.
    #[error("the request was done before")]
    Repeated(Box<Done>),
    /// What is to be taken back went to or came from another space, whose row is needed as well. It never leaves the crate.
    #[error("another space takes part in this")]
    Elsewhere(SpaceId),
    /// The entry is not in the state that the caller named.
    #[error("the entry has changed since it was last seen")]
    Precondition,
    /// The space has no room left for this.
    #[error("{}", Shortage::words(.0.as_deref()))]
    Quota(Option<Box<Shortage>>),
    /// The file would be larger than the plan of its space allows.
    #[error("the plan of this space allows files of up to {}; ask an administrator for a larger one", ByteSize(*.0))]
    PlanFileSize(u64),
    /// The space has as many links as its plan allows.
    #[error(
        "the plan of this space allows {0} links, those that ended among them; remove one first, or ask an administrator \
         for a larger plan"
    )]
    PlanLinks(u64),
    /// As many people have a role on all of the space as its plan allows.
    #[error(
        "the plan of this space allows {0} members, counting everybody in its groups; take somebody out first, or ask an \
         administrator for a larger plan"
    )]
    PlanMembers(u64),
    /// A space cannot keep things longer than its plan allows.
    #[error("the plan of this space allows at most {most} {what}; a space may keep less, and not more")]
    BeyondPlan {
        /// The plan's limit.
        most: u32,
        /// Of what.
        what: &'static str,
    },
    /// A plan cannot be like that.
    #[error("{0}")]
    PlanInvalid(&'static str),
    /// Another plan has the name.
    #[error("another plan has this name already")]
    PlanNameTaken,
    /// Spaces have the plan.
    #[error("spaces that have this plan: {0}; give them another one first")]
    PlanInUse(u64),
    /// A team's space that somebody manages needs nobody else's help.
    #[error("the space has a manager, who can make others")]
    HasManager,
    /// Links do not work on this server.
    #[error("links are switched off on this server")]
    LinksOff,
    /// Only administrators make spaces of teams.
    #[error("only administrators make spaces of teams on this server")]
    TeamSpacesOff,
    /// An administrator ended the upload.
    #[error("an administrator cancelled this upload")]
    UploadCancelled,
    /// The file would be larger than any file may be.
    #[error("a file has at most {} bytes", limits::FILE_BYTES_MAX)]
    FileTooLarge,
    /// Fewer bytes came than were announced.
    #[error("{received} bytes came where {announced} were announced")]
    BodyTooShort {
        /// What the client said.
        announced: u64,
        /// What it sent.
        received: u64,
    },
    /// More bytes came than were announced.
    #[error("more bytes came than the {announced} that were announced")]
    BodyTooLong {
        /// What the client said.
        announced: u64,
    },
    /// The client went away, or its body made no sense.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The bytes are not those that the client took the checksum of.
    #[error("the bytes do not match their checksum")]
    Checksum,
    /// Somebody resumed this upload elsewhere.
    #[error("the upload was resumed elsewhere")]
    UploadTakenOver,
    /// Bytes must follow where the durable ones end.
    #[error("the upload has {received} bytes, and {offset} was given as the offset")]
    OffsetMismatch {
        /// Where the next byte belongs.
        received: u64,
        /// What the client said.
        offset: u64,
    },
    /// A final upload is made of others and takes no bytes.
    #[error("a final upload takes no bytes of its own")]
    UploadIsFinal,
    /// The upload has become a file, or is complete, and does not change any more.
    #[error("the upload is finished")]
    UploadFinished,
    /// The upload still lacks bytes.
    #[error("the upload is not complete yet")]
    UploadNotComplete,
    /// The length was given before, and differs.
    #[error("the upload's length was given before")]
    LengthGiven,
    /// The parts of a final upload are not what they must be.
    #[error("a final upload is made of finished partial uploads, each named once")]
    BadParts,
    /// The upload came in more pieces than a file may be made of.
    #[error("a file is made of at most {} pieces", limits::EXTENTS_MAX)]
    TooManyExtents,
    /// The store of bytes failed or refused.
    #[error(transparent)]
    Files(#[from] files::Error),
    /// The caller may not.
    #[error(transparent)]
    Accounts(#[from] accounts::Error),
    /// The journal failed or refused.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The queue of jobs failed.
    #[error(transparent)]
    Bus(#[from] bus::Error),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// The database holds something that makes no sense.
    #[error("the database holds an entry that makes no sense: {0}")]
    Shape(&'static str),
}

/// Why a body ended before its end.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BodyError {
    /// The client went away or stopped sending.
    #[error("the body was cut off: {0}")]
    Cut(String),
    /// What the client sent cannot be read as a body.
    #[error("the body is malformed: {0}")]
    Malformed(String),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) | Self::LinkExpired | Self::LinkUsedUp => ErrorKind::NotFound,
            Self::LinkLocked | Self::LinkPassword | Self::LinkForbids(_) | Self::LinksOff | Self::TeamSpacesOff => {
                ErrorKind::Denied
            }
            Self::NameTaken | Self::IdTaken | Self::PlanNameTaken => ErrorKind::Exists,
            Self::IntoItself
            | Self::InTrash(_)
            | Self::NotInTrash
            | Self::FolderGone
            | Self::CurrentVersion
            | Self::UndoConflict(_)
            | Self::NotUndoable(_)
            | Self::NothingToUndo(_)
            | Self::TooManyLinks(_)
            | Self::TooManyGrants(_)
            | Self::TooManySpaces(_)
            | Self::PlanLinks(_)
            | Self::PlanMembers(_)
            | Self::BeyondPlan { .. }
            | Self::PlanInUse(_)
            | Self::HasManager
            | Self::UploadCancelled
            | Self::LastManager
            | Self::SoleManager(_)
            | Self::TooManyTags(_)
            | Self::TooManyFavourites(_)
            | Self::UploadTakenOver
            | Self::OffsetMismatch { .. }
            | Self::UploadIsFinal
            | Self::UploadFinished
            | Self::UploadNotComplete
            | Self::LengthGiven => ErrorKind::Conflict,
            Self::TooDeep
            | Self::IdForm
            | Self::RootEntry
            | Self::NotAFolder
            | Self::NotAFile
            | Self::OtherSpace
            | Self::Name(_)
            | Self::VersionName
            | Self::Details(_)
            | Self::TagName
            | Self::Keep
            | Self::SameTag
            | Self::PlanInvalid(_)
            | Self::LinkInvalid(_)
            | Self::GrantInvalid(_)
            | Self::SubjectUnknown(_)
            | Self::SpaceName
            | Self::PersonalSpace
            | Self::Cursor(_)
            | Self::BodyTooShort { .. }
            | Self::Body(_)
            | Self::Checksum
            | Self::BadParts => ErrorKind::Invalid,
            Self::TooManyEntries(_)
            | Self::ArchiveTooLarge(_)
            | Self::FileTooLarge
            | Self::PlanFileSize(_)
            | Self::BodyTooLong { .. }
            | Self::TooManyExtents => ErrorKind::TooLarge,
            Self::Precondition => ErrorKind::Precondition,
            Self::Quota(_) => ErrorKind::Quota,
            Self::Files(error) => error.kind(),
            Self::Accounts(error) => error.kind(),
            Self::Journal(error) => error.kind(),
            Self::Bus(error) => error.kind(),
            Self::Db(error) => error.kind(),
            Self::Repeated(_) | Self::Elsewhere(_) | Self::Shape(_) => ErrorKind::Internal,
        }
    }

    /// The stable code of the condition.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not-found",
            Self::InTrash(_) => "in-trash",
            Self::NotInTrash => "not-in-trash",
            Self::FolderGone => "original-folder-gone",
            Self::UndoConflict(_) => "undo-conflict",
            Self::NotUndoable(_) => "not-undoable",
            Self::NothingToUndo(_) => "nothing-to-undo",
            Self::CurrentVersion => "current-version",
            Self::VersionName => "invalid-version-name",
            Self::Details(_) => "invalid-details",
            Self::Keep => "invalid-retention",
            Self::TooManyFavourites(_) => "too-many-favourites",
            Self::TagName => "invalid-tag-name",
            Self::SameTag => "same-tag",
            Self::TooManyTags(_) => "too-many-tags",
            Self::NameTaken => "name-taken",
            Self::IdTaken => "id-taken",
            Self::IdForm => "invalid-id",
            Self::IntoItself => "into-itself",
            Self::TooDeep => "too-deep",
            Self::TooManyEntries(_) => "too-many-entries",
            Self::RootEntry => "root-entry",
            Self::NotAFolder => "not-a-folder",
            Self::NotAFile => "not-a-file",
            Self::OtherSpace => "other-space",
            Self::GrantInvalid(_) => "invalid-grant",
            Self::SubjectUnknown(_) => "subject-unknown",
            Self::TooManyGrants(_) => "too-many-grants",
            Self::LastManager | Self::SoleManager(_) => "last-manager",
            Self::SpaceName => "invalid-space-name",
            Self::PersonalSpace => "personal-space",
            Self::TooManySpaces(_) => "too-many-spaces",
            Self::LinkExpired => "link-expired",
            Self::LinkUsedUp => "link-used-up",
            Self::LinkLocked => "link-locked",
            Self::LinkPassword => "link-wrong-password",
            Self::LinkForbids(_) => "link-forbids",
            Self::LinkInvalid(_) => "invalid-link",
            Self::TooManyLinks(_) => "too-many-links",
            Self::ArchiveTooLarge(_) => "archive-too-large",
            Self::Name(_) => "invalid-name",
            Self::Cursor(_) => "invalid-cursor",
            Self::Precondition => "precondition-failed",
            Self::Quota(_) => "quota-exceeded",
            Self::PlanFileSize(_) => "plan-file-size",
            Self::PlanLinks(_) => "plan-links",
            Self::PlanMembers(_) => "plan-members",
            Self::BeyondPlan { .. } => "beyond-plan",
            Self::PlanInvalid(_) => "invalid-plan",
            Self::PlanNameTaken => "plan-name-taken",
            Self::PlanInUse(_) => "plan-in-use",
            Self::HasManager => "has-manager",
            Self::LinksOff => "links-off",
            Self::TeamSpacesOff => "team-spaces-off",
            Self::UploadCancelled => "upload-cancelled",
            Self::FileTooLarge => "file-too-large",
            Self::BodyTooShort { .. } => "body-too-short",
            Self::BodyTooLong { .. } => "body-too-long",
            Self::Body(BodyError::Cut(_)) => "body-cut",
            Self::Body(BodyError::Malformed(_)) => "body-malformed",
            Self::Checksum => "checksum-mismatch",
            Self::UploadTakenOver => "upload-taken-over",
            Self::OffsetMismatch { .. } => "offset-mismatch",
            Self::UploadIsFinal => "upload-is-final",
            Self::UploadFinished => "upload-finished",
            Self::UploadNotComplete => "upload-not-complete",
            Self::LengthGiven => "length-given",
            Self::BadParts => "bad-parts",
            Self::TooManyExtents => "too-many-extents",
            Self::Files(error) => error.code(),
            Self::Accounts(error) => error.code(),
            Self::Journal(error) => error.code(),
            Self::Bus(error) => error.code(),
            Self::Db(error) => match error.kind() {
                ErrorKind::Quota => "database-full",
                ErrorKind::Internal => "internal",
                _ => "database-unavailable",
            },
            Self::Repeated(_) | Self::Elsewhere(_) | Self::Shape(_) => "internal",
        }
    }
}
