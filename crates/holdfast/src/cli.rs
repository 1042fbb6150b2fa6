//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Files and conversations, held in six parts.
///
/// Start a server with `holdfast serve`: no configuration, no other program is needed. Everything else on this page
/// works against a running server: sign in once with `holdfast login http://127.0.0.1:8080`, then copy files with
/// `holdfast cp`. Remote paths begin with a colon: `:/photos/2026`.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not signed in or not allowed, 5 the server cannot be
/// reached, 6 done in part.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the server, all roles in one process unless --role says otherwise
    Serve(Serve),
    /// Validates the configuration and reaches every backend
    Check(Options),
    /// Brings the database's schema up to date
    Migrate(Options),
    /// Fills an empty system with demo data: people, teams, files and what they did with them
    SeedDemo(crate::demo::SeedDemo),
    /// Prints the effective configuration, secrets hidden
    Config(Options),
    /// Measures the store on this machine against the limits of the same machine
    Bench(crate::bench::Args),
    /// Asks a health address and says by the exit code whether it answered well
    #[command(hide = true)]
    Healthcheck {
        /// For example http://127.0.0.1:8080/readyz
        url: String,
    },
    #[command(flatten)]
    Client(crate::client::Command),
}

/// Options of commands that need the configuration.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Configuration file (TOML); see docs/generated/config.md
    #[arg(long, value_name = "FILE", env = "HOLDFAST_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for the database and, in the node role, the parts [default: ./data]
    #[arg(long, value_name = "DIR", env = "HOLDFAST_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address to serve HTTP on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "HOLDFAST_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// Roles of this process, separated by commas [default: all three, with six nodes in the process]
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    pub(crate) role: Vec<Role>,
}

/// `holdfast serve`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// HTTP: REST and tus; cuts and joins files
    Gateway,
    /// Storage server: keeps parts on local disk
    Node,
    /// Background work: clean-up, repair, rebalance
    Worker,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_valid() {
        Cli::command().debug_assert();
    }
}
