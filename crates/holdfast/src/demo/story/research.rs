//! The research group's space, in Russian: courtyards of a city, and how they are studied.

use super::*;
use Person::{Anna, Artyom, Marcus, Mikhail, Olga, Priya, Yulia};

pub(super) fn tell(scribe: &mut Scribe<'_>) {
    const PLAN: &str = include_str!("../texts/ru/plan.md");
    const REPORT: &str = include_str!("../texts/ru/report.md");
    const FILMING: &str = include_str!("../texts/ru/filming.md");
    let edition = |text, number| Make::Text(text, number, Tongue::Russian);
    scribe.at(Place::Research).by(Anna);
    scribe
        .russian(0, "/Городские дворы/План/План исследования.md", PLAN)
        .russian(1, "/Методика/Путеводитель интервью.md", include_str!("../texts/ru/guide.md"))
        .minutes("/Протоколы/# Встреча группы.md", Tongue::Russian, 1)
        .write(9, "/Городские дворы/План/План исследования.md", edition(PLAN, 3))
        .tell(9, "/Городские дворы/План/План исследования.md", Deed::Label("Утверждён"))
        .russian(4, "/Городские дворы/План/Письмо жителям.txt", include_str!("../texts/ru/letter.txt"))
        .russian(24, "/Городские дворы/Отчёт/Отчёт.md", REPORT)
        .write(31, "/Городские дворы/Отчёт/Отчёт.md", edition(REPORT, 2))
        .russian(11, "/Городские дворы/Интервью/Интервью 1.md", include_str!("../texts/ru/interview.md"))
        .russian(12, "/Городские дворы/Интервью/Интервью 2.md", include_str!("../texts/ru/interview-2.md"))
        .russian(17, "/Городские дворы/Интервью/Интервью 4.md", include_str!("../texts/ru/interview-4.md"));
    scribe.by(Priya);
    scribe
        .russian(13, "/Городские дворы/Интервью/Интервью 3.md", include_str!("../texts/ru/interview-3.md"))
        .text(14, "/Сравнение/Tram stops and courtyards.md", include_str!("../texts/en/field-notes.md"))
        .table(28, "/Сравнение/Stops, all answers.csv", Table::Survey)
        .write(29, "/Сравнение/Hours compared.png", Make::Drawing(Scene::Lines, 1500, 950));
    for (yard, day) in [(1, 10), (2, 14), (3, 18), (4, 22)] {
        scribe.by(Yulia);
        scribe
            .write(
                day,
                &format!("/Городские дворы/Дневники/Двор {yard}.md"),
                edition(include_str!("../texts/ru/diary.md"), yard),
            )
            .photos(
                day + 1,
                &format!("/Городские дворы/Фото/Двор {yard}/двор-{yard}-#.jpg"),
                1..=6,
                &[Scene::Town, Scene::Hills, Scene::Town],
            );
        scribe.by(Mikhail);
        scribe
            .table(day + 1, &format!("/Городские дворы/Данные/Двор {yard}/будни.csv"), Table::Courtyard)
            .table(day + 3, &format!("/Городские дворы/Данные/Двор {yard}/выходные.csv"), Table::Courtyard)
            .write(
                day + 4,
                &format!("/Городские дворы/Графики/Двор {yard}.png"),
                Make::Drawing(Scene::Lines, 1500, 950),
            );
        scribe.by(Artyom);
        scribe.write(
            day + 2,
            &format!("/Городские дворы/Планы/Двор {yard}.png"),
            Make::Drawing(Scene::Plan, 1700, 1150),
        );
    }
    scribe.by(Mikhail);
    scribe
        .russian(3, "/Методика/Съёмка во дворах.md", FILMING)
        .write(16, "/Методика/Съёмка во дворах.md", edition(FILMING, 2))
        .table(27, "/Городские дворы/Данные/места.geojson", Table::Places)
        .write(28, "/Городские дворы/Данные/Двор 3/будни.csv", Make::Table(Table::Courtyard, 2))
        .tell(29, "/Городские дворы/Данные/Двор 3/будни.csv", Deed::Revert)
        .write(30, "/Городские дворы/Графики/черновик.png", Make::Drawing(Scene::Bars, 900, 600))
        .tell(34, "/Городские дворы/Графики/черновик.png", Deed::Trash)
        .table(30, "/Городские дворы/Данные/дубль.csv", Table::Courtyard)
        .tell(34, "/Городские дворы/Данные/дубль.csv", Deed::Trash);
    scribe.by(Marcus);
    scribe.write(26, "/Программы/count.py", Make::Code(include_str!("../texts/en/count.py")));
    scribe.by(Anna);
    scribe
        .write(39, "/Городские дворы/Отчёт/Отчёт.md", edition(REPORT, 3))
        .tell(39, "/Городские дворы/Отчёт/Отчёт.md", Deed::Label("Окончательная редакция"))
        .tell(33, "/Городские дворы/Дневники", Deed::Rename("Полевые дневники"))
        .give(32, "/Городские дворы/Отчёт", Whom::Person(Olga), accounts::Role::Editor)
        .tell(35, "/Городские дворы/Интервью", Deed::Give(Whom::Team(Team::Editors), accounts::Role::Viewer, Some(21)))
        .link(
            40,
            "/Городские дворы/Отчёт",
            Link {
                mode: Mode::View,
                name: "Отчёт для жителей",
                note: Some("Спасибо, что поили нас чаем. Вопросы можно задать Анне."),
                password: None,
                hours: Some(60 * 24),
                downloads: None,
                visitors: &[None, None, Some("Дом 16, кв. не скажу"), None],
            },
        )
        .link(
            40,
            "/Городские дворы/Фото",
            Link {
                mode: Mode::Upload,
                name: "Старые фотографии двора",
                note: Some("Если у вас есть снимки двора прошлых лет, положите их сюда."),
                password: Some("двор1984"),
                hours: Some(30 * 24),
                downloads: None,
                visitors: &[Some("Рубен")],
            },
        );
    scribe.by(Olga);
    scribe.write(36, "/Городские дворы/Отчёт/Правка.md", edition(include_str!("../texts/ru/review.md"), 1));
}
