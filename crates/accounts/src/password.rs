//! Passwords: the rules, the hashes, the bounded pool that makes them, and ones made up here.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base::Secret;
use rand::{TryRng, rngs::SysRng};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use crate::Error;

/// Characters of a password. The upper bound keeps what is hashed small.
const CHARS: std::ops::RangeInclusive<usize> = 8..=256;

/// Bytes of a password before it is normalised.
const RAW_BYTES_MAX: usize = 256 * 4 * 3;

/// Memory, passes and lanes of Argon2id: the second of the equivalent choices of the OWASP Password Storage Cheat Sheet
/// (19 MiB, 2 passes, 1 lane), about 20 ms on a server's core.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash with the same parameters that no password has, for names that do not exist.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Passwords that may wait for each worker; more are refused with [`Error::Busy`]. At 20 ms each, nobody waits longer
/// than about a third of a second.
const WAITING_PER_WORKER: usize = 16;

/// Makes and checks hashes, a few at a time. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl Passwords {
    /// At most `workers` hashes at a time, each of which takes a core and 19 MiB.
    pub(crate) fn new(workers: usize) -> Self {
        let workers = workers.max(1);
        Self {
            running: Arc::new(Semaphore::new(workers)),
            admitted: Arc::new(Semaphore::new(workers * (1 + WAITING_PER_WORKER))),
        }
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// [`Error::PasswordInvalid`] if it breaks the rules, [`Error::Busy`].
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String, Error> {
        let password = normal(password).ok_or(Error::PasswordInvalid)?;
        self.run(move || {
            let hash = argon2().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|_| Error::Damaged("the system gave no random bytes"))
        })
        .await?
    }

    /// Whether this is the password of a PHC string. Without one the answer is no, after the same time.
    ///
    /// # Errors
    /// [`Error::Busy`]; [`Error::Damaged`] if the string is none.
    pub(crate) async fn verify(&self, password: &Secret, phc: Option<&str>) -> Result<bool, Error> {
        // What breaks the rules is nobody's password. To refuse it at once tells nothing about the account.
        let Some(password) = normal(password) else { return Ok(false) };
        let known = phc.is_some();
        let phc = phc.unwrap_or(NOBODY).to_owned();
        self.run(move || {
            let hash = PasswordHash::new(&phc).map_err(|_| Error::Damaged("a password hash"))?;
            match argon2().verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(_) => Err(Error::Damaged("a password hash")),
            }
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Error::Busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Error::Busy)?;
        // Both permits go along: work whose caller went away still holds its core until it ends.
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((running, admitted));
            done
        });
        // The blocking pool only refuses while the runtime is being shut down.
        task.await.map_err(|_| Error::Busy)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The form of a password that is hashed: NFC, as the profile OpaqueString of RFC 8265 has it, so that one keyboard's `é`
/// is another's. `None` if it is too short or too long.
fn normal(password: &Secret) -> Option<String> {
    let text = password.expose();
    if text.len() > RAW_BYTES_MAX {
        return None;
    }
    let text: String = text.nfc().collect();
    CHARS.contains(&text.chars().count()).then_some(text)
}

/// Bytes of the operating system's generator, for everything that must not be guessed.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes once it has started");
    bytes
}

/// Groups in a password that is made up: 99 bits.
pub(crate) const GROUPS: usize = 5;

/// A text of so many groups of four characters that are hard to take for one another; about 20 bits each.
pub(crate) fn make_up(groups: usize) -> Secret {
    // 31 characters, so of 32 equally likely values one is thrown away.
    const READABLE: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let length = groups * 5 - 1;
    let mut password = String::with_capacity(length);
    while password.len() < length {
        for byte in random::<32>() {
            if let Some(&character) = READABLE.get(usize::from(byte & 31))
                && password.len() < length
            {
                if password.len() % 5 == 4 {
                    password.push('-');
                }
                password.push(char::from(character));
            }
        }
    }
    Secret::new(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_passwords_are_readable_and_differ() {
        let one = make_up(GROUPS);
        let groups: Vec<_> = one.expose().split('-').collect();
        assert_eq!(groups.len(), 5);
        assert!(groups.iter().all(|group| group.len() == 4 && group.bytes().all(|b| b.is_ascii_alphanumeric())));
        assert_ne!(one, make_up(GROUPS));
    }

    #[tokio::test]
    async fn hashes_and_checks() {
        let passwords = Passwords::new(2);
        let secret = Secret::new("pa\u{df}wo\u{308}rter");
        let phc = passwords.hash(&secret).await.expect("a hash");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_ne!(phc, passwords.hash(&secret).await.expect("another salt"));
        assert!(passwords.verify(&secret, Some(&phc)).await.expect("a check"));
        // The same letters in another normal form.
        assert!(passwords.verify(&Secret::new("pa\u{df}w\u{f6}rter"), Some(&phc)).await.expect("a check"));
        assert!(!passwords.verify(&Secret::new("Pa\u{df}w\u{f6}rter"), Some(&phc)).await.expect("a check"));
        assert!(!passwords.verify(&secret, None).await.expect("a check of nobody"));
        assert!(matches!(passwords.verify(&secret, Some("plain")).await, Err(Error::Damaged(_))));
    }

    #[tokio::test]
    async fn rules() {
        let passwords = Passwords::new(1);
        for bad in ["", "1234567", &"x".repeat(257), &"x".repeat(100_000), "e\u{301}e\u{301}e\u{301}e\u{301}"] {
            assert!(matches!(passwords.hash(&Secret::new(bad)).await, Err(Error::PasswordInvalid)), "{}", bad.len());
            assert!(!passwords.verify(&Secret::new(bad), None).await.expect("no password"));
        }
        assert!(passwords.hash(&Secret::new("ключ-ключ")).await.is_ok());
    }

    #[tokio::test]
    async fn a_flood_is_refused_and_not_queued() {
        let passwords = Passwords::new(1);
        let secret = Secret::new("correct horse");
        let mut flood = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let (passwords, secret) = (passwords.clone(), secret.clone());
            flood.spawn(async move { passwords.verify(&secret, None).await });
        }
        let refused = flood.join_all().await.into_iter().filter(|result| matches!(result, Err(Error::Busy))).count();
        // The worker may finish a few while the flood comes in.
        assert!(refused > 0 && refused <= 40 - 17, "{refused}");
        assert!(passwords.verify(&secret, None).await.is_ok());
    }
}
