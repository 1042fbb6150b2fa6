//! `token create`, `token ls`, `token rm`: API tokens for programs, which are app passwords as well.

use std::time::Duration;

use base::KeyId;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Common,
    api::{Api, Page},
    backoff::Patience,
    failure::Failure,
    output::{Output, moment, note, shown, table},
};

/// `holdfast token …`.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Makes a token and prints it, this once
    Create(Create),
    /// Lists one's tokens
    Ls(Common),
    /// Removes a token: within a second it is good for nothing
    Rm(Remove),
}

/// `holdfast token create`.
///
/// The token goes into `Authorization: Bearer …`, or in the place of the password where a program asks for a name and a
/// password.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What it is for, for the list
    #[arg(value_name = "NAME")]
    name: String,
    /// What it may do, separated by commas: files.read, files, share, admin.users, admin.nodes
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', default_value = "files")]
    scopes: Vec<String>,
    /// Days after which it ends by itself [default: never]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    #[command(flatten)]
    common: Common,
}

/// `holdfast token rm`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The token's id, as `holdfast token ls` shows it
    #[arg(value_name = "ID")]
    id: KeyId,
    #[command(flatten)]
    common: Common,
}

/// A token, as far as it is shown again.
#[derive(Debug, Deserialize, Serialize)]
struct View {
    id: String,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

/// A new token.
#[derive(Deserialize, Serialize)]
struct Created {
    token: String,
    #[serde(flatten)]
    view: View,
}

pub(super) async fn token(token: Token) -> Result<(), Failure> {
    match token {
        Token::Create(create) => make(&create).await,
        Token::Ls(common) => list(&common).await,
        Token::Rm(remove) => take_away(&remove).await,
    }
}

async fn make(create: &Create) -> Result<(), Failure> {
    let api = Api::connect(&create.common)?;
    let span = create.days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
    let expires = span.map(|span| crate::clock::SystemClock::start().now().plus(span).to_string());
    let body = json!({ "name": create.name, "scopes": create.scopes, "expires_at": expires });
    // Once: if the answer is lost, a second attempt would leave a token behind that nobody knows.
    let created: Created = api.read(api.send(Patience::None, Method::POST, "/me/tokens", &body).await?).await?;
    let mut output = Output::new();
    if create.common.json {
        output.json(&created)?;
    } else {
        output.line(&created.token)?;
        if !create.common.quiet {
            note(&format!("This is {} ({}). It is not shown again.", shown(&created.view.name), created.view.id));
        }
    }
    output.flush()
}

async fn list(common: &Common) -> Result<(), Failure> {
    let api = Api::connect(common)?;
    let mut output = Output::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let found: Page<View> = api.get(Patience::Brief, "/me/tokens", &query).await?;
        if common.json {
            found.items.iter().try_for_each(|view| output.json(view))?;
        } else {
            let when = |time: &Option<String>| time.as_deref().map_or_else(|| "never".to_owned(), moment);
            let rows = found.items.iter().map(|view| {
                vec![
                    shown(&view.id).into_owned(),
                    format!("{}…", shown(&view.prefix)),
                    view.scopes.join(","),
                    when(&view.last_used_at),
                    when(&view.expires_at),
                    shown(&view.name).into_owned(),
                ]
            });
            let head = ["ID", "TOKEN", "SCOPES", "USED", "ENDS", "NAME"];
            for line in table(&head, &[], &rows.collect::<Vec<_>>()) {
                output.line(&line)?;
            }
        }
        cursor = found.next_cursor;
        if cursor.is_none() {
            return output.flush();
        }
    }
}

async fn take_away(remove: &Remove) -> Result<(), Failure> {
    let api = Api::connect(&remove.common)?;
    let removed = api.order(Method::DELETE, &format!("/me/tokens/{}", remove.id)).await;
    removed.map_err(|failure| failure.about(remove.id))?;
    if !remove.common.quiet {
        note("The token is good for nothing now.");
    }
    Ok(())
}
