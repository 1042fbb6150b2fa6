//! What gateways and workers have in common: database, nodes, store, and the domains above them.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use base::{Clock, Ids, NodeId};
use proto::{Parts, RemoteOptions, RemoteParts};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::Role,
    clock,
    config::{Config, Registration},
    provider,
    roles::{
        membership::{self, ClusterDoor},
        shared,
    },
    telemetry,
};

/// How often every process takes in what the database says about nodes.
const REFRESH: Duration = Duration::from_secs(1);

/// The running system of one process.
pub(crate) struct System {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) db: db::Db,
    pub(crate) store: files::Store,
    pub(crate) cluster: files::Cluster,
    pub(crate) jobs: bus::Jobs,
    pub(crate) accounts: accounts::Accounts,
    pub(crate) drive: drive::Drive,
    /// Redis, if it is used.
    pub(crate) commons: Option<commons::Commons>,
    pub(crate) door: Option<ClusterDoor>,
    /// The administrator's password, if it was made in this start.
    pub(crate) first_password: Option<String>,
    nodes: Vec<node::Node>,
    tasks: JoinSet<()>,
}

impl System {
    /// Opens everything and brings it to where requests can be served.
    pub(crate) async fn start(
        config: Arc<Config>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let ids = clock::ids(&clock);
        std::fs::create_dir_all(&config.data_dir)
            .with_context(|| format!("the data folder {} cannot be made", config.data_dir.display()))?;
        let commons = shared::open(&config, &clock)?;
        let options = db::Options { notify: commons.is_none(), ..db::Options::new(config.backend()?, clock.clone()) };
        let db = db::Db::open(options).await.context("the database")?;
        db.migrate().await.context("the database's schema")?;

        let local = open_local_nodes(&config, &clock, &ids).await?;
        let secret = config.cluster_secret.as_ref().map(proto::ClusterSecret::new).transpose()?;
        let connect = {
            let secret = secret.clone();
            move |node: NodeId, address: &str| -> Arc<dyn Parts> {
                match &secret {
                    Some(secret) => {
                        let options =
                            RemoteOptions { trace: Some(Arc::new(telemetry::current)), ..RemoteOptions::default() };
                        Arc::new(RemoteParts::connect_lazy(address, Some(node), secret, options))
                    }
                    None => Arc::new(membership::Unreachable),
                }
            }
        };
        let by_id: BTreeMap<NodeId, Arc<dyn Parts>> =
            local.iter().map(|(id, node)| (*id, Arc::new(node.clone()) as Arc<dyn Parts>)).collect();
        let nodes = files::Nodes::new(clock.clone(), by_id.clone(), Box::new(connect));
        let store = files::Store::new(db.clone(), nodes, clock.clone(), ids.clone(), config.files.options())?;
        let cluster = files::Cluster::new(store.clone());
        for parts in by_id.values() {
            membership::report_local(&cluster, parts.as_ref()).await?;
        }
        cluster.refresh().await?;
        if !by_id.is_empty() {
            cluster.settle().await?;
        }

        let options = bus::Options { worker: Some(process_name()), ..bus::Options::default() };
        let jobs = bus::Jobs::new(db.clone(), clock.clone(), options);
        let shared_counts = commons.clone().map(shared::counts);
        let providers = provider::providers(&config)?;
        let options = accounts::Options { shared_counts, providers, ..account_options(&config) };
        let accounts = accounts::Accounts::open(db.clone(), clock.clone(), ids.clone(), options).await?;
        let first_password =
            accounts.ensure_admin(Config::admin_password()).await?.map(|password| password.expose().to_owned());
        let options = drive::Options { settings: Some(accounts.settings().clone()), ..drive_options(&config) };
        let drive = drive::Drive::new(db.clone(), store.clone(), clock.clone(), ids, options);
        let door = secret.map(|secret| ClusterDoor::new(cluster.clone(), secret));
        let mut tasks = JoinSet::new();
        if let Some(commons) = &commons {
            shared::relay(commons, &db, &mut tasks);
        }
        tasks.spawn(membership::refresh_loop(cluster.clone(), config.has(Role::Worker), REFRESH, stop.clone()));
        if !by_id.is_empty() {
            tasks.spawn(membership::local_heartbeats(cluster.clone(), by_id.into_values().collect(), stop));
        }
        let nodes = local.into_iter().map(|(_, node)| node).collect();
        Ok(Self {
            config,
            clock,
            db,
            store,
            cluster,
            jobs,
            accounts,
            drive,
            commons,
            door,
            first_password,
            nodes,
            tasks,
        })
    }

    /// Accounts and drive of this system by another clock, for a past that is told. The store below them keeps the real
    /// one, by which writes that died are cleaned away; and whoever tells the past may make accounts.
    pub(crate) async fn domains_at(
        &self,
        clock: Arc<dyn Clock>,
        ids: Ids,
    ) -> anyhow::Result<(accounts::Accounts, drive::Drive)> {
        let options =
            accounts::Options { registrations: accounts::Registrations::Open, ..account_options(&self.config) };
        let accounts = accounts::Accounts::open(self.db.clone(), clock.clone(), ids.clone(), options).await?;
        let drive = drive::Drive::new(self.db.clone(), self.store.clone(), clock, ids, drive_options(&self.config));
        Ok((accounts, drive))
    }

    /// The nodes inside this process.
    pub(crate) fn nodes(&self) -> &[node::Node] {
        &self.nodes
    }

    /// Takes everything down that can be needed no more.
    pub(crate) async fn stop(mut self) {
        self.drive.settle().await;
        self.tasks.shutdown().await;
        for node in &self.nodes {
            node.close().await;
        }
        self.db.close().await;
    }
}

/// The nodes inside this process, if the roles ask for them.
async fn open_local_nodes(
    config: &Config,
    clock: &Arc<dyn Clock>,
    ids: &Ids,
) -> anyhow::Result<Vec<(NodeId, node::Node)>> {
    if !config.has(Role::Node) {
        return Ok(Vec::new());
    }
    let dirs: Vec<_> = if config.node.dirs.is_empty() {
        (1..=config.node.in_process).map(|number| config.data_dir.join("nodes").join(number.to_string())).collect()
    } else {
        config.node.dirs.clone()
    };
    let mut nodes = Vec::with_capacity(dirs.len());
    for dir in dirs {
        let node = open_node(config, &dir, clock, ids).await?;
        nodes.push((node.id(), node));
    }
    Ok(nodes)
}

/// Opens a node's folder; a fresh one gets a new id.
pub(crate) async fn open_node(
    config: &Config,
    dir: &Path,
    clock: &Arc<dyn Clock>,
    ids: &Ids,
) -> anyhow::Result<node::Node> {
    std::fs::create_dir_all(dir).with_context(|| format!("the folder {} cannot be made", dir.display()))?;
    let fresh = std::fs::read_dir(dir)?.next().is_none();
    let id = config.node.id.or_else(|| fresh.then(|| ids.node()));
    let mut options = node::Options::new(dir, id);
    options.capacity = config.node.capacity.map(|size| size.0);
    options.reserve_bytes = config.node.reserve.0;
    let (clock, place) = (clock.clone(), dir.display().to_string());
    // Loading the index reads the disk for a while.
    tokio::task::spawn_blocking(move || node::Node::open(options, clock))
        .await?
        .with_context(|| format!("the node in {place}"))
}

/// What administrators call this process: its host, if that has a name, and its number there.
fn process_name() -> String {
    let process = std::process::id();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => format!("process {process}"),
        host => format!("{host}:{process}"),
    }
}

fn account_options(config: &Config) -> accounts::Options {
    accounts::Options {
        registrations: match config.accounts.registration {
            Registration::Open => accounts::Registrations::Open,
            Registration::Invitation => accounts::Registrations::Invited,
            Registration::Closed => accounts::Registrations::Closed,
        },
        defaults: accounts::Values {
            name: config.instance.name.clone(),
            welcome: config.instance.welcome.clone(),
            team_spaces: config.drive.team_spaces,
            trash_days: config.drive.trash_days,
            versions_kept: config.gateway.versions_kept,
            version_days: config.drive.versions_days,
            links: config.links.on,
            link_password: config.links.password,
            link_days: config.links.max_days,
            ..accounts::Values::default()
        },
        quota_bytes: config.accounts.quota.map(|size| size.0),
        public_url: config.gateway.public_url.clone(),
        mail: config.mail.server.is_some(),
        refresh_lifetime: Duration::from_secs(u64::from(config.accounts.session_days) * 86_400),
        ..accounts::Options::default()
    }
}

/// That many days; none for none.
fn days(count: u32) -> Option<Duration> {
    (count > 0).then(|| Duration::from_secs(u64::from(count) * 86_400))
}

fn drive_options(config: &Config) -> drive::Options {
    drive::Options {
        upload_lifetime: Duration::from_secs(u64::from(config.gateway.upload_hours) * 3600),
        versions_kept: config.gateway.versions_kept,
        trash_lifetime: days(config.drive.trash_days),
        version_lifetime: days(config.drive.versions_days),
        history_lifetime: days(config.drive.history_days),
        team_quota_bytes: config.drive.team_quota.map(|size| size.0),
        settings: None,
    }
}
