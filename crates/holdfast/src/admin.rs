//! Commands for whoever runs the server: check, migrate, config, healthcheck.

use std::time::Duration;

use anyhow::{Context, bail};

use crate::{cli::Options, clock::SystemClock, config::Config};

/// Validates the configuration and reaches every backend.
#[expect(clippy::print_stdout, reason = "this is the command's answer")]
pub(crate) async fn check(options: Options) -> anyhow::Result<()> {
    let config = Config::load(&options)?;
    println!("configuration: good");
    if config.is_node_alone() {
        for address in &config.node.join {
            let host = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
            let reached = tokio::time::timeout(Duration::from_secs(3), tokio::net::TcpStream::connect(host)).await;
            match reached {
                Ok(Ok(_)) => println!("gateway {host}: reached"),
                Ok(Err(error)) => bail!("gateway {host}: {error}"),
                Err(_) => bail!("gateway {host}: no answer within 3 s"),
            }
        }
        return Ok(());
    }
    if let Some(address) = config.commons()? {
        let redis = commons::Commons::open(&address, SystemClock::start())?;
        println!("redis: reached, {}", redis.version().await?);
    }
    if let db::Backend::Sqlite { path } = config.backend()?
        && !path.exists()
    {
        println!("database: {} does not exist yet; the first start makes it", path.display());
        return Ok(());
    }
    let mut options = db::Options::new(config.backend()?, SystemClock::start());
    options.access = db::Access::ReadOnly;
    let db = db::Db::open(options).await.context("the database")?;
    db.check().await.context("the database")?;
    println!("database: reached, schema up to date");
    let nodes = db::nodes::nodes(&db).await?;
    db.close().await;
    for node in nodes.iter().filter(|node| !node.address.is_empty() && node.state != "removed") {
        let reached = tokio::time::timeout(Duration::from_secs(3), tokio::net::TcpStream::connect(&node.address)).await;
        match reached {
            Ok(Ok(_)) => println!("node {} at {}: reached", node.id, node.address),
            Ok(Err(error)) => bail!("node {} at {}: {error}", node.id, node.address),
            Err(_) => bail!("node {} at {}: no answer within 3 s", node.id, node.address),
        }
    }
    Ok(())
}

/// Brings the schema up to date.
#[expect(clippy::print_stdout, reason = "this is the command's answer")]
pub(crate) async fn migrate(options: Options) -> anyhow::Result<()> {
    let config = Config::load(&options)?;
    if let db::Backend::Sqlite { path } = config.backend()?
        && let Some(parent) = path.parent()
    {
        std::fs::create_dir_all(parent)?;
    }
    let db = db::Db::open(db::Options::new(config.backend()?, SystemClock::start())).await.context("the database")?;
    let migrated = db.migrate().await?;
    db.close().await;
    if migrated.applied.is_empty() {
        println!("the schema is up to date");
    }
    for step in migrated.applied {
        println!("applied {step}");
    }
    Ok(())
}

/// Prints what is in effect.
#[expect(clippy::print_stdout, reason = "this is the command's answer")]
pub(crate) fn print_config(options: Options) -> anyhow::Result<()> {
    let config = Config::load(&options)?;
    print!("{}", config.to_toml()?);
    Ok(())
}

/// Asks an address once; anything but a 2xx is a failure.
pub(crate) async fn healthcheck(url: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    let answer = client.get(url).send().await?;
    if !answer.status().is_success() {
        bail!("{url} answers {}: {}", answer.status(), answer.text().await.unwrap_or_default());
    }
    Ok(())
}
