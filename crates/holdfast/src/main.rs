//! The program: command line, configuration, roles. The only place that knows them (reason c: the executable).

mod admin;
mod bench;
mod cli;
mod client;
mod clock;
mod config;
mod demo;
mod mail;
mod provider;
mod roles;
mod shutdown;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

/// Many small allocations of different life on many threads are what this program makes; mimalloc gives pages back to
/// the system sooner than the default, which keeps an idle server small.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Two cryptography providers in one process make rustls panic at first use; naming one makes that impossible.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return fail(&anyhow::anyhow!("another cryptography provider was installed first"));
    }
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("the runtime did not start")),
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(serve) => roles::serve(serve).await.map(|()| ExitCode::SUCCESS),
            Command::Check(options) => admin::check(options).await.map(|()| ExitCode::SUCCESS),
            Command::Migrate(options) => admin::migrate(options).await.map(|()| ExitCode::SUCCESS),
            Command::SeedDemo(args) => demo::run(args).await.map(|()| ExitCode::SUCCESS),
            Command::Config(options) => admin::print_config(options).map(|()| ExitCode::SUCCESS),
            Command::Bench(args) => bench::run(args).await.map(|()| ExitCode::SUCCESS),
            Command::Healthcheck { url } => admin::healthcheck(&url).await.map(|()| ExitCode::SUCCESS),
            Command::Client(command) => client::run(command).await,
        }
    });
    // Blocking work that still runs (a disk that hangs) must not keep the process from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match result {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "this is where a command says why it failed")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("holdfast: {error:#}");
    ExitCode::FAILURE
}
