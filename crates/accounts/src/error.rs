//! What can go wrong with accounts.

use std::time::Duration;

use base::{ErrorKind, Secret};

use crate::{Permission, Role};

/// Why something about accounts, sessions or permissions was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody may register here.
    #[error("registration is closed; ask an administrator for an account")]
    RegistrationClosed,
    /// There is no such setting, or it cannot have that value; says why.
    #[error("{0}")]
    SettingInvalid(String),
    /// There is no such identity provider.
    #[error("there is no such identity provider")]
    ProviderUnknown,
    /// The provider cannot be reached, or does not behave.
    #[error("the identity provider cannot be reached now; other ways to sign in work")]
    ProviderDown,
    /// What the provider gave is not good.
    #[error("the identity provider's answer was not accepted: {0}")]
    ProviderRefused(&'static str),
    /// What must fit together does not: another browser, another sign-in, too late, or used before.
    #[error("this sign-in was not begun in this browser, was begun too long ago, or was finished before; begin again")]
    FlowExpired,
    /// Nobody here is linked to who signed in there.
    #[error("no account here is linked to this one; ask an administrator, or sign in and link it in the settings")]
    IdentityUnknown,
    /// Somebody at the provider who may not come here.
    #[error("accounts of this kind may not sign in here")]
    IdentityForbidden,
    /// Another account is linked to it.
    #[error("another account here is linked to it")]
    IdentityTaken,
    /// The caller has no such linked account.
    #[error("there is no such linked account")]
    IdentityMissing,
    /// Nothing would be left to sign in with.
    #[error("nothing would be left to sign in with; choose a password first, or add another way")]
    LastWayIn,
    /// The account has no password to ask for, and the session is not new.
    #[error("the account has no password; sign in again and repeat this within ten minutes")]
    SignInAgain,
    /// The server has no address that passkeys could be made for.
    #[error("passkeys do not work on this server; ask an administrator")]
    PasskeysOff,
    /// The caller has no such passkey.
    #[error("there is no such passkey")]
    PasskeyUnknown,
    /// The passkey is not known, or its answer is not good.
    #[error("the passkey was not accepted")]
    PasskeyRefused,
    /// Somebody has that account name, perhaps in other case.
    #[error("this account name is taken")]
    NameTaken,
    /// No account name.
    #[error("an account name has 2 to 64 characters: letters, digits, `.`, `_`, `-`, `@`")]
    NameInvalid,
    /// No name to be shown.
    #[error("a display name has 1 to 100 characters, none of them a control character")]
    DisplayNameInvalid,
    /// No picture that somebody may have; says why.
    #[error("a picture is a square WebP, PNG or JPEG of 64 to 1024 pixels and at most 256 KiB: {0}")]
    PictureInvalid(&'static str),
    /// The account has no picture.
    #[error("there is no picture")]
    PictureUnknown,
    /// No password.
    #[error("a password has 8 to 256 characters")]
    PasswordInvalid,
    /// There is no such account, or its password is another.
    #[error("the name or the password is wrong")]
    WrongCredentials,
    /// The old password given for a change is not the account's.
    #[error("the old password is wrong")]
    WrongPassword,
    /// The password is right, and a second step is needed.
    #[error("the password is right; a code of the authenticator app is needed as well")]
    SecondFactorRequired {
        /// Goes with the code.
        challenge: Secret,
        /// How long it is good.
        expires_in: Duration,
    },
    /// The challenge is not ours, too old, or the password was changed.
    #[error("the second step came too late; sign in again")]
    ChallengeExpired,
    /// The code is wrong, or was used before.
    #[error("the code is wrong, or was used before")]
    CodeWrong,
    /// The account has a second factor.
    #[error("there is a second factor already; remove it first")]
    SecondFactorOn,
    /// The account has no second factor, or none that is being set up.
    #[error("there is no second factor")]
    SecondFactorOff,
    /// The password is right, but the account may not be used.
    #[error("this account is disabled")]
    AccountDisabled,
    /// Too many attempts failed for this name or from this address.
    #[error("too many attempts; try again in {} seconds", retry_after.as_secs().max(1))]
    TooManyAttempts {
        /// When the next attempt will be looked at.
        retry_after: Duration,
    },
    /// So many passwords are being checked that this one would wait too long.
    #[error("too many people are signing in just now; try again soon")]
    Busy,
    /// The token is not one of ours, or was changed.
    #[error("the token is not valid")]
    TokenInvalid,
    /// The token is too old, or from before the clock was set back: get a new one.
    #[error("the token has expired")]
    TokenExpired,
    /// The refresh token was used before. Its session is ended, since one of the two who used it stole it.
    #[error("the refresh token was used before; the session has been ended for safety")]
    TokenReused,
    /// The session was ended, or has expired.
    #[error("the session has ended; sign in again")]
    SessionEnded,
    /// There is no such account.
    #[error("there is no such user")]
    UserUnknown,
    /// The caller has no such session.
    #[error("there is no such session")]
    SessionUnknown,
    /// The caller has no such token or key.
    #[error("there is no such token or key")]
    KeyUnknown,
    /// What a token or key is for is not said in words that we know.
    #[error("scopes are some of `files.read`, `files`, `share`, `admin.users`, `admin.nodes`, at least one")]
    ScopesInvalid,
    /// It would end before it began.
    #[error("the end must lie in the future")]
    ExpiryInvalid,
    /// An account has only so many tokens and keys.
    #[error("an account has at most {0} of these; remove one that is not needed")]
    TooManyKeys(u64),
    /// No e-mail address.
    #[error("this is no e-mail address")]
    EmailInvalid,
    /// Another account has the address.
    #[error("another account has this e-mail address")]
    EmailTaken,
    /// The account has no address to send a letter to.
    #[error("the account has no e-mail address")]
    EmailUnknown,
    /// No language that there are texts in.
    #[error("the language is `en` or `ru`")]
    LanguageInvalid,
    /// Nobody has said how letters are sent.
    #[error("this server sends no mail; ask an administrator")]
    MailOff,
    /// The link was used, has expired, or is not one of ours.
    #[error("the link has been used, has expired, or is none of ours")]
    TicketInvalid,
    /// There is no such invitation, or it was used.
    #[error("there is no such invitation")]
    InvitationUnknown,
    /// Nobody would be left who may change accounts.
    #[error("this is the last account that may administer users; give another one that permission first")]
    LastAdministrator,
    /// There is no such space, or the caller may not know that there is.
    #[error("there is no such space")]
    SpaceUnknown,
    /// The caller lacks a permission.
    #[error("this needs the permission `{}`", .0.as_str())]
    PermissionMissing(Permission),
    /// The caller's role there is for less.
    #[error("this needs the role `{}` there, and yours is `{}`", needs.as_str(), has.as_str())]
    RoleTooLow {
        /// The caller's.
        has: Role,
        /// The least that will do.
        needs: Role,
    },
    /// No name of a group.
    #[error("the name of a group has 1 to 100 characters, none of them a control character")]
    GroupName,
    /// Another group has the name, perhaps in other case.
    #[error("a group has this name already")]
    GroupNameTaken,
    /// Nobody ends their own account from here.
    #[error("nobody deletes their own account here; ask another administrator")]
    OwnAccount,
    /// There is no such group.
    #[error("there is no such group")]
    GroupUnknown,
    /// Something stored is not what it must be.
    #[error("damaged data: {0}")]
    Damaged(&'static str),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::RegistrationClosed
            | Self::ProviderRefused(_)
            | Self::IdentityUnknown
            | Self::IdentityForbidden
            | Self::SignInAgain
            | Self::PasskeysOff
            | Self::PasskeyRefused
            | Self::WrongPassword
            | Self::CodeWrong
            | Self::MailOff
            | Self::AccountDisabled
            | Self::PermissionMissing(_)
            | Self::RoleTooLow { .. } => ErrorKind::Denied,
            Self::NameTaken | Self::EmailTaken | Self::GroupNameTaken | Self::IdentityTaken => ErrorKind::Exists,
            Self::TooManyKeys(_)
            | Self::LastWayIn
            | Self::SecondFactorOn
            | Self::SecondFactorOff
            | Self::EmailUnknown
            | Self::OwnAccount
            | Self::LastAdministrator => ErrorKind::Conflict,
            Self::NameInvalid
            | Self::GroupName
            | Self::DisplayNameInvalid
            | Self::PasswordInvalid
            | Self::PictureInvalid(_)
            | Self::ScopesInvalid
            | Self::EmailInvalid
            | Self::LanguageInvalid
            | Self::TicketInvalid
            | Self::SettingInvalid(_)
            | Self::ExpiryInvalid => ErrorKind::Invalid,
            Self::WrongCredentials
            | Self::SecondFactorRequired { .. }
            | Self::ChallengeExpired
            | Self::FlowExpired
            | Self::TokenInvalid
            | Self::TokenExpired
            | Self::TokenReused
            | Self::SessionEnded => ErrorKind::Unauthenticated,
            Self::TooManyAttempts { .. } => ErrorKind::Throttled,
            Self::Busy | Self::ProviderDown => ErrorKind::Unavailable,
            Self::UserUnknown
            | Self::ProviderUnknown
            | Self::IdentityMissing
            | Self::PasskeyUnknown
            | Self::PictureUnknown
            | Self::SessionUnknown
            | Self::KeyUnknown
            | Self::InvitationUnknown
            | Self::GroupUnknown
            | Self::SpaceUnknown => ErrorKind::NotFound,
            Self::Damaged(_) => ErrorKind::Internal,
            Self::Database(error) => error.kind(),
        }
    }

    /// The stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RegistrationClosed => "registration-closed",
            Self::SettingInvalid(_) => "invalid-setting",
            Self::ProviderUnknown => "provider-not-found",
            Self::ProviderDown => "provider-unavailable",
            Self::ProviderRefused(_) => "provider-refused",
            Self::FlowExpired => "sign-in-expired",
            Self::IdentityUnknown => "identity-unknown",
            Self::IdentityForbidden => "identity-forbidden",
            Self::IdentityTaken => "identity-taken",
            Self::IdentityMissing => "identity-not-found",
            Self::LastWayIn => "last-way-in",
            Self::SignInAgain => "sign-in-again",
            Self::PasskeysOff => "passkeys-off",
            Self::PasskeyUnknown => "passkey-not-found",
            Self::PasskeyRefused => "passkey-refused",
            Self::NameTaken => "name-taken",
            Self::NameInvalid => "invalid-account-name",
            Self::DisplayNameInvalid => "invalid-display-name",
            Self::PasswordInvalid => "invalid-password",
            Self::PictureInvalid(_) => "invalid-picture",
            Self::PictureUnknown => "picture-not-found",
            Self::WrongCredentials => "wrong-credentials",
            Self::WrongPassword => "wrong-password",
            Self::SecondFactorRequired { .. } => "second-factor-required",
            Self::ChallengeExpired => "challenge-expired",
            Self::CodeWrong => "wrong-code",
            Self::SecondFactorOn => "second-factor-on",
            Self::SecondFactorOff => "second-factor-off",
            Self::AccountDisabled => "account-disabled",
            Self::TooManyAttempts { .. } => "too-many-attempts",
            Self::Busy => "busy",
            Self::TokenInvalid => "invalid-token",
            Self::TokenExpired => "token-expired",
            Self::TokenReused => "token-reused",
            Self::SessionEnded => "session-ended",
            Self::UserUnknown => "user-not-found",
            Self::SessionUnknown => "session-not-found",
            Self::EmailInvalid => "invalid-email",
            Self::EmailTaken => "email-taken",
            Self::EmailUnknown => "no-email",
            Self::LanguageInvalid => "invalid-language",
            Self::MailOff => "mail-off",
            Self::TicketInvalid => "link-used",
            Self::InvitationUnknown => "invitation-not-found",
            Self::LastAdministrator => "last-administrator",
            Self::KeyUnknown => "key-not-found",
            Self::ScopesInvalid => "invalid-scopes",
            Self::ExpiryInvalid => "invalid-expiry",
            Self::TooManyKeys(_) => "too-many-keys",
            Self::SpaceUnknown => "space-not-found",
            Self::PermissionMissing(_) => "permission-missing",
            Self::RoleTooLow { .. } => "role-too-low",
            Self::GroupName => "invalid-group-name",
            Self::GroupNameTaken => "group-name-taken",
            Self::OwnAccount => "own-account",
            Self::GroupUnknown => "group-not-found",
            Self::Damaged(_) => "internal",
            Self::Database(error) => error.kind().as_str(),
        }
    }

    /// How long the caller should wait before it tries again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyAttempts { retry_after } => Some(*retry_after),
            Self::Busy => Some(Duration::from_secs(1)),
            Self::ProviderDown => Some(Duration::from_secs(10)),
            _ => None,
        }
    }
}
