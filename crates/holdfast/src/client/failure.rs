//! What can go wrong with a command, as people read it and as scripts see it in the exit code.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use base::Secret;

use super::output::{note, shown};

/// Why a command, or its part for one file, did not do it.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server answered with a refusal.
    Refused(Box<Refusal>),
    /// There is no session with this server, or it ended.
    SignedOut {
        /// Where one would sign in.
        server: String,
        /// What was found.
        reason: String,
    },
    /// No answer came.
    Unreachable {
        /// The server's address.
        server: String,
        /// What the network said.
        cause: String,
    },
    /// The command makes no sense as it was typed.
    Usage(String),
    /// Something on this machine.
    Local {
        /// Of what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something that is needed is not there, in words.
    Missing(String),
    /// All else, in words.
    Failed(String),
    /// Some of several things failed; each has been reported.
    InPart {
        /// How many.
        failed: u64,
    },
    /// It has been reported already; what is left to give is the exit code.
    Reported(u8),
    /// Nobody reads standard output any more: no fault, but no reason to go on.
    PipeClosed,
    /// Another failure, and what it is about.
    About {
        /// A path, as it is shown.
        what: String,
        /// What happened to it.
        failure: Box<Failure>,
    },
}

/// A refusal of the server: an RFC 9457 problem, or what comes nearest in an answer that is none.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal {
    pub(super) server: String,
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) request_id: String,
    pub(super) retry_after: Option<Duration>,
    /// What the second step of a sign-in needs.
    pub(super) challenge: Option<Secret>,
}

impl Failure {
    /// What the second step of a sign-in needs, if that is what the server asks for.
    pub(super) fn challenge(&self) -> Option<&Secret> {
        match self {
            Self::Refused(refusal) => refusal.challenge.as_ref(),
            _ => None,
        }
    }

    pub(super) fn local(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Local { path: path.as_ref().to_owned(), source }
    }

    /// The same failure, saying what it is about.
    #[must_use]
    pub(super) fn about(self, what: impl fmt::Display) -> Self {
        match self {
            // Something of this machine names its path already.
            Self::PipeClosed | Self::Reported(_) | Self::Local { .. } | Self::About { .. } => self,
            _ => Self::About { what: what.to_string(), failure: Box::new(self) },
        }
    }

    /// The failure without what it is about.
    fn root(&self) -> &Self {
        match self {
            Self::About { failure, .. } => failure.root(),
            _ => self,
        }
    }

    /// The refusal, if that is what it is.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match self.root() {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    pub(super) fn has_code(&self, code: &str) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == code)
    }

    pub(super) fn has_status(&self, status: u16) -> bool {
        self.refusal().is_some_and(|refusal| refusal.status == status)
    }

    /// Whether the thing is not there (any more).
    pub(super) fn is_missing(&self) -> bool {
        self.has_status(404) || self.has_status(410)
    }

    /// Whether the same request may well succeed a little later.
    pub(super) fn is_transient(&self) -> bool {
        match self.root() {
            Self::Unreachable { .. } => true,
            Self::Refused(refusal) => matches!(refusal.status, 408 | 429 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether there is no point in trying the next file after this one.
    pub(super) fn is_fatal(&self) -> bool {
        match self.root() {
            Self::Unreachable { .. } | Self::SignedOut { .. } | Self::PipeClosed => true,
            Self::Refused(refusal) => refusal.status == 401 || self.is_transient(),
            Self::Usage(_)
            | Self::Local { .. }
            | Self::Missing(_)
            | Self::Failed(_)
            | Self::InPart { .. }
            | Self::Reported(_)
            | Self::About { .. } => false,
        }
    }

    /// How long the server asked to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(|refusal| refusal.retry_after)
    }

    /// A word for programs: the problem's code, or one of ours.
    pub(super) fn code(&self) -> &str {
        match self.root() {
            Self::Refused(refusal) => &refusal.code,
            Self::SignedOut { .. } => "not-signed-in",
            Self::Unreachable { .. } => "unreachable",
            Self::Usage(_) => "usage",
            Self::Local { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "local-not-found",
                io::ErrorKind::PermissionDenied => "local-permission",
                _ => "local-error",
            },
            Self::Missing(_) => "not-found",
            Self::Failed(_) | Self::Reported(_) | Self::About { .. } => "failed",
            Self::InPart { .. } => "in-part",
            Self::PipeClosed => "pipe-closed",
        }
    }

    /// The exit code, as the help of the program lists them.
    pub(super) fn status(&self) -> u8 {
        match self.root() {
            Self::PipeClosed => 0,
            Self::Reported(status) => *status,
            Self::Failed(_) | Self::About { .. } => 1,
            Self::Usage(_) => 2,
            Self::Missing(_) => 3,
            Self::Local { source, .. } if source.kind() == io::ErrorKind::NotFound => 3,
            Self::Local { .. } => 1,
            Self::SignedOut { .. } => 4,
            Self::Unreachable { .. } => 5,
            Self::InPart { .. } => 6,
            Self::Refused(refusal) => match refusal.status {
                404 | 410 => 3,
                401 | 403 => 4,
                502..=504 => 5,
                _ => 1,
            },
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status())
    }

    /// What the person at the keyboard can do about it.
    pub(super) fn hint(&self) -> Option<String> {
        match self.root() {
            Self::Refused(refusal) => refusal.hint(),
            Self::SignedOut { server, .. } => Some(format!("sign in with `holdfast login {server}`")),
            Self::Unreachable { .. } => Some("see whether the address is right and the server runs".into()),
            Self::Usage(_) => Some("`holdfast help` followed by the command explains it".into()),
            Self::Local { .. }
            | Self::InPart { .. }
            | Self::Missing(_)
            | Self::Failed(_)
            | Self::Reported(_)
            | Self::PipeClosed
            | Self::About { .. } => None,
        }
    }

    /// Says it on standard error.
    pub(super) fn print(&self) {
        if matches!(self, Self::PipeClosed | Self::Reported(_)) {
            return;
        }
        note(&format!("holdfast: {self}"));
        if let Some(hint) = self.hint() {
            note(&format!("  What to do: {hint}"));
        }
    }
}

impl Refusal {
    fn hint(&self) -> Option<String> {
        let hint = match (self.code.as_str(), self.status) {
            ("wrong-credentials", _) => "see whether name and password are right".into(),
            ("name-taken", _) => "choose another name, or remove what is there first".into(),
            ("quota-exceeded", _) => "make room with `holdfast rm`, or ask for a larger quota".into(),
            ("node-not-empty", _) => {
                "drain it first with `holdfast node drain`, and wait until it holds nothing; one that is dead for good goes \
                 with --force"
                    .into()
            }
            ("node-live", _) => "drain it with `holdfast node drain`, which loses nothing".into(),
            (_, 401) => format!("sign in with `holdfast login {}`", self.server),
            (_, 403) => "sign in as an account that has the permission".into(),
            (_, 404) => "see what is there with `holdfast ls`".into(),
            (_, 429 | 502..=504) => match self.retry_after {
                Some(after) => format!("try again in {} s", after.as_secs().max(1)),
                None => "try again a little later".into(),
            },
            (_, 500) => "look for the request id in the log of the server".into(),
            _ => return None,
        };
        Some(hint)
    }
}

/// One line, safe for a terminal.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::SignedOut { server, reason } => write!(f, "{} ({})", shown(reason), shown(server)),
            Self::Unreachable { server, cause } => write!(f, "{} cannot be reached: {}", shown(server), shown(cause)),
            Self::Usage(text) | Self::Missing(text) | Self::Failed(text) => f.write_str(&shown(text)),
            Self::Local { path, source } => write!(f, "{}: {source}", shown(&path.to_string_lossy())),
            Self::InPart { failed } => write!(f, "{failed} {} failed", if *failed == 1 { "item" } else { "items" }),
            Self::Reported(_) => f.write_str("it has been reported"),
            Self::PipeClosed => f.write_str("standard output was closed"),
            Self::About { what, failure } => write!(f, "{}: {failure}", shown(what)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.title))?;
        if !self.detail.is_empty() {
            write!(f, ": {}", shown(self.detail.trim_end_matches('.')))?;
        }
        write!(f, " (code {}", shown(&self.code))?;
        if !self.request_id.is_empty() {
            write!(f, ", request {}", shown(&self.request_id))?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str) -> Failure {
        Failure::Refused(Box::new(Refusal {
            server: "http://h".into(),
            status,
            code: code.into(),
            title: "Title".into(),
            detail: "What happened.".into(),
            request_id: "abc".into(),
            retry_after: None,
            challenge: None,
        }))
    }

    #[test]
    fn exit_codes_are_those_of_the_help() {
        let io = |kind| Failure::local("/x", io::Error::from(kind));
        let table = [
            (Failure::PipeClosed, 0),
            (Failure::Failed("x".into()), 1),
            (refused(409, "name-taken"), 1),
            (refused(500, "internal"), 1),
            (io(io::ErrorKind::PermissionDenied), 1),
            (Failure::Usage("x".into()), 2),
            (refused(404, "not-found"), 3),
            (io(io::ErrorKind::NotFound), 3),
            (refused(401, "unauthenticated"), 4),
            (refused(403, "admin-only"), 4),
            (Failure::SignedOut { server: "s".into(), reason: "r".into() }, 4),
            (Failure::Unreachable { server: "s".into(), cause: "c".into() }, 5),
            (refused(503, "overloaded"), 5),
            (Failure::InPart { failed: 2 }, 6),
        ];
        for (failure, status) in table {
            assert_eq!(failure.status(), status, "{failure}");
            assert_eq!(failure.about(":/x").status(), status);
        }
    }

    #[test]
    fn messages_name_the_code_and_what_to_do() {
        let failure = refused(401, "unauthenticated").about(":/docs");
        assert_eq!(failure.to_string(), ":/docs: Title: What happened (code unauthenticated, request abc)");
        assert_eq!(failure.hint().unwrap(), "sign in with `holdfast login http://h`");
    }

    #[test]
    fn what_a_server_says_does_not_control_the_terminal() {
        let failure = Failure::Refused(Box::new(Refusal { title: "a\u{1b}[2Jb".into(), ..Refusal::default() }));
        assert!(!failure.to_string().contains('\u{1b}'), "{failure}");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        assert!(refused(503, "").is_transient() && refused(429, "").is_transient());
        assert!(!refused(500, "").is_transient() && !refused(409, "").is_transient());
        assert!(refused(401, "").is_fatal() && !refused(507, "quota-exceeded").is_fatal());
    }
}
