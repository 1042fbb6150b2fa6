//! `holdfast bench storage` and `holdfast bench drive`: measure what the storage layer and the drive promise, where there is a
//! limit of this machine beside it.
//!
//! The servers are child processes of this same program, on loopback and with their data on the disk under `--dir`.
//! What each row means, and how to read it, is in `docs/benchmarks.md`.

mod apart;
mod coding;
mod drive;
mod figures;
mod http;
mod large;
mod limits;
mod listing;
mod load;
mod pattern;
mod peer;
mod report;
mod server;
mod small;
mod stream;

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use clap::{Subcommand, ValueEnum};

use self::{
    figures::Row,
    report::Report,
    server::{Deployment, Folder, Nodes},
};
use crate::shutdown;

/// Free bytes that a whole run wants on the disk: the largest set of files that exists at once, and room for writes
/// that are on their way.
const FREE_BYTES: u64 = 40 << 30;

/// The same with `--quick`.
const FREE_BYTES_QUICK: u64 = 20 << 30;

/// `holdfast bench`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Clone, Subcommand)]
enum Bench {
    /// Uploads, downloads, small files, memory, listings, erasure coding; see docs/benchmarks.md
    Storage(Storage),
    /// Batches of small files, live sessions, catching up, long folders; see docs/benchmarks.md
    Drive(Drive),
    /// What a limit is measured against; ends when its standard input does
    #[command(hide = true)]
    Peer,
}

/// `holdfast bench storage`.
#[derive(Debug, Clone, clap::Args)]
struct Storage {
    /// Disk to measure: a folder is made in this one, and removed at the end
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Only these, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<Section>,
    /// Write figures, samples and the machine's description as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the table as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Fewer and shorter runs, and 2 GiB in place of 10: for a look, not for a record
    #[arg(long)]
    quick: bool,
    /// Entries of the folder that is listed; above 100000 both sizes are measured
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(2_000..=10_000_000))]
    entries: u64,
}

/// `holdfast bench drive`.
#[derive(Debug, Clone, clap::Args)]
struct Drive {
    /// Disk to measure: a folder is made in this one, and removed at the end
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Write figures, samples and the machine's description as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the table as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Fewer and shorter runs: for a look, not for a record
    #[arg(long)]
    quick: bool,
    /// Entries below the folder that is renamed
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(10_000..=10_000_000))]
    entries: u64,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Erasure coding 6+2 on one core
    Coding,
    /// Memory of an idle server
    Idle,
    /// Upload of 1 GiB
    Upload,
    /// Download of 1 GiB
    Download,
    /// POST of 16 KiB files, 64 at once
    Post,
    /// GET of 16 KiB files, 64 at once
    Get,
    /// The four above through six node processes; measures them in one process too
    Cluster,
    /// Download of 1 GiB with one node of six gone
    Degraded,
    /// Memory and last answer of a 10 GiB upload and download
    Large,
    /// A page of 1,000 of a large folder
    Listing,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Runs of one stream.
    stream_runs: usize,
    /// Runs of everything else.
    runs: usize,
    /// Bytes of the file of a stream.
    file_bytes: u64,
    /// Bytes of the large file.
    large_bytes: u64,
    /// How long 64 at once go on before they count.
    warm_up: Duration,
    /// How long they count.
    period: Duration,
    /// Different small files that are read.
    small_files: u64,
    /// Pages of a listing in one run.
    pages: usize,
}

impl Scale {
    const FULL: Self = Self {
        stream_runs: 5,
        runs: 3,
        file_bytes: 1 << 30,
        large_bytes: 10 << 30,
        warm_up: Duration::from_secs(2),
        period: Duration::from_secs(10),
        small_files: 10_000,
        pages: 1_000,
    };

    const QUICK: Self = Self {
        stream_runs: 3,
        runs: 2,
        file_bytes: 1 << 30,
        large_bytes: 2 << 30,
        warm_up: Duration::from_secs(1),
        period: Duration::from_secs(3),
        small_files: 2_000,
        pages: 300,
    };
}

/// Runs a benchmark.
///
/// # Errors
/// If something could not be measured. A goal that is missed is a result, not an error.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    match args.bench {
        Bench::Peer => peer::serve().await,
        Bench::Storage(options) => until_stopped(Box::pin(storage(options))).await,
        Bench::Drive(options) => until_stopped(Box::pin(drive(options))).await,
    }
}

/// Dropping what runs ends the servers and removes their folder.
async fn until_stopped(run: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        result = run => result,
        stopped = shutdown::requested() => {
            stopped?;
            bail!("stopped by a signal")
        }
    }
}

async fn drive(options: Drive) -> anyhow::Result<()> {
    let folder = Folder::make(&options.dir)?;
    let json = options.json.as_deref().map(Output::make).transpose()?;
    let markdown = options.markdown.as_deref().map(Output::make).transpose()?;
    let (runs, seconds) = if options.quick { (2, 5) } else { (5, 20) };
    let scale = drive::Scale { runs, listen: Duration::from_secs(seconds), entries: options.entries };
    let mut report = Report::new(options.quick)?;
    say("the drive");
    report.add("drive", Box::pin(drive::rows(&folder, scale)).await);
    finish(&report, folder, json, markdown)
}

async fn storage(options: Storage) -> anyhow::Result<()> {
    let scale = if options.quick { Scale::QUICK } else { Scale::FULL };
    let chosen = |section: Section| options.only.is_empty() || options.only.contains(&section);
    let folder = Folder::make(&options.dir)?;
    let free = folder.free_bytes()?;
    let needed = if options.quick { FREE_BYTES_QUICK } else { FREE_BYTES };
    ensure!(
        free >= needed,
        "{} has {} GiB free and this wants {}: give another --dir",
        options.dir.display(),
        free >> 30,
        needed >> 30
    );

    let json = options.json.as_deref().map(Output::make).transpose()?;
    let markdown = options.markdown.as_deref().map(Output::make).transpose()?;

    let mut report = Report::new(options.quick)?;
    if chosen(Section::Coding) {
        say("erasure coding");
        report.add("coding", coding::rows(scale).await);
    }
    if chosen(Section::Idle) {
        say("memory of an idle server");
        report.add("idle", large::idle(&folder, scale).await);
    }
    let sides: Vec<Section> = [Section::Upload, Section::Download, Section::Post, Section::Get]
        .into_iter()
        .filter(|section| chosen(*section) || chosen(Section::Cluster))
        .collect();
    if !sides.is_empty() {
        let result = Box::pin(both_sides(&folder, scale, &sides, chosen(Section::Cluster), &mut report)).await;
        report.add("servers", result.map(|()| Vec::new()));
    }
    if chosen(Section::Degraded) {
        say("a read with one node gone");
        report.add("degraded", Box::pin(stream::degraded(&folder, scale)).await);
    }
    if chosen(Section::Large) {
        say("a large file");
        report.add("large", Box::pin(large::rows(&folder, scale)).await);
    }
    if chosen(Section::Listing) {
        say("listing a large folder");
        report.add("listing", Box::pin(listing::rows(&folder, scale, options.entries)).await);
    }

    finish(&report, folder, json, markdown)
}

/// Prints and writes what was measured, and clears up.
#[expect(clippy::print_stdout, reason = "the table is the command's answer")]
fn finish(
    report: &Report,
    folder: Folder,
    json: Option<Output<'_>>,
    markdown: Option<Output<'_>>,
) -> anyhow::Result<()> {
    println!("{}", report.table());
    if let Some(json) = json {
        json.write(&report.json())?;
    }
    if let Some(markdown) = markdown {
        markdown.write(&report.markdown())?;
    }
    folder.remove()?;
    report.verdict()
}

/// A file for the answer, made before the measuring: one that cannot be written is not to be noticed ten minutes later.
struct Output<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Output<'a> {
    fn make(path: &'a Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path, file })
    }

    fn write(mut self, text: &str) -> anyhow::Result<()> {
        self.file.write_all(text.as_bytes()).with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

/// Measures in one process and, if asked, through six node processes too: both servers are there from the beginning
/// and runs alternate between them, so that a slow minute of the machine meets both.
async fn both_sides(
    folder: &Folder,
    scale: Scale,
    sections: &[Section],
    cluster: bool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut systems = vec![Deployment::start(folder, "alone", Nodes::Inside, 0).await?];
    if cluster {
        systems.push(Deployment::start(folder, "six", Nodes::Processes, 0).await?);
    }
    let peer = peer::Peer::start().await?;
    for section in sections {
        let (name, rows): (_, anyhow::Result<Vec<Row>>) = match section {
            Section::Upload => {
                say("upload of 1 GiB");
                ("upload", Box::pin(stream::upload_rows(folder, scale, &systems)).await)
            }
            Section::Download => {
                say("download of 1 GiB");
                ("download", Box::pin(stream::download_rows(scale, &systems, &peer)).await)
            }
            Section::Post => {
                say("POST of 16 KiB files");
                ("post", Box::pin(small::post_rows(folder, scale, &systems)).await)
            }
            _ => {
                say("GET of 16 KiB files");
                ("get", Box::pin(small::get_rows(scale, &systems, &peer)).await)
            }
        };
        report.add(name, rows.map_err(|error| server::explain(error, &systems)));
    }
    for system in systems {
        system.stop().await?;
    }
    Ok(())
}

/// Progress, beside the answer on standard output.
#[expect(clippy::print_stderr, reason = "a benchmark takes minutes; this says that it goes on")]
fn say(what: &str) {
    eprintln!("measuring {what} …");
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &[&str]) -> Result<Storage, clap::Error> {
        match Line::try_parse_from([&["bench"], line].concat())?.args.bench {
            Bench::Storage(storage) => Ok(storage),
            Bench::Peer | Bench::Drive(_) => panic!("another command"),
        }
    }

    #[test]
    fn nothing_chosen_is_everything() {
        let storage = parse(&["storage"]).unwrap();
        assert!(storage.only.is_empty() && !storage.quick && storage.json.is_none());
        assert_eq!((storage.dir, storage.entries), (PathBuf::from("."), 100_000));
    }

    #[test]
    fn sections_are_named_and_others_refused() {
        let storage = parse(&["storage", "--only", "upload,coding", "--quick"]).unwrap();
        assert_eq!(storage.only, [Section::Upload, Section::Coding]);
        assert!(parse(&["storage", "--only", "uplaod"]).is_err());
        assert!(parse(&["storage", "--entries", "10"]).is_err());
    }
}
