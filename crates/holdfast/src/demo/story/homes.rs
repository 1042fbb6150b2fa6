//! What people keep in spaces of their own, and what of that they share.

use super::{super::cast::CAST, *};
use Person::{Anna, Artyom, Diego, Dmitry, Elena, Hannah, Ines, Marcus, Mikhail, Olga, Priya, Sofia, Tom, Yulia};

pub(super) fn tell(scribe: &mut Scribe<'_>) {
    for (index, role) in CAST.iter().enumerate() {
        scribe.at(Place::Home(role.person)).by(role.person);
        let day = 2 + index;
        match role.person.tongue() {
            Tongue::English => scribe.text(day, "/Ideas.txt", include_str!("../texts/en/ideas.txt")),
            Tongue::Russian => scribe.russian(day, "/Заметки.md", include_str!("../texts/ru/notes.md")),
        };
    }
    english(scribe);
    in_russian(scribe);
}

fn english(scribe: &mut Scribe<'_>) {
    home(scribe, Ines)
        .text(6, "/Reading.md", include_str!("../texts/en/reading.md"))
        .photos(9, "/Weekend/douro-#.jpg", 1..=3, &[Scene::Shore, Scene::Hills])
        .text(20, "/Talks/Academy, draft.md", include_str!("../texts/en/concept.md"))
        .give(21, "/Talks", Whom::Person(Priya), accounts::Role::Commenter);
    home(scribe, Tom)
        .photos(7, "/Sketches/sketch-#.jpg", 1..=4, &[Scene::Poster, Scene::Tiles])
        .tell(26, "/Sketches/sketch-002.jpg", Deed::Trash)
        .give(27, "/Sketches", Whom::Team(Team::Design), accounts::Role::Viewer);
    home(scribe, Sofia)
        .table(8, "/Private/Flat.csv", Table::Expenses)
        .text(30, "/Recipes/Caldo verde.md", include_str!("../texts/en/recipe.md"))
        .give(31, "/Recipes", Whom::Everyone, accounts::Role::Viewer);
    home(scribe, Priya)
        .text(11, "/Thesis/Notes.md", include_str!("../texts/en/field-notes.md"))
        .table(12, "/Thesis/Data/answers.csv", Table::Survey)
        .write(13, "/Thesis/Figures/Figure 1.png", Make::Drawing(Scene::Lines, 1200, 800))
        .tell(14, "/Thesis", Deed::Give(Whom::Person(Anna), accounts::Role::Editor, Some(10)));
    home(scribe, Marcus)
        .write(9, "/src/reach.rs", Make::Code(include_str!("../texts/en/main.rs.txt")))
        .write(10, "/src/count.py", Make::Code(include_str!("../texts/en/count.py")))
        .photos(16, "/Sailing/sea-#.jpg", 1..=4, &[Scene::Shore]);
    home(scribe, Hannah)
        .photos(15, "/Portfolio/2026/portfolio-#.jpg", 1..=8, &[Scene::Hills, Scene::Shore, Scene::Town])
        .give(17, "/Portfolio", Whom::Person(Ines), accounts::Role::Viewer)
        .give(17, "/Portfolio", Whom::Person(Olga), accounts::Role::Editor)
        .link(
            38,
            "/Portfolio/2026",
            Link {
                mode: Mode::View,
                name: "Portfolio",
                note: Some("Hannah Okafor, photographs 2026"),
                password: None,
                hours: None,
                downloads: None,
                visitors: &[None, Some("Galeria"), None],
            },
        );
    home(scribe, Diego)
        .write(18, "/House/Ground floor.png", Make::Drawing(Scene::Plan, 1600, 1100))
        .write(25, "/House/Ground floor.png", Make::Drawing(Scene::Plan, 1600, 1100))
        .give(26, "/House", Whom::Person(Artyom), accounts::Role::Commenter);
}

fn in_russian(scribe: &mut Scribe<'_>) {
    home(scribe, Anna)
        .russian(19, "/Лекции/Двор как вопрос.md", include_str!("../texts/ru/report.md"))
        .photos(22, "/Горы/горы-#.jpg", 1..=4, &[Scene::Hills])
        .give(23, "/Лекции", Whom::Person(Mikhail), accounts::Role::Viewer);
    home(scribe, Mikhail).table(20, "/Дом/Расходы.csv", Table::Receipts).photos(
        24,
        "/Ночное небо/небо-#.jpg",
        1..=3,
        &[Scene::Hills, Scene::Town],
    );
    home(scribe, Elena)
        .table(21, "/Расчёты/Проверка.csv", Table::Budget)
        .russian(22, "/Расчёты/Пояснения.md", include_str!("../texts/ru/budget-note.md"))
        .tell(31, "/Расчёты/Проверка.csv", Deed::Trash);
    home(scribe, Dmitry)
        .write(23, "/Записи/двор утром.wav", Make::Sound(CHORDS[1], 20, Voice::Bell))
        .write(25, "/Записи/депо.wav", Make::Sound(CHORDS[3], 30, Voice::Organ))
        .give(26, "/Записи", Whom::Team(Team::Editors), accounts::Role::Editor);
    home(scribe, Olga)
        .russian(24, "/Черновики/Письмо читателю.md", include_str!("../texts/ru/review.md"))
        .write(
            27,
            "/Черновики/Ожидание.md",
            Make::Text(include_str!("../texts/ru/article-waiting.md"), 3, Tongue::Russian),
        )
        .tell(32, "/Черновики/Письмо читателю.md", Deed::Rename("Письмо Анне.md"));
    home(scribe, Artyom).write(25, "/Обмеры/Лестница.png", Make::Drawing(Scene::Blueprint, 1400, 1000)).photos(
        28,
        "/Севан/севан-#.jpg",
        1..=4,
        &[Scene::Shore],
    );
    home(scribe, Yulia)
        .photos(26, "/Учёба/плакат-#.jpg", 1..=4, &[Scene::Poster, Scene::Tiles])
        .tell(39, "/Учёба/плакат-003.jpg", Deed::Trash)
        .give(40, "/Учёба", Whom::Person(Tom), accounts::Role::Commenter);
}

/// From here on it is about this person's own space, and their doing.
fn home<'a, 'b>(scribe: &'a mut Scribe<'b>, person: Person) -> &'a mut Scribe<'b> {
    scribe.at(Place::Home(person)).by(person)
}
