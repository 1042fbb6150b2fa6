//! Text as a PDF (ISO 32000-1) of A4 pages in the fonts that every reader has.

use std::fmt::Write as _;

/// A4 in points.
const PAGE: (u32, u32) = (595, 842);
const MARGIN: u32 = 64;
const LEADING: u32 = 16;
const LINES: usize = 44;
/// Letters of a line of body text, as Helvetica of 10.5 points needs on average.
const LETTERS: usize = 88;

/// One line on its way to the page.
enum Line {
    Head(String),
    Body(String),
}

/// Makes a document. Lines that begin with `#` are headings, others are wrapped; an empty one is a gap. Letters beyond
/// ASCII are left out: the fonts that need no embedding have no others in common.
pub fn document(title: &str, text: &str) -> Vec<u8> {
    let lines = wrap(text);
    let pages: Vec<&[Line]> = if lines.is_empty() { vec![&[]] } else { lines.chunks(LINES).collect() };
    // Objects in order: catalogue, pages, two fonts, information; then a page and its content by turns.
    let first = 6;
    let kids = (0..pages.len()).fold(String::new(), |mut kids, index| {
        let _ = write!(kids, "{} 0 R ", first + index * 2);
        kids
    });
    let font = |name| format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>");
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [ {kids}] /Count {} >>", pages.len()),
        font("Helvetica"),
        font("Helvetica-Bold"),
        format!("<< /Title ({}) /Producer (Holdfast) >>", escaped(title)),
    ];
    for (index, lines) in pages.iter().enumerate() {
        let (width, height) = PAGE;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 {width} {height} ] \
             /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents {} 0 R >>",
            first + index * 2 + 1
        ));
        let content = page(title, lines, index, pages.len());
        objects.push(format!("<< /Length {} >>\nstream\n{content}endstream", content.len()));
    }
    file(&objects)
}

/// Writes header, objects, the table of where each begins, and the trailer.
fn file(objects: &[String]) -> Vec<u8> {
    let mut text = String::from("%PDF-1.4\n");
    let mut begins = Vec::with_capacity(objects.len());
    for (index, object) in objects.iter().enumerate() {
        begins.push(text.len());
        let _ = write!(text, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let table = text.len();
    // Every entry is exactly 20 bytes, the space before the line's end included.
    let _ = write!(text, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for begin in begins {
        let _ = writeln!(text, "{begin:010} 00000 n ");
    }
    let _ =
        write!(text, "trailer\n<< /Size {} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    text.into_bytes()
}

/// What is drawn on one page.
fn page(title: &str, lines: &[Line], index: usize, count: usize) -> String {
    let mut content = String::new();
    let mut y = PAGE.1 - MARGIN;
    let right = PAGE.0 - MARGIN;
    if index == 0 {
        let _ = writeln!(content, "BT /F2 20 Tf {MARGIN} {y} Td ({}) Tj ET", escaped(title));
        y -= 14;
        let _ = writeln!(content, "0.82 0.27 0.18 RG 2 w {MARGIN} {y} m {right} {y} l S");
    }
    y -= LEADING;
    for line in lines {
        y -= LEADING;
        let (font, text) = match line {
            Line::Head(text) => ("/F2 13", text),
            Line::Body(text) => ("/F1 10.5", text),
        };
        if !text.is_empty() {
            let _ = writeln!(content, "BT {font} Tf {MARGIN} {y} Td ({}) Tj ET", escaped(text));
        }
    }
    let _ = writeln!(content, "BT /F1 8 Tf {} 36 Td ({} / {count}) Tj ET", right - 24, index + 1);
    content
}

fn wrap(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix('#') {
            lines.push(Line::Head(head.trim_start_matches('#').trim().to_owned()));
            continue;
        }
        let mut current = String::new();
        for word in line.split_whitespace() {
            if !current.is_empty() && current.len() + 1 + word.len() > LETTERS {
                lines.push(Line::Body(std::mem::take(&mut current)));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(Line::Body(current));
    }
    lines
}

/// A text inside the brackets of a PDF string.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| matches!(letter, ' '..='~')) {
        if matches!(letter, '(' | ')' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_points_at_the_objects() {
        let long = "# A head (with brackets)\n".to_owned() + &"Word after word after word. ".repeat(600);
        for (text, pages) in [("", 1), ("Short.", 1), (long.as_str(), 5)] {
            let file = String::from_utf8(document("A title \\ (draft)", text)).expect("ASCII");
            assert!(file.starts_with("%PDF-1.4\n") && file.ends_with("%%EOF\n"));
            let start: usize = file.lines().rev().nth(1).expect("a line").parse().expect("a number");
            let mut table = file[start..].lines();
            assert_eq!(table.next(), Some("xref"));
            let count: usize =
                table.next().and_then(|line| line.strip_prefix("0 ")).expect("a count").parse().expect("a number");
            assert_eq!(table.next(), Some("0000000000 65535 f "));
            for number in 1..count {
                let begin: usize = table.next().expect("an entry")[..10].parse().expect("a number");
                assert!(file[begin..].starts_with(&format!("{number} 0 obj\n")), "object {number}");
            }
            assert!(table.next().is_some_and(|line| line == "trailer"));
            assert_eq!(file.matches("/Type /Page ").count(), pages);
            assert!(file.contains(&format!("/Count {pages} ")));
            for stream in file.split("<< /Length ").skip(1) {
                let (length, rest) = stream.split_once(" >>\nstream\n").expect("a stream");
                let length: usize = length.parse().expect("a number");
                assert_eq!(&rest[length..length + 9], "endstream");
            }
        }
    }
}
