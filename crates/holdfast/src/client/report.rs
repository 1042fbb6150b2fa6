//! What a copy tells while it runs and at its end: bars on a terminal, lines of JSON for programs, counts for both.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use base::ByteSize;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use serde_json::json;
use tokio::time::Instant;

use super::{
    api::Activity,
    failure::Failure,
    output::{json, note, shown, span},
};

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// Failures only.
    Quiet,
    /// Progress, failures and a last line, for people.
    Plain,
    /// One JSON object for each file and a last one, on standard output.
    Json,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its bytes went over.
    Copied {
        /// How many.
        bytes: u64,
        /// Where it is in the end, if not where it was meant to be.
        renamed: Option<String>,
    },
    /// It was there already, with the same bytes.
    Same,
    /// It was left out.
    Skipped(&'static str),
}

/// Where something comes from and goes to, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) source: String,
    pub(super) destination: String,
}

#[derive(Debug, Default)]
struct Counts {
    planned: AtomicU64,
    copied: AtomicU64,
    same: AtomicU64,
    skipped: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
}

impl Counts {
    fn ended(&self) -> u64 {
        [&self.copied, &self.same, &self.skipped, &self.failed].iter().map(|count| count.load(Relaxed)).sum()
    }
}

/// The teller. All of a copy's tasks share one.
#[derive(Debug)]
pub(super) struct Report {
    voice: Voice,
    counts: Counts,
    started: Instant,
    bars: Option<Bars>,
    /// All that is to be copied is known by now.
    is_planned: AtomicBool,
    /// Nobody reads standard output any more.
    is_closed: AtomicBool,
    first_failure: Mutex<Option<u8>>,
}

#[derive(Debug)]
struct Bars {
    multi: MultiProgress,
    overall: ProgressBar,
    names: ProgressBar,
    /// Files on their way that have no bar of their own, and when the line that shows them was drawn.
    current: Mutex<(Vec<Arc<str>>, Option<Instant>)>,
    own: AtomicU64,
}

/// A file of at least this size gets a bar of its own…
const OWN_BAR_BYTES: u64 = 16 << 20;

/// …as long as there are not more of them than this.
const OWN_BARS_MAX: u64 = 4;

/// Names of small files fly by; nobody reads more of them than this.
const NAMES_EVERY: Duration = Duration::from_millis(100);

impl Report {
    /// Shows bars if standard error is a terminal, and people read it.
    pub(super) fn new(voice: Voice) -> Arc<Self> {
        let bars = (voice != Voice::Quiet && io::IsTerminal::is_terminal(&io::stderr())).then(Bars::new);
        Arc::new(Self {
            voice,
            counts: Counts::default(),
            started: Instant::now(),
            bars,
            is_planned: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            first_failure: Mutex::new(None),
        })
    }

    /// There is a file to be copied.
    pub(super) fn plan(&self, bytes: u64) {
        self.counts.planned.fetch_add(1, Relaxed);
        if let Some(bars) = &self.bars {
            bars.overall.inc_length(bytes);
        }
    }

    /// No more files will be planned.
    pub(super) fn all_planned(&self) {
        self.is_planned.store(true, Relaxed);
        self.draw_counts();
    }

    /// A planned file of this size is being worked on.
    pub(super) fn begin(self: &Arc<Self>, name: &str, bytes: u64) -> Arc<Meter> {
        let bar = self.bars.as_ref().and_then(|bars| bars.begin(name, bytes));
        Arc::new(Meter {
            report: self.clone(),
            name: name.into(),
            bytes,
            bar,
            state: Mutex::default(),
            is_done: AtomicBool::new(false),
            activity: Activity::default(),
        })
    }

    /// A file is where it should be, or was left out on purpose.
    pub(super) fn done(&self, way: &Way, outcome: &Outcome) {
        let (count, word) = match outcome {
            Outcome::Copied { bytes, .. } => {
                self.counts.bytes.fetch_add(*bytes, Relaxed);
                (&self.counts.copied, "copied")
            }
            Outcome::Same => (&self.counts.same, "same"),
            Outcome::Skipped(_) => (&self.counts.skipped, "skipped"),
        };
        count.fetch_add(1, Relaxed);
        if self.voice == Voice::Json {
            let mut event = json!({ "event": word, "source": way.source, "destination": way.destination });
            match outcome {
                Outcome::Copied { bytes, renamed } => {
                    event["bytes"] = json!(bytes);
                    if let Some(renamed) = renamed {
                        event["destination"] = json!(renamed);
                    }
                }
                Outcome::Same => {}
                Outcome::Skipped(why) => event["reason"] = json!(why),
            }
            self.event(&event);
        }
        self.draw_counts();
    }

    /// Something was left out that is no file: it was never planned.
    pub(super) fn left_out(&self, source: &str, why: &'static str) {
        self.counts.skipped.fetch_add(1, Relaxed);
        self.counts.planned.fetch_add(1, Relaxed);
        match self.voice {
            Voice::Quiet => {}
            Voice::Plain => self.say(&format!("{}: left out, {why}", shown(source))),
            Voice::Json => self.event(&json!({ "event": "skipped", "source": source, "reason": why })),
        }
    }

    /// A file or folder could not be copied; the others go on.
    pub(super) fn failed(&self, way: &Way, failure: &Failure) {
        self.counts.failed.fetch_add(1, Relaxed);
        self.first_failure.lock().get_or_insert(failure.status());
        let hint = failure.hint().map(|hint| format!("\n  What to do: {hint}")).unwrap_or_default();
        self.say(&format!("holdfast: {}: {failure}{hint}", shown(&way.source)));
        if self.voice == Voice::Json {
            self.event(&json!({
                "event": "failed", "source": way.source, "destination": way.destination,
                "code": failure.code(), "message": failure.to_string(),
            }));
        }
        self.draw_counts();
    }

    /// A line for people, above the bars.
    fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.multi.suspend(|| note(text)),
            None => note(text),
        }
    }

    fn event(&self, event: &serde_json::Value) {
        let write = || writeln!(io::stdout().lock(), "{}", json(event));
        let written = match &self.bars {
            Some(bars) => bars.multi.suspend(write),
            None => write(),
        };
        if written.is_err() {
            self.is_closed.store(true, Relaxed);
        }
    }

    /// Whether there is somebody left to work for.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.is_closed.load(Relaxed) { Err(Failure::PipeClosed) } else { Ok(()) }
    }

    fn draw_counts(&self) {
        if let Some(bars) = &self.bars {
            let more = if self.is_planned.load(Relaxed) { "" } else { "+" };
            let (ended, planned) = (self.counts.ended(), self.counts.planned.load(Relaxed));
            bars.overall.set_message(format!("{ended}/{planned}{more} files"));
        }
    }

    /// Whether everything went well so far.
    pub(super) fn is_clean(&self) -> bool {
        self.counts.failed.load(Relaxed) == 0
    }

    /// Tells the sum. Call it once, when nothing runs any more.
    pub(super) fn finish(&self) -> Result<(), Failure> {
        if let Some(bars) = &self.bars {
            bars.names.finish_and_clear();
            bars.overall.finish_and_clear();
        }
        let count = |count: &AtomicU64| count.load(Relaxed);
        let Counts { copied, same, skipped, failed, bytes, .. } = &self.counts;
        let (copied, same, skipped, failed, bytes) =
            (count(copied), count(same), count(skipped), count(failed), count(bytes));
        let took = self.started.elapsed();
        match self.voice {
            Voice::Quiet => {}
            Voice::Plain => note(&sum(copied, same, skipped, failed, bytes, took)),
            Voice::Json => self.event(&json!({
                "event": "summary", "copied": copied, "same": same, "skipped": skipped, "failed": failed,
                "bytes": bytes, "seconds": took.as_secs_f64(),
            })),
        }
        self.check()?;
        match (copied + same, failed) {
            (_, 0) => Ok(()),
            (0, 1) => Err(Failure::Reported(self.first_failure.lock().unwrap_or(1))),
            (0, _) => Err(Failure::Reported(1)),
            // What failed has been said, and how many in the sum.
            (_, _) if self.voice != Voice::Quiet => Err(Failure::Reported(Failure::InPart { failed }.status())),
            (_, failed) => Err(Failure::InPart { failed }),
        }
    }
}

fn sum(copied: u64, same: u64, skipped: u64, failed: u64, bytes: u64, took: Duration) -> String {
    let files = |n: u64| format!("{n} {}", if n == 1 { "file" } else { "files" });
    let seconds = took.as_secs_f64().max(0.001);
    let rate = ByteSize((bytes as f64 / seconds) as u64);
    let time = if took.as_secs() < 60 { format!("{seconds:.1} s") } else { span(took) };
    let mut text = format!("Copied {}, {} in {time} ({rate}/s)", files(copied), ByteSize(bytes));
    for (n, what) in [(same, "already there"), (skipped, "left out"), (failed, "failed")] {
        if n > 0 {
            text.push_str(&format!("; {n} {what}"));
        }
    }
    text.push_str(if failed > 0 { ". The same command again goes on where this one ended." } else { "." });
    text
}

impl Bars {
    fn new() -> Self {
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let style = |template: &str| ProgressStyle::with_template(template).expect("the template is a constant");
        let overall = multi.add(ProgressBar::new(0));
        overall.set_style(
            style("{bar:24} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left  {msg}").progress_chars("##."),
        );
        overall.enable_steady_tick(Duration::from_millis(250));
        let names = multi.add(ProgressBar::new_spinner());
        names.set_style(style("{wide_msg}"));
        Self { multi, overall, names, current: Mutex::default(), own: AtomicU64::new(0) }
    }

    /// A bar of its own for a large file, a place among the names for a small one.
    fn begin(&self, name: &str, bytes: u64) -> Option<ProgressBar> {
        if bytes >= OWN_BAR_BYTES
            && self.own.fetch_update(Relaxed, Relaxed, |n| (n < OWN_BARS_MAX).then_some(n + 1)).is_ok()
        {
            let bar = self.multi.insert_before(&self.names, ProgressBar::new(bytes));
            let template = "  {bar:22} {bytes}/{total_bytes}  {wide_msg}";
            let style = ProgressStyle::with_template(template).expect("the template is a constant");
            bar.set_style(style.progress_chars("##."));
            bar.set_message(shown(name).into_owned());
            return Some(bar);
        }
        self.name(|names| names.push(name.into()));
        None
    }

    fn end(&self, name: &str, bar: Option<&ProgressBar>) {
        if let Some(bar) = bar {
            bar.finish_and_clear();
            self.multi.remove(bar);
            self.own.fetch_sub(1, Relaxed);
            return;
        }
        self.name(|names| {
            if let Some(at) = names.iter().position(|other| &**other == name) {
                names.remove(at);
            }
        });
    }

    fn name(&self, change: impl FnOnce(&mut Vec<Arc<str>>)) {
        let mut current = self.current.lock();
        change(&mut current.0);
        if current.1.is_some_and(|drawn| drawn.elapsed() < NAMES_EVERY) {
            return;
        }
        current.1 = Some(Instant::now());
        let names: Vec<_> = current.0.iter().take(3).map(|name| shown(name)).collect();
        let more = if current.0.len() > names.len() { ", …" } else { "" };
        self.names.set_message(format!("  {}{more}", names.join(", ")));
    }
}

/// How far one file is. Dropped before [`Meter::finish`], it takes back what it counted.
#[derive(Debug)]
pub(super) struct Meter {
    report: Arc<Report>,
    name: Box<str>,
    bytes: u64,
    bar: Option<ProgressBar>,
    state: Mutex<Position>,
    is_done: AtomicBool,
    activity: Activity,
}

/// Bytes of a file that are over there, and how many of them were there before this command.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Position {
    at: u64,
    before: u64,
}

impl Meter {
    /// Bytes went over.
    pub(super) fn moved(&self, bytes: u64) {
        self.activity.moved(bytes);
        self.state.lock().at += bytes;
        if let Some(bars) = &self.report.bars {
            bars.overall.inc(bytes);
        }
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    /// The transfer goes on at this offset: what a killed command did counts neither as done nor as to do, so that rate
    /// and time left are those of this command; what has to be sent again is taken back.
    pub(super) fn resume_at(&self, offset: u64) {
        let mut state = self.state.lock();
        let old = *state;
        let before = if old.at == 0 { offset } else { old.before.min(offset) };
        *state = Position { at: offset, before };
        if let Some(bars) = &self.report.bars {
            bars.overall.inc_length(old.before);
            bars.overall.dec_length(before);
            bars.overall.dec(old.at - old.before);
            bars.overall.inc(offset - before);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(offset);
        }
    }

    /// For the guard against dead connections.
    pub(super) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Bytes that this command moved, of those that count.
    pub(super) fn counted(&self) -> u64 {
        let state = self.state.lock();
        state.at - state.before
    }

    /// The file is over there.
    pub(super) fn finish(&self) {
        self.is_done.store(true, Relaxed);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let Some(bars) = &self.report.bars else { return };
        if !self.is_done.load(Relaxed) {
            let Position { at, before } = *self.state.lock();
            bars.overall.dec(at - before);
            bars.overall.dec_length(self.bytes.saturating_sub(before));
        }
        bars.end(&self.name, self.bar.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Way {
        Way { source: "a".into(), destination: ":/a".into() }
    }

    fn run(copied: u64, failures: Vec<Failure>) -> u8 {
        let report = Report::new(Voice::Quiet);
        for _ in 0..copied {
            report.done(&way(), &Outcome::Copied { bytes: 1, renamed: None });
        }
        for failure in failures {
            report.failed(&way(), &failure);
        }
        report.finish().map_or_else(|failure| failure.status(), |()| 0)
    }

    #[tokio::test]
    async fn the_exit_code_says_whether_some_or_all_failed() {
        let lost = || Failure::local("x", io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(run(0, vec![]), 0);
        assert_eq!(run(2, vec![]), 0);
        assert_eq!(run(2, vec![lost()]), 6);
        assert_eq!(run(0, vec![lost()]), 3);
        assert_eq!(run(0, vec![lost(), lost()]), 1);
    }

    #[tokio::test]
    async fn meters_count_what_this_command_moved() {
        let report = Report::new(Voice::Quiet);
        let meter = report.begin("x", 100);
        meter.resume_at(40);
        meter.moved(30);
        assert_eq!(meter.counted(), 30);
        // The connection broke, and 20 of the 30 arrived.
        meter.resume_at(60);
        assert_eq!(meter.counted(), 20);
        // The server forgot the upload.
        meter.resume_at(0);
        assert_eq!(meter.counted(), 0);
        meter.moved(100);
        assert_eq!(meter.counted(), 100);
    }

    #[test]
    fn the_last_line() {
        let second = Duration::from_secs(2);
        assert_eq!(sum(1, 0, 0, 0, 4 << 20, second), "Copied 1 file, 4.0 MiB in 2.0 s (2.0 MiB/s).");
        let text = sum(0, 5, 1, 2, 0, Duration::ZERO);
        assert_eq!(
            text,
            "Copied 0 files, 0 B in 0.0 s (0 B/s); 5 already there; 1 left out; 2 failed. The same command again goes on where this one ended."
        );
    }
}
