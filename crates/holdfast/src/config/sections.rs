//! The sections of the configuration, each converted to the options of the component that it is for.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use base::{ByteSize, NodeId, Secret};
use serde::{Deserialize, Serialize};

use super::text::{hidden, size, size_if_any};

/// Accounts and sign-in.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Accounts {
    /// `open`: anybody who reaches the server may register. `invitation`: whoever was invited. `closed`: only administrators
    /// make accounts. Administrators can change it while the server runs.
    pub(crate) registration: Registration,
    /// Bytes that a new account's space may hold; none for no bound.
    #[serde(serialize_with = "size_if_any")]
    pub(crate) quota: Option<ByteSize>,
    /// Days that a session lives without being used.
    pub(crate) session_days: u32,
}

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Registration {
    /// Anybody.
    Open,
    /// Whoever was invited.
    Invitation,
    /// Nobody.
    Closed,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { registration: Registration::Open, quota: None, session_days: 30 }
    }
}

/// What people read where they sign in, and in letters. Administrators can change it while the server runs.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Instance {
    /// What the server calls itself.
    pub(crate) name: String,
    /// A line for people who sign in; none if it is empty.
    pub(crate) welcome: String,
}

impl Default for Instance {
    fn default() -> Self {
        let accounts::Values { name, welcome, .. } = accounts::Values::default();
        Self { name, welcome }
    }
}

/// Links for people without an account. Administrators can change it while the server runs.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Links {
    /// Whether links work: `true` or `false`.
    pub(crate) on: bool,
    /// Whether a new link needs a password: `true` or `false`.
    pub(crate) password: bool,
    /// Days that a new link lives at most; 0 for no bound.
    pub(crate) max_days: u32,
}

impl Default for Links {
    fn default() -> Self {
        Self { on: true, password: false, max_days: 0 }
    }
}

/// HTTP.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Gateway {
    /// Proxies whose X-Forwarded-For is believed: addresses, or networks such as `10.0.0.0/8`.
    pub(crate) trusted_proxies: Vec<String>,
    /// The largest file.
    #[serde(serialize_with = "size")]
    pub(crate) max_file: ByteSize,
    /// Hours that an unfinished resumable upload is kept after its last byte.
    pub(crate) upload_hours: u32,
    /// Versions of a file that are kept, the current one included.
    pub(crate) versions_kept: u32,
    /// The address by which people reach the server, for links in letters: `https://files.example.org`.
    pub(crate) public_url: Option<String>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            max_file: ByteSize(base::limits::FILE_BYTES_MAX),
            upload_hours: 24,
            versions_kept: 10,
            public_url: None,
        }
    }
}

/// Letters to people: confirmations of addresses, new passwords, invitations.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Mail {
    /// The mail server: `smtps://host` (TLS from the start), `smtp://host?tls=required` (STARTTLS), or `smtp://host` (no
    /// TLS), with `name@` before the host if it wants a name and a password. Without it no letters are sent.
    pub(crate) server: Option<String>,
    /// From whom letters are: `Files <files@example.org>`.
    pub(crate) from: Option<String>,
    /// The password for the mail server.
    #[serde(serialize_with = "hidden")]
    pub(crate) password: Option<Secret>,
    /// A file with that password, in place of `password`.
    pub(crate) password_file: Option<PathBuf>,
}

/// An identity provider (OpenID Connect) that people may sign in at, beside accounts of their own. There may be several.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Oidc {
    /// What it is called in addresses and in the database: 1 to 32 of a to z, digits, `-`. People come back from it to
    /// `/sign-in/ID` of gateway.public_url, which the provider has to know. Never give it to another provider.
    pub(crate) id: String,
    /// What people read on the button.
    pub(crate) name: String,
    /// Its issuer identifier, as it writes it itself.
    pub(crate) issuer: String,
    /// What it calls this server.
    pub(crate) client_id: String,
    /// What this server proves that with; none for a public client.
    #[serde(serialize_with = "hidden")]
    pub(crate) client_secret: Option<Secret>,
    /// A file with that secret, in place of `client_secret`.
    pub(crate) client_secret_file: Option<PathBuf>,
    /// What is asked for, besides `openid`.
    pub(crate) scopes: Vec<String>,
    /// Where a person's groups are found in what the provider says: a name, or names with dots between, such as
    /// `realm_access.roles`.
    pub(crate) group_claim: String,
    /// Groups there, and the groups here that they stand for, which are made where they are missing. Who is in these is
    /// decided by the provider alone, at each sign-in.
    pub(crate) groups: BTreeMap<String, String>,
    /// Groups there, and the permissions that they stand for. Who of those who sign in there has these is decided by the
    /// provider alone, at each sign-in.
    pub(crate) permissions: BTreeMap<String, Vec<String>>,
    /// Whether somebody who is not known gets an account.
    pub(crate) create_accounts: bool,
    /// Domains of addresses that the provider has confirmed, such as `example.org`: nobody without one signs in by it. All
    /// may where the list is empty.
    pub(crate) mail_domains: Vec<String>,
    /// Whether somebody whose address the provider has confirmed is taken for the owner of the account with that address.
    /// Whoever administers the provider can then sign in as anybody who has an address.
    pub(crate) link_by_mail: bool,
    /// Whether signing in there counts as both factors, so that no code is asked for here.
    pub(crate) second_factor: bool,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            client_secret_file: None,
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            group_claim: "groups".to_owned(),
            groups: BTreeMap::new(),
            permissions: BTreeMap::new(),
            create_accounts: true,
            mail_domains: Vec::new(),
            link_by_mail: false,
            second_factor: false,
        }
    }
}

/// The trash, and versions.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Drive {
    /// Days after which the trash gives up what is in it; 0 for never.
    pub(crate) trash_days: u32,
    /// Days that an older version is kept after another one took its place, unless it is pinned or has a name; 0 for no
    /// bound by age.
    pub(crate) versions_days: u32,
    /// Days that the history goes back: what was done, undo, and how long a client may have been away and still be told only what
    /// changed; at least 90, or 0 for ever.
    pub(crate) history_days: u32,
    /// Bytes that a new team space may hold; no bound if it is left out.
    #[serde(serialize_with = "size_if_any")]
    pub(crate) team_quota: Option<ByteSize>,
    /// Whether people who do not administer accounts may make team spaces: `true` or `false`. Administrators can change it
    /// while the server runs, and the days and versions above too.
    pub(crate) team_spaces: bool,
}

impl Default for Drive {
    fn default() -> Self {
        Self { trash_days: 30, versions_days: 0, history_days: 0, team_quota: None, team_spaces: true }
    }
}

/// Storage servers.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Node {
    /// Who the node is. Without it a fresh folder gets a new id, and a used one keeps its own.
    pub(crate) id: Option<NodeId>,
    /// Where a node of its own serves gRPC.
    pub(crate) listen: Option<SocketAddr>,
    /// The address by which gateways and workers reach it; by default `http://` and `listen`.
    pub(crate) advertise: Option<String>,
    /// Gateways or workers at which the node registers itself.
    pub(crate) join: Vec<String>,
    /// Bytes that a node may fill; by default all of its file system.
    #[serde(serialize_with = "size_if_any")]
    pub(crate) capacity: Option<ByteSize>,
    /// Bytes that stay free on the file system.
    #[serde(serialize_with = "size")]
    pub(crate) reserve: ByteSize,
    /// Nodes inside the process, where it is gateway and node at once.
    pub(crate) in_process: usize,
    /// Folders of the nodes inside the process, where they are on several disks; by default under the data folder.
    pub(crate) dirs: Vec<PathBuf>,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            id: None,
            listen: None,
            advertise: None,
            join: Vec::new(),
            capacity: None,
            reserve: ByteSize(256 << 20),
            in_process: 6,
            dirs: Vec::new(),
        }
    }
}

/// How files are cut and kept.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Files {
    /// Parity parts of a new file: 0, 2 or 3. By default none while all nodes share a disk, else 2, and 3 from nine
    /// nodes on.
    pub(crate) parity: Option<usize>,
    /// How a new file's nodes are chosen.
    pub(crate) strategy: StrategyName,
    /// Files up to this size stay in the database; 0 switches that off.
    #[serde(serialize_with = "size")]
    pub(crate) inline_max: ByteSize,
    /// Bytes of a resumable upload after which what has arrived is made durable.
    #[serde(serialize_with = "size")]
    pub(crate) checkpoint: ByteSize,
    /// Seconds without a sign of life after which an unfinished write is cleaned away.
    pub(crate) intent_lease_seconds: u32,
    /// Seconds that removed parts stay, for downloads that began before.
    pub(crate) garbage_grace_seconds: u32,
    /// Seconds of silence after which a node's parts are rebuilt elsewhere.
    pub(crate) node_lost_seconds: u32,
    /// Milliseconds after which a read turns to parity.
    pub(crate) hedge_ms: u32,
    /// Bytes in flight in one process.
    #[serde(serialize_with = "size")]
    pub(crate) in_flight: ByteSize,
    /// Days in which every part is read back once.
    pub(crate) scrub_days: u32,
    /// Seconds that a part without an owner must stay so before it is removed.
    pub(crate) orphan_seconds: u32,
    /// How many times as long as a move or repair took the worker rests after it.
    pub(crate) background_rest: u32,
}

/// How a new file's nodes are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StrategyName {
    /// Consistent hashing.
    Rendezvous,
    /// One after another.
    RoundRobin,
    /// The better of two by load.
    LeastLoaded,
}

impl Default for Files {
    fn default() -> Self {
        let defaults = files::Options::default();
        let seconds = |span: Duration| span.as_secs() as u32;
        Self {
            parity: None,
            strategy: StrategyName::Rendezvous,
            inline_max: ByteSize(defaults.inline_max as u64),
            checkpoint: ByteSize(defaults.checkpoint_bytes),
            intent_lease_seconds: seconds(defaults.intent_lease),
            garbage_grace_seconds: seconds(defaults.garbage_grace),
            node_lost_seconds: seconds(defaults.node_lost_after),
            hedge_ms: defaults.hedge_after.as_millis() as u32,
            in_flight: ByteSize(defaults.in_flight_bytes as u64),
            scrub_days: seconds(defaults.scrub_period) / 86_400,
            orphan_seconds: seconds(defaults.orphan_age),
            background_rest: 2,
        }
    }
}

impl Files {
    /// As the store takes it.
    pub(crate) fn options(&self) -> files::Options {
        let seconds = |count: u32| Duration::from_secs(u64::from(count));
        files::Options {
            parity: self.parity.map_or(files::Parity::Auto, files::Parity::Fixed),
            strategy: match self.strategy {
                StrategyName::Rendezvous => files::Strategy::Rendezvous,
                StrategyName::RoundRobin => files::Strategy::RoundRobin,
                StrategyName::LeastLoaded => files::Strategy::LeastLoaded,
            },
            inline_max: self.inline_max.0 as usize,
            checkpoint_bytes: self.checkpoint.0,
            intent_lease: seconds(self.intent_lease_seconds),
            garbage_grace: seconds(self.garbage_grace_seconds),
            node_lost_after: seconds(self.node_lost_seconds),
            hedge_after: Duration::from_millis(u64::from(self.hedge_ms)),
            in_flight_bytes: self.in_flight.0 as usize,
            scrub_period: seconds(self.scrub_days * 86_400),
            orphan_age: seconds(self.orphan_seconds),
        }
    }
}

/// Logs.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// `text` for people, `json` for Loki and others.
    pub(crate) format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,files=debug`.
    pub(crate) level: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}

/// Traces.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Trace {
    /// Where spans are sent, for example `http://127.0.0.1:4317` (OTLP over gRPC). Without it none are.
    pub(crate) otlp: Option<String>,
}
