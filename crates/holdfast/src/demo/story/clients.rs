//! The work for clients: a museum at the harbour, signs for trams, a brand for oil and salt.

use super::*;
use Person::{Anna, Artyom, Diego, Hannah, Ines, Marcus, Priya, Sofia, Tom, Yulia};

pub(super) fn tell(scribe: &mut Scribe<'_>) {
    scribe.at(Place::Clients);
    harbour(scribe);
    tramline(scribe);
    olive(scribe);
}

fn harbour(scribe: &mut Scribe<'_>) {
    const BRIEF: &str = include_str!("../texts/en/harbour-brief.md");
    const CONCEPT: &str = include_str!("../texts/en/concept.md");
    scribe.by(Ines);
    scribe
        .text(0, "/Harbour Museum/Brief/Design brief.md", BRIEF)
        .write(
            2,
            "/Harbour Museum/Brief/Proposal.pdf",
            Make::Pdf("Harbour Museum: proposal", include_str!("../texts/en/proposal.md")),
        )
        .text(
            8,
            "/Harbour Museum/Correspondence/Letter to the Trust.txt",
            include_str!("../texts/en/letter-trust.txt"),
        );
    scribe.by(Tom);
    scribe
        .text(5, "/Harbour Museum/Site visits/First visit/Notes.md", include_str!("../texts/en/site-visit.md"))
        .write(6, "/Harbour Museum/Brief/Design brief.md", Make::Text(BRIEF, 2, Tongue::English))
        .text(7, "/Harbour Museum/Concept/One long table.md", CONCEPT)
        .text(25, "/Harbour Museum/Site visits/Second visit/Notes.md", include_str!("../texts/en/site-visit-2.md"))
        .table(9, "/Harbour Museum/Brief/Object list.csv", Table::Objects);
    scribe.by(Hannah);
    scribe
        .photos(
            5,
            "/Harbour Museum/Site visits/First visit/Photos/hall-#.jpg",
            1..=10,
            &[Scene::Shore, Scene::Town, Scene::Shore],
        )
        .photos(
            25,
            "/Harbour Museum/Site visits/Second visit/Photos/hall-#.jpg",
            11..=18,
            &[Scene::Shore, Scene::Hills],
        )
        .photos(10, "/Harbour Museum/Concept/Mood/mood-#.jpg", 1..=5, &[Scene::Shore, Scene::Tiles, Scene::Hills])
        .write(
            26,
            "/Harbour Museum/Site visits/Second visit/Photos/hall-014 copy.jpg",
            Make::Photo(Scene::Shore, 1500, 1000),
        )
        .tell(27, "/Harbour Museum/Site visits/Second visit/Photos/hall-014 copy.jpg", Deed::Trash)
        .tell(27, "/Harbour Museum/Site visits/Second visit/Photos/hall-016.jpg", Deed::Trash);
    scribe.by(Diego);
    scribe
        .write(11, "/Harbour Museum/Scan/hall-scan.ply", Make::Scan(2_000_000))
        .write(14, "/Harbour Museum/Plans/Level 0.png", Make::Drawing(Scene::Plan, 2000, 1400))
        .write(14, "/Harbour Museum/Plans/Level 1.png", Make::Drawing(Scene::Plan, 2000, 1400))
        .write(23, "/Harbour Museum/Plans/Level 0.png", Make::Drawing(Scene::Plan, 2000, 1400))
        .tell(23, "/Harbour Museum/Plans/Level 0.png", Deed::Label("For the tender"))
        .write(19, "/Harbour Museum/Plans/Electrical.png", Make::Drawing(Scene::Blueprint, 2000, 1400))
        .write(19, "/Harbour Museum/Plans/Light.png", Make::Drawing(Scene::Blueprint, 2000, 1400));
    scribe.by(Artyom);
    scribe
        .write(16, "/Harbour Museum/Plans/Level 2.png", Make::Drawing(Scene::Plan, 2000, 1400))
        .write(21, "/Harbour Museum/Concept/One long table.md", Make::Text(CONCEPT, 2, Tongue::English))
        .tell(21, "/Harbour Museum/Concept/One long table.md", Deed::Label("After the review"))
        .write(24, "/Harbour Museum/Plans/Old/Level 0, 2009.png", Make::Drawing(Scene::Plan, 1200, 900))
        .tell(33, "/Harbour Museum/Plans/Old", Deed::Trash);
    scribe.by(Yulia);
    scribe
        .photos(29, "/Harbour Museum/Graphics/Posters/poster-#.jpg", 1..=6, &[Scene::Poster])
        .write(30, "/Harbour Museum/Graphics/Pattern.png", Make::Drawing(Scene::Tiles, 900, 900))
        .tell(31, "/Harbour Museum/Graphics", Deed::Rename("Grafics"))
        .tell(31, "/", Deed::Undo)
        .tell(36, "/Harbour Museum/Graphics/Posters/poster-003.jpg", Deed::Copy("poster-final.jpg"));
    scribe.by(Ines);
    scribe
        .write(35, "/Harbour Museum/Brief/Design brief.md", Make::Text(BRIEF, 3, Tongue::English))
        .tell(35, "/Harbour Museum/Brief/Design brief.md", Deed::Label("Agreed with the Trust"))
        .link(
            8,
            "/Harbour Museum/Site visits/First visit",
            Link {
                mode: Mode::Download,
                name: "For the Trust: photographs and notes",
                note: Some("Dear Mrs Teixeira, these are the photographs of our visit."),
                password: Some("fish market 1931"),
                hours: Some(40 * 24),
                downloads: None,
                visitors: &[Some("M. Teixeira"), Some("J. Pires")],
            },
        )
        .link(
            37,
            "/Harbour Museum/Correspondence",
            Link {
                mode: Mode::Upload,
                name: "Files from the Trust",
                note: Some("Please put the loan contracts here. Nobody but us sees them."),
                password: None,
                hours: None,
                downloads: None,
                visitors: &[],
            },
        );
}

fn tramline(scribe: &mut Scribe<'_>) {
    const BRIEF: &str = include_str!("../texts/en/tramline-brief.md");
    scribe.by(Tom);
    scribe
        .text(1, "/Tramline/Brief/Finding the way.md", BRIEF)
        .write(22, "/Tramline/Brief/Finding the way.md", Make::Text(BRIEF, 2, Tongue::English))
        .photos(18, "/Tramline/Signs/Drafts/sign-#.jpg", 1..=6, &[Scene::Poster, Scene::Tiles]);
    scribe.by(Priya);
    scribe
        .text(3, "/Tramline/Research/Interview guide.md", include_str!("../texts/en/interview-guide.md"))
        .text(6, "/Tramline/Research/Field notes/Campo Novo.md", include_str!("../texts/en/field-notes.md"))
        .text(20, "/Tramline/Research/Prototype test 2.md", include_str!("../texts/en/prototype-test.md"))
        .table(10, "/Tramline/Research/Counts/stop-03.csv", Table::Passengers)
        .table(10, "/Tramline/Research/Counts/stop-07.csv", Table::Passengers)
        .table(11, "/Tramline/Research/Counts/stop-12.csv", Table::Passengers)
        .table(11, "/Tramline/Research/Counts/stop-19.csv", Table::Passengers)
        .table(17, "/Tramline/Research/Survey.csv", Table::Survey)
        .write(26, "/Tramline/Research/Survey.csv", Make::Table(Table::Survey, 3))
        .write(12, "/Tramline/Research/Charts/Passengers by hour.png", Make::Drawing(Scene::Lines, 1500, 950))
        .write(18, "/Tramline/Research/Charts/Survey.png", Make::Drawing(Scene::Bars, 1500, 950))
        .write(27, "/Tramline/Research/Charts/Survey, all stops.png", Make::Drawing(Scene::Bars, 1500, 950))
        .tell(28, "/Tramline/Research/Charts/Survey.png", Deed::Trash);
    scribe.by(Hannah);
    scribe.photos(6, "/Tramline/Photos/Campo Novo/stop-#.jpg", 1..=6, &[Scene::Town]);
    scribe.photos(13, "/Tramline/Photos/Depot/depot-#.jpg", 1..=5, &[Scene::Town, Scene::Hills]);
    scribe.by(Marcus);
    scribe
        .write(15, "/Tramline/Map/src/map.ts", Make::Code(include_str!("../texts/en/map.ts")))
        .write(15, "/Tramline/Map/src/print.css", Make::Code(include_str!("../texts/en/print.css")))
        .table(16, "/Tramline/Map/data/stops.geojson", Table::Places)
        .text(16, "/Tramline/Map/README.md", include_str!("../texts/en/readme-tally.md"))
        .tell(36, "/Tramline/Map/README.md", Deed::Trash);
    scribe.by(Yulia);
    scribe
        .photos(24, "/Tramline/Signs/Platform/platform-#.jpg", 1..=5, &[Scene::Poster])
        .tell(32, "/Tramline/Signs/Drafts/sign-002.jpg", Deed::Move("/Tramline/Signs/Platform"))
        .tell(32, "/Tramline/Signs/Drafts/sign-004.jpg", Deed::Trash)
        .tell(38, "/Tramline/Signs/Platform/platform-005.jpg", Deed::Rename("platform-005 thicker ring.jpg"));
    scribe.by(Sofia);
    scribe.link(
        28,
        "/Tramline/Signs/Platform",
        Link {
            mode: Mode::Download,
            name: "Platform signs for the workshop",
            note: None,
            password: None,
            hours: Some(24 * 14),
            downloads: Some(20),
            visitors: &[None, None, Some("Oficina")],
        },
    );
}

fn olive(scribe: &mut Scribe<'_>) {
    scribe.by(Tom);
    scribe.text(4, "/Olive & Salt/Brand/Brand guide.md", include_str!("../texts/en/brand-guide.md")).write(
        4,
        "/Olive & Salt/Brand/palette.json",
        Make::Code(include_str!("../texts/en/palette.json")),
    );
    scribe.by(Yulia);
    for draft in 1..=6 {
        scribe.write(
            8 + draft / 3,
            &format!("/Olive & Salt/Brand/Logo/draft-{draft}.png"),
            Make::Drawing(Scene::Poster, 640, 640),
        );
    }
    scribe
        .photos(19, "/Olive & Salt/Packaging/label-#.jpg", 1..=5, &[Scene::Tiles])
        .tell(30, "/Olive & Salt/Brand/Logo/draft-4.png", Deed::Trash)
        .tell(30, "/Olive & Salt/Brand/Logo/draft-5.png", Deed::Trash);
    scribe.by(Hannah);
    scribe.photos(12, "/Olive & Salt/Photos/Market/market-#.jpg", 1..=7, &[Scene::Hills, Scene::Town, Scene::Shore]);
    scribe.by(Sofia);
    scribe.table(34, "/Olive & Salt/Costs.csv", Table::Expenses);
    scribe.by(Anna);
    scribe.table(23, "/Olive & Salt/Research/Questionnaire.csv", Table::Survey);
}
