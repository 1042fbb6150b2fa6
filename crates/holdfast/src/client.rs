//! The commands that work against a running server: sign-in, files, storage servers.
//!
//! - `session`: `login`, `logout`, `whoami`; `credentials` keeps what they learn
//! - `token`: `token …`
//! - `tree`: `ls`, `mkdir`, `mv`, `rm`, `stat`
//! - `trash`: `trash …`, `versions`, `undo`, `redo`
//! - `share`: `share`, with people and by links; `spaces`: `spaces`
//! - `copy`: `cp`, both ways and from remote to remote
//! - `plan`: `plan …`
//! - `cluster`: `node …` and `cluster status`
//! - `api`: the requests themselves, with authentication and patience
//! - `failure`: what can go wrong, as people and as exit codes see it
//!
//! Data goes to standard output, all else to standard error.

mod api;
mod backoff;
mod cluster;
mod copy;
mod credentials;
mod failure;
mod folders;
mod output;
mod path;
mod plan;
mod report;
mod resume;
mod session;
mod share;
mod spaces;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
mod token;
mod trash;
mod tree;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// What a client can be told to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Signs in to a server and remembers the session
    Login(session::Login),
    /// Ends the session and forgets it
    Logout(Common),
    /// Shows who is signed in, where, and how much room is used
    Whoami(Common),
    /// API tokens for programs, which are app passwords as well: create, list, remove
    #[command(subcommand, arg_required_else_help = true)]
    Token(token::Token),
    /// Lists a remote folder
    Ls(tree::Ls),
    /// Makes remote folders
    Mkdir(tree::Mkdir),
    /// Moves or renames a remote file or folder
    Mv(tree::Mv),
    /// Removes remote files and folders: to the trash, unless told otherwise
    Rm(tree::Rm),
    /// What was removed: list, restore, empty
    #[command(subcommand, arg_required_else_help = true)]
    Trash(trash::Trash),
    /// Lists the versions of a remote file, or makes one current again
    Versions(trash::Versions),
    /// Takes back one's newest change, whatever session made it; again walks further back
    Undo(trash::Undo),
    /// Does again what was undone last
    Redo(trash::Undo),
    /// Shows all that is known of a remote file or folder
    Stat(tree::Stat),
    /// Copies files and folders to, from and within a server
    #[command(long_about = copy::LONG_ABOUT)]
    Cp(copy::Cp),
    /// Shares a file or folder, with people or by a link; lists and takes back what was shared
    #[command(long_about = share::LONG_ABOUT)]
    Share(share::Share),
    /// Lists one's spaces and those of one's teams, with one's role and the room in them
    Spaces(Common),
    /// Plans, the limits that spaces are given: list, create, change, give, remove (needs an administrator)
    #[command(subcommand, arg_required_else_help = true)]
    Plan(plan::Plan),
    /// Storage servers: list, drain, remove (needs an administrator)
    #[command(subcommand, arg_required_else_help = true)]
    Node(cluster::Node),
    /// The cluster as a whole (needs an administrator)
    #[command(subcommand, arg_required_else_help = true)]
    Cluster(cluster::Cluster),
}

/// Options of every command here.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Common {
    /// The server to talk to [default: the one signed in to last]
    #[arg(long, value_name = "URL", env = "HOLDFAST_SERVER")]
    server: Option<String>,
    /// Writes one JSON object per line to standard output
    #[arg(long)]
    json: bool,
    /// Says nothing but errors and what was asked for
    #[arg(long, short)]
    quiet: bool,
}

/// Runs a command. What went wrong has been said on standard error by the time this returns.
///
/// # Errors
/// None so far; the signature is that of every command.
pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let result = match command {
        Command::Login(login) => session::login(login).await,
        Command::Logout(common) => session::logout(&common).await,
        Command::Whoami(common) => session::whoami(&common).await,
        Command::Token(token) => token::token(token).await,
        Command::Ls(ls) => tree::ls(ls).await,
        Command::Mkdir(mkdir) => tree::mkdir(mkdir).await,
        Command::Mv(mv) => tree::mv(mv).await,
        Command::Rm(rm) => tree::rm(rm).await,
        Command::Trash(trash) => trash::trash(trash).await,
        Command::Versions(versions) => trash::versions(versions).await,
        Command::Undo(undo) => trash::undo(undo).await,
        Command::Redo(redo) => trash::redo(redo).await,
        Command::Stat(stat) => tree::stat(stat).await,
        Command::Cp(cp) => Box::pin(copy::cp(cp)).await,
        Command::Share(share) => share::share(share).await,
        Command::Spaces(common) => spaces::spaces(&common).await,
        Command::Plan(plan) => plan::plan(plan).await,
        Command::Node(node) => cluster::node(node).await,
        Command::Cluster(cluster) => cluster::cluster(cluster).await,
    };
    Ok(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    })
}
