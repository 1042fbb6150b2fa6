//! `login`, `logout`, `whoami`.

use std::io::{self, IsTerminal, Read, Write};

use base::{ByteSize, Secret};
use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::{
    Common,
    api::{Api, Me, Server, Space, Tokens},
    backoff::Patience,
    credentials::{Credentials, blocking},
    failure::Failure,
    output::{Output, note, shown},
};

/// The password for `login`, where nobody is there to type it.
const PASSWORD: &str = "HOLDFAST_PASSWORD";

/// `holdfast login`.
///
/// The session is kept in `~/.config/holdfast/credentials.json`, which only its owner can read; the password is not
/// kept. One can be signed in to several servers: commands take the one signed in to last, unless --server names
/// another.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The server [default: http://127.0.0.1:8080]
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// The account's name [default: asked for]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Reads the password from standard input; without this it is asked for, or taken from HOLDFAST_PASSWORD
    #[arg(long)]
    password_stdin: bool,
    /// A code of the authenticator app, or a recovery code, where the account has a second factor [default: asked for]
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn login(login: Login) -> Result<(), Failure> {
    let text = login.url.or(login.common.server).filter(|text| !text.is_empty());
    let server = text.map_or_else(|| Ok(Server::default()), |text| Server::parse(&text))?;
    if server.is_open_to_eavesdroppers() {
        note(&format!("Note: {server} has no https: password and files travel readable for everyone on the way."));
    }
    let (name, password_stdin) = (login.name, login.password_stdin);
    let (name, password) = blocking(move || ask(name, password_stdin)).await?;
    let credentials = Credentials::of_user()?;
    let client = format!("holdfast {}", env!("CARGO_PKG_VERSION"));
    let second = login.code.map(Secret::new);
    let me = match sign_in(&server, &credentials, &name, &password, &client).await {
        Err(failure) if failure.challenge().is_some() => {
            let challenge = failure.challenge().cloned().unwrap_or_else(|| Secret::new(""));
            let code = match second {
                Some(code) => code,
                None => blocking(ask_code).await?,
            };
            second_step(&server, &credentials, &challenge, &code).await?
        }
        result => result?,
    };
    if login.common.json {
        let mut output = Output::new();
        output.json(&json!({ "server": server.as_str(), "user": me }))?;
        output.flush()?;
    } else if !login.common.quiet {
        note(&format!("Signed in to {server} as {}.", shown(&me.name)));
    }
    Ok(())
}

/// Signs in and keeps the session.
pub(super) async fn sign_in(
    server: &Server,
    credentials: &Credentials,
    name: &str,
    password: &Secret,
    client: &str,
) -> Result<Me, Failure> {
    let api = Api::anonymous(server.clone())?;
    let body = json!({ "name": name, "password": password.expose(), "client": client });
    let tokens: Tokens = api.read(api.send(Patience::None, Method::POST, "/login", &body).await?).await?;
    keep(server, credentials, tokens).await
}

/// Gives the code that a sign-in asks for after the password, and keeps the session.
async fn second_step(
    server: &Server,
    credentials: &Credentials,
    challenge: &Secret,
    code: &Secret,
) -> Result<Me, Failure> {
    let api = Api::anonymous(server.clone())?;
    let body = json!({ "challenge": challenge.expose(), "code": code.expose() });
    let answer = api.send(Patience::None, Method::POST, "/login/second-factor", &body).await?;
    keep(server, credentials, api.read(answer).await?).await
}

/// Keeps a session.
async fn keep(server: &Server, credentials: &Credentials, tokens: Tokens) -> Result<Me, Failure> {
    let me = tokens.user.clone();
    let turn = credentials.turn().await?;
    let mut book = credentials.load()?;
    book.current = Some(server.to_string());
    book.servers.insert(server.to_string(), tokens.profile(crate::clock::SystemClock::start().now()));
    credentials.save(&turn, &book)?;
    Ok(me)
}

/// Finds out name and password.
fn ask(name: Option<String>, password_stdin: bool) -> Result<(String, Secret), Failure> {
    let is_interactive = io::stdin().is_terminal();
    let name = match name {
        Some(name) => name,
        None if is_interactive && !password_stdin => {
            let _ = write!(io::stderr().lock(), "Name: ");
            let mut line = String::new();
            io::stdin().read_line(&mut line).map_err(|error| Failure::local("standard input", error))?;
            line.trim().to_owned()
        }
        None => return Err(Failure::Usage("nobody is there to ask: give the account's name as --name".into())),
    };
    if name.is_empty() {
        return Err(Failure::Usage("there is no account without a name".into()));
    }
    if password_stdin {
        return Ok((name, first_line(io::stdin().lock())?));
    }
    if let Some(password) = crate::config::variable(PASSWORD) {
        return Ok((name, Secret::new(password)));
    }
    if !is_interactive {
        let text = format!("nobody is there to ask: give the password by --password-stdin or {PASSWORD}");
        return Err(Failure::Usage(text));
    }
    let password = rpassword::prompt_password("Password: ").map_err(|error| Failure::local("the terminal", error))?;
    Ok((name, Secret::new(password)))
}

/// Asks for a code of the authenticator app.
fn ask_code() -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "the account has a second factor, and nobody is there to ask: give a --code".into(),
        ));
    }
    let code = rpassword::prompt_password("Code: ").map_err(|error| Failure::local("the terminal", error))?;
    Ok(Secret::new(code))
}

/// All that is there, without the line's end that `echo` adds.
pub(super) fn first_line(reader: impl Read) -> Result<Secret, Failure> {
    let mut text = String::new();
    reader.take(4096).read_to_string(&mut text).map_err(|error| Failure::local("standard input", error))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(password.strip_suffix('\r').unwrap_or(password)))
}

pub(super) async fn logout(common: &Common) -> Result<(), Failure> {
    let api = Api::connect(common)?;
    let ended = match api.order(Method::POST, "/logout").await {
        // It had ended before, which is as well.
        Err(Failure::SignedOut { .. }) => Ok(()),
        Err(failure) if failure.has_status(401) => Ok(()),
        result => result,
    };
    // Forgotten here in any case: that is what was asked for.
    let credentials = Credentials::of_user()?;
    let turn = credentials.turn().await?;
    let mut book = credentials.load()?;
    book.servers.remove(api.server().as_str());
    if book.current.as_deref() == Some(api.server().as_str()) {
        book.current = match book.servers.len() {
            1 => book.servers.keys().next().cloned(),
            _ => None,
        };
    }
    credentials.save(&turn, &book)?;
    if !common.quiet {
        note(&format!("Signed out of {}.", api.server()));
    }
    ended.map_err(|failure| failure.about("the session is forgotten here, but the server still counts it"))
}

pub(super) async fn whoami(common: &Common) -> Result<(), Failure> {
    let api = Api::connect(common)?;
    let me: Me = api.get(Patience::Brief, "/me", &[(); 0]).await?;
    let space: Space = api.get(Patience::Brief, &format!("/spaces/{}", me.space_id), &[(); 0]).await?;
    let mut output = Output::new();
    if common.json {
        output.json(&json!({ "server": api.server().as_str(), "user": me, "space": space }))?;
    } else {
        let used = ByteSize(space.used_bytes);
        let room = match space.quota_bytes {
            Some(quota) => format!("{used} of {} used", ByteSize(quota)),
            None => format!("{used} used"),
        };
        output.line(&format!("{} at {}", shown(&me.name), api.server()))?;
        if !me.display_name.is_empty() && me.display_name != me.name {
            output.line(&format!("Shown as    {}", shown(&me.display_name)))?;
        }
        output.line(&format!("Account     {}", shown(&me.id)))?;
        output.line(&format!("Permissions {}", shown(&me.permissions.join(", "))))?;
        output.line(&format!("Room        {room}"))?;
    }
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_lose_their_line_end_and_nothing_else() {
        let check = |text: &str, password: &str| assert_eq!(first_line(text.as_bytes()).unwrap().expose(), password);
        check("secret\n", "secret");
        check("secret\r\n", "secret");
        check(" two words ", " two words ");
        check("line\n\n", "line\n");
    }
}
