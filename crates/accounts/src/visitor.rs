//! What links need of the machinery for people: tokens that can be shown again, passwords, and passes of visitors.

use std::{net::IpAddr, time::Duration};

use base::{LinkId, Secret};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Accounts, Error, name::display_name, token::link_token_form};

/// How long a visitor who gave the password of a link may go on without giving it again.
const VISIT: Duration = Duration::from_secs(2 * 3600);

/// How long the ranges of one download may follow each other.
const DOWNLOAD: Duration = Duration::from_secs(24 * 3600);

/// A visitor of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The link.
    pub link: LinkId,
    /// Of the password that was given: when the link gets another one, the visit has ended.
    pub generation: u64,
    /// What the visitor calls himself or herself.
    pub name: Option<String>,
}

/// A download through a link that was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// The link.
    pub link: LinkId,
    /// Exactly which bytes: what else is fetched is another download.
    pub etag: String,
}

/// Something that a visitor is handed, signed, and brings back.
pub trait Pass: Serialize + DeserializeOwned {
    /// Tells one kind of pass from another.
    const PURPOSE: &'static str;
    /// How long it is good.
    const LIFETIME: Duration;
}

impl Pass for Visit {
    const PURPOSE: &'static str = "visit";
    const LIFETIME: Duration = VISIT;
}

impl Pass for Download {
    const PURPOSE: &'static str = "download";
    const LIFETIME: Duration = DOWNLOAD;
}

impl Accounts {
    /// The token of a link: 128 bits that nobody can guess, in 22 characters that need no escaping in an address.
    ///
    /// It is a keyed hash of the link's id, so it can be shown to the link's owner again although it is stored nowhere:
    /// whoever reads the table of links finds only hashes, and needs the key, which stands among the settings.
    pub fn link_token(&self, link: LinkId) -> Secret {
        self.0.keys.link_token(link)
    }

    /// What is stored of the token of a link; `None` for text that never was one.
    pub fn link_token_hash(token: &str) -> Option<[u8; 32]> {
        link_token_form(token).then(|| *blake3::hash(token.as_bytes()).as_bytes())
    }

    /// The PHC string of a link's password.
    ///
    /// # Errors
    /// [`Error::PasswordInvalid`], [`Error::Busy`].
    pub async fn hash_link_password(&self, password: &Secret) -> Result<String, Error> {
        self.0.passwords.hash(password).await
    }

    /// Whether this is the password of a link. Wrong ones are counted for the link and the address together, for the
    /// address over all links, and for the link over all addresses (see `throttle`).
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], [`Error::Busy`], [`Error::Damaged`].
    pub async fn check_link_password(
        &self,
        link: LinkId,
        phc: &str,
        password: &Secret,
        address: IpAddr,
    ) -> Result<bool, Error> {
        let inner = &*self.0;
        let attempt = inner
            .throttle
            .admit_visitor(link, address, inner.clock.elapsed())
            .await
            .map_err(|retry_after| Error::TooManyAttempts { retry_after })?;
        match inner.passwords.verify(password, Some(phc)).await {
            Ok(true) => {
                inner.throttle.succeeded(&attempt).await;
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(error) => {
                inner.throttle.take_back(&attempt).await;
                Err(error)
            }
        }
    }

    /// What a visitor calls himself or herself, tidied; nothing given is no name.
    ///
    /// # Errors
    /// [`Error::DisplayNameInvalid`].
    pub fn visitor_name(text: Option<&str>) -> Result<Option<String>, Error> {
        text.map(str::trim).filter(|text| !text.is_empty()).map(display_name).transpose()
    }

    /// A pass as its visitor gets it, and how long it is good.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the key is none.
    pub fn sign_pass<P: Pass>(&self, pass: &P) -> Result<(Secret, Duration), Error> {
        Ok((self.0.keys.sign_pass(P::PURPOSE, pass, self.0.clock.now(), P::LIFETIME)?, P::LIFETIME))
    }

    /// A pass that a visitor brought; `None` if it is not ours, of another kind, or too old.
    pub fn read_pass<P: Pass>(&self, token: &str) -> Option<P> {
        self.0.keys.read_pass(P::PURPOSE, token, self.0.clock.now())
    }
}
