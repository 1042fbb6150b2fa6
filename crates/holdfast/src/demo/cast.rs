//! Who is in the story: a studio for design and research in two cities.

use drive::Subject;

use super::words::Tongue;

/// Somebody of the studio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Person {
    Ines,
    Tom,
    Sofia,
    Priya,
    Marcus,
    Hannah,
    Diego,
    Anna,
    Mikhail,
    Elena,
    Dmitry,
    Olga,
    Artyom,
    Yulia,
}

use Person::{Anna, Artyom, Diego, Dmitry, Elena, Hannah, Ines, Marcus, Mikhail, Olga, Priya, Sofia, Tom, Yulia};

/// A person with what they sign in with, are called, and do.
pub(super) struct Role {
    pub(super) person: Person,
    pub(super) name: &'static str,
    pub(super) display_name: &'static str,
    pub(super) work: &'static str,
}

const fn role(person: Person, name: &'static str, display_name: &'static str, work: &'static str) -> Role {
    Role { person, name, display_name, work }
}

/// Everybody. The order is that of [`Person`].
pub(super) const CAST: [Role; 14] = [
    role(Ines, "ines", "Inês Carvalho", "director, Porto"),
    role(Tom, "tom", "Tom Whitfield", "design lead, Porto"),
    role(Sofia, "sofia", "Sofia Almeida", "producer, Porto"),
    role(Priya, "priya", "Priya Nair", "researcher, Porto"),
    role(Marcus, "marcus", "Marcus Lindqvist", "engineer, Porto"),
    role(Hannah, "hannah", "Hannah Okafor", "photographer, Porto"),
    role(Diego, "diego", "Diego Ferreira", "architect, Porto"),
    role(Anna, "anna", "Анна Соколова", "head of research, Yerevan"),
    role(Mikhail, "mikhail", "Михаил Петров", "engineer, administrator, Yerevan"),
    role(Elena, "elena", "Елена Морозова", "finance, Yerevan"),
    role(Dmitry, "dmitry", "Дмитрий Волков", "sound, Yerevan"),
    role(Olga, "olga", "Ольга Кузнецова", "editor, Yerevan"),
    role(Artyom, "artyom", "Артём Григорян", "architect, Yerevan"),
    role(Yulia, "yulia", "Юлия Белова", "junior designer, Yerevan"),
];

/// Who looks after the accounts.
pub(super) const ADMINISTRATOR: Person = Mikhail;

impl Person {
    /// The place in [`CAST`].
    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// The language that they read and write.
    pub(super) fn tongue(self) -> Tongue {
        match self {
            Ines | Tom | Sofia | Priya | Marcus | Hannah | Diego => Tongue::English,
            Anna | Mikhail | Elena | Dmitry | Olga | Artyom | Yulia => Tongue::Russian,
        }
    }
}

/// A group of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Team {
    Design,
    Research,
    Editors,
    Porto,
    Yerevan,
}

/// The groups, what they are called, and who is in them. The order is that of [`Team`].
pub(super) const TEAMS: [(Team, &str, &[Person]); 5] = [
    (Team::Design, "Design", &[Tom, Hannah, Diego, Artyom, Yulia, Ines]),
    (Team::Research, "Исследователи", &[Anna, Priya, Mikhail, Yulia, Artyom]),
    (Team::Editors, "Редакция", &[Olga, Dmitry, Hannah, Anna]),
    (Team::Porto, "Porto office", &[Ines, Tom, Sofia, Priya, Marcus, Hannah, Diego]),
    (Team::Yerevan, "Офис в Ереване", &[Anna, Mikhail, Elena, Dmitry, Olga, Artyom, Yulia]),
];

/// To whom something is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    Person(Person),
    Team(Team),
    Everyone,
}

/// Where things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    Clients,
    Research,
    Studio,
    Editorial,
    /// Somebody's own space.
    Home(Person),
}

/// A team's space: what it is called, who makes it, and what others may do there.
pub(super) struct Room {
    pub(super) place: Place,
    pub(super) name: &'static str,
    pub(super) maker: Person,
    pub(super) members: &'static [(Whom, accounts::Role)],
}

/// The spaces of teams.
pub(super) const ROOMS: [Room; 4] = [
    Room {
        place: Place::Clients,
        name: "Client work",
        maker: Tom,
        members: &[
            (Whom::Person(Ines), accounts::Role::Manager),
            (Whom::Person(Sofia), accounts::Role::Editor),
            (Whom::Person(Marcus), accounts::Role::Editor),
            (Whom::Person(Dmitry), accounts::Role::Commenter),
            (Whom::Team(Team::Design), accounts::Role::Editor),
            (Whom::Team(Team::Research), accounts::Role::Editor),
        ],
    },
    Room {
        place: Place::Research,
        name: "Исследования",
        maker: Anna,
        members: &[
            (Whom::Team(Team::Research), accounts::Role::Editor),
            (Whom::Person(Olga), accounts::Role::Commenter),
            (Whom::Person(Marcus), accounts::Role::Editor),
            (Whom::Team(Team::Design), accounts::Role::Viewer),
        ],
    },
    Room {
        place: Place::Studio,
        name: "Studio",
        maker: Sofia,
        members: &[
            (Whom::Person(Ines), accounts::Role::Manager),
            (Whom::Person(Elena), accounts::Role::Manager),
            (Whom::Person(Mikhail), accounts::Role::Editor),
            (Whom::Person(Marcus), accounts::Role::Editor),
            (Whom::Person(Diego), accounts::Role::Editor),
            (Whom::Person(Artyom), accounts::Role::Editor),
            (Whom::Team(Team::Porto), accounts::Role::Viewer),
            (Whom::Team(Team::Yerevan), accounts::Role::Viewer),
        ],
    },
    Room {
        place: Place::Editorial,
        name: "Редакция",
        maker: Olga,
        members: &[
            (Whom::Team(Team::Editors), accounts::Role::Editor),
            (Whom::Person(Tom), accounts::Role::Commenter),
            (Whom::Person(Yulia), accounts::Role::Editor),
            (Whom::Everyone, accounts::Role::Viewer),
        ],
    },
];

/// The subject of a grant, when accounts and groups have their ids.
pub(super) fn subject(
    whom: Whom,
    account: impl Fn(Person) -> base::AccountId,
    team: impl Fn(Team) -> base::GroupId,
) -> Subject {
    match whom {
        Whom::Person(person) => Subject::Account(account(person)),
        Whom::Team(group) => Subject::Group(team(group)),
        Whom::Everyone => Subject::Everyone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_the_order_of_their_keys() {
        assert!(CAST.iter().enumerate().all(|(index, role)| role.person.index() == index));
        assert!(TEAMS.iter().enumerate().all(|(index, team)| team.0 as usize == index));
    }
}
