//! What happened through links: counted in their rows, and told one by one for a while.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use base::{EntryId, LinkEventId, LinkId, Time, limits};
use db::{
    Lane,
    links::{self, Counter, EventRow},
};
use parking_lot::Mutex;

use crate::{Actor, Drive, Error, Links, Page};

/// How long an event is told of.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// Events of one link that are told of; it is looked after now and then, so there may be a few more for a while.
const EVENTS_MAX: u32 = 10_000;

/// How often it is looked after that: each time so many more things were counted of a link.
const TRIM_EACH: u64 = 256;

/// Rows that one look removes at most.
const BITE: u32 = 1000;

/// Within this time the same visitor from the same network opens a link once.
const ONE_VISIT: Duration = Duration::from_secs(10 * 60);

/// Names under which a link is opened from one network within that time; whoever makes up more is not told of.
const NAMES_MAX: u32 = 20;

/// Visits that are remembered; at the bound those that are over go, then all.
const VISITS_MAX: usize = 1 << 16;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Somebody looked at what the link leads to, or gave its password.
    Opened,
    /// A download began.
    Downloaded,
    /// A file came in.
    Uploaded,
}

impl EventKind {
    /// As it stands in answers and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Downloaded => "downloaded",
            Self::Uploaded => "uploaded",
        }
    }

    fn counter(self) -> Counter {
        match self {
            Self::Opened => Counter::Opened,
            Self::Downloaded => Counter::Downloaded,
            Self::Uploaded => Counter::Uploaded,
        }
    }
}

/// Something that happened through a link.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which one; ids rise with time.
    pub id: LinkEventId,
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Time,
    /// Of what: the file, or the folder of an archive.
    pub entry: Option<EntryId>,
    /// What that was called then.
    pub entry_name: Option<String>,
    /// How many bytes it had.
    pub bytes: Option<u64>,
    /// What the visitor said to be called.
    pub visitor: Option<String>,
    /// Program and system, coarsely.
    pub client: String,
    /// The network they came from: the first 24 bits of an IPv4 address, the first 48 of an IPv6 one.
    pub network: String,
}

/// What an event is about.
pub(super) struct About {
    pub(super) entry: EntryId,
    pub(super) name: String,
    pub(super) bytes: Option<u64>,
}

/// Who did it.
pub(super) struct By<'a> {
    pub(super) visitor: Option<&'a str>,
    pub(super) client: &'a str,
    pub(super) address: IpAddr,
}

/// Who opened what lately.
#[derive(Default)]
pub(super) struct Recent {
    hasher: RandomState,
    /// By link, network and name; and by link and network, how many names there were.
    visits: Mutex<HashMap<u64, (Duration, u32)>>,
}

impl Recent {
    /// Whether this is a visit of its own, and not the same page looked at once more. Anybody may ask for a link without
    /// end, and each visit is a write: this bounds what one of them can cause.
    pub(super) fn begins(&self, link: LinkId, by: &By<'_>, now: Duration) -> bool {
        let from = (link, network(by.address));
        let (all, own) = (self.hasher.hash_one(&from), self.hasher.hash_one((&from, by.visitor)));
        let mut visits = self.visits.lock();
        let current = |visit: Option<&(Duration, u32)>| visit.copied().filter(|(until, _)| *until > now);
        if current(visits.get(&own)).is_some() {
            return false;
        }
        let (until, names) = current(visits.get(&all)).unwrap_or((now + ONE_VISIT, 0));
        if names >= NAMES_MAX {
            return false;
        }
        if visits.len() + 2 > VISITS_MAX {
            visits.retain(|_, (until, _)| *until > now);
            if visits.len() + 2 > VISITS_MAX {
                visits.clear();
            }
        }
        visits.insert(all, (until, names + 1));
        visits.insert(own, (now + ONE_VISIT, 0));
        true
    }
}

impl Links {
    /// Up to `limit` events of a link before `before`, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn events(
        &self,
        actor: &Actor,
        id: LinkId,
        before: Option<LinkEventId>,
        limit: u32,
    ) -> Result<Page<Event>, Error> {
        self.own(actor, id).await?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let mut rows = links::events(&self.drive.inner.db, id, before, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(Page { items: rows.into_iter().map(seen).collect::<Result<_, _>>()?, more })
    }

    /// Counts something that happened and writes it down; `false` if the link is gone or allows no more of it.
    pub(super) async fn happened(
        &self,
        link: LinkId,
        kind: EventKind,
        about: About,
        by: &By<'_>,
    ) -> Result<bool, Error> {
        let now = self.drive.now();
        let event = EventRow {
            id: self.drive.inner.ids.link_event(),
            kind: kind.as_str().to_owned(),
            at: now,
            entry: Some(about.entry),
            entry_name: Some(about.name),
            bytes: about.bytes,
            visitor: by.visitor.map(str::to_owned),
            client: by.client.to_owned(),
            address: network(by.address),
        };
        self.write(async move |tx| {
            let Some(total) = links::count(&tx, link, kind.counter(), now).await? else { return Ok(false) };
            links::insert_event(&tx, link, &event).await?;
            if total.is_multiple_of(TRIM_EACH) {
                links::trim_events(&tx, link, EVENTS_MAX).await?;
            }
            Ok(true)
        })
        .await
    }
}

fn seen(row: EventRow) -> Result<Event, Error> {
    let kinds = [EventKind::Opened, EventKind::Downloaded, EventKind::Uploaded];
    Ok(Event {
        id: row.id,
        kind: kinds.into_iter().find(|kind| kind.as_str() == row.kind).ok_or(Error::Shape("an unknown event"))?,
        at: row.at,
        entry: row.entry,
        entry_name: row.entry_name,
        bytes: row.bytes,
        visitor: row.visitor,
        client: row.client,
        network: row.address,
    })
}

/// Removes a bite of events that are too old, and of links whose entry is gone for good; whether there may be more.
/// `now` is a time that is certainly past.
pub(crate) async fn forget(drive: &Drive, now: Time) -> Result<bool, Error> {
    let before = now.minus(KEPT);
    let db = &drive.inner.db;
    let gone = db
        .write(Lane::Free, async move |tx| Ok::<_, Error>(links::delete_events_before(&tx, before, BITE).await?))
        .await?;
    let dangling = links::without_entry(db, BITE / 10).await?;
    let removed = dangling.len();
    if removed > 0 {
        db.write(Lane::Free, async move |tx| {
            for link in dangling {
                links::delete(&tx, link).await?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    }
    Ok(gone >= u64::from(BITE) || removed as u32 >= BITE / 10)
}

/// The part of an address that is written down: enough to tell one office from another, not one person from a neighbour.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("{}/24", Ipv4Addr::from_bits(address.to_bits() & !0xff)),
        IpAddr::V6(address) => format!("{}/48", Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> 48))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut() {
        let check = |address: &str, expected| assert_eq!(network(address.parse().expect("an address")), expected);
        check("203.0.113.77", "203.0.113.0/24");
        check("::ffff:203.0.113.77", "203.0.113.0/24");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48");
    }

    #[test]
    fn a_visit_is_counted_once() {
        let recent = Recent::default();
        let link = LinkId::from_bytes([1; 16]);
        let begins = |address: &str, visitor, at| {
            let by = By { visitor, client: "", address: address.parse().expect("an address") };
            recent.begins(link, &by, Duration::from_secs(at))
        };
        assert!(begins("203.0.113.1", None, 0));
        assert!(!begins("203.0.113.2", None, 599));
        assert!(begins("203.0.113.2", Some("Ada"), 599));
        assert!(begins("203.0.114.1", None, 599));
        assert!(begins("203.0.113.1", None, 600));
        // Names that are made up come to an end; other networks do not notice.
        let names: Vec<_> = (0..100).map(|name| name.to_string()).collect();
        assert_eq!(names.iter().filter(|name| begins("203.0.113.1", Some(name.as_str()), 700)).count(), 19);
        assert!(begins("203.0.115.1", Some("1"), 700));
        assert!(begins("203.0.113.1", Some("1"), 1300));
    }
}
