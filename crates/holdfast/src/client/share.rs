//! `share`: roles for people and groups on one's files, links for everybody else, and taking both back.

use std::time::Duration;

use base::{EntryId, Secret, Time};
use clap::{ArgGroup, Args};
use reqwest::{Method, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Common,
    api::{Activity, Api, Page},
    backoff::Patience,
    credentials::blocking,
    failure::Failure,
    output::{Output, moment, note, shown, table},
    path::RemotePath,
    session::first_line,
};

/// What `holdfast help share` says before the options.
pub(super) const LONG_ABOUT: &str = "\
Shares a file or folder.

With people who have an account, as a role that holds for a folder and all below it:

  holdfast share :/plans --with ada --role editor --until 30d

With everybody else, by a link, whose address goes to standard output:

  holdfast share :/plans --link --expires 2026-12-24 --limit 10

--list shows both, and --remove takes one of them back.";

/// `holdfast share`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["with", "link", "list", "remove"])))]
pub(crate) struct Share {
    /// The file or folder
    #[arg(value_name = ":/PATH")]
    path: RemotePath,
    /// Gives a person or a group a role, by name or id; `everyone` is whoever is signed in
    #[arg(long, value_name = "NAME")]
    with: Option<String>,
    /// What they may do [default: viewer]
    #[arg(long, value_name = "ROLE", requires = "with", value_parser = ["viewer", "commenter", "editor", "manager"])]
    role: Option<String>,
    /// Makes a link and prints its address
    #[arg(long)]
    link: bool,
    /// What visitors of the link may do: look, take, or, with a folder, only put something into it [default: download]
    #[arg(long, value_name = "MODE", requires = "link", value_parser = ["view", "download", "upload"])]
    mode: Option<String>,
    /// What you call the link; visitors do not see it
    #[arg(long, value_name = "NAME", requires = "link")]
    name: Option<String>,
    /// Reads a password from standard input that visitors have to know
    #[arg(long, requires = "link")]
    password_stdin: bool,
    /// Downloads that the link allows
    #[arg(long, value_name = "COUNT", requires = "link", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// When it ends: a time (2026-12-24T18:00:00Z), a day, at whose end in UTC, or a span such as 7d or 12h [default: never]
    #[arg(long, value_name = "TIME", visible_alias = "expires", value_parser = end, conflicts_with_all = ["list", "remove"])]
    until: Option<End>,
    /// Lists who has a role here, and the links that lead here
    #[arg(long)]
    list: bool,
    /// Takes a role or a link back: a name, or an id as --list shows it
    #[arg(long, value_name = "NAME|ID")]
    remove: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// When something ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    At(Time),
    In(Duration),
}

impl End {
    fn time(self) -> Time {
        match self {
            Self::At(time) => time,
            Self::In(span) => crate::clock::SystemClock::start().now().plus(span),
        }
    }
}

/// Reads an end as people write it.
fn end(text: &str) -> Result<End, String> {
    const HOUR: u32 = 3600;
    const DAYS_MAX: u32 = 36_500;
    let spans = [("d", 24 * HOUR, DAYS_MAX), ("h", HOUR, DAYS_MAX * 24)];
    for (unit, seconds, most) in spans {
        if let Some(count) = text.strip_suffix(unit).and_then(|count| count.parse::<u32>().ok()) {
            return match count {
                count if (1..=most).contains(&count) => {
                    Ok(End::In(Duration::from_secs(u64::from(count) * u64::from(seconds))))
                }
                _ => Err(format!("a span is 1{unit} to {most}{unit}")),
            };
        }
    }
    let day = (text.len() == "2026-12-24".len()).then(|| format!("{text}T00:00:00Z").parse::<Time>().ok()).flatten();
    match (day, text.parse()) {
        (Some(day), _) => Ok(End::At(day.plus(Duration::from_secs(24 * u64::from(HOUR))))),
        (None, Ok(time)) => Ok(End::At(time)),
        (None, Err(_)) => Err("write 2026-12-24, 2026-12-24T18:00:00Z, 7d or 12h".to_owned()),
    }
}

/// Somebody, a group, or everyone who is signed in.
#[derive(Debug, Clone, Deserialize, Serialize)]
struct Subject {
    kind: String,
    id: Option<String>,
    name: Option<String>,
    display_name: Option<String>,
}

impl Subject {
    /// As people read it.
    fn called(&self) -> String {
        let name = self.name.as_deref().or(self.id.as_deref()).unwrap_or_default();
        let text = match (self.kind.as_str(), self.display_name.as_deref()) {
            ("everyone", _) => "everyone signed in".to_owned(),
            ("group", _) => format!("{name} (a group)"),
            (_, Some(display)) if display != name && !display.is_empty() => format!("{name} ({display})"),
            _ => name.to_owned(),
        };
        shown(&text).into_owned()
    }

    /// Whether somebody who types this means it.
    fn answers_to(&self, text: &str) -> bool {
        let same = |name: &Option<String>| name.as_deref().is_some_and(|name| is_same(name, text));
        (self.kind == "everyone" && is_same("everyone", text))
            || self.id.as_deref() == Some(text)
            || same(&self.name)
            || same(&self.display_name)
    }
}

/// Names do not differ by case.
fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.trim().to_lowercase()
}

/// A role that was given.
#[derive(Debug, Deserialize, Serialize)]
struct Grant {
    id: String,
    entry_id: EntryId,
    subject: Subject,
    role: String,
    expires_at: Option<String>,
    created_at: String,
    inherited: bool,
}

/// A link.
#[derive(Debug, Deserialize, Serialize)]
struct Link {
    id: String,
    token: Option<String>,
    entry_id: EntryId,
    mode: String,
    name: Option<String>,
    has_password: bool,
    expires_at: Option<String>,
    download_limit: Option<u64>,
    downloads: u64,
    created_at: String,
    /// Where browsers open it; made here.
    #[serde(default)]
    url: Option<String>,
}

impl Link {
    /// The same with its address.
    fn at(mut self, api: &Api) -> Self {
        self.url = self.token.as_ref().map(|token| format!("{}/s/{token}", api.server().as_str()));
        self
    }

    /// What its visitors may do, and how often.
    fn may(&self) -> String {
        let mut text = shown(&self.mode).into_owned();
        if let Some(limit) = self.download_limit {
            text.push_str(&format!(", {} of {limit} downloads made", self.downloads));
        }
        if self.has_password {
            text.push_str(", with a password");
        }
        text
    }
}

/// A line of the list, for programs.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Listed<'a> {
    Grant(&'a Grant),
    Link(&'a Link),
}

pub(super) async fn share(share: Share) -> Result<(), Failure> {
    let api = Api::connect(&share.common)?;
    let entry = api.resolve(&share.path).await?.id;
    if let Some(with) = &share.with {
        give(&api, &share, entry, with).await
    } else if share.link {
        link(&api, &share, entry).await
    } else if let Some(what) = &share.remove {
        take_back(&api, &share, entry, what).await
    } else {
        list(&api, &share, entry).await
    }
}

/// Sends a change that is done once, however often it has to be sent.
async fn change(api: &Api, method: Method, path: &str, body: Option<&Value>) -> Result<Response, Failure> {
    let operation = uuid::Uuid::new_v4().to_string();
    let make = || {
        let request = api.request(method.clone(), path).header("operation-id", &operation);
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    };
    api.call(Patience::Brief, &Activity::default(), make).await
}

/// Whom a name means, as requests have it.
async fn subject(api: &Api, name: &str) -> Result<Value, Failure> {
    let name = name.trim();
    if is_same("everyone", name) {
        return Ok(json!({ "kind": "everyone" }));
    }
    for (prefix, kind) in [("usr_", "user"), ("grp_", "group")] {
        if name.starts_with(prefix) {
            return Ok(json!({ "kind": kind, "id": name }));
        }
    }
    let found: Page<Subject> = api.get(Patience::Brief, "/people", &[("query", name), ("limit", "50")]).await?;
    // A name is one person's, or one group's; what people are shown as may be several ones'.
    let is_named = |one: &&Subject| one.name.as_deref().is_some_and(|its| is_same(its, name));
    let mut meant: Vec<&Subject> = found.items.iter().filter(is_named).collect();
    if meant.is_empty() {
        meant = found.items.iter().filter(|one| one.answers_to(name)).collect();
    }
    let listed = |some: &[&Subject]| {
        let lines =
            some.iter().take(5).map(|one| format!("{} is {}", one.called(), one.id.as_deref().unwrap_or_default()));
        lines.collect::<Vec<_>>().join(", ")
    };
    match meant.as_slice() {
        [one] => Ok(json!({ "kind": one.kind, "id": one.id })),
        [] if found.items.is_empty() => {
            Err(Failure::Missing("nobody here, and no group, is called so".into()).about(name))
        }
        [] => {
            let like = listed(&found.items.iter().collect::<Vec<_>>());
            Err(Failure::Missing(format!("nobody is called exactly so; there are: {like}")).about(name))
        }
        several => {
            let text = format!("this may mean several; give the id of one: {}", listed(several));
            Err(Failure::Usage(text).about(name))
        }
    }
}

async fn give(api: &Api, share: &Share, entry: EntryId, with: &str) -> Result<(), Failure> {
    let role = share.role.as_deref().unwrap_or("viewer");
    let ends = share.until.map(|end| end.time().to_string());
    let body = json!({ "subject": subject(api, with).await?, "role": role, "expires_at": ends });
    let given = change(api, Method::PUT, &format!("/entries/{entry}/grants"), Some(&body)).await;
    let grant: Grant = api.read(given.map_err(|failure| failure.about(&share.path))?).await?;
    let mut output = Output::new();
    if share.common.json {
        output.json(&grant)?;
    } else if !share.common.quiet {
        let end = grant.expires_at.as_deref().map_or_else(String::new, |time| format!(" until {}", moment(time)));
        note(&format!("{} is {} of {}{end}.", grant.subject.called(), shown(&grant.role), share.path));
    }
    output.flush()
}

async fn link(api: &Api, share: &Share, entry: EntryId) -> Result<(), Failure> {
    let password: Option<Secret> = match share.password_stdin {
        true => Some(blocking(|| first_line(std::io::stdin().lock())).await?),
        false => None,
    };
    let body = json!({
        "mode": share.mode.as_deref().unwrap_or("download"),
        "name": share.name,
        "password": password.as_ref().map(Secret::expose),
        "expires_at": share.until.map(|end| end.time().to_string()),
        "download_limit": share.limit,
    });
    let made = change(api, Method::POST, &format!("/entries/{entry}/links"), Some(&body)).await;
    let link: Link = api.read(made.map_err(|failure| failure.about(&share.path))?).await?;
    let link = link.at(api);
    let mut output = Output::new();
    if share.common.json {
        output.json(&link)?;
    } else {
        output.line(&shown(link.url.as_deref().unwrap_or(&link.id)))?;
        if !share.common.quiet {
            let end =
                link.expires_at.as_deref().map_or_else(|| "never ends".to_owned(), |it| format!("ends {}", moment(it)));
            note(&format!("This link ({}) is for {} and {end}.", shown(&link.id), link.may()));
        }
    }
    output.flush()
}

/// The roles that count for an entry, its own first.
async fn grants(api: &Api, share: &Share, entry: EntryId) -> Result<Vec<Grant>, Failure> {
    let found = api.get(Patience::Brief, &format!("/entries/{entry}/grants"), &[(); 0]).await;
    let found: Page<Grant> = found.map_err(|failure| failure.about(&share.path))?;
    Ok(found.items)
}

/// The links to an entry; none for who may not know them.
async fn links(api: &Api, entry: EntryId) -> Result<Vec<Link>, Failure> {
    let (at, mut links, mut cursor) = (format!("/entries/{entry}/links"), Vec::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "1000")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let found: Page<Link> = match api.get(Patience::Brief, &at, &query).await {
            Err(failure) if failure.has_status(403) => return Ok(links),
            found => found?,
        };
        links.extend(found.items.into_iter().map(|link| link.at(api)));
        cursor = found.next_cursor;
        if cursor.is_none() {
            return Ok(links);
        }
    }
}

async fn list(api: &Api, share: &Share, entry: EntryId) -> Result<(), Failure> {
    let (grants, links) = (grants(api, share, entry).await?, links(api, entry).await?);
    let mut output = Output::new();
    if share.common.json {
        grants.iter().try_for_each(|grant| output.json(&Listed::Grant(grant)))?;
        links.iter().try_for_each(|link| output.json(&Listed::Link(link)))?;
        return output.flush();
    }
    let ends = |time: &Option<String>| time.as_deref().map_or_else(|| "never".to_owned(), moment);
    let people = grants.iter().map(|grant| {
        let from = if grant.inherited { "given on a folder above" } else { "" };
        let (id, role) = (shown(&grant.id).into_owned(), shown(&grant.role).into_owned());
        vec![id, grant.subject.called(), role, ends(&grant.expires_at), from.to_owned()]
    });
    let visitors = links.iter().map(|link| {
        let who = link.name.as_deref().map_or_else(|| "link".to_owned(), |name| format!("link: {}", shown(name)));
        let url = shown(link.url.as_deref().unwrap_or_default()).into_owned();
        vec![shown(&link.id).into_owned(), who, link.may(), ends(&link.expires_at), url]
    });
    let rows: Vec<_> = people.chain(visitors).collect();
    for line in table(&["ID", "WHO", "MAY", "ENDS", "REMARK"], &[], &rows) {
        output.line(&line)?;
    }
    output.flush()
}

async fn take_back(api: &Api, share: &Share, entry: EntryId, what: &str) -> Result<(), Failure> {
    let what = what.trim();
    let (path, said) = if what.starts_with("lnk_") {
        let is_there = links(api, entry).await?.iter().any(|link| link.id == what);
        (is_there.then(|| format!("/links/{what}")), "The link leads nowhere now.".to_owned())
    } else {
        let known = grants(api, share, entry).await?;
        let mut meant = known.iter().filter(|one| one.id == what || one.subject.answers_to(what));
        let own = meant.clone().find(|grant| !grant.inherited);
        match own {
            Some(grant) => {
                let said =
                    format!("{} is no {} of {} any more.", grant.subject.called(), shown(&grant.role), share.path);
                (Some(format!("/grants/{}", grant.id)), said)
            }
            None if meant.next().is_some() => {
                let text = "the role comes from a folder above; take it back there".to_owned();
                return Err(Failure::Failed(text).about(what));
            }
            None => (None, String::new()),
        }
    };
    let Some(path) = path else {
        let text = "neither a role nor a link here is called so; `--list` shows what there is".to_owned();
        return Err(Failure::Missing(text).about(what));
    };
    change(api, Method::DELETE, &path, None).await.map_err(|failure| failure.about(what))?;
    if !share.common.quiet {
        note(&said);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_read_as_people_write_them() {
        let at = |text: &str| End::At(text.parse().unwrap());
        assert_eq!(end("2026-12-24T18:00:00Z"), Ok(at("2026-12-24T18:00:00Z")));
        assert_eq!(end("2026-12-24"), Ok(at("2026-12-25T00:00:00Z")), "the day counts to its end");
        assert_eq!(end("2026-12-31"), Ok(at("2027-01-01T00:00:00Z")));
        assert_eq!(end("7d"), Ok(End::In(Duration::from_secs(7 * 86_400))));
        assert_eq!(end("12h"), Ok(End::In(Duration::from_secs(12 * 3600))));
        for bad in ["", "d", "0d", "-1d", "36501d", "tomorrow", "2026-13-01", "2026-12-24 18:00", "1w", "99999999999d"]
        {
            assert!(end(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn people_and_groups_answer_to_their_names() {
        let subject = |kind: &str, name: &str, display: &str| Subject {
            kind: kind.to_owned(),
            id: (kind != "everyone").then(|| format!("{kind}-id")),
            name: (kind != "everyone").then(|| name.to_owned()),
            display_name: (kind != "everyone").then(|| display.to_owned()),
        };
        let ada = subject("user", "ada", "Ada Lovelace");
        for text in ["ada", " ADA", "ada lovelace", "user-id"] {
            assert!(ada.answers_to(text), "{text}");
        }
        assert!(!ada.answers_to("lovelace") && !ada.answers_to("everyone") && !ada.answers_to(""));
        assert!(subject("everyone", "", "").answers_to("Everyone"));
        assert_eq!(ada.called(), "ada (Ada Lovelace)");
        assert_eq!(subject("user", "bob", "bob").called(), "bob");
        assert_eq!(subject("group", "Readers", "Readers").called(), "Readers (a group)");
        assert_eq!(subject("everyone", "", "").called(), "everyone signed in");
        let gone = Subject { kind: "user".to_owned(), id: Some("usr_1".to_owned()), name: None, display_name: None };
        assert_eq!(gone.called(), "usr_1");
    }
}
