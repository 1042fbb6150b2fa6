//! The studio's own space: meetings, money, people, travel, offices, tools.

use super::*;
use Person::{Artyom, Diego, Elena, Ines, Marcus, Mikhail, Sofia};

pub(super) fn tell(scribe: &mut Scribe<'_>) {
    scribe.at(Place::Studio).by(Sofia);
    scribe
        .text(0, "/People/Onboarding/Your first week.md", include_str!("../texts/en/onboarding.md"))
        .russian(0, "/People/Onboarding/С чего начать.md", include_str!("../texts/ru/welcome.md"))
        .text(1, "/People/Lunch/Caldo verde.md", include_str!("../texts/en/recipe.md"))
        .minutes("/Meetings/# Weekly.md", Tongue::English, 0)
        .text(14, "/Meetings/Retrospectives/Autumn.md", include_str!("../texts/en/retrospective.md"))
        .text(34, "/Meetings/Retrospectives/Winter.md", include_str!("../texts/en/retrospective-2.md"))
        .text(9, "/Travel/Yerevan/Plan.md", include_str!("../texts/en/travel-plan.md"))
        .write(
            13,
            "/Travel/Yerevan/Plan.md",
            Make::Text(include_str!("../texts/en/travel-plan.md"), 2, Tongue::English),
        )
        .table(24, "/Travel/Yerevan/Expenses.csv", Table::Expenses)
        .write(27, "/Travel/Yerevan/Expenses.csv", Make::Table(Table::Expenses, 2))
        .write(
            18,
            "/Finance/Quotes/Grafica do Norte 2214.pdf",
            Make::Pdf("Quotation 2214", include_str!("../texts/en/quote-print.md")),
        )
        .write(6, "/Templates/Proposal.pdf", Make::Pdf("Proposal", include_str!("../texts/en/proposal.md")))
        .write(
            6,
            "/Templates/Consent.pdf",
            Make::Pdf("Consent to an interview", include_str!("../texts/en/consent.md")),
        )
        .text(7, "/Templates/Print checklist.md", include_str!("../texts/en/accessibility.md"))
        .write(
            29,
            "/Templates/Print checklist.md",
            Make::Text(include_str!("../texts/en/accessibility.md"), 2, Tongue::English),
        )
        .write(40, "/Communication/Autumn letter.html", Make::Code(include_str!("../texts/en/newsletter.html")))
        .photos(3, "/Offices/Porto/Photos/porto-#.jpg", 1..=5, &[Scene::Town, Scene::Shore]);
    scribe.by(Elena);
    scribe
        .table(2, "/Finance/Budget 2026 H2.csv", Table::Budget)
        .write(12, "/Finance/Budget 2026 H2.csv", Make::Table(Table::Budget, 2))
        .tell(12, "/Finance/Budget 2026 H2.csv", Deed::Label("Agreed with Inês"))
        .write(33, "/Finance/Budget 2026 H2.csv", Make::Table(Table::Budget, 3))
        .russian(3, "/Finance/Пояснения к бюджету.md", include_str!("../texts/ru/budget-note.md"))
        .write(
            33,
            "/Finance/Пояснения к бюджету.md",
            Make::Text(include_str!("../texts/ru/budget-note.md"), 2, Tongue::Russian),
        )
        .table(10, "/Finance/Чеки/Сентябрь.csv", Table::Receipts)
        .table(30, "/Finance/Чеки/Октябрь.csv", Table::Receipts)
        .table(16, "/Finance/Hours/October.csv", Table::Hours)
        .table(38, "/Finance/Hours/November.csv", Table::Hours)
        .write(17, "/Finance/Charts/Hours by team.png", Make::Drawing(Scene::Bars, 1400, 900))
        .write(35, "/Finance/Charts/Budget.png", Make::Drawing(Scene::Bars, 1400, 900))
        .table(5, "/Offices/Ереван/Инвентарь.csv", Table::Inventory)
        .russian(5, "/Offices/Ереван/Памятка дежурному.txt", include_str!("../texts/ru/memo.txt"))
        .russian(28, "/Travel/Порту/План поездки.md", include_str!("../texts/ru/trip.md"));
    scribe.by(Artyom);
    scribe
        .write(4, "/Offices/Ереван/Планы/Этаж 1.png", Make::Drawing(Scene::Plan, 1800, 1200))
        .write(4, "/Offices/Ереван/Планы/Этаж 2.png", Make::Drawing(Scene::Plan, 1800, 1200))
        .photos(8, "/Offices/Ереван/Фото/офис-#.jpg", 1..=4, &[Scene::Town, Scene::Hills]);
    scribe.by(Diego);
    scribe
        .write(4, "/Offices/Porto/Plans/Level 0.png", Make::Drawing(Scene::Blueprint, 1800, 1200))
        .write(4, "/Offices/Porto/Plans/Level 1.png", Make::Drawing(Scene::Blueprint, 1800, 1200))
        .write(11, "/Offices/Porto/Plans/Level 1.png", Make::Drawing(Scene::Blueprint, 1800, 1200))
        .tell(36, "/Offices/Porto/Plans/Level 1.png", Deed::Revert);
    scribe.by(Marcus);
    scribe
        .text(1, "/Tools/Tally/README.md", include_str!("../texts/en/readme-tally.md"))
        .text(1, "/Tools/Tally/RELEASES.md", include_str!("../texts/en/release-notes.md"))
        .write(1, "/Tools/Tally/count.py", Make::Code(include_str!("../texts/en/count.py")))
        .write(
            15,
            "/Tools/Tally/RELEASES.md",
            Make::Text(include_str!("../texts/en/release-notes.md"), 2, Tongue::English),
        )
        .write(20, "/Tools/Signs/reach.rs", Make::Code(include_str!("../texts/en/main.rs.txt")))
        .write(21, "/Tools/Labels/print.css", Make::Code(include_str!("../texts/en/print.css")))
        .write(37, "/Tools/old/scratch.py", Make::Code(include_str!("../texts/en/count.py")))
        .tell(39, "/Tools/old", Deed::Trash);
    scribe.by(Mikhail);
    scribe
        .write(
            31,
            "/Tools/Tally/RELEASES.md",
            Make::Text(include_str!("../texts/en/release-notes.md"), 3, Tongue::English),
        )
        .tell(31, "/Tools/Tally/RELEASES.md", Deed::Label("0.9.0"))
        .table(32, "/Tools/Tally/tests/yard-2.csv", Table::Courtyard)
        .table(32, "/Tools/Tally/tests/stop-7.csv", Table::Passengers);
    scribe.by(Ines);
    scribe
        .link(
            41,
            "/Communication/Autumn letter.html",
            Link {
                mode: Mode::View,
                name: "Autumn letter, preview",
                note: Some("A preview for friends of the studio. The printed one comes next week."),
                password: None,
                hours: Some(20),
                downloads: None,
                visitors: &[None, Some("Beatriz"), Some("Карен")],
            },
        )
        .tell(41, "/Travel/Yerevan", Deed::Rename("Yerevan, October"));
}
