//! `cp`: copies to, from and within a server.
//!
//! A copy is a set of [`Work`]: folders, which give more work, and files. A fixed number of tasks runs it; folders are
//! preferred until enough files wait, so that the total is known early without keeping a whole tree in memory.
//!
//! - `plan` finds out what the command line means, as `cp` would
//! - `push` brings up, `pull` brings down, `clone` copies within the server
//! - `upload` and `download` move the bytes of one file and survive breaks

mod clone;
mod download;
mod plan;
mod pull;
mod push;
#[cfg(test)]
mod tests;
mod upload;

use std::{collections::VecDeque, ffi::OsString, sync::Arc};

use clap::{Args, ValueEnum};
use tokio::task::JoinSet;

use super::{
    Common,
    api::{Api, OnConflict},
    credentials::stopped,
    failure::Failure,
    path::Place,
    report::{Report, Voice},
    resume::Shelf,
};

/// The help of `holdfast cp --help`.
pub(super) const LONG_ABOUT: &str = "\
Copies files and folders to, from and within a server.

Remote paths begin with a colon, and at least one side is remote:

  holdfast cp report.pdf :/docs/          up
  holdfast cp -r photos :/                up, to :/photos
  holdfast cp -r photos/. :/backup        what is in photos, into :/backup
  holdfast cp -r :/photos .               down, to ./photos
  holdfast cp -r :/photos :/copy          within the server: no byte is moved

Where DESTINATION is a folder, the copy goes into it under its own name; else DESTINATION is the name of the copy, and \
the folder that it is in must exist. This is what cp does. A source that ends in /. stands for what is in the folder, \
so the same line does the same however often it is typed.

Files that are there already with the same bytes (same size and same BLAKE3) are not copied again. Where another file \
has the name, --on-conflict decides. Every file is verified against its BLAKE3 after it was copied.

A copy that was broken off goes on where it was when the same command is typed again, also in the middle of a file. \
Downloads have the name NAME.holdfast-part until they are whole.

Symbolic links inside folders are left out. Permissions and times are not kept.";

/// `holdfast cp`.
#[derive(Debug, Args)]
pub(crate) struct Cp {
    /// Copies folders with everything in them
    #[arg(long, short)]
    recursive: bool,
    /// Files on their way at the same time
    #[arg(long, short, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// What to do where another file has the name
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Conflict::Replace)]
    on_conflict: Conflict,
    /// One or more sources, then the destination
    #[arg(value_name = "PATH", num_args = 2.., required = true)]
    paths: Vec<OsString>,
    #[command(flatten)]
    common: Common,
}

/// What to do where another file, with other bytes, has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Conflict {
    /// Replace it; on the server, this is a new version of it
    Replace,
    /// Leave it and go on
    Skip,
    /// Take a free name like it: `x (2).txt`
    Rename,
    /// Count it as failed and go on
    Fail,
}

impl Conflict {
    /// What the server is to do, should the name be taken by the time it decides.
    fn for_server(self) -> OnConflict {
        match self {
            Self::Replace => OnConflict::Replace,
            Self::Rename => OnConflict::Rename,
            Self::Skip | Self::Fail => OnConflict::Fail,
        }
    }
}

/// What all tasks of a copy share.
struct Context {
    api: Api,
    report: Arc<Report>,
    shelf: Shelf,
    conflict: Conflict,
    sizes: Sizes,
}

/// Sizes at which files are treated in another way.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Up to this, a file is read whole and sent with its BLAKE3, so that the server refuses what was damaged.
    whole_max: u64,
    /// From this on, uploads are resumable ones. Below, sending again costs less than asking.
    upload_resumes: u64,
    /// From this on, a killed download leaves its part file for the next command.
    download_resumes: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { whole_max: 1 << 20, upload_resumes: (64 << 20) + 1, download_resumes: 8 << 20 }
    }
}

pub(super) async fn cp(cp: Cp) -> Result<(), Failure> {
    let mut places = cp.paths.iter().map(|path| Place::parse(path)).collect::<Result<Vec<_>, _>>();
    let places = places.as_mut().map_err(|error| Failure::Usage(error.to_string()))?;
    let Some(destination) = places.pop() else {
        return Err(Failure::Usage("a copy has a source and a destination".into()));
    };
    let voice = match (cp.common.json, cp.common.quiet) {
        (true, _) => Voice::Json,
        (false, true) => Voice::Quiet,
        (false, false) => Voice::Plain,
    };
    let context = Context {
        api: Api::connect(&cp.common)?,
        report: Report::new(voice),
        shelf: Shelf::of_user()?,
        conflict: cp.on_conflict,
        sizes: Sizes::default(),
    };
    let order = plan::Order { sources: std::mem::take(places), destination, recursive: cp.recursive };
    copy(Arc::new(context), order, usize::from(cp.jobs)).await
}

/// Plans and runs a copy, and tells how it went.
async fn copy(context: Arc<Context>, order: plan::Order, jobs: usize) -> Result<(), Failure> {
    let plan = plan::plan(&context, order).await?;
    let result = run(&context, plan.work, jobs).await;
    // Only a copy that is whole is forgotten; any other goes on when it is typed again.
    if result.is_ok() && context.report.is_clean() {
        plan.unfinished.into_iter().for_each(super::resume::Record::finish);
    }
    let told = context.report.finish();
    result.and(told)
}

/// Something to copy.
enum Work {
    PushFolder(push::Folder),
    PushFile(push::File),
    PullFolder(pull::Folder),
    PullFile(pull::File),
    Clone(clone::Copy),
}

impl Work {
    /// Bytes to move, of a file; folders have none.
    fn file_bytes(&self) -> Option<u64> {
        match self {
            Self::PushFolder(_) | Self::PullFolder(_) => None,
            Self::PushFile(file) => Some(file.bytes),
            Self::PullFile(file) => Some(file.entry.bytes()),
            // The server moves none.
            Self::Clone(copy) => (!copy.is_merge()).then_some(0),
        }
    }

    /// Does it and gives what follows from it.
    ///
    /// # Errors
    /// Only what makes all other work pointless; what concerns this alone is reported.
    async fn run(self, context: Arc<Context>) -> Result<Vec<Self>, Failure> {
        match self {
            Self::PushFolder(folder) => folder.run(&context).await,
            Self::PushFile(file) => file.run(&context).await.map(|()| Vec::new()),
            Self::PullFolder(folder) => folder.run(&context).await,
            Self::PullFile(file) => file.run(&context).await.map(|()| Vec::new()),
            Self::Clone(copy) => copy.run(&context).await,
        }
    }
}

/// Work that waits.
#[derive(Default)]
struct Queue {
    /// A stack: the tree is walked depth first, which keeps few folders waiting.
    folders: Vec<Work>,
    files: VecDeque<Work>,
}

/// Files that may wait before the search for more of them pauses.
const FILES_WAITING_MAX: usize = 20_000;

impl Queue {
    fn add(&mut self, report: &Report, work: Vec<Work>) {
        for work in work {
            match work.file_bytes() {
                Some(bytes) => {
                    report.plan(bytes);
                    self.files.push_back(work);
                }
                None => self.folders.push(work),
            }
        }
    }

    /// What to do next, while this many tasks are busy with folders. A quarter of them looks for files, the others copy.
    fn next(&mut self, folders_running: usize, jobs: usize) -> Option<Work> {
        let looking = folders_running < jobs.div_ceil(4) && self.files.len() < FILES_WAITING_MAX;
        if looking && let Some(folder) = self.folders.pop() {
            return Some(folder);
        }
        self.files.pop_front().or_else(|| self.folders.pop())
    }
}

/// Runs work, and the work that follows from it, in this many tasks.
async fn run(context: &Arc<Context>, work: Vec<Work>, jobs: usize) -> Result<(), Failure> {
    let mut queue = Queue::default();
    queue.add(&context.report, work);
    let mut running = JoinSet::new();
    let mut folders_running = 0;
    loop {
        while running.len() < jobs
            && let Some(work) = queue.next(folders_running, jobs)
        {
            let is_folder = work.file_bytes().is_none();
            folders_running += usize::from(is_folder);
            let context = context.clone();
            running.spawn(async move { (is_folder, work.run(context).await) });
        }
        if folders_running == 0 && queue.folders.is_empty() {
            context.report.all_planned();
        }
        let Some(ended) = running.join_next().await else { return Ok(()) };
        let (is_folder, result) = ended.map_err(stopped)?;
        folders_running -= usize::from(is_folder);
        // A failure here ends the copy; dropping the set stops the tasks that still run.
        queue.add(&context.report, result?);
        context.report.check()?;
    }
}
