//! Tables: what is counted, spent and asked in the studio, as CSV, and places as GeoJSON.

use std::fmt::Write as _;

use scenery::Dice;

/// What a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Table {
    /// People at stops, by quarters of an hour.
    Passengers,
    /// People in a courtyard, by quarters of an hour, in Russian.
    Courtyard,
    /// Answers to a questionnaire.
    Survey,
    /// What was spent.
    Expenses,
    /// The same in Russian.
    Receipts,
    /// A budget by month.
    Budget,
    /// Hours of people by project.
    Hours,
    /// Things that the studio owns, in Russian.
    Inventory,
    /// Objects of an exhibition.
    Objects,
    /// Subscribers of the journal by city, in Russian.
    Readers,
    /// Places with their coordinates, as GeoJSON.
    Places,
}

/// Writes it. `edition` 2 and above has more rows than 1.
pub(super) fn write(table: Table, edition: u32, dice: &mut Dice) -> String {
    let more = 1 + edition as usize;
    match table {
        Table::Passengers => by_quarters("begin,boarding,alighting,waiting", dice),
        Table::Courtyard => by_quarters("время,взрослые,дети,остановились", dice),
        Table::Survey => survey(dice, 60 * more),
        Table::Expenses => expenses(dice, 12 * more),
        Table::Receipts => receipts(dice, 12 * more),
        Table::Budget => budget(dice),
        Table::Hours => hours(dice),
        Table::Inventory => inventory(dice),
        Table::Objects => objects(dice, 40 + 40 * more),
        Table::Readers => readers(dice),
        Table::Places => places(dice),
    }
}

/// How busy an hour is: school, office, and the way back.
const BUSY: [usize; 24] = [1, 0, 0, 0, 0, 2, 9, 24, 41, 22, 15, 16, 21, 23, 19, 18, 24, 35, 38, 27, 18, 11, 7, 3];

fn by_quarters(head: &str, dice: &mut Dice) -> String {
    let mut text = format!("{head}\n");
    for quarter in 20..92 {
        let busy = BUSY[quarter / 4];
        let mut draw = |part: usize| dice.below(busy * part / 4 + 3) + busy * part / 8;
        let (first, second, third) = (draw(4), draw(2), draw(1));
        let _ = writeln!(text, "{:02}:{:02},{first},{second},{third}", quarter / 4, quarter % 4 * 15);
    }
    text
}

fn survey(dice: &mut Dice, rows: usize) -> String {
    const FOUND: [&str; 4] = ["at once", "after a while", "asked somebody", "not at all"];
    const REASONS: [&str; 7] = [
        "the sign hung too high",
        "followed the others",
        "used the phone",
        "the driver told me",
        "I take this way every day",
        "the map was behind me",
        "read the number in the circle",
    ];
    let mut text = String::from("id,age,stop,found,seconds,reason\n");
    for id in 1..=rows {
        let found = *dice.pick(&FOUND);
        let seconds = 8 + dice.below(140);
        let (age, stop) = (16 + dice.below(68), 1 + dice.below(21));
        let _ = writeln!(text, "{id},{age},4-{stop:02},{found},{seconds},\"{}\"", dice.pick(&REASONS));
    }
    text
}

fn expenses(dice: &mut Dice, rows: usize) -> String {
    const WHAT: [(&str, usize); 9] = [
        ("train tickets", 4200),
        ("taxi from the airport", 3800),
        ("cardboard 80 x 60", 5600),
        ("lunch with the client", 9400),
        ("hard disk 4 TB", 11_900),
        ("scanner for two days", 48_000),
        ("prints A1", 2600),
        ("stamps", 1800),
        ("coffee", 1450),
    ];
    const WHO: [&str; 6] =
        ["Sofia Almeida", "Tom Whitfield", "Diego Ferreira", "Hannah Okafor", "Елена Морозова", "Priya Nair"];
    let mut text = String::from("no,who,what,project,eur\n");
    for number in 1..=rows {
        let (what, cents) = *dice.pick(&WHAT);
        let cents = cents * (70 + dice.below(60)) / 100;
        let project = *dice.pick(&["harbour", "tramline", "olive", "courtyards", "studio"]);
        let _ = writeln!(text, "{number},{},{what},{project},{}.{:02}", dice.pick(&WHO), cents / 100, cents % 100);
    }
    text
}

fn receipts(dice: &mut Dice, rows: usize) -> String {
    const WHAT: [(&str, usize); 8] = [
        ("такси до аэропорта", 6500),
        ("бумага А3", 4200),
        ("чай и сахар для жителей", 3900),
        ("печать объявлений", 8800),
        ("батарейки для диктофона", 2700),
        ("обед с участниками", 24_000),
        ("аренда штатива", 12_000),
        ("жёлтые жилеты, 6 шт.", 15_600),
    ];
    let mut text = String::from("№;статья;кто;драмы\n");
    for number in 1..=rows {
        let (what, drams) = *dice.pick(&WHAT);
        let who = *dice.pick(&["Анна Соколова", "Михаил Петров", "Юлия Белова", "Дмитрий Волков", "Ольга Кузнецова"]);
        let _ = writeln!(text, "{number};{what};{who};{}", drams * (80 + dice.below(50)) / 100 / 10 * 10);
    }
    text
}

fn budget(dice: &mut Dice) -> String {
    const LINES: [(&str, usize); 8] = [
        ("Salaries", 31_200),
        ("Rent Porto", 2_450),
        ("Rent Yerevan", 1_180),
        ("Travel", 1_900),
        ("Print", 1_400),
        ("Equipment", 950),
        ("Software", 310),
        ("Reserve", 3_100),
    ];
    let months = ["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut text = format!("line,{},total\n", months.join(","));
    for (line, usual) in LINES {
        let spent = months.map(|_| usual * (88 + dice.below(26)) / 100);
        let cells: Vec<_> = spent.iter().map(usize::to_string).collect();
        let _ = writeln!(text, "{line},{},{}", cells.join(","), spent.iter().sum::<usize>());
    }
    text
}

fn hours(dice: &mut Dice) -> String {
    let mut text = String::from("person,harbour,tramline,olive,courtyards,journal,studio\n");
    for role in &super::cast::CAST {
        let cells: Vec<_> = (0..6)
            .map(|_| if dice.chance(45) { 0 } else { 2 + dice.below(46) })
            .map(|half| format!("{}.{}", half / 2, half % 2 * 5))
            .collect();
        let _ = writeln!(text, "{},{}", role.display_name, cells.join(","));
    }
    text
}

fn inventory(dice: &mut Dice) -> String {
    const THINGS: [&str; 14] = [
        "ноутбук",
        "монитор 27\"",
        "диктофон",
        "штатив",
        "камера",
        "стол",
        "стул",
        "лампа",
        "лазерный дальномер",
        "жёсткий диск",
        "принтер",
        "чайник",
        "проектор",
        "фикус",
    ];
    let mut text = String::from("инв. №;наименование;комната;год;состояние\n");
    for (index, thing) in THINGS.iter().enumerate() {
        for copy in 0..1 + dice.below(4) {
            let state = *dice.pick(&["хорошее", "хорошее", "рабочее", "требует ремонта"]);
            let (room, year) = (1 + dice.below(5), 2019 + dice.below(7));
            let _ = writeln!(text, "{:03}-{};{thing};{room};{year};{state}", index + 1, copy + 1);
        }
    }
    text
}

fn objects(dice: &mut Dice, rows: usize) -> String {
    const THINGS: [&str; 12] = [
        "brass scales",
        "cod hook",
        "ledger",
        "salt shovel",
        "model of a crane",
        "net needle",
        "ship's lamp",
        "wine label",
        "cork knife",
        "bill of lading",
        "photograph of the hall",
        "rope sample",
    ];
    let mut text = String::from("number,object,year,height mm,segment,loan\n");
    for number in 1..=rows {
        let (year, height, segment) = (1840 + dice.below(150), 20 + dice.below(900), 1 + dice.below(11));
        let loan = if dice.chance(8) { "yes" } else { "no" };
        let _ = writeln!(text, "HM-{number:03},{},{year},{height},{segment},{loan}", dice.pick(&THINGS));
    }
    text
}

fn readers(dice: &mut Dice) -> String {
    let mut text = String::from("город;подписчики;новые;ушли\n");
    for city in ["Ереван", "Гюмри", "Тбилиси", "Алматы", "Белград", "Порту", "Лиссабон", "Берлин", "Париж"]
    {
        let _ = writeln!(text, "{city};{};{};{}", 20 + dice.below(300), dice.below(40), dice.below(15));
    }
    text
}

fn places(dice: &mut Dice) -> String {
    let features: Vec<_> = (1..=24)
        .map(|number| {
            let (kind, lon, lat) = (
                *dice.pick(&["bench", "arch", "tree", "entrance", "talk", "playground"]),
                dice.between(44.500, 44.530),
                dice.between(40.170, 40.195),
            );
            format!(
                "    {{ \"type\": \"Feature\", \"id\": {number}, \"properties\": {{ \"kind\": \"{kind}\", \"people\": {} }},\n      \
                 \"geometry\": {{ \"type\": \"Point\", \"coordinates\": [{lon:.5}, {lat:.5}] }} }}",
                dice.below(90)
            )
        })
        .collect();
    format!("{{\n  \"type\": \"FeatureCollection\",\n  \"features\": [\n{}\n  ]\n}}\n", features.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_as_many_cells_as_their_head() {
        let all = [
            (Table::Passengers, ','),
            (Table::Courtyard, ','),
            (Table::Expenses, ','),
            (Table::Receipts, ';'),
            (Table::Budget, ','),
            (Table::Hours, ','),
            (Table::Inventory, ';'),
            (Table::Objects, ','),
            (Table::Readers, ';'),
        ];
        for (table, mark) in all {
            let text = write(table, 2, &mut Dice::new(5));
            assert_eq!(text, write(table, 2, &mut Dice::new(5)));
            let head = text.lines().next().expect("a head").matches(mark).count();
            assert!(text.lines().count() > 8, "{table:?}");
            assert!(text.lines().all(|line| line.matches(mark).count() == head), "{text}");
        }
        let places: serde_json::Value =
            serde_json::from_str(&write(Table::Places, 1, &mut Dice::new(1))).expect("JSON");
        assert_eq!(places["features"].as_array().map(Vec::len), Some(24));
    }
}
