//! `holdfast seed-demo`: fills an empty system with an organisation that looks like a real one.
//!
//! - `cast`: its people, groups and spaces; `story`: what they did in the last two months, as data
//! - `clock`: the time in which they did it; `stage`: does it, through the handles of accounts and drive
//! - `make`, `words`, `tables` and the crate `scenery`: what is in the files

mod cast;
mod clock;
mod make;
mod stage;
mod story;
mod tables;
mod words;

use std::{
    io::{IsTerminal as _, Write as _},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use base::{ByteSize, Clock, Secret};
use clap::Args;
use futures::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::{
    cast::CAST,
    clock::{Calendar, StoryClock},
    make::Pictures,
    stage::Stage,
    story::{Deed, Step},
};
use crate::{
    cli::Options,
    clock::{self as real, SystemClock},
    config::Config,
    roles::System,
    shutdown,
};

/// Files that are made ahead of the one that is written.
const AHEAD: usize = 4;

/// How long it is waited for storage servers.
const NODES_WITHIN: Duration = Duration::from_secs(15);

/// How often it is looked for them.
const NODES_LOOK: Duration = Duration::from_millis(200);

/// The help of `holdfast seed-demo --help`.
const LONG_ABOUT: &str = "\
Fills an empty system with people, teams, folders, pictures, documents, versions, shares, links and two months of activity \
of a design studio, in English and Russian, to look at and to try things on.

It works on the system that `holdfast serve` with the same options would start, and needs it to be stopped where that \
keeps its data in a folder of its own. A system that has anybody or anything in it is left as it is.";

/// `holdfast seed-demo`.
#[derive(Debug, Clone, Args)]
#[command(long_about = LONG_ABOUT)]
pub(crate) struct SeedDemo {
    #[command(flatten)]
    options: Options,
    /// Password of all the people [default: made up and printed]
    #[arg(long, value_name = "PASSWORD", value_parser = secret)]
    password: Option<Secret>,
    /// Pictures of half the width and height, for slow machines
    #[arg(long)]
    small: bool,
}

fn secret(text: &str) -> Result<Secret, String> {
    match text.chars().count() {
        8..=256 => Ok(Secret::new(text)),
        _ => Err("a password has 8 to 256 characters".into()),
    }
}

/// Fills the system and says who may sign in.
///
/// # Errors
/// A system that is not empty, or cannot be opened, or fails on the way; being told to end.
pub(crate) async fn run(args: SeedDemo) -> anyhow::Result<()> {
    let config = Config::load(&args.options)?;
    if config.is_node_alone() {
        bail!("a storage server of its own has no people and folders: run this with the configuration of a gateway");
    }
    let pictures = if args.small { Pictures::Half } else { Pictures::Whole };
    let stop = CancellationToken::new();
    let mut watch = JoinSet::new();
    watch.spawn({
        let stop = stop.clone();
        async move {
            // Without handlers the process ends at a signal as any other does.
            if shutdown::requested().await.is_ok() {
                stop.cancel();
            }
        }
    });
    let clock = SystemClock::start();
    let system = System::start(Arc::new(config), clock, stop.clone()).await?;
    let done = tokio::select! {
        done = fill(&system, args.password, pictures) => done,
        () = stop.cancelled() => Err(anyhow::anyhow!("told to end half-way: begin again with an empty data folder and database")),
    };
    stop.cancel();
    system.stop().await;
    done
}

async fn fill(system: &System, password: Option<Secret>, pictures: Pictures) -> anyhow::Result<()> {
    if !db::seed::is_new(&system.db).await? {
        bail!("this system is not empty, and was left as it is: demo data is for a new data folder and a new database");
    }
    let began = system.clock.elapsed();
    wait_for_nodes(system).await?;
    let password = password.unwrap_or_else(made_up);
    let present = system.clock.now();
    let calendar = Calendar::before(present);
    let story = story::tell(&calendar);
    // Accounts and groups are there an hour before anybody does anything.
    let opening = calendar.begin().minus(Duration::from_secs(3600));
    let clock = Arc::new(StoryClock::new(system.clock.clone(), opening));
    let handle: Arc<dyn Clock> = clock.clone();
    let ids = real::ids(&handle);
    let domains = system.domains_at(handle, ids.clone()).await?;
    let drive = domains.1.clone();
    let mut stage = Stage::new(system.db.clone(), domains, ids, clock, present);
    stage.open(&password).await?;
    say(&format!("{} people, {} groups, {} team spaces", CAST.len(), cast::TEAMS.len(), cast::ROOMS.len()))?;
    let told = tell(&mut stage, story, pictures).await;
    // What was begun is ended, also when the story broke off.
    drive.settle().await;
    told?;
    let t = stage.tally;
    say(&format!(
        "{} files in {} folders, {} versions, {}; {} deeds of two months",
        t.files,
        t.folders,
        t.versions,
        ByteSize(t.bytes),
        t.changes
    ))?;
    say(&format!("{} roles given, {} links, {} visits", t.grants, t.links, t.visits))?;
    announce(system, &password, system.clock.elapsed().saturating_sub(began))
}

/// Does all steps in their order, while the files of the next ones are made.
async fn tell(stage: &mut Stage, story: Vec<Step>, pictures: Pictures) -> anyhow::Result<()> {
    let bar =
        if std::io::stderr().is_terminal() { ProgressBar::new(story.len() as u64) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {eta} left  {wide_msg}");
    bar.set_style(style.expect("the template is a constant").progress_chars("##."));
    let mut made = stream::iter(story)
        .map(|step| async move {
            let bytes = match step.deed {
                Deed::Write { make, seed } => {
                    let at = step.at;
                    Some(tokio::task::spawn_blocking(move || make.bytes(seed, at, pictures)).await?)
                }
                _ => None,
            };
            anyhow::Ok((step, bytes))
        })
        .buffered(AHEAD);
    while let Some(next) = made.next().await {
        let (step, bytes) = next?;
        bar.set_message(format!("{}  {}", words::short_date(step.at), step.path));
        Box::pin(stage.perform(&step, bytes)).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Storage servers of their own report in their own time.
async fn wait_for_nodes(system: &System) -> anyhow::Result<()> {
    let deadline = system.clock.elapsed() + NODES_WITHIN;
    loop {
        match system.store.can_write() {
            Ok(()) => return Ok(()),
            Err(error) if system.clock.elapsed() >= deadline => {
                return Err(error).context("files cannot be written now");
            }
            Err(_) => tokio::time::sleep(NODES_LOOK).await,
        }
    }
}

/// A password that can be read out and typed: four times four letters and digits that look like no others, 80 bits.
fn made_up() -> Secret {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bits: u128 = rand::random();
    let letters: String = (0..16).map(|index| char::from(LETTERS[(bits >> (index * 5)) as usize % 32])).collect();
    Secret::new(format!("{}-{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..12], &letters[12..]))
}

/// Says who may sign in.
fn announce(system: &System, password: &Secret, took: Duration) -> anyhow::Result<()> {
    let mut text = String::from("\nSign in as any of them:\n");
    for role in &CAST {
        let gap = " ".repeat(20_usize.saturating_sub(role.display_name.chars().count()));
        text.push_str(&format!("  {:<8}  {}{gap}  {}\n", role.name, role.display_name, role.work));
    }
    text.push_str(&format!("Password of all of them: {}\n", password.expose()));
    if let Some(first) = &system.first_password {
        text.push_str(&format!("Administrator: name admin, password {first}  (shown this once)\n"));
    }
    text.push_str(&format!(
        "Done in {:.1} s. Start the server with the same options: holdfast serve",
        took.as_secs_f64()
    ));
    say(&text)
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("nobody reads what is said")
}
