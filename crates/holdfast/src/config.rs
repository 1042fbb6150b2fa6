//! The configuration: one TOML file, one typed tree. Default, then file, then environment, then flags.

#[cfg(test)]
mod reference;
mod sections;
mod text;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context, bail};
use base::Secret;
use serde::{Deserialize, Serialize};

pub(crate) use self::sections::{
    Accounts, Drive, Files, Gateway, Instance, Links, Log, LogFormat, Mail, Node, Oidc, Registration, Trace,
};
use crate::cli::{Options, Role};

/// Repeated requests are answered with what they did the first time for so many days: the history has to go back as far.
const HISTORY_DAYS_MIN: u32 = 90;

/// The whole of it. Unknown keys are errors.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Folder for the database and the parts of in-process nodes.
    pub(crate) data_dir: PathBuf,
    /// Address that HTTP is served on, by gateways (everything) and workers (health and metrics).
    pub(crate) listen: SocketAddr,
    /// Roles of this process. `gateway` and `node` together mean six nodes inside the process.
    pub(crate) roles: Vec<Role>,
    /// `sqlite:PATH` or `postgres://…`. Without it: SQLite in the data folder.
    #[serde(serialize_with = "text::hidden")]
    pub(crate) database: Option<Secret>,
    /// `redis://…`, or `rediss://…` with TLS: Redis or Valkey, through which gateways and workers tell each other what
    /// changed and count wrong passwords together. Never needed; all of them have the same. Its password may be in it.
    #[serde(serialize_with = "text::hidden")]
    pub(crate) redis: Option<Secret>,
    /// The password for Redis, where the address has none.
    #[serde(serialize_with = "text::hidden")]
    pub(crate) redis_password: Option<Secret>,
    /// A file with that password, in place of `redis_password`.
    pub(crate) redis_password_file: Option<PathBuf>,
    /// What gateways, workers and nodes prove to each other that they know. At least 16 characters; needed as soon as
    /// a node is a process of its own.
    #[serde(serialize_with = "text::hidden")]
    pub(crate) cluster_secret: Option<Secret>,
    /// A file with the cluster secret, in place of `cluster_secret`.
    pub(crate) cluster_secret_file: Option<PathBuf>,
    /// What people read where they sign in, and in letters. Administrators can change it while the server runs.
    pub(crate) instance: Instance,
    /// Accounts and sign-in.
    pub(crate) accounts: Accounts,
    /// HTTP.
    pub(crate) gateway: Gateway,
    /// Letters to people: confirmations of addresses, new passwords, invitations.
    pub(crate) mail: Mail,
    /// Identity providers that people may sign in at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) oidc: Vec<Oidc>,
    /// The trash, and versions.
    pub(crate) drive: Drive,
    /// Links for people without an account. Administrators can change it while the server runs.
    pub(crate) links: Links,
    /// Storage servers.
    pub(crate) node: Node,
    /// How files are cut and kept.
    pub(crate) files: Files,
    /// Logs.
    pub(crate) log: Log,
    /// Traces.
    pub(crate) trace: Trace,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "data".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            roles: vec![Role::Gateway, Role::Node, Role::Worker],
            database: None,
            redis: None,
            redis_password: None,
            redis_password_file: None,
            cluster_secret: None,
            cluster_secret_file: None,
            instance: Instance::default(),
            accounts: Accounts::default(),
            gateway: Gateway::default(),
            mail: Mail::default(),
            oidc: Vec::new(),
            drive: Drive::default(),
            links: Links::default(),
            node: Node::default(),
            files: Files::default(),
            log: Log::default(),
            trace: Trace::default(),
        }
    }
}

/// The environment variables that are read, by name; flags have theirs in [`crate::cli`]. A new one is added to the table
/// of `reference`, which documents them.
const DATABASE: &str = "HOLDFAST_DATABASE";
const REDIS: &str = "HOLDFAST_REDIS";
const REDIS_PASSWORD: &str = "HOLDFAST_REDIS_PASSWORD";
const CLUSTER_SECRET: &str = "HOLDFAST_CLUSTER_SECRET";
const MAIL_PASSWORD: &str = "HOLDFAST_MAIL_PASSWORD";
const ADMIN_PASSWORD: &str = "HOLDFAST_ADMIN_PASSWORD";

impl Config {
    /// Reads and checks it.
    ///
    /// # Errors
    /// Says which key of which file is wrong and what would be right.
    pub(crate) fn load(options: &Options) -> anyhow::Result<Self> {
        let mut config = match &options.config {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("the configuration file {} cannot be read", path.display()))?;
                toml::from_str(&text).with_context(|| format!("the configuration file {} is wrong", path.display()))?
            }
        };
        if let Some(path) = &config.cluster_secret_file {
            if config.cluster_secret.is_some() {
                bail!("cluster_secret and cluster_secret_file exclude each other: keep one");
            }
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cluster_secret_file {} cannot be read", path.display()))?;
            config.cluster_secret = Some(Secret::new(text.trim()));
        }
        if let Some(path) = &config.mail.password_file {
            if config.mail.password.is_some() {
                bail!("mail.password and mail.password_file exclude each other: keep one");
            }
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("mail.password_file {} cannot be read", path.display()))?;
            config.mail.password = Some(Secret::new(text.trim()));
        }
        for oidc in &mut config.oidc {
            if let Some(path) = &oidc.client_secret_file {
                if oidc.client_secret.is_some() {
                    bail!("oidc.client_secret and oidc.client_secret_file exclude each other: keep one");
                }
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("oidc.client_secret_file {} cannot be read", path.display()))?;
                oidc.client_secret = Some(Secret::new(text.trim()));
            }
        }
        if let Some(path) = &config.redis_password_file {
            if config.redis_password.is_some() {
                bail!("redis_password and redis_password_file exclude each other: keep one");
            }
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("redis_password_file {} cannot be read", path.display()))?;
            config.redis_password = Some(Secret::new(text.trim()));
        }
        if let Some(redis) = variable(REDIS) {
            config.redis = Some(Secret::new(redis));
        }
        if let Some(password) = variable(REDIS_PASSWORD) {
            config.redis_password = Some(Secret::new(password));
        }
        if let Some(password) = variable(MAIL_PASSWORD) {
            config.mail.password = Some(Secret::new(password));
        }
        if let Some(database) = variable(DATABASE) {
            config.database = Some(Secret::new(database));
        }
        if let Some(secret) = variable(CLUSTER_SECRET) {
            config.cluster_secret = Some(Secret::new(secret));
        }
        if let Some(dir) = &options.data_dir {
            config.data_dir.clone_from(dir);
        }
        if let Some(listen) = options.listen {
            config.listen = listen;
        }
        if !options.role.is_empty() {
            config.roles.clone_from(&options.role);
        }
        config.check()?;
        Ok(config)
    }

    /// What is in effect, as a configuration file, with secrets hidden.
    ///
    /// # Errors
    /// A value that TOML cannot hold.
    pub(crate) fn to_toml(&self) -> anyhow::Result<String> {
        toml::to_string(self).context("the configuration cannot be written as TOML")
    }

    /// What no type can say.
    fn check(&self) -> anyhow::Result<()> {
        if self.roles.is_empty() {
            bail!("roles is empty: name at least one of gateway, node, worker");
        }
        if let Some(secret) = &self.cluster_secret
            && secret.expose().chars().count() < 16
        {
            bail!("cluster_secret has fewer than 16 characters: make one with `openssl rand -hex 32`");
        }
        if self.is_node_alone() {
            if self.cluster_secret.is_none() {
                bail!("a node of its own needs cluster_secret, the same as its gateways have");
            }
            if self.node.listen.is_none() || self.node.join.is_empty() {
                bail!("a node of its own needs node.listen, and node.join with the address of at least one gateway");
            }
        } else if !self.has(Role::Node) && self.cluster_secret.is_none() {
            bail!("a gateway or worker without nodes in its process needs cluster_secret to reach those of others");
        }
        self.commons()?;
        if (1..HISTORY_DAYS_MIN).contains(&self.drive.history_days) {
            bail!("drive.history_days is at least {HISTORY_DAYS_MIN}, or 0 for a history without an end");
        }
        if self.files.parity.is_some_and(|parity| !matches!(parity, 0 | 2 | 3)) {
            bail!("files.parity is 0, 2 or 3; without it the number suits the nodes");
        }
        if self.mail.server.is_some() {
            crate::mail::check(&self.mail)?;
            if self.gateway.public_url.is_none() {
                bail!("mail.server needs gateway.public_url: letters have links in them");
            }
        }
        crate::provider::check(self)?;
        if let Some(url) = &self.gateway.public_url
            && !reqwest::Url::parse(url).is_ok_and(|url| ["http", "https"].contains(&url.scheme()))
        {
            bail!("gateway.public_url is an address such as https://files.example.org");
        }
        if self.node.in_process < 6 {
            bail!("node.in_process is at least 6: a file's six parts lie on six nodes");
        }
        if self.files.checkpoint.0 < 6 << 20 {
            bail!("files.checkpoint is at least 6 MiB, one stripe");
        }
        Ok(())
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The process is a storage server and nothing else: it needs no database.
    pub(crate) fn is_node_alone(&self) -> bool {
        self.roles.iter().all(|role| *role == Role::Node)
    }

    /// The database of this process.
    ///
    /// # Errors
    /// If `database` is none that is known.
    pub(crate) fn backend(&self) -> anyhow::Result<db::Backend> {
        match &self.database {
            None => Ok(db::Backend::Sqlite { path: self.data_dir.join("holdfast.db") }),
            Some(text) => text.expose().parse().context("the key `database`"),
        }
    }

    /// Where Redis is, if it is used.
    ///
    /// # Errors
    /// If `redis` is no address of it, or its password is given twice or for nothing.
    pub(crate) fn commons(&self) -> anyhow::Result<Option<commons::Address>> {
        let Some(url) = &self.redis else {
            if self.redis_password.is_some() {
                bail!("redis_password needs the key `redis` with the address");
            }
            return Ok(None);
        };
        let bare = commons::Address::new(url, None).context("the key `redis`")?;
        if self.redis_password.is_some() && bare.has_password() {
            bail!("redis has a password in it, and redis_password is another: keep one");
        }
        commons::Address::new(url, self.redis_password.as_ref()).context("the key `redis`").map(Some)
    }

    /// The administrator's first password, where the environment gives one.
    pub(crate) fn admin_password() -> Option<Secret> {
        variable(ADMIN_PASSWORD).map(Secret::new)
    }
}

/// A variable that is set and not empty.
#[expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Config> {
        let config: Config = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    #[test]
    fn nothing_is_a_configuration() {
        let config = read("").unwrap();
        assert_eq!(config.roles.len(), 3);
        assert!(matches!(config.backend().unwrap(), db::Backend::Sqlite { .. }));
    }

    #[test]
    fn wrong_keys_and_values_are_refused_with_the_reason() {
        let check = |text: &str, reason: &str| {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(reason), "{text}: {error}");
        };
        check("listn = '127.0.0.1:1'", "unknown field `listn`");
        check("roles = ['gatway']", "unknown variant `gatway`");
        check("roles = []", "roles is empty");
        check("roles = ['node']", "cluster_secret");
        check("roles = ['gateway']", "cluster_secret");
        check("cluster_secret = 'short'", "16 characters");
        check("[files]\nparity = 1", "files.parity");
        check("[files]\ninline_max = '4 quux'", "not a size");
        check("[node]\nin_process = 5", "at least 6");
        check("redis = 'localhost:6379'", "redis://");
        check("redis = 'redis://:a@h'\nredis_password = 'b'", "keep one");
        check("redis_password = 'b'", "needs the key `redis`");
        check("[mail]\nserver = 'smtp://h'", "mail.from");
        check("[mail]\nserver = 'h'\nfrom = 'a@x.org'", "mail.server");
        check("[mail]\nserver = 'smtp://u:p@h'\nfrom = 'a@x.org'", "password");
        check("[mail]\nserver = 'smtp://h'\nfrom = 'nobody'", "mail.from");
        check("[mail]\nserver = 'smtp://h'\nfrom = 'a@x.org'", "gateway.public_url");
        check("[gateway]\npublic_url = 'files.example.org'", "gateway.public_url");
        let oidc = |lines: &str| format!("gateway.public_url = 'https://h'\n[[oidc]]\n{lines}");
        let good = "id = 'company'\nname = 'Company'\nissuer = 'https://id.example.org'\nclient_id = 'holdfast'\n";
        read(&oidc(good)).unwrap();
        check(&format!("[[oidc]]\n{good}"), "gateway.public_url");
        check(&oidc(""), "id is 1 to 32");
        check(&oidc(&good.replace("company", "Company/")), "id is 1 to 32");
        check(&oidc(&good.replace("https", "http")), "issuer");
        check(&oidc(&good.replace("'holdfast'", "''")), "client_id");
        check(&oidc(&format!("{good}permissions = {{ admins = ['admin.everything'] }}")), "no permission");
        check(&oidc(&format!("{good}[[oidc]]\n{good}")), "two sections");
    }

    #[test]
    fn secrets_do_not_print() {
        let text = "cluster_secret = 'correct horse battery'\ndatabase = 'postgres://u:pw@h/d'\nmail.password = 'pw@horse'\n\
             redis = 'redis://h'\nredis_password = 'horse'\n[gateway]\npublic_url = 'https://h'\n\
             [[oidc]]\nid = 'a'\nname = 'A'\nissuer = 'https://i'\nclient_id = 'c'\nclient_secret = 'horse'";
        let config = read(text).unwrap();
        for printed in [format!("{config:?}"), config.to_toml().unwrap()] {
            assert!(!printed.contains("horse") && !printed.contains("pw@"), "{printed}");
            assert!(printed.contains("[secret]"), "{printed}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let config =
            read("files.in_flight = '1.5 GiB'\nroles = ['gateway', 'node']\n[accounts]\nquota = '10 GB'").unwrap();
        let shown = config.to_toml().unwrap();
        assert_eq!(read(&shown).unwrap().to_toml().unwrap(), shown);
        assert!(
            shown.contains("in_flight = \"1536 MiB\"") && shown.contains("roles = [\"gateway\", \"node\"]"),
            "{shown}"
        );
    }
}
