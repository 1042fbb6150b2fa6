//! The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

use std::{net::IpAddr, time::Duration};

use base::{AccountId, Secret, Time};
use db::{Lane, accounts::AccountRow};
use serde::{Deserialize, Serialize};
use serde_json::json;
use totp_rs::{Builder, Totp};

use crate::{
    Accounts, Error, Permission, Principal, Tokens,
    audit::{Deed, Line},
    identity::Origin,
    name::AccountName,
    password::{make_up, random},
};

/// Seconds that a code stands for; what authenticator apps take for granted, as they do six digits and SHA-1.
const STEP: u64 = 30;

/// Steps before and after the present one whose codes are good: a telephone's clock may be half a minute off.
const SKEW: u16 = 1;

/// Bytes of the secret, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;

/// Recovery codes that are made at a time.
const RECOVERY_CODES: usize = 10;

/// Groups of four characters in a recovery code: 79 bits.
const RECOVERY_GROUPS: usize = 4;

/// How long somebody who gave the password may take to give the code.
const CHALLENGE: Duration = Duration::from_secs(5 * 60);

/// What a challenge is signed for.
const PURPOSE: &str = "second-factor";

/// What is known of an account's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondFactor {
    /// Since when it is asked for; nothing if it is not.
    pub since: Option<Time>,
    /// Recovery codes that were not used.
    pub recovery_codes: u32,
}

/// A second factor that is being set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The secret in base 32, to be typed.
    pub secret: Secret,
    /// The same as an `otpauth:` address, to be shown as a QR code.
    pub uri: Secret,
}

/// The second step of a sign-in.
#[derive(Debug, Clone)]
pub struct SecondStep {
    /// What the first step gave with [`Error::SecondFactorRequired`].
    pub challenge: Secret,
    /// A code of the authenticator app, or a recovery code.
    pub code: Secret,
    /// Where the request came from.
    pub address: IpAddr,
}

/// What the first step hands the client, signed.
#[derive(Serialize, Deserialize)]
struct Challenge {
    account: AccountId,
    /// Of the password that was given: after a change of it the challenge is void.
    password: String,
    client: String,
    /// By what the first step was, if that was elsewhere.
    #[serde(default)]
    origin: Option<Origin>,
}

/// A code as somebody gave it.
enum Code {
    Totp(String),
    Recovery(String),
}

impl Code {
    fn read(code: &Secret) -> Self {
        // People copy codes with the spaces that apps show in them.
        let code: String = code.expose().chars().filter(|c| c.is_ascii_alphanumeric()).take(64).collect();
        match code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
            true => Self::Totp(code),
            false => Self::Recovery(code.to_ascii_lowercase()),
        }
    }
}

impl Accounts {
    /// What is known of the caller's second factor.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session, [`Error::Database`].
    pub async fn second_factor(&self, principal: &Principal) -> Result<SecondFactor, Error> {
        principal.needs(Permission::Account)?;
        let row = db::second_factor::get(&self.0.db, principal.account).await?;
        let recovery_codes = db::second_factor::recovery_codes(&self.0.db, principal.account).await?;
        Ok(SecondFactor { since: row.and_then(|row| row.confirmed), recovery_codes })
    }

    /// Begins to set up a second factor. It is asked for once a code has confirmed that the app knows the secret.
    ///
    /// # Errors
    /// [`Error::SecondFactorOn`] if there is one; those of a wrong password as [`Accounts::change_password`] has them.
    pub async fn begin_second_factor(&self, principal: &Principal, password: &Secret) -> Result<Setup, Error> {
        let row = self.prove(principal, password).await?;
        let secret = random::<SECRET_BYTES>();
        let totp = totp(&secret, &row.name)?;
        let uri = totp.to_url().map_err(|_| Error::Damaged("the name of an account"))?;
        let sealed = self.0.seal.close(&row.id.to_bytes(), &secret)?;
        let (account, now) = (row.id, self.0.clock.now());
        let began = self
            .0
            .db
            .write(Lane::Free, async move |tx| db::second_factor::begin(&tx, account, &sealed, now).await)
            .await?;
        if !began {
            return Err(Error::SecondFactorOn);
        }
        Ok(Setup { secret: Secret::new(totp.secret().to_base32()), uri: Secret::new(uri) })
    }

    /// Has the second factor asked for from now on, if this is a code of it; gives the recovery codes, which nobody can
    /// show again.
    ///
    /// # Errors
    /// [`Error::CodeWrong`], [`Error::SecondFactorOff`] if none is being set up, [`Error::SecondFactorOn`],
    /// [`Error::PermissionMissing`] without a session, [`Error::Database`].
    pub async fn confirm_second_factor(
        &self,
        principal: &Principal,
        code: &Secret,
        from: IpAddr,
    ) -> Result<Vec<Secret>, Error> {
        principal.needs(Permission::Account)?;
        let account = principal.account;
        let row = db::second_factor::get(&self.0.db, account).await?.ok_or(Error::SecondFactorOff)?;
        if row.confirmed.is_some() {
            return Err(Error::SecondFactorOn);
        }
        let Code::Totp(code) = Code::read(code) else { return Err(Error::CodeWrong) };
        let step = self.step(account, &row.sealed, &code)?.ok_or(Error::CodeWrong)?;
        let (codes, hashes) = recovery_codes(account);
        let (line, now, accounts) = (Line::own(Deed::SecondFactorOn, account, from), self.0.clock.now(), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                // Somebody may have begun anew meanwhile, with another secret.
                if !db::second_factor::confirm(&tx, account, &row.sealed, step, now).await? {
                    return Err(Error::CodeWrong);
                }
                db::second_factor::replace_recovery_codes(&tx, account, &hashes).await?;
                Ok(accounts.log(&tx, &line).await?)
            })
            .await?;
        Ok(codes)
    }

    /// New recovery codes in the place of all old ones.
    ///
    /// # Errors
    /// [`Error::SecondFactorOff`]; those of a wrong password as [`Accounts::change_password`] has them.
    pub async fn renew_recovery_codes(
        &self,
        principal: &Principal,
        password: &Secret,
        from: IpAddr,
    ) -> Result<Vec<Secret>, Error> {
        let account = self.prove(principal, password).await?.id;
        let row = db::second_factor::get(&self.0.db, account).await?;
        if row.is_none_or(|row| row.confirmed.is_none()) {
            return Err(Error::SecondFactorOff);
        }
        let (codes, hashes) = recovery_codes(account);
        let (line, accounts) = (Line::own(Deed::RecoveryCodesMade, account, from), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                db::second_factor::replace_recovery_codes(&tx, account, &hashes).await?;
                Ok::<_, Error>(accounts.log(&tx, &line).await?)
            })
            .await?;
        Ok(codes)
    }

    /// Asks for no second factor any more.
    ///
    /// # Errors
    /// [`Error::SecondFactorOff`]; those of a wrong password as [`Accounts::change_password`] has them.
    pub async fn remove_second_factor(
        &self,
        principal: &Principal,
        password: &Secret,
        from: IpAddr,
    ) -> Result<(), Error> {
        let account = self.prove(principal, password).await?.id;
        let (line, accounts) = (Line::own(Deed::SecondFactorOff, account, from), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if !db::second_factor::remove(&tx, account).await? {
                    return Err(Error::SecondFactorOff);
                }
                Ok(accounts.log(&tx, &line).await?)
            })
            .await
    }

    /// Stops a sign-in whose first step was right, if a second factor is to be asked for.
    ///
    /// # Errors
    /// [`Error::SecondFactorRequired`] if it is, [`Error::Database`].
    pub(crate) async fn challenge(&self, row: &AccountRow, client: &str, origin: Option<&Origin>) -> Result<(), Error> {
        let factor = db::second_factor::get(&self.0.db, row.id).await?;
        if factor.is_none_or(|factor| factor.confirmed.is_none()) {
            return Ok(());
        }
        let challenge = Challenge {
            account: row.id,
            password: fingerprint(&row.password_hash),
            client: client.to_owned(),
            origin: origin.cloned(),
        };
        let challenge = self.0.keys.sign_pass(PURPOSE, &challenge, self.0.clock.now(), CHALLENGE)?;
        Err(Error::SecondFactorRequired { challenge, expires_in: CHALLENGE })
    }

    /// Begins the session that the first step asked for, if the code is right. A code is good once.
    ///
    /// Wrong codes are counted for the account, and for addresses from which it was signed in to before by themselves (see
    /// `throttle`). Only somebody who knows the password gets so far as to be counted.
    ///
    /// # Errors
    /// [`Error::ChallengeExpired`] if the challenge is not ours, too old, or of an older password;
    /// [`Error::CodeWrong`], also for one that was used; [`Error::AccountDisabled`], [`Error::TooManyAttempts`],
    /// [`Error::Database`].
    pub async fn second_step(&self, step: SecondStep) -> Result<Tokens, Error> {
        let inner = &*self.0;
        let challenge: Challenge =
            inner.keys.read_pass(PURPOSE, step.challenge.expose(), inner.clock.now()).ok_or(Error::ChallengeExpired)?;
        let attempt = inner
            .throttle
            .admit_code(challenge.account, step.address, inner.clock.elapsed())
            .await
            .map_err(|retry_after| Error::TooManyAttempts { retry_after })?;
        let (row, how) = match self.check_step(&challenge, &step.code).await {
            Ok(checked) => checked,
            Err(Error::CodeWrong) => {
                let (deed, address) = (Deed::SignInFailed, Some(step.address));
                let detail = json!({ "step": "code" });
                self.log_alone(Line { deed, actor: None, account: Some(challenge.account), address, detail }).await;
                return Err(Error::CodeWrong);
            }
            Err(error) => {
                inner.throttle.take_back(&attempt).await;
                return Err(error);
            }
        };
        inner.throttle.succeeded(&attempt).await;
        if let Ok(name) = AccountName::new(&row.name) {
            inner.throttle.familiar(&name.key, step.address).await;
        }
        self.begin(row, challenge.client, step.address, json!({ "second_factor": how }), challenge.origin).await
    }

    /// The account of a challenge, if the code is one of its, which is thereby used; and what kind of code it was.
    async fn check_step(&self, challenge: &Challenge, code: &Secret) -> Result<(AccountRow, &'static str), Error> {
        let inner = &*self.0;
        let account = challenge.account;
        let row = db::accounts::account(&inner.db, account).await?.ok_or(Error::ChallengeExpired)?;
        if fingerprint(&row.password_hash) != challenge.password {
            return Err(Error::ChallengeExpired);
        }
        if row.disabled.is_some() {
            return Err(Error::AccountDisabled);
        }
        let factor = db::second_factor::get(&inner.db, account).await?.filter(|factor| factor.confirmed.is_some());
        let factor = factor.ok_or(Error::ChallengeExpired)?;
        match Code::read(code) {
            Code::Totp(code) => {
                let step = self.step(account, &factor.sealed, &code)?.ok_or(Error::CodeWrong)?;
                let newest = seconds(inner.clock.now()) / STEP + u64::from(SKEW);
                let take =
                    async move |tx| db::second_factor::take_step(&tx, account, &factor.sealed, step, newest).await;
                match inner.db.write(Lane::Free, take).await? {
                    true => Ok((row, "code")),
                    false => Err(Error::CodeWrong),
                }
            }
            Code::Recovery(code) => {
                let hash = recovery_hash(account, &code);
                let take = async move |tx| db::second_factor::take_recovery_code(&tx, account, &hash).await;
                match inner.db.write(Lane::Free, take).await? {
                    true => Ok((row, "recovery-code")),
                    false => Err(Error::CodeWrong),
                }
            }
        }
    }

    /// The step whose code this is, if it is one of about now.
    fn step(&self, account: AccountId, sealed: &[u8], code: &str) -> Result<Option<u64>, Error> {
        let secret = self.0.seal.open(&account.to_bytes(), sealed)?;
        Ok(totp(&secret, "account")?.check(code, seconds(self.0.clock.now())))
    }
}

fn totp(secret: &[u8], name: &str) -> Result<Totp, Error> {
    let builder = Builder::new().with_secret(secret).with_step_duration(STEP).with_skew(SKEW);
    let totp = builder.with_account_name(name).with_issuer(Some("Holdfast")).build();
    totp.map_err(|_| Error::Damaged("the secret of a second factor"))
}

fn seconds(now: Time) -> u64 {
    now.as_secs().unsigned_abs()
}

/// Tells one password's hash from another.
fn fingerprint(password_hash: &str) -> String {
    blake3::hash(password_hash.as_bytes()).to_hex()[..16].to_owned()
}

/// New recovery codes, and what is stored of them.
fn recovery_codes(account: AccountId) -> (Vec<Secret>, Vec<[u8; 32]>) {
    let codes: Vec<_> = (0..RECOVERY_CODES).map(|_| make_up(RECOVERY_GROUPS)).collect();
    let hashes = codes.iter().map(|code| recovery_hash(account, &code.expose().replace('-', ""))).collect();
    (codes, hashes)
}

/// A plain hash is enough for something that has 79 bits nobody can guess; the account is in it, so that equal hashes
/// would say nothing.
fn recovery_hash(account: AccountId, code: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&account.to_bytes()).update(code.as_bytes());
    *hasher.finalize().as_bytes()
}
