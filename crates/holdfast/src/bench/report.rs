//! The answer of a benchmark: a table for people, Markdown for pages, JSON for programs.

use std::fmt::Write as _;

use anyhow::bail;
use serde_json::{Value, json};

use super::figures::Row;
use crate::clock::SystemClock;

/// What applies to every figure.
const NOTE: &str = "Servers, limits and the generator of the load share the machine's cores and its one disk. A goal is compared with the median.";

/// Everything that was measured.
pub(super) struct Report {
    machine: Machine,
    began: String,
    quick: bool,
    rows: Vec<Row>,
    /// What could not be measured, and why.
    failures: Vec<(&'static str, String)>,
}

impl Report {
    pub(super) fn new(quick: bool) -> anyhow::Result<Self> {
        let began = SystemClock::start().now().to_string();
        Ok(Self { machine: Machine::look()?, began, quick, rows: Vec::new(), failures: Vec::new() })
    }

    /// Takes in what a section gave; one that failed does not keep the others from being measured.
    pub(super) fn add(&mut self, section: &'static str, rows: anyhow::Result<Vec<Row>>) {
        match rows {
            Ok(rows) => self.rows.extend(rows),
            Err(error) => self.failures.push((section, format!("{error:#}"))),
        }
    }

    /// For the terminal.
    pub(super) fn table(&self) -> String {
        let mut cells = vec![["figure", "goal", "min", "median", "max", "limit", "ratio", ""].map(str::to_owned)];
        cells.extend(self.rows.iter().map(cells_of));
        let widths: Vec<usize> = (0..cells[0].len())
            .map(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for (index, row) in cells.iter().enumerate() {
            let line: Vec<_> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(
                    |(column, (cell, width))| {
                        if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                    },
                )
                .collect();
            push_line(&mut text, line.join("  ").trim_end());
            if let Some(row) = index.checked_sub(1).map(|index| &self.rows[index]) {
                for note in notes(row) {
                    push_line(&mut text, &format!("    {note}"));
                }
            }
        }
        for (section, reason) in &self.failures {
            push_line(&mut text, &format!("{section}: not measured: {reason}"));
        }
        push_line(&mut text, &format!("\n{}\n{NOTE}", self.circumstances()));
        text
    }

    /// For a page of documentation.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::from(
            "| figure | goal | min | median | max | limit | ratio | |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for row in &self.rows {
            push_line(&mut text, &format!("| {} |", cells_of(row).map(|cell| cell.replace('|', "\\|")).join(" | ")));
        }
        text.push('\n');
        for row in &self.rows {
            let notes: Vec<_> = notes(row).collect();
            if !notes.is_empty() {
                push_line(&mut text, &format!("- {}: {}", row.title, notes.join("; ")));
            }
        }
        for (section, reason) in &self.failures {
            let first = reason.lines().next().unwrap_or_default();
            push_line(&mut text, &format!("- {section}: **not measured**: {first}"));
        }
        push_line(&mut text, &format!("\n{}\n{NOTE}", self.circumstances()));
        text
    }

    /// For programs.
    pub(super) fn json(&self) -> String {
        let failures: Vec<_> =
            self.failures.iter().map(|(section, reason)| json!({ "section": section, "reason": reason })).collect();
        let report = json!({
            "version": 1,
            "began_at": self.began,
            "program": env!("CARGO_PKG_VERSION"),
            "quick": self.quick,
            "optimized": !cfg!(debug_assertions),
            "machine": self.machine.json(),
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "failures": failures,
        });
        format!("{report:#}\n")
    }

    /// An error if something could not be measured.
    pub(super) fn verdict(&self) -> anyhow::Result<()> {
        if !self.failures.is_empty() {
            let sections: Vec<_> = self.failures.iter().map(|(section, _)| *section).collect();
            bail!("not everything could be measured: {}", sections.join(", "));
        }
        Ok(())
    }

    fn circumstances(&self) -> String {
        let Machine { cores, processor, memory_bytes, kernel } = &self.machine;
        let mut text = format!(
            "{}: {cores} cores ({processor}), {} GiB of memory, Linux {kernel}, holdfast {}.",
            self.began,
            memory_bytes >> 30,
            env!("CARGO_PKG_VERSION")
        );
        if self.quick {
            text.push_str(" Quick: fewer and shorter runs.");
        }
        if cfg!(debug_assertions) {
            text.push_str(" NOT OPTIMIZED: this is a debug build, and its figures mean nothing.");
        }
        text
    }
}

fn cells_of(row: &Row) -> [String; 8] {
    let series = &row.measured;
    let limit = row.limit.as_ref().map(|limit| row.unit.show(limit.series.median()));
    [
        row.title.clone(),
        row.goal_text(),
        row.unit.show(series.min()),
        row.unit.show(series.median()),
        row.unit.show(series.max()),
        limit.unwrap_or_else(|| "–".into()),
        row.ratio().map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}")),
        if row.met() { "met" } else { "MISSED" }.into(),
    ]
}

/// What the limit is, and the figures beside the main one.
fn notes(row: &Row) -> impl Iterator<Item = String> {
    let limit = row.limit.as_ref().map(|limit| {
        let series = &limit.series;
        let (min, max) = (row.unit.show(series.min()), row.unit.show(series.max()));
        format!("limit: {} ({min} to {max})", limit.what)
    });
    limit.into_iter().chain(row.details.iter().map(|it| format!("{}: {}", it.what, it.unit.show(it.value))))
}

fn push_line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}

/// What the figures were measured on.
struct Machine {
    cores: usize,
    processor: String,
    memory_bytes: u64,
    kernel: String,
}

impl Machine {
    fn look() -> anyhow::Result<Self> {
        let field = |path: &str, key: &str| -> Option<String> {
            let text = std::fs::read_to_string(path).ok()?;
            let line = text.lines().find(|line| line.starts_with(key))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = field("/proc/meminfo", "MemTotal").and_then(|it| it.split_whitespace().next()?.parse().ok());
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
            memory_bytes: memory.unwrap_or(0_u64) << 10,
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        })
    }

    fn json(&self) -> Value {
        json!({
            "cores": self.cores,
            "processor": self.processor,
            "memory_bytes": self.memory_bytes,
            "kernel": self.kernel,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::{Detail, Goal, Unit, tests::row};

    fn report() -> Report {
        let mut report = Report::new(true).unwrap();
        let mut upload = row(Unit::Seconds, &[1.0, 2.0, 3.0], Some(1.0), Goal::TimesLimit(1.6));
        upload.details.push(Detail::new("beside it", Unit::Milliseconds, 12.0));
        report.add("upload", Ok(vec![upload]));
        report.add("get", Ok(vec![row(Unit::PerSecond, &[20_000.0], None, Goal::AtLeast(15_000.0))]));
        report
    }

    #[test]
    fn the_table_says_what_was_met() {
        let table = report().table();
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1].last(), Some(&"MISSED"), "{table}");
        assert!(lines[1].contains(&"2.00"), "{table}");
        assert_eq!(lines[2][0], "limit:");
        assert_eq!(lines[3].join(" "), "beside it: 12.0 ms");
        assert_eq!(lines[4].last(), Some(&"met"), "{table}");
    }

    #[test]
    fn markdown_has_one_line_per_row() {
        let markdown = report().markdown();
        assert_eq!(markdown.lines().filter(|line| line.starts_with('|')).count(), 4, "{markdown}");
    }

    #[test]
    fn json_keeps_every_sample() {
        let json: Value = serde_json::from_str(&report().json()).unwrap();
        assert_eq!(json["rows"][0]["measured"]["samples"], json!([1.0, 2.0, 3.0]));
        assert_eq!(json["rows"][0]["met"], false);
        assert_eq!(json["rows"][1]["limit"], Value::Null);
        assert_eq!(json["machine"]["cores"].as_u64().map(|it| it > 0), Some(true));
    }

    #[test]
    fn what_failed_is_told_and_is_an_error() {
        let mut report = report();
        assert!(report.verdict().is_ok());
        report.add("listing", Err(anyhow::anyhow!("the server answers 500")));
        assert!(report.verdict().unwrap_err().to_string().contains("listing"));
        assert!(report.table().contains("listing: not measured: the server answers 500"));
        assert!(report.markdown().contains("not measured"));
    }
}
