//! Writing for people and for programs: what goes to standard output, and what a terminal must not be sent.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, BufWriter, Write as _},
    time::Duration,
};

use serde::Serialize;

use super::failure::Failure;

/// Standard output, buffered; closed pipes are no fault.
pub(super) struct Output {
    writer: BufWriter<io::Stdout>,
}

impl Output {
    pub(super) fn new() -> Self {
        Self { writer: BufWriter::with_capacity(64 << 10, io::stdout()) }
    }

    /// Writes a line of text. The caller has made it safe with [`shown`].
    pub(super) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.writer, "{text}").map_err(closed)
    }

    /// Writes a value as a line of JSON.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        self.line(&json(value))
    }

    /// Hands everything to the reader.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(closed)
    }
}

fn closed(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::PipeClosed,
        _ => Failure::local("standard output", error),
    }
}

/// Says something on standard error. Nothing can be done where that is closed.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Text with everything escaped that would control a terminal or hide what is there: names come from other people.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// A value as one line of JSON that a terminal may be sent: what [`shown`] would escape can only stand inside strings,
/// where `\uXXXX` means the same.
pub(super) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("structs of text and numbers are JSON");
    if !text.chars().any(is_unsafe) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            // All of them lie in the basic plane, so one unit of UTF-16 is enough.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Controls (C0, DEL, C1), line separators, the byte-order mark, and overrides of writing direction: the characters
/// that [`base::Name`] refuses, since a server may be old, broken or hostile.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A duration as people say it: `42 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A time of the API (`2026-11-21T01:26:55.000000Z`) without what nobody reads: `2026-11-21 01:26:55`.
pub(super) fn moment(text: &str) -> String {
    let short = text.get(..19).unwrap_or(text);
    shown(short).replacen('T', " ", 1)
}

/// Rows as columns, two spaces between them; columns named in `right` are set to the right.
pub(super) fn table(header: &[&str], right: &[usize], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|cell| cell.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (column, (cell, width)) in cells.zip(&widths).enumerate() {
            if column > 0 {
                line.push_str("  ");
            }
            if right.contains(&column) {
                let _ = write!(line, "{cell:>width$}");
            } else {
                let _ = write!(line, "{cell:<width$}");
            }
        }
        line.truncate(line.trim_end().len());
        line
    };
    let mut lines = vec![line(&mut header.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_reach_a_terminal_harmless() {
        assert_eq!(shown("Отчёт за год 👩.docx"), "Отчёт за год 👩.docx");
        assert_eq!(shown("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(shown("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(shown("\u{9b}2J"), "\\u{9b}2J");
        assert_eq!(shown("x\u{202e}gpj.exe"), "x\\u{202e}gpj.exe");
    }

    #[test]
    fn json_lines_are_one_line_and_mean_the_same() {
        let text = "a\u{1b}\n\u{9b}\u{202e}\u{2028}é\"\\";
        let line = json(&text);
        assert!(!line.chars().any(is_unsafe), "{line:?}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }

    #[test]
    fn spans_and_moments() {
        assert_eq!(span(Duration::from_secs(59)), "59 s");
        assert_eq!(span(Duration::from_secs(185)), "3 min 05 s");
        assert_eq!(span(Duration::from_secs(7800)), "2 h 10 min");
        assert_eq!(span(Duration::from_secs(277_200)), "3 d 5 h");
        assert_eq!(moment("2026-11-21T01:26:55.000000Z"), "2026-11-21 01:26:55");
        assert_eq!(moment("soon"), "soon");
    }

    #[test]
    fn tables_align() {
        let rows = [vec!["1".to_owned(), "é".to_owned()], vec!["200".to_owned(), "b".to_owned()]];
        assert_eq!(table(&["N", "NAME"], &[0], &rows), ["  N  NAME", "  1  é", "200  b"]);
    }
}
