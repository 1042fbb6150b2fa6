//! What a process does: builds the parts that its roles need, runs them, and takes them down in order.

mod gateway;
mod membership;
mod node;
mod shared;
mod system;
mod worker;

use std::sync::Arc;

use anyhow::Context;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Role, Serve},
    clock::SystemClock,
    config::Config,
    shutdown,
    telemetry::{self, Telemetry},
};

pub(crate) use self::system::System;

/// `holdfast serve`.
///
/// # Errors
/// Whatever keeps the process from starting; a process that started ends without one.
pub(crate) async fn serve(serve: Serve) -> anyhow::Result<()> {
    let config = Config::load(&serve.options)?;
    let service = config.roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect::<Vec<_>>().join("-");
    let telemetry = Telemetry::start(&config, &service)?;
    raise_file_limit();
    let stop = CancellationToken::new();
    // Installed before anything starts: a signal that comes during the start is not lost, and not deadly either.
    let mut watch = JoinSet::new();
    watch.spawn({
        let stop = stop.clone();
        async move {
            if let Err(error) = shutdown::requested().await {
                tracing::error!(%error, "signals cannot be heard");
            }
            stop.cancel();
        }
    });
    let result = if config.is_node_alone() {
        node::run(&config, &telemetry, stop).await
    } else {
        run_with_database(config, &telemetry, stop).await
    };
    telemetry.stop();
    result
}

/// A process with the gateway role, the worker role or both, and perhaps nodes inside.
async fn run_with_database(config: Config, telemetry: &Telemetry, stop: CancellationToken) -> anyhow::Result<()> {
    let clock = SystemClock::start();
    // The address is taken before anything else: a second server of the same address fails before it touches data.
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("the address {} cannot be listened on (key `listen`)", config.listen))?;
    let config = Arc::new(config);
    let system = System::start(config.clone(), clock, stop.clone()).await?;
    let first_password = system.first_password.clone();
    let mut tasks = JoinSet::new();
    let address = listener.local_addr()?;
    let router = gateway::router(&system, telemetry.metrics.clone(), stop.clone())?;
    let server = gateway::serve(listener, router, stop.clone());
    tasks.spawn(server);
    tasks.spawn(system.drive.clone().hear(stop.clone()));
    tasks.spawn(telemetry::upkeep(telemetry.metrics.clone(), stop.clone()));
    let workers = config.has(Role::Worker).then(|| worker::start(&system, stop.clone())).transpose()?;
    announce(&config, address, first_password.as_deref());

    stop.cancelled().await;
    // First no new requests and the open ones to their end, then the work in the background, then nodes, then the
    // database: each may need those that stop after it.
    while tasks.join_next().await.is_some() {}
    if let Some(workers) = workers {
        workers.finish().await;
    }
    system.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Takes as many file handles as the system allows: sockets, segments and part files each need one, and the usual soft
/// limit of 1,024 is meant for programs that use `select`.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

/// Says where the server is and how to sign in the first time.
#[expect(clippy::print_stdout, reason = "this is what a person who typed the command waits for")]
fn announce(config: &Config, address: std::net::SocketAddr, first_password: Option<&str>) {
    tracing::info!(%address, "ready");
    if !config.has(Role::Gateway) {
        return;
    }
    println!("Holdfast is ready at http://{address}");
    if let Some(password) = first_password {
        println!("First sign-in: name admin, password {password}  (shown this once)");
    }
    println!("API: http://{address}/api/v1/docs   Command line: holdfast login http://{address}");
}
