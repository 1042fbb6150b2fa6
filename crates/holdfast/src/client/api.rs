//! Requests to a server: authentication with renewal of tokens, patience, problems read into failures.

mod calls;
mod server;
mod types;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base::{Clock, Secret, SpaceId};
use bytes::Bytes;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};

pub(super) use self::{
    calls::{Child, OnConflict, Put},
    server::Server,
    types::{Entry, Layout, Me, Page, Space, Tokens, Upload},
};
use super::{
    Common,
    backoff::{Backoff, Patience},
    credentials::{Credentials, Profile},
    failure::{Failure, Refusal},
};

/// A connection to the server is made within this, or not at all.
const CONNECT: Duration = Duration::from_secs(10);

/// Nothing moved for this long, in either direction: the connection is taken for dead.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// A problem document is not longer.
const PROBLEM_BYTES_MAX: usize = 64 << 10;

/// A server, with or without a session.
pub(super) struct Api {
    http: Client,
    server: Server,
    session: Option<Session>,
}

/// What proves who is asking.
struct Session {
    credentials: Credentials,
    clock: Arc<dyn Clock>,
    profile: parking_lot::Mutex<Profile>,
    /// Held while tokens are renewed, so that a hundred requests of one process renew once.
    renewing: tokio::sync::Mutex<()>,
}

/// Bytes of a body that were handed to the network so far: how a transfer that is slow is told from one that is dead.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity(Arc<AtomicU64>);

impl Activity {
    pub(super) fn moved(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn seen(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Api {
    /// A server without a session, for signing in.
    pub(super) fn anonymous(server: Server) -> Result<Self, Failure> {
        let http = Client::builder()
            .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            // One request per connection at a time: many files over one HTTP/2 connection would share its window.
            .http1_only()
            // A redirect would turn a POST into a GET and take the token along; a person should see it instead.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Failure::Failed(format!("the HTTP client did not start: {}", chain(&error))))?;
        Ok(Self { http, server, session: None })
    }

    /// The server that the options name, or the last one, with the session that `login` made.
    pub(super) fn connect(common: &Common) -> Result<Self, Failure> {
        let credentials = Credentials::of_user()?;
        Self::with_credentials(common.server.as_deref(), credentials, crate::clock::SystemClock::start())
    }

    pub(super) fn with_credentials(
        server: Option<&str>,
        credentials: Credentials,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let mut book = credentials.load()?;
        let server = match server.filter(|text| !text.is_empty()).or(book.current.as_deref()) {
            Some(text) => Server::parse(text)?,
            None => {
                let server = Server::default();
                return Err(signed_out(&server, "nobody has signed in to a server yet"));
            }
        };
        let Some(profile) = book.servers.remove(server.as_str()) else {
            return Err(signed_out(&server, "nobody has signed in to this server yet"));
        };
        let session = Session {
            credentials,
            clock,
            profile: parking_lot::Mutex::new(profile),
            renewing: tokio::sync::Mutex::new(()),
        };
        Ok(Self { session: Some(session), ..Self::anonymous(server)? })
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// The space of who is signed in.
    pub(super) fn space(&self) -> Result<SpaceId, Failure> {
        Ok(self.session()?.profile.lock().space_id)
    }

    /// The name of who is signed in.
    pub(super) fn account(&self) -> Result<String, Failure> {
        Ok(self.session()?.profile.lock().name.clone())
    }

    fn session(&self) -> Result<&Session, Failure> {
        self.session.as_ref().ok_or_else(|| signed_out(&self.server, "nobody has signed in to this server yet"))
    }

    /// The beginning of a request to a path below `/api/v1`.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.server.as_str()))
    }

    /// Sends what `make` makes until it is answered well, is refused for good, or the patience ends. `make` runs once
    /// for each attempt.
    pub(super) async fn call(
        &self,
        patience: Patience,
        activity: &Activity,
        make: impl Fn() -> RequestBuilder + Send + Sync,
    ) -> Result<Response, Failure> {
        let mut backoff = Backoff::new(patience);
        let mut renewed = false;
        loop {
            let token = match &self.session {
                Some(session) => Some(self.token(session).await?),
                None => None,
            };
            let request = match &token {
                Some(token) => make().bearer_auth(token.expose()),
                None => make(),
            };
            let failure = match self.attempt(request, activity).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            match (&self.session, token) {
                (Some(session), Some(token)) if failure.has_status(401) && !renewed => {
                    renewed = true;
                    self.renew(session, &token).await?;
                }
                _ if backoff.wait(&failure).await => {}
                _ => return Err(failure),
            }
        }
    }

    /// Sends a request once.
    async fn attempt(&self, request: RequestBuilder, activity: &Activity) -> Result<Response, Failure> {
        let sending = request.send();
        tokio::pin!(sending);
        let mut seen = activity.seen();
        let response = loop {
            match tokio::time::timeout(SILENCE, &mut sending).await {
                Ok(response) => break response.map_err(|error| self.unreachable(&error))?,
                Err(_) if activity.seen() != seen => seen = activity.seen(),
                Err(_) => return Err(self.silent()),
            }
        };
        if response.status().is_success() { Ok(response) } else { Err(self.refused(response).await) }
    }

    /// The next piece of an answer's body.
    pub(super) async fn chunk(&self, response: &mut Response) -> Result<Option<Bytes>, Failure> {
        match tokio::time::timeout(SILENCE, response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| self.unreachable(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// An answer's body as a value.
    pub(super) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failure> {
        match tokio::time::timeout(SILENCE, response.bytes()).await {
            Ok(Ok(bytes)) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::Failed(format!("{} answers in a way that this program cannot read: {error}", self.server))
            }),
            Ok(Err(error)) => Err(self.unreachable(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        patience: Patience,
        path: &str,
        query: &(impl Serialize + Sync + ?Sized),
    ) -> Result<T, Failure> {
        let make = || self.request(Method::GET, path).query(query);
        self.read(self.call(patience, &Activity::default(), make).await?).await
    }

    /// Sends a value; what comes back is the caller's to read.
    pub(super) async fn send(
        &self,
        patience: Patience,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Response, Failure> {
        let make = || self.request(method.clone(), path).json(body);
        self.call(patience, &Activity::default(), make).await
    }

    /// A request that has no body and whose answer has none either.
    pub(super) async fn order(&self, method: Method, path: &str) -> Result<(), Failure> {
        self.call(Patience::Brief, &Activity::default(), || self.request(method.clone(), path)).await?;
        Ok(())
    }

    /// An access token that is good for the next seconds.
    async fn token(&self, session: &Session) -> Result<Secret, Failure> {
        let (token, is_fresh) = {
            let profile = session.profile.lock();
            (profile.access_token.clone(), profile.is_fresh(session.clock.now()))
        };
        if is_fresh {
            return Ok(token);
        }
        self.renew(session, &token).await?;
        Ok(session.profile.lock().access_token.clone())
    }

    /// Replaces a token that is not good any more, unless somebody else has done it by now: another task of this
    /// process, or another process that shares the file of credentials.
    async fn renew(&self, session: &Session, stale: &Secret) -> Result<(), Failure> {
        let _turn_here = session.renewing.lock().await;
        if session.profile.lock().access_token != *stale {
            return Ok(());
        }
        let turn = session.credentials.turn().await?;
        let mut book = session.credentials.load()?;
        let Some(profile) = book.servers.get_mut(self.server.as_str()) else {
            return Err(signed_out(&self.server, "the session was ended by another command"));
        };
        if profile.access_token == *stale || !profile.is_fresh(session.clock.now()) {
            let body = serde_json::json!({ "refresh_token": profile.refresh_token.expose() });
            let request = self.request(Method::POST, "/refresh").json(&body);
            let response = match self.attempt(request, &Activity::default()).await {
                Ok(response) => response,
                Err(failure) if failure.has_status(401) => {
                    return Err(signed_out(&self.server, "the session has ended"));
                }
                Err(failure) => return Err(failure),
            };
            let tokens: Tokens = self.read(response).await?;
            *profile = tokens.profile(session.clock.now());
            let renewed = profile.clone();
            // In memory first: if the disk is full, this command at least goes on to say so.
            *session.profile.lock() = renewed;
            session.credentials.save(&turn, &book)
        } else {
            *session.profile.lock() = profile.clone();
            Ok(())
        }
    }

    /// Something went wrong on the way that may go well the next time.
    pub(super) fn broken(&self, cause: &str) -> Failure {
        Failure::Unreachable { server: self.server.to_string(), cause: cause.to_owned() }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        self.broken(&chain(error))
    }

    fn silent(&self) -> Failure {
        self.broken(&format!("nothing was heard for {} s", SILENCE.as_secs()))
    }

    /// Reads a refusal. Answers of proxies and of other programs at the same address are no problem documents.
    async fn refused(&self, mut response: Response) -> Failure {
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after =
            header(header::RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let location = header(header::LOCATION).map(str::to_owned);
        let request_id = header(header::HeaderName::from_static("request-id")).unwrap_or_default().to_owned();
        let mut body = Vec::new();
        while body.len() < PROBLEM_BYTES_MAX
            && let Ok(Some(chunk)) = self.chunk(&mut response).await
        {
            body.extend_from_slice(&chunk);
        }
        let problem: types::Problem = serde_json::from_slice(&body).unwrap_or_default();
        let refusal = Refusal {
            server: self.server.to_string(),
            status: status.as_u16(),
            code: problem.code.unwrap_or_else(|| format!("http-{}", status.as_u16())),
            title: problem.title.unwrap_or_else(|| title(status)),
            detail: problem
                .detail
                .or_else(|| location.map(|to| format!("the server sends one to {to}")))
                .unwrap_or_default(),
            request_id: problem.request_id.unwrap_or(request_id),
            retry_after,
            challenge: problem.challenge,
        };
        Failure::Refused(Box::new(refusal))
    }
}

fn title(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or("The server refused").to_owned()
}

fn signed_out(server: &Server, reason: &str) -> Failure {
    Failure::SignedOut { server: server.to_string(), reason: reason.to_owned() }
}

/// An error and its causes in one line. The address that reqwest adds is left out: it says nothing that is not said.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = match error.downcast_ref::<reqwest::Error>() {
            Some(error) if error.is_timeout() => "it took too long".to_owned(),
            Some(error) if error.is_body() => "the connection broke".to_owned(),
            Some(error) if error.is_decode() => "the answer broke off".to_owned(),
            Some(_) => String::new(),
            None => error.to_string(),
        };
        if !text.is_empty() && !parts.contains(&text) {
            parts.push(text);
        }
        next = error.source();
    }
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}
