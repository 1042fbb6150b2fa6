//! How letters leave: SMTP, as the section `mail` of the configuration says.

use std::time::Duration;

use accounts::{Letter, Post, PostError};
use anyhow::{Context, bail};
use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{AsyncSmtpTransportBuilder, PoolConfig, authentication::Credentials},
};

use crate::config::Mail;

/// How long a command of the mail server may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connections to the mail server at most: as many as jobs are done at once.
const CONNECTIONS_MAX: u32 = 4;

/// Sends letters over SMTP.
pub(crate) struct SmtpPost {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Looks at the section without reaching the server.
///
/// # Errors
/// Says which key is wrong and what would be right.
pub(crate) fn check(mail: &Mail) -> anyhow::Result<()> {
    read(mail).map(drop)
}

/// What sends letters; nothing if no server is named. To be called where asynchronous code runs, which the pool of
/// connections needs.
///
/// # Errors
/// As [`check`].
pub(crate) fn post(mail: &Mail) -> anyhow::Result<Option<SmtpPost>> {
    let Some((builder, from)) = read(mail)? else { return Ok(None) };
    let pool = PoolConfig::new().max_size(CONNECTIONS_MAX);
    Ok(Some(SmtpPost { transport: builder.timeout(Some(PATIENCE)).pool_config(pool).build(), from }))
}

/// The server and the sender, if a server is named.
fn read(mail: &Mail) -> anyhow::Result<Option<(AsyncSmtpTransportBuilder, Mailbox)>> {
    let Some(server) = &mail.server else { return Ok(None) };
    let url = reqwest::Url::parse(server).ok().filter(|url| ["smtp", "smtps"].contains(&url.scheme()));
    let Some(url) = url.filter(reqwest::Url::has_host) else {
        bail!("mail.server is an address such as smtps://mail.example.org");
    };
    if url.password().is_some() {
        bail!("mail.server has a password in it, which would show in logs: put it into mail.password");
    }
    let from = mail.from.as_deref().context("mail.server needs mail.from, for example `Files <files@example.org>`")?;
    let from = from.parse().context("mail.from is an address such as `Files <files@example.org>`")?;
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(server).context("the key mail.server")?;
    if let Some(password) = &mail.password {
        builder = builder.credentials(Credentials::new(url.username().to_owned(), password.expose().to_owned()));
    }
    Ok(Some((builder, from)))
}

#[async_trait]
impl Post for SmtpPost {
    async fn send(&self, letter: &Letter) -> Result<(), PostError> {
        let never = |error: &dyn std::error::Error| PostError::Never(error.to_string());
        let to = letter.to.parse().map_err(|error| never(&error))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(|error| never(&error))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            // A refusal for good, for example of an address that does not exist.
            Err(error) if error.is_permanent() => Err(never(&error)),
            Err(error) => Err(PostError::Later(error.to_string())),
        }
    }
}
