//! The story: who does what on which day. It is data; `stage` does it.
//!
//! Each part tells of one place, in the order in which things depend on each other there. Deeds of one day happen in the
//! order in which they were told.

mod clients;
mod editorial;
mod homes;
mod research;
mod studio;

use base::Time;
use drive::Mode;
use scenery::{Scene, Voice};

use super::{
    cast::{Person, Place, Team, Whom},
    clock::{Calendar, WORK_DAYS},
    make::{self, Make},
    tables::Table,
    words::{self, Tongue},
};

/// Somebody does something at a moment.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at: Time,
    pub(super) who: Person,
    pub(super) place: Place,
    /// The path in that place: of what it is done to.
    pub(super) path: String,
    pub(super) deed: Deed,
}

/// What is done.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// A file is written, anew or once more; folders that are not there yet are made.
    Write {
        make: Make,
        /// Of what is random about it.
        seed: u64,
    },
    /// It gets another name.
    Rename(&'static str),
    /// It goes into another folder, by its path.
    Move(&'static str),
    /// It is copied under another name in its folder.
    Copy(&'static str),
    /// It goes to the trash.
    Trash,
    /// Its newest version gets a name, and is kept whatever comes.
    Label(&'static str),
    /// The version before the newest one becomes the current one again.
    Revert,
    /// The newest change of the person is taken back. The path is of no account.
    Undo,
    /// A role on it is given, with an end so many days from the real present.
    Give(Whom, accounts::Role, Option<u64>),
    /// A link is made.
    Link(Link),
    /// Somebody outside comes by the link to it, says this name, and does what the link is for.
    Visit(Option<&'static str>),
}

/// A link of the story.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) mode: Mode,
    pub(super) name: &'static str,
    pub(super) note: Option<&'static str>,
    pub(super) password: Option<&'static str>,
    /// When it ends, in hours from the real present.
    pub(super) hours: Option<u64>,
    pub(super) downloads: Option<u64>,
    /// The names that visitors give, who come in the days after; none for those who give none.
    pub(super) visitors: &'static [Option<&'static str>],
}

/// Where the story is written down.
pub(super) struct Scribe<'a> {
    calendar: &'a Calendar,
    told: Vec<(usize, Step)>,
    place: Place,
    who: Person,
}

impl Scribe<'_> {
    /// From here on it is about this place.
    fn at(&mut self, place: Place) -> &mut Self {
        self.place = place;
        self
    }

    /// From here on it is this person's doing.
    fn by(&mut self, who: Person) -> &mut Self {
        self.who = who;
        self
    }

    fn tell(&mut self, day: usize, path: &str, deed: Deed) -> &mut Self {
        let at = self.calendar.morning(day);
        let step = Step { at, who: self.who, place: self.place, path: path.to_owned(), deed };
        self.told.push((day.min(WORK_DAYS - 1), step));
        self
    }

    /// A link, and those who come by it on the days after.
    fn link(&mut self, day: usize, path: &str, link: Link) -> &mut Self {
        let visitors = link.visitors;
        self.tell(day, path, Deed::Link(link));
        for (index, visitor) in visitors.iter().enumerate() {
            self.tell(day + 1 + index / 2, path, Deed::Visit(*visitor));
        }
        self
    }

    fn write(&mut self, day: usize, path: &str, make: Make) -> &mut Self {
        let seed = make::seed(path, self.told.len());
        self.tell(day, path, Deed::Write { make, seed })
    }

    /// A text of ours in English.
    fn text(&mut self, day: usize, path: &str, text: &'static str) -> &mut Self {
        self.write(day, path, Make::Text(text, 1, Tongue::English))
    }

    /// A text of ours in Russian.
    fn russian(&mut self, day: usize, path: &str, text: &'static str) -> &mut Self {
        self.write(day, path, Make::Text(text, 1, Tongue::Russian))
    }

    fn table(&mut self, day: usize, path: &str, table: Table) -> &mut Self {
        self.write(day, path, Make::Table(table, 1))
    }

    /// A series of photographs with numbers, one day's work. The path holds `#` where the number goes.
    fn photos(
        &mut self,
        day: usize,
        path: &str,
        numbers: std::ops::RangeInclusive<u32>,
        scenes: &[Scene],
    ) -> &mut Self {
        const SIZES: [(u32, u32); 5] = [(1500, 1000), (1600, 900), (1000, 1500), (1280, 960), (1440, 960)];
        for (index, number) in numbers.enumerate() {
            let name = path.replace('#', &format!("{number:03}"));
            let scene = scenes[index % scenes.len()];
            let (width, height) = SIZES[(number as usize * 7 + day) % SIZES.len()];
            self.write(day, &name, Make::Photo(scene, width, height));
        }
        self
    }

    /// Minutes of the meetings of all weeks, each on the first working day of five. The path holds `#` where the date goes.
    fn minutes(&mut self, path: &str, tongue: Tongue, first: usize) -> &mut Self {
        for day in (first..WORK_DAYS).step_by(5) {
            let date = words::short_date(self.calendar.morning(day));
            self.write(day, &path.replace('#', &date), Make::Minutes(tongue));
        }
        self
    }

    fn give(&mut self, day: usize, path: &str, to: Whom, role: accounts::Role) -> &mut Self {
        self.tell(day, path, Deed::Give(to, role, None))
    }
}

/// Progressions for the podcast.
const CHORDS: [&[&[i8]]; 4] = [
    &[&[-21, -9, -5, -2], &[-16, -9, -4, 0], &[-14, -7, -2, 2], &[-21, -9, -5, 3]],
    &[&[-24, -12, -8, -5], &[-19, -12, -7, -3], &[-17, -10, -5, -1], &[-12, -8, -5, 0]],
    &[&[-15, -8, -3, 1], &[-20, -8, -4, 0], &[-13, -6, -1, 3], &[-15, -3, 1, 4]],
    &[&[-26, -14, -10, -7], &[-21, -14, -9, -5]],
];

/// All of it, in the order of time.
pub(super) fn tell(calendar: &Calendar) -> Vec<Step> {
    let mut scribe = Scribe { calendar, told: Vec::new(), place: Place::Studio, who: Person::Sofia };
    studio::tell(&mut scribe);
    clients::tell(&mut scribe);
    research::tell(&mut scribe);
    editorial::tell(&mut scribe);
    homes::tell(&mut scribe);
    let mut told = scribe.told;
    told.sort_by_key(|(day, _)| *day);
    let mut steps = Vec::with_capacity(told.len());
    for of_day in told.chunk_by(|one, next| one.0 == next.0) {
        for (place, (day, step)) in of_day.iter().enumerate() {
            let jitter = make::seed(&step.path, place);
            steps.push(Step { at: calendar.moment(*day, place, of_day.len(), jitter), ..step.clone() });
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base::Name;

    use super::*;

    #[test]
    fn the_story_is_in_order_and_everybody_is_in_it() {
        let calendar = Calendar::before("2026-11-21T11:00:00Z".parse().expect("a time"));
        let steps = tell(&calendar);
        assert!(steps.windows(2).all(|pair| pair[0].at < pair[1].at));
        assert_eq!(steps.iter().map(|step| step.who).collect::<BTreeSet<_>>().len(), super::super::cast::CAST.len());
        let files: BTreeSet<_> = steps
            .iter()
            .filter(|step| matches!(step.deed, Deed::Write { .. }))
            .map(|step| (step.place, step.path.as_str()))
            .collect();
        assert!((250..=420).contains(&files.len()), "{} files", files.len());
        for step in &steps {
            for name in step.path.split('/').filter(|name| !name.is_empty()) {
                assert!(Name::new(name).is_ok(), "{name}");
            }
        }
        // What is in the trash is there until somebody looks: younger than the trash keeps things.
        let end = steps.last().expect("a step").at;
        let month = std::time::Duration::from_secs(28 * 86_400);
        assert!(steps.iter().filter(|step| matches!(step.deed, Deed::Trash)).all(|step| end.since(step.at) < month));
    }
}
