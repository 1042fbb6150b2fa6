//! The editors' space, in Russian: a journal with its issues, a podcast, translations.

use super::*;
use Person::{Anna, Dmitry, Hannah, Olga, Yulia};

pub(super) fn tell(scribe: &mut Scribe<'_>) {
    const WAITING: &str = include_str!("../texts/ru/article-waiting.md");
    const POLICY: &str = include_str!("../texts/ru/policy.md");
    const GLOSSARY: &str = include_str!("../texts/ru/glossary.md");
    let edition = |text, number| Make::Text(text, number, Tongue::Russian);
    scribe.at(Place::Editorial).by(Olga);
    scribe
        .russian(0, "/Правила/Редакционная политика.md", POLICY)
        .write(19, "/Правила/Редакционная политика.md", edition(POLICY, 2))
        .russian(2, "/Переводы/Словарь переводчика.md", GLOSSARY)
        .write(23, "/Переводы/Словарь переводчика.md", edition(GLOSSARY, 2))
        .russian(15, "/Переводы/Музей в порту.md", include_str!("../texts/ru/article-harbour.md"))
        .russian(7, "/Журнал/Номер 8/Статьи/Искусство ждать.md", WAITING)
        .write(14, "/Журнал/Номер 8/Статьи/Искусство ждать.md", edition(WAITING, 2))
        .tell(16, "/Переводы/Музей в порту.md", Deed::Move("/Журнал/Номер 8/Статьи"))
        .russian(1, "/Журнал/Номер 7/Статьи/Стол.md", include_str!("../texts/ru/article-harbour.md"))
        .russian(1, "/Журнал/Номер 7/Статьи/Словарь.md", GLOSSARY)
        .write(
            2,
            "/Журнал/Номер 7/Вёрстка/Номер 7.pdf",
            Make::Pdf("Meridian 7", include_str!("../texts/en/concept.md")),
        )
        .table(12, "/Журнал/Подписка/Октябрь.csv", Table::Readers)
        .table(34, "/Журнал/Подписка/Ноябрь.csv", Table::Readers)
        .write(35, "/Журнал/Подписка/Рост.png", Make::Drawing(Scene::Bars, 1200, 800))
        .write(
            37,
            "/Журнал/Номер 8/Вёрстка/Номер 8, проба.pdf",
            Make::Pdf("Meridian 8", include_str!("../texts/en/harbour-brief.md")),
        );
    scribe.by(Anna);
    scribe.russian(17, "/Журнал/Номер 8/Статьи/Отзыв Анны.md", include_str!("../texts/ru/review.md")).russian(
        26,
        "/Журнал/Номер 8/Статьи/Чей это двор.md",
        include_str!("../texts/ru/report.md"),
    );
    scribe.by(Olga);
    scribe
        .write(21, "/Журнал/Номер 8/Статьи/Искусство ждать.md", edition(WAITING, 3))
        .tell(21, "/Журнал/Номер 8/Статьи/Искусство ждать.md", Deed::Label("В печать"))
        .tell(29, "/Журнал/Номер 8/Статьи/Отзыв Анны.md", Deed::Trash)
        .tell(30, "/Журнал/Номер 8/Статьи/Чей это двор.md", Deed::Rename("Чей это двор, сокращённый вариант.md"));
    scribe.by(Hannah);
    scribe.photos(3, "/Журнал/Номер 7/Фото/номер7-#.jpg", 1..=5, &[Scene::Shore, Scene::Hills]).photos(
        20,
        "/Журнал/Номер 8/Фото/ожидание-#.jpg",
        1..=8,
        &[Scene::Town, Scene::Shore, Scene::Hills],
    );
    scribe.by(Yulia);
    scribe
        .photos(18, "/Журнал/Номер 8/Обложка/обложка-#.jpg", 1..=4, &[Scene::Poster])
        .write(28, "/Журнал/Номер 8/Обложка/обложка-002.jpg", Make::Photo(Scene::Poster, 1067, 1600))
        .tell(33, "/Журнал/Номер 8/Обложка/обложка-001.jpg", Deed::Trash)
        .tell(33, "/Журнал/Номер 8/Обложка/обложка-004.jpg", Deed::Trash)
        .tell(33, "/", Deed::Undo);
    scribe.by(Dmitry);
    for (issue, day) in [(1, 8), (2, 22), (3, 36)] {
        let folder = format!("/Подкаст/Выпуск {issue}");
        let voice = if issue == 2 { Voice::Organ } else { Voice::Bell };
        scribe
            .write(day, &format!("{folder}/Сценарий.md"), edition(include_str!("../texts/ru/podcast.md"), issue))
            .write(day + 2, &format!("{folder}/Звук/заставка.wav"), Make::Sound(CHORDS[issue as usize - 1], 22, voice))
            .write(day + 3, &format!("{folder}/Звук/перебивка.wav"), Make::Sound(CHORDS[3], 18, voice))
            .write(day + 3, &format!("{folder}/Звук/финал.wav"), Make::Sound(CHORDS[issue as usize], 25, Voice::Organ));
    }
    scribe.russian(9, "/Подкаст/Заметки о звуке.md", include_str!("../texts/ru/notes.md")).link(
        40,
        "/Подкаст/Выпуск 3",
        Link {
            mode: Mode::Download,
            name: "Выпуск 3 для студии звукозаписи",
            note: None,
            password: None,
            hours: Some(24 * 7),
            downloads: Some(5),
            visitors: &[Some("Студия «Эхо»")],
        },
    );
}
