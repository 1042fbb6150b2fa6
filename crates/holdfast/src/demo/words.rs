//! Texts: those that stand in files of their own, and those that are put together from what usually stands in such texts.

use std::{fmt::Write as _, time::Duration};

use base::Time;
use scenery::Dice;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const MONTHS_RU: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tongue {
    English,
    Russian,
}

impl Tongue {
    /// The tag that accounts keep.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }
}

/// A day as people write it.
pub(super) fn date(at: Time, tongue: Tongue) -> String {
    let (year, month, day) = at.date();
    let months = if tongue == Tongue::English { &MONTHS } else { &MONTHS_RU };
    format!("{day} {} {year}", months[(month as usize + 11) % 12])
}

/// A day for the name of a file.
pub(super) fn short_date(at: Time) -> String {
    let (year, month, day) = at.date();
    format!("{year:04}-{month:02}-{day:02}")
}

/// The text of an edition, 1 for the first, as it was written at a moment.
///
/// A line that begins with `[2]` is there from the second edition on. Inside a line, `[1]one[2]other[3]third` is one of
/// them, and what stands before the first number is always there. `{date}` is the day, `{date+7}` a week later.
pub(super) fn edition(text: &str, edition: u32, at: Time, tongue: Tongue) -> String {
    let mut written = String::with_capacity(text.len());
    for line in text.lines() {
        let parts = alternatives(line);
        let (before, choices) = (parts.0, parts.1);
        let chosen = choices.iter().rev().find(|(number, _)| *number <= edition);
        if before.is_empty() && !choices.is_empty() && chosen.is_none() {
            continue;
        }
        let line = format!("{before}{}", chosen.map_or("", |(_, text)| text));
        written.push_str(&dated(line.strip_prefix(' ').filter(|_| before.is_empty()).unwrap_or(&line), at, tongue));
        written.push('\n');
    }
    written
}

/// What of a line stands before the first number in brackets, and what stands after each.
fn alternatives(line: &str) -> (&str, Vec<(u32, &str)>) {
    let mut marks = Vec::new();
    for (at, _) in line.match_indices('[') {
        let inside = line[at + 1..].bytes().next();
        if let Some(digit @ b'1'..=b'9') = inside
            && line[at + 2..].starts_with(']')
        {
            marks.push((at, u32::from(digit - b'0')));
        }
    }
    let first = marks.first().map_or(line.len(), |mark| mark.0);
    let ends = marks.iter().skip(1).map(|mark| mark.0).chain([line.len()]);
    let choices = marks.iter().zip(ends).map(|((at, number), end)| (*number, &line[at + 3..end])).collect();
    (&line[..first], choices)
}

fn dated(line: &str, at: Time, tongue: Tongue) -> String {
    let mut written = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{date") {
        let (inside, behind) = after.split_once('}').unwrap_or((after, ""));
        let days: u64 = inside.trim_start_matches('+').parse().unwrap_or(0);
        written.push_str(before);
        written.push_str(&date(at.plus(Duration::from_secs(days * 86_400)), tongue));
        rest = behind;
    }
    written.push_str(rest);
    written
}

const TOPICS: [(&str, &str); 14] = [
    (
        "Harbour Museum: the Trust wants to see the table at full size before it decides.",
        "Diego tapes it to the floor by Thursday.",
    ),
    ("Tramline: variant B has won, but the ring around the number is too thin.", "Yulia draws three weights."),
    ("Olive & Salt: the printer asks for labels without a bleed.", "Tom answers today."),
    ("The recorder in Porto is still broken.", "Sofia sends it in and borrows one."),
    ("Tally counts umbrellas again since the last change.", "Marcus looks at it with Mikhail."),
    ("Invoices of last month: two are open, both from the same client.", "Elena writes to them."),
    ("Intern from the academy begins in two weeks.", "Hannah prepares a first day."),
    ("Winter issue: the cover is decided, the paper is not.", "Olga asks for samples."),
    (
        "The scan of the hall is in. It is thirty megabytes and exact to four millimetres.",
        "Artyom draws level 0 from it.",
    ),
    ("Heating in Yerevan begins on the 15th.", "Until then the small room is the warm one."),
    ("Talk at the academy: twenty minutes, not forty.", "Priya cuts it."),
    ("Photographs of courtyards 2 and 3 are sorted.", "Anna chooses twelve for the report."),
    ("We need a rule for file names.", "Date first, then what it is. Sofia writes it down."),
    ("Christmas cards: yes, but by hand.", "Yulia, forty pieces, before the 10th."),
];

const TOPICS_RU: [(&str, &str); 12] = [
    (
        "Двор № 3: арку закрыли решёткой, проходов стало втрое меньше.",
        "Анна спрашивает у управляющей компании, почему.",
    ),
    ("Программа считает зонты за людей, расхождение с ручным подсчётом 6 %.", "Михаил правит до пятницы."),
    ("Согласия жителей дома 16 собраны, дома 14 нет.", "Юлия идёт ещё раз в субботу."),
    ("Расшифровки интервью 4 и 5 готовы, шестое плохо слышно.", "Дмитрий чистит запись."),
    ("Планы дворов: не хватает высот бордюров.", "Артём обмеряет во вторник."),
    ("Фотографии с места разговоров очень хороши, хотим в журнал.", "Ольга выбирает восемь."),
    ("Порту просит данные для сравнения с остановками.", "Прия готовит таблицу без адресов."),
    ("Отчёт: слишком много таблиц в первой половине.", "Анна переносит их в приложение."),
    ("Бюджет на транскрипцию израсходован на 70 %.", "Елена пересчитает в конце месяца."),
    ("Жители просят показать результаты во дворе, а не в офисе.", "Делаем стенд, последняя суббота."),
    ("Камеру № 2 сдвинул ветер, полдня данных под вопросом.", "Помечаем как ненадёжные, не удаляем."),
    ("Студенты академии хотят помочь с подсчётом.", "Михаил учит их в среду."),
];

/// Minutes of a weekly meeting.
pub(super) fn minutes(at: Time, tongue: Tongue, dice: &mut Dice) -> String {
    let mut text = String::new();
    let day = date(at, tongue);
    let (topics, people): (&[_], &[_]) = match tongue {
        Tongue::English => {
            (&TOPICS, &["Inês", "Tom", "Sofia", "Priya", "Marcus", "Hannah", "Diego", "Елена", "Михаил"])
        }
        Tongue::Russian => (&TOPICS_RU, &["Анна", "Прия", "Михаил", "Юлия", "Артём", "Ольга", "Дмитрий"]),
    };
    let present: Vec<_> = people.iter().copied().filter(|_| dice.chance(80)).collect();
    let writer = present.first().copied().unwrap_or(people[0]);
    let _ = match tongue {
        Tongue::English => {
            write!(text, "# Weekly meeting, {day}\n\nPresent: {}\nMinutes: {writer}\n", present.join(", "))
        }
        Tongue::Russian => {
            write!(text, "# Протокол встречи, {day}\n\nПрисутствовали: {}\nПротокол: {writer}\n", present.join(", "))
        }
    };
    let first = dice.below(topics.len());
    for number in 0..4 + dice.below(3) {
        // A step that shares no factor with either length: no topic comes twice.
        let (topic, answer) = topics[(first + number * 5) % topics.len()];
        let _ = write!(text, "\n{}. {topic}\n   → {answer}\n", number + 1);
    }
    let next = date(at.plus(Duration::from_secs(7 * 86_400)), tongue);
    let _ = match tongue {
        Tongue::English => write!(text, "\nNext meeting: {next}, 10:30 Porto, 14:30 Yerevan\n"),
        Tongue::Russian => write!(text, "\nСледующая встреча: {next}, 14:30 Ереван, 10:30 Порту\n"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_and_dates_are_filled_in() {
        let at = "2026-10-05T09:00:00Z".parse().expect("a time");
        let text = "Always {date}\n[2] From the second\nIt is [1]new[2]old[3]ancient, {date+30}\n- [ ] a box";
        let first = edition(text, 1, at, Tongue::English);
        assert_eq!(first, "Always 5 October 2026\nIt is new\n- [ ] a box\n");
        let third = edition(text, 3, at, Tongue::Russian);
        assert_eq!(third, "Always 5 октября 2026\nFrom the second\nIt is ancient, 4 ноября 2026\n- [ ] a box\n");
        assert_eq!(short_date(at), "2026-10-05");
    }

    #[test]
    fn minutes_are_the_same_for_the_same_seed_and_name_no_topic_twice() {
        let at = "2026-10-05T09:00:00Z".parse().expect("a time");
        for tongue in [Tongue::English, Tongue::Russian] {
            for seed in 0..50 {
                let text = minutes(at, tongue, &mut Dice::new(seed));
                assert_eq!(text, minutes(at, tongue, &mut Dice::new(seed)));
                let answers: Vec<_> = text.lines().filter(|line| line.contains('→')).collect();
                let different: std::collections::BTreeSet<_> = answers.iter().collect();
                assert_eq!(answers.len(), different.len(), "{text}");
            }
        }
    }
}
