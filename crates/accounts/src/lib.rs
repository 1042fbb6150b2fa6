//! People: accounts, sessions, tokens, permissions, and the spaces that are theirs.
//!
//! This crate exists to enforce a rule (reason a): drive and chat share people, and neither may own them.
//!
//! - **Passwords** are Argon2id hashes, made and checked on a bounded pool ([`Options::password_workers`]). A name that
//!   does not exist costs the same time as a wrong password.
//! - **Access tokens** are JWTs that name the session, the permissions and the personal space; they live for minutes and
//!   are checked without the database but for one thing: that the session has not ended, which is looked up at most once
//!   a second per session. A session that this process ends is ended for it at once, for others within that second.
//! - **Refresh tokens** are used once and give their successor. Only hashes are stored. See [`Accounts::refresh`] for
//!   what happens when one is used again.
//! - **API tokens and S3 keys** stand in for a session with fewer permissions, for programs: see [`NewKey`]. They never have
//!   a say over the account itself ([`Permission::Account`]), and removing one counts within a second everywhere.
//! - **A second factor** is asked for after the password, if the account has one: see [`Accounts::second_step`].
//! - **Identity providers** (OpenID Connect): somebody who signed in there has an account here, by who they are there and
//!   never by what they are called. The provider decides about groups and permissions that the configuration maps, and
//!   about nothing else: see [`Provider`].
//! - **Passkeys** stand for name, password and second factor at once, since the authenticator has verified its user.
//! - **Links by mail** confirm addresses, reset passwords and invite people. Their tokens stand in no table: what is stored
//!   is a hash, and the letter is written when it is sent.
//! - **Sign-in is slowed down, never locked**: per name and per address, see the comments in `throttle`.
//!   Processes may share the counters: see [`counts`].
//! - **Presigned addresses** let whoever has one fetch certain entries for minutes, as long as the session lives.
//! - **Visitors** of links have no account: a pass, signed like an access token, says what they may go on with.
//! - **The wall clock may jump.** A token is good only between its two times, with a minute's leeway at either end: one
//!   from before a clock was set back is refused as expired, and its client gets a new one with its refresh token.
//! - **One function** answers who may do what: [`may`]. Other people's things do not exist for those who may not see
//!   them. What role somebody has where is the drive's to know.
//! - **Groups** are made by administrators; what is given to one is given to whoever is in it.
//! - **Pictures** of people are kept as they were sent, checked by their heads and never decoded: see [`PictureKind`].
//!
//! An account is made together with its personal space and that space's root folder, in one unit of work.

mod account;
mod api_token;
mod audit;
mod error;
mod groups;
mod handle;
mod identity;
mod key;
mod live;
mod mail;
mod name;
mod passkey;
mod password;
mod people;
mod permission;
mod picture;
mod presigned;
mod provider;
mod seal;
mod second_factor;
mod session;
mod settings;
mod throttle;
mod ticket;
mod token;
mod visitor;
mod ways;

pub use account::{Private, Registration, UserView};
pub use audit::{AdminDeed, AuditView};
pub use db::audit::Filter as AuditFilter;
pub use error::Error;
pub use groups::{Found, Group, Member};
pub use handle::{Accounts, Options, Page, Registrations};
pub use identity::{Begun, IdentityView, ProviderView, Returned, WaysIn};
pub use key::{KeyView, MadeS3Key, MadeToken, NewKey};
pub use mail::{LETTERS, Letter, MailHandler, Post, PostError};
pub use passkey::{Ceremony, PasskeyView};
pub use people::{NewPerson, PersonUpdate, PersonView, ProfileUpdate, Reset};
pub use permission::{Action, Permission, Permissions, Principal, Role, may};
pub use picture::{Picture, PictureKind};
pub use presigned::Presigned;
pub use provider::{Provider, Providers, Wire, WireAnswer, WireError, is_safe_address};
pub use second_factor::{SecondFactor, SecondStep, Setup};
pub use session::{Login, SessionView, Tokens};
pub use settings::{SettingView, Settings, Values};
pub use throttle::counts;
pub use ticket::{InvitationView, NewInvitation};
pub use visitor::{Download, Pass, Visit};
