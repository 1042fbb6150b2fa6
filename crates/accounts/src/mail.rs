//! Letters: what they say, in the reader's language, and the job that sends them.
//!
//! A letter is a job, so nobody waits for a mail server and none is lost with a process. The job names what the letter is
//! about; its text, with the secret in the link, is made when it is sent and stands nowhere.

use std::sync::Arc;

use async_trait::async_trait;
use base::TicketId;
use bus::{Handler, HandlerError, Leased, NewJob};
use db::{Lane, Tx, tickets::TicketRow};
use serde::{Deserialize, Serialize};

use crate::{Accounts, Error, ticket::Kind};

/// The kind of the jobs.
const JOB: &str = LETTERS;

/// Kind of the jobs that send letters. They may be left undone: whoever wants one asks again.
pub const LETTERS: &str = "mail";

/// Before other work: people wait for these.
const PRIORITY: i64 = 10;

/// A letter in plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// The subject: one line.
    pub subject: String,
    /// The text, with lines ending in `\n`.
    pub text: String,
}

/// Why a letter was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// It may be taken another time.
    #[error("{0}")]
    Later(String),
    /// It will never be taken: the server refuses this letter or this address.
    #[error("{0}")]
    Never(String),
}

/// Whatever takes letters to where they go.
#[async_trait]
pub trait Post: Send + Sync + 'static {
    /// Hands a letter over.
    ///
    /// # Errors
    /// Says with [`PostError`] whether to try again.
    async fn send(&self, letter: &Letter) -> Result<(), PostError>;
}

/// What a job is to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Order {
    /// Send the letter of a ticket.
    Ticket { ticket: TicketId },
    /// Somebody forgot the password of the account with this address, if there is one.
    ResetAsked { email_key: String },
}

/// The languages that letters are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    Russian,
}

/// The words for the languages that an account can have.
pub(crate) const LANGUAGES: [&str; 2] = ["en", "ru"];

/// The handler of letters, for the worker.
pub struct MailHandler {
    accounts: Accounts,
    post: Arc<dyn Post>,
}

impl MailHandler {
    /// Sends the letters of these accounts by this post.
    pub fn new(accounts: Accounts, post: Arc<dyn Post>) -> Self {
        Self { accounts, post }
    }
}

#[async_trait]
impl Handler for MailHandler {
    fn kind(&self) -> &'static str {
        JOB
    }

    async fn handle(&self, job: &Leased) -> Result<(), HandlerError> {
        let order: Order = job.payload()?;
        let ticket = match order {
            Order::ResetAsked { email_key } => return Ok(self.accounts.begin_reset(&email_key).await?),
            Order::Ticket { ticket } => ticket,
        };
        let Some(letter) = self.accounts.compose(ticket).await? else { return Ok(()) };
        self.post.send(&letter).await.map_err(|error| match error {
            PostError::Later(why) => HandlerError::Failed(why),
            PostError::Never(why) => HandlerError::Hopeless(why),
        })
    }
}

impl Accounts {
    /// Has the letter of a ticket sent once the unit of work is committed.
    pub(crate) async fn send_ticket(&self, tx: &Tx, ticket: TicketId) -> Result<(), Error> {
        self.order(tx, format!("{JOB}:{ticket}"), Order::Ticket { ticket }).await
    }

    /// Has it looked up whose address this is, and a letter sent to them.
    pub(crate) async fn send_reset(&self, email_key: String) -> Result<(), Error> {
        let accounts = self.clone();
        // Requests for one address become one job while it waits.
        let key = format!("{JOB}:reset:{}", blake3::hash(email_key.as_bytes()).to_hex());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                let order = Order::ResetAsked { email_key: email_key.clone() };
                accounts.order(&tx, key.clone(), order).await
            })
            .await
    }

    async fn order(&self, tx: &Tx, key: String, payload: Order) -> Result<(), Error> {
        let now = self.0.clock.now();
        let job = NewJob { kind: JOB, version: 1, dedup: Some(key), payload, priority: PRIORITY, due: now };
        match bus::enqueue(tx, &self.0.ids, now, job).await {
            Ok(_) => Ok(()),
            Err(bus::Error::Database(error)) => Err(error.into()),
            Err(_) => Err(Error::Damaged("the order of a letter")),
        }
    }

    /// The letter of a ticket; nothing if it is not needed any more.
    async fn compose(&self, id: TicketId) -> Result<Option<Letter>, Error> {
        let now = self.0.clock.now();
        let ticket = db::tickets::get(&self.0.db, id).await?;
        let Some(ticket) = ticket.filter(|ticket| ticket.used.is_none() && ticket.expires > now) else {
            return Ok(None);
        };
        let (Some(to), Some(kind)) = (ticket.email.clone(), Kind::parse(&ticket.kind)) else { return Ok(None) };
        let name = match ticket.account.or(ticket.made_by) {
            Some(account) => db::accounts::account(&self.0.db, account).await?.map(|row| row.display_name),
            None => None,
        };
        let Some(link) = self.ticket_url(kind, id) else { return Err(Error::MailOff) };
        let language = if ticket.language == "ru" { Language::Russian } else { Language::English };
        let server = self.settings().fresh().await.name.clone();
        let (subject, text) = words(language, kind, [&server, &name.unwrap_or_default()], &link, &ticket);
        Ok(Some(Letter { to, subject, text }))
    }
}

/// Subject and text of a letter.
fn words(
    language: Language,
    kind: Kind,
    [server, name]: [&str; 2],
    link: &str,
    ticket: &TicketRow,
) -> (String, String) {
    let until = ticket.expires.to_string();
    // To the minute; nobody reads seconds.
    let until = format!("{} UTC", until.get(..16).unwrap_or(&until).replace('T', " "));
    let (subject, text) = match (language, kind) {
        (Language::English, Kind::Verify) => (
            "Confirm your e-mail address",
            format!(
                "Hello {name},\n\nthis address was given for your account. To confirm it, open:\n\n{link}\n\nThe link is \
                 good once, until {until}. If you know nothing of this, do nothing: the address will not be used.\n"
            ),
        ),
        (Language::English, Kind::Reset) => (
            "A new password",
            format!(
                "Hello {name},\n\nsomebody, you we hope, has forgotten the password of your account. To choose a new one, \
                 open:\n\n{link}\n\nThe link is good once, until {until}. All sessions will end. If it was not you, do \
                 nothing: your password stays as it is.\n"
            ),
        ),
        (Language::English, Kind::Invite) => (
            "You are invited",
            format!(
                "Hello,\n\n{name} invites you to {server}. To make your account, open:\n\n{link}\n\nThe invitation is \
                 good once, until {until}.\n"
            ),
        ),
        (Language::Russian, Kind::Verify) => (
            "Подтвердите адрес почты",
            format!(
                "Здравствуйте, {name}!\n\nЭтот адрес указан для вашей учётной записи. Чтобы подтвердить его, откройте:\n\n\
                 {link}\n\nСсылка действует один раз, до {until}. Если вы об этом ничего не знаете, ничего не делайте: \
                 адрес не будет использован.\n"
            ),
        ),
        (Language::Russian, Kind::Reset) => (
            "Новый пароль",
            format!(
                "Здравствуйте, {name}!\n\nКто-то — надеемся, вы — забыл пароль вашей учётной записи. Чтобы выбрать новый, \
                 откройте:\n\n{link}\n\nСсылка действует один раз, до {until}. Все сеансы завершатся. Если это были не \
                 вы, ничего не делайте: пароль останется прежним.\n"
            ),
        ),
        (Language::Russian, Kind::Invite) => (
            "Вас приглашают",
            format!(
                "Здравствуйте!\n\n{name} приглашает вас в {server}. Чтобы создать учётную запись, откройте:\n\n{link}\n\n\
                 Приглашение действует один раз, до {until}.\n"
            ),
        ),
    };
    (subject.to_owned(), text)
}
