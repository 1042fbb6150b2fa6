//! `plan …`: limits that spaces are given, for administrators.

use base::{ByteSize, PlanId};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Common,
    api::{Api, Page},
    backoff::Patience,
    failure::Failure,
    output::{Output, note, shown, table},
};

/// `holdfast plan …`.
#[derive(Debug, Subcommand)]
pub(crate) enum Plan {
    /// Lists plans
    Ls(Common),
    /// Makes a plan and prints its id
    Create(Create),
    /// Changes a plan and says what that will come to; nothing is removed at once
    Set(Set),
    /// Gives people and spaces a plan, or takes it away
    Give(Give),
    /// Removes a plan that no space has
    Rm(Remove),
}

/// Limits of a plan.
#[derive(Debug, Args)]
struct Limits {
    /// All bytes of a space, versions and trash among them, such as `100 GiB`
    #[arg(long, value_name = "SIZE", value_parser = limit::<ByteSize>)]
    storage: Option<Limit<ByteSize>>,
    /// Bytes of one file
    #[arg(long, value_name = "SIZE", value_parser = limit::<ByteSize>)]
    file: Option<Limit<ByteSize>>,
    /// Versions of a file that are kept at most
    #[arg(long, value_name = "COUNT", value_parser = limit::<u32>)]
    versions: Option<Limit<u32>>,
    /// Days that the trash keeps something at most
    #[arg(long, value_name = "DAYS", value_parser = limit::<u32>)]
    trash_days: Option<Limit<u32>>,
    /// Links of a space
    #[arg(long, value_name = "COUNT", value_parser = limit::<u64>)]
    links: Option<Limit<u64>>,
    /// Members of a team's space
    #[arg(long, value_name = "COUNT", value_parser = limit::<u64>)]
    members: Option<Limit<u64>>,
    /// New spaces that get it, separated by commas: personal, team, or none
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = ["personal", "team", "none"])]
    default_for: Option<Vec<String>>,
}

/// A number, or `none` for no limit.
#[derive(Debug, Clone, Copy)]
enum Limit<T> {
    No,
    Of(T),
}

fn limit<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<Limit<T>, String> {
    match text {
        "none" => Ok(Limit::No),
        text => text.parse().map(Limit::Of).map_err(|error| format!("{error}; or `none` for no limit")),
    }
}

/// `holdfast plan create`. A limit that is not given is none.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    common: Common,
}

/// `holdfast plan set`. A limit that is not given stays; `none` takes it away.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The plan's id, as `holdfast plan ls` shows it
    #[arg(value_name = "ID")]
    id: PlanId,
    /// Another name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    limits: Limits,
    /// Says only what it would do
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    common: Common,
}

/// `holdfast plan give`.
#[derive(Debug, Args)]
pub(crate) struct Give {
    /// The plan's id, or `none` for what the server is configured to give
    #[arg(value_name = "PLAN")]
    plan: String,
    /// Accounts (usr_…), for their personal spaces, and spaces (spc_…)
    #[arg(value_name = "ID", required = true)]
    to: Vec<String>,
    /// Says only what it would do
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    common: Common,
}

/// `holdfast plan rm`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The plan's id, as `holdfast plan ls` shows it
    #[arg(value_name = "ID")]
    id: PlanId,
    #[command(flatten)]
    common: Common,
}

impl Limits {
    /// As requests have them: what is not given is not there.
    fn body(&self) -> Map<String, Value> {
        fn put<T: Copy, N: Into<Value>>(
            body: &mut Map<String, Value>,
            key: &str,
            limit: Option<Limit<T>>,
            number: fn(T) -> N,
        ) {
            match limit {
                None => {}
                Some(Limit::No) => drop(body.insert(key.to_owned(), Value::Null)),
                Some(Limit::Of(value)) => drop(body.insert(key.to_owned(), number(value).into())),
            }
        }
        let mut body = Map::new();
        put(&mut body, "storage_bytes", self.storage, |size| size.0);
        put(&mut body, "file_bytes", self.file, |size| size.0);
        put(&mut body, "versions_kept", self.versions, |count| count);
        put(&mut body, "trash_days", self.trash_days, |days| days);
        put(&mut body, "links", self.links, |count| count);
        put(&mut body, "members", self.members, |count| count);
        if let Some(kinds) = &self.default_for {
            let kinds: Vec<&String> = kinds.iter().filter(|kind| *kind != "none").collect();
            body.insert("default_for".to_owned(), json!(kinds));
        }
        body
    }
}

/// What a plan allows, as the server tells it.
#[derive(Debug, Deserialize, Serialize)]
struct Allowed {
    storage_bytes: Option<u64>,
    file_bytes: Option<u64>,
    versions_kept: Option<u32>,
    trash_days: Option<u32>,
    links: Option<u64>,
    members: Option<u64>,
}

/// A plan, as the server tells it.
#[derive(Debug, Deserialize, Serialize)]
struct View {
    id: String,
    name: String,
    limits: Allowed,
    default_for: Vec<String>,
    spaces: u64,
    created_at: String,
}

/// What other limits do.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Effect {
    spaces: u64,
    spaces_over_storage: u64,
    spaces_over_links: u64,
    spaces_over_members: u64,
    versions_to_go: u64,
    versions_to_go_bytes: u64,
    trashed_to_go: u64,
}

/// A plan that was changed, or would be.
#[derive(Debug, Deserialize, Serialize)]
struct Changed {
    plan: View,
    effect: Effect,
    preview: bool,
}

/// What came of giving a plan.
#[derive(Debug, Deserialize, Serialize)]
struct Given {
    items: Vec<GivenItem>,
    refused: usize,
    preview: bool,
}

/// What came of giving one a plan.
#[derive(Debug, Deserialize, Serialize)]
struct GivenItem {
    id: String,
    effect: Option<Effect>,
    error: Option<Value>,
}

impl Effect {
    /// In words, a sentence for each thing that is not nothing.
    fn words(&self) -> Vec<String> {
        let mut said = vec![format!("Spaces that it is for: {}.", self.spaces)];
        for (count, what, then) in [
            (self.spaces_over_storage, "hold more than they may", "all of it stays, and they take nothing new"),
            (self.spaces_over_links, "have more links than they may", "those stay, and no more can be made"),
            (self.spaces_over_members, "have more members than they may", "those stay, and no more come"),
        ] {
            if count > 0 {
                said.push(format!("Spaces that {what}: {count}; {then}."));
            }
        }
        if self.versions_to_go > 0 {
            let size = ByteSize(self.versions_to_go_bytes);
            said.push(format!(
                "Older versions that go when their files get new ones: {} ({size}).",
                self.versions_to_go
            ));
        }
        if self.trashed_to_go > 0 {
            said.push(format!("Entries of the trash that go for good within the hour: {}.", self.trashed_to_go));
        }
        said
    }
}

pub(super) async fn plan(plan: Plan) -> Result<(), Failure> {
    match plan {
        Plan::Ls(common) => list(&common).await,
        Plan::Create(create) => make(&create).await,
        Plan::Set(set) => change(&set).await,
        Plan::Give(give) => hand_out(&give).await,
        Plan::Rm(remove) => take_away(&remove).await,
    }
}

async fn list(common: &Common) -> Result<(), Failure> {
    let api = Api::connect(common)?;
    let mut output = Output::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let found: Page<View> = api.get(Patience::Brief, "/admin/plans", &query).await?;
        if common.json {
            found.items.iter().try_for_each(|view| output.json(view))?;
        } else {
            let size = |bytes: Option<u64>| bytes.map_or_else(|| "–".to_owned(), |bytes| ByteSize(bytes).to_string());
            let count = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
            let rows = found.items.iter().map(|view| {
                let Allowed { storage_bytes, file_bytes, versions_kept, trash_days, links, members } = view.limits;
                vec![
                    shown(&view.id).into_owned(),
                    size(storage_bytes),
                    size(file_bytes),
                    count(versions_kept.map(u64::from)),
                    count(trash_days.map(u64::from)),
                    count(links),
                    count(members),
                    view.spaces.to_string(),
                    view.default_for.join(","),
                    shown(&view.name).into_owned(),
                ]
            });
            let head = ["ID", "STORAGE", "FILE", "VERSIONS", "TRASH", "LINKS", "MEMBERS", "SPACES", "DEFAULT", "NAME"];
            for line in table(&head, &[1, 2, 3, 4, 5, 6, 7], &rows.collect::<Vec<_>>()) {
                output.line(&line)?;
            }
        }
        cursor = found.next_cursor;
        if cursor.is_none() {
            return output.flush();
        }
    }
}

async fn make(create: &Create) -> Result<(), Failure> {
    let api = Api::connect(&create.common)?;
    let mut body = create.limits.body();
    body.insert("name".to_owned(), create.name.clone().into());
    let made: View =
        api.read(api.send(Patience::None, Method::POST, "/admin/plans", &Value::Object(body)).await?).await?;
    let mut output = Output::new();
    if create.common.json {
        output.json(&made)?
    } else {
        output.line(&shown(&made.id))?
    }
    output.flush()
}

async fn change(set: &Set) -> Result<(), Failure> {
    let api = Api::connect(&set.common)?;
    let mut body = set.limits.body();
    body.extend(set.name.clone().map(|name| ("name".to_owned(), name.into())));
    let path = format!("/admin/plans/{}?preview={}", set.id, set.preview);
    let answer = api.send(Patience::Brief, Method::PATCH, &path, &Value::Object(body)).await;
    let changed: Changed = api.read(answer.map_err(|failure| failure.about(set.id))?).await?;
    let mut output = Output::new();
    if set.common.json {
        output.json(&changed)?;
    } else {
        changed.effect.words().iter().try_for_each(|line| output.line(line))?;
        if set.preview && !set.common.quiet {
            note("Nothing was changed.");
        }
    }
    output.flush()
}

async fn hand_out(give: &Give) -> Result<(), Failure> {
    let api = Api::connect(&give.common)?;
    let plan = (give.plan != "none").then_some(&give.plan);
    let body = json!({ "plan_id": plan, "to": give.to });
    let path = format!("/admin/plan-assignments?preview={}", give.preview);
    let given: Given = api.read(api.send(Patience::Brief, Method::POST, &path, &body).await?).await?;
    let mut output = Output::new();
    for item in &given.items {
        if give.common.json {
            output.json(item)?;
            continue;
        }
        let said = match (&item.error, &item.effect) {
            (Some(error), _) => error["detail"].as_str().unwrap_or("It was refused.").to_owned(),
            (None, effect) => effect.as_ref().map_or_else(String::new, |effect| effect.words()[1..].join(" ")),
        };
        output.line(format!("{}  {}", shown(&item.id), shown(&said)).trim_end())?;
    }
    output.flush()?;
    if given.refused > 0 {
        return Err(Failure::Reported(6));
    }
    if give.preview && !give.common.quiet {
        note("Nothing was changed.");
    }
    Ok(())
}

async fn take_away(remove: &Remove) -> Result<(), Failure> {
    let api = Api::connect(&remove.common)?;
    let removed = api.order(Method::DELETE, &format!("/admin/plans/{}", remove.id)).await;
    removed.map_err(|failure| failure.about(remove.id))
}
