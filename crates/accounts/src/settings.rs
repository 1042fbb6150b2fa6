//! Settings of the whole server that administrators change while it runs.
//!
//! Each has a default from the configuration. What administrators say stands in one row of the database, and counts on every
//! gateway within [`TRUST`]: whoever finds what it knows older than that looks again, and works with what it knew if it cannot.
//! Units of work take [`Settings::known`], since they must not wait for a second connection.

use std::{net::IpAddr, sync::Arc, time::Duration};

use base::Clock;
use db::{Db, Lane};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::{Accounts, AdminDeed, Error, Permission, Principal, Registrations};

/// The row that holds what administrators said: a JSON object.
const ROW: &str = "server-settings";

/// How long what was read is taken for true.
const TRUST: Duration = Duration::from_secs(2);

/// Days that a setting may say.
const DAYS_MAX: u64 = 36_500;

/// Versions of a file that a setting may say.
const VERSIONS_MAX: u64 = 10_000;

/// What holds for the whole server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// What the server calls itself: where people sign in, and in letters.
    pub name: String,
    /// A line for people who sign in; may be empty.
    pub welcome: String,
    /// Who may make an account.
    pub registration: Registrations,
    /// Whether people who do not administer may make spaces of teams.
    pub team_spaces: bool,
    /// Days that a trash keeps something where neither its space nor a plan says so; 0 for ever.
    pub trash_days: u32,
    /// Versions of a file that are kept where neither its space nor a plan says so.
    pub versions_kept: u32,
    /// Days that a version is kept after another one took its place; 0 for no bound by age.
    pub version_days: u32,
    /// Whether links work.
    pub links: bool,
    /// Whether a new link needs a password.
    pub link_password: bool,
    /// Days that a link lives at most; 0 for no bound.
    pub link_days: u32,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            name: "Holdfast".to_owned(),
            welcome: String::new(),
            registration: Registrations::Open,
            team_spaces: true,
            trash_days: 30,
            versions_kept: 10,
            version_days: 0,
            links: true,
            link_password: false,
            link_days: 0,
        }
    }
}

/// A setting as administrators see it.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingView {
    /// By which it is changed.
    pub key: &'static str,
    /// What holds.
    pub value: Value,
    /// What the configuration says.
    pub default: Value,
    /// Whether administrators said it; else it is the default.
    pub changed: bool,
    /// What it is for, and which values it takes.
    pub meaning: &'static str,
}

/// One setting: its key, its meaning, and how it is read and written.
struct Setting {
    key: &'static str,
    meaning: &'static str,
    get: fn(&Values) -> Value,
    /// False if that is no value of it.
    set: fn(&mut Values, &Value) -> bool,
}

const ALL: [Setting; 10] = [
    Setting {
        key: "name",
        meaning: "What the server calls itself, where people sign in and in letters: 1 to 100 characters.",
        get: |values| json!(values.name),
        set: |values, given| line(given, 1, 100).map(|text| values.name = text).is_some(),
    },
    Setting {
        key: "welcome",
        meaning: "A line for people who sign in: up to 500 characters; none if it is empty.",
        get: |values| json!(values.welcome),
        set: |values, given| line(given, 0, 500).map(|text| values.welcome = text).is_some(),
    },
    Setting {
        key: "registration",
        meaning: "Who may make an account: `open` for anybody, `invitation` for whoever was invited, `closed` for nobody.",
        get: |values| json!(values.registration.as_str()),
        set: |values, given| {
            given.as_str().and_then(Registrations::parse).map(|word| values.registration = word).is_some()
        },
    },
    Setting {
        key: "team_spaces",
        meaning: "Whether people who do not administer accounts may make spaces of teams: true or false.",
        get: |values| json!(values.team_spaces),
        set: |values, given| given.as_bool().map(|word| values.team_spaces = word).is_some(),
    },
    Setting {
        key: "trash_days",
        meaning: "Days that a trash keeps something where neither its space nor a plan says so: 0, for ever, to 36500.",
        get: |values| json!(values.trash_days),
        set: |values, given| number(given, 0, DAYS_MAX).map(|days| values.trash_days = days).is_some(),
    },
    Setting {
        key: "versions_kept",
        meaning: "Versions of a file that are kept where neither its space nor a plan says so: 1 to 10000.",
        get: |values| json!(values.versions_kept),
        set: |values, given| number(given, 1, VERSIONS_MAX).map(|count| values.versions_kept = count).is_some(),
    },
    Setting {
        key: "version_days",
        meaning: "Days that a version is kept after another one took its place, where its space says nothing: 0, for no bound, \
                  to 36500.",
        get: |values| json!(values.version_days),
        set: |values, given| number(given, 0, DAYS_MAX).map(|days| values.version_days = days).is_some(),
    },
    Setting {
        key: "links",
        meaning: "Whether links work: true or false. While they do not, none can be made, and those there are let nobody in.",
        get: |values| json!(values.links),
        set: |values, given| given.as_bool().map(|word| values.links = word).is_some(),
    },
    Setting {
        key: "link_password",
        meaning: "Whether a link needs a password: true or false. Links that have none stay as they are.",
        get: |values| json!(values.link_password),
        set: |values, given| given.as_bool().map(|word| values.link_password = word).is_some(),
    },
    Setting {
        key: "link_days",
        meaning: "Days that a link lives at most, from when that is said: 0, for no bound, to 36500. Links that live longer stay \
                  as they are.",
        get: |values| json!(values.link_days),
        set: |values, given| number(given, 0, DAYS_MAX).map(|days| values.link_days = days).is_some(),
    },
];

/// A line of text, tidied.
fn line(given: &Value, least: usize, most: usize) -> Option<String> {
    let text = given.as_str()?.trim();
    let count = text.chars().count();
    let good = (least..=most).contains(&count) && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
}

fn number(given: &Value, least: u64, most: u64) -> Option<u32> {
    let number = given.as_u64().filter(|number| (least..=most).contains(number))?;
    u32::try_from(number).ok()
}

/// The settings of a server. Cheap to clone.
#[derive(Clone)]
pub struct Settings(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Arc<dyn Clock>,
    defaults: Values,
    seen: Mutex<Seen>,
}

struct Seen {
    values: Arc<Values>,
    /// When somebody last set out to look, by the monotonic clock.
    at: Option<Duration>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Settings").field(&self.known()).finish()
    }
}

impl Settings {
    /// The settings in this database, with what the configuration says.
    pub fn new(db: Db, clock: Arc<dyn Clock>, defaults: Values) -> Self {
        let seen = Mutex::new(Seen { values: Arc::new(defaults.clone()), at: None });
        Self(Arc::new(Inner { db, clock, defaults, seen }))
    }

    /// What held at the last look, without another one.
    pub fn known(&self) -> Arc<Values> {
        self.0.seen.lock().values.clone()
    }

    /// What holds, looked up anew if the last look is longer ago than it is trusted.
    pub async fn fresh(&self) -> Arc<Values> {
        let now = self.0.clock.elapsed();
        {
            let mut seen = self.0.seen.lock();
            match seen.at {
                Some(at) if now.saturating_sub(at) < TRUST => return seen.values.clone(),
                // One looks, the others go on with what is known meanwhile; at the very first look all wait.
                Some(_) => seen.at = Some(now),
                None => {}
            }
        }
        match self.said().await {
            Ok(said) => self.learn(&said, now),
            Err(error) => {
                tracing::warn!(%error, "the settings cannot be read; what was known of them holds on");
                self.known()
            }
        }
    }

    fn learn(&self, said: &Map<String, Value>, now: Duration) -> Arc<Values> {
        let values = Arc::new(self.with(said));
        let mut seen = self.0.seen.lock();
        seen.values = values.clone();
        seen.at = Some(now);
        values
    }

    /// The defaults, with what administrators said. What a newer version said and this one does not know is passed over.
    fn with(&self, said: &Map<String, Value>) -> Values {
        let mut values = self.0.defaults.clone();
        for setting in &ALL {
            if let Some(given) = said.get(setting.key)
                && !(setting.set)(&mut values, given)
            {
                tracing::warn!(key = setting.key, "a setting has a value that it cannot have; its default holds");
            }
        }
        values
    }

    /// What administrators said.
    async fn said(&self) -> Result<Map<String, Value>, Error> {
        read(db::nodes::setting(&self.0.db, ROW).await?.as_deref())
    }

    fn views(&self, said: &Map<String, Value>) -> Vec<SettingView> {
        let values = self.with(said);
        let view = |setting: &Setting| SettingView {
            key: setting.key,
            value: (setting.get)(&values),
            default: (setting.get)(&self.0.defaults),
            changed: said.contains_key(setting.key),
            meaning: setting.meaning,
        };
        ALL.iter().map(view).collect()
    }
}

fn read(text: Option<&str>) -> Result<Map<String, Value>, Error> {
    match text {
        None => Ok(Map::new()),
        Some(text) => serde_json::from_str(text).map_err(|_| Error::Damaged("the settings")),
    }
}

impl Accounts {
    /// The settings of the server.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// All settings with their defaults.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`; [`Error::Database`].
    pub async fn list_settings(&self, principal: &Principal) -> Result<Vec<SettingView>, Error> {
        principal.needs(Permission::AdminUsers)?;
        Ok(self.settings().views(&self.settings().said().await?))
    }

    /// Changes settings, all or none of them; `null` goes back to the default. Of two changes at once none is lost.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`; [`Error::SettingInvalid`]; [`Error::Database`].
    pub async fn change_settings(
        &self,
        principal: &Principal,
        changes: Map<String, Value>,
        from: IpAddr,
    ) -> Result<Vec<SettingView>, Error> {
        principal.needs(Permission::AdminUsers)?;
        for (key, value) in &changes {
            let setting = ALL.iter().find(|setting| setting.key == key);
            let setting = setting.ok_or_else(|| Error::SettingInvalid(format!("there is no setting `{key}`")))?;
            if !value.is_null() && !(setting.set)(&mut self.settings().0.defaults.clone(), value) {
                return Err(Error::SettingInvalid(format!("`{key}` cannot be that. {}", setting.meaning)));
            }
        }
        // Whoever was faster is read and taken along; each attempt fails only if somebody else got through.
        for _ in 0..16 {
            let old = db::nodes::setting(&self.0.db, ROW).await?;
            let before = read(old.as_deref())?;
            let mut said = before.clone();
            for (key, value) in &changes {
                match value {
                    Value::Null => said.remove(key),
                    value => said.insert(key.clone(), value.clone()),
                };
            }
            if said == before {
                return Ok(self.settings().views(&said));
            }
            let new = Value::Object(said.clone()).to_string();
            let shown = |of: &Map<String, Value>| -> Map<String, Value> {
                changes.keys().map(|key| (key.clone(), of.get(key).cloned().unwrap_or_default())).collect()
            };
            let detail = json!({ "before": shown(&before), "after": shown(&said) });
            let (accounts, principal) = (self.clone(), *principal);
            let written = self
                .0
                .db
                .write(Lane::Free, async move |tx| {
                    if !db::nodes::swap_setting(&tx, ROW, old.as_deref(), &new).await? {
                        return Ok::<_, Error>(false);
                    }
                    accounts.log_admin(&tx, AdminDeed::SettingsChanged, (&principal, from), None, detail).await?;
                    Ok(true)
                })
                .await?;
            if written {
                self.settings().learn(&said, self.0.clock.elapsed());
                return Ok(self.settings().views(&said));
            }
        }
        Err(Error::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_and_every_key_stands_once() {
        let defaults = Values::default();
        for setting in &ALL {
            assert!((setting.set)(&mut defaults.clone(), &(setting.get)(&defaults)), "{}", setting.key);
            assert_eq!(ALL.iter().filter(|other| other.key == setting.key).count(), 1);
        }
    }

    #[test]
    fn values_are_checked() {
        let take = |key: &str, value: Value| {
            let setting = ALL.iter().find(|setting| setting.key == key).expect("a setting");
            let mut values = Values::default();
            (setting.set)(&mut values, &value).then(|| (setting.get)(&values))
        };
        for (key, value) in [
            ("name", json!("")),
            ("name", json!("a\nb")),
            ("name", json!("x".repeat(101))),
            ("name", json!(5)),
            ("registration", json!("perhaps")),
            ("links", json!("true")),
            ("trash_days", json!(-1)),
            ("trash_days", json!(36_501)),
            ("versions_kept", json!(0)),
            ("versions_kept", json!(1.5)),
        ] {
            assert_eq!(take(key, value.clone()), None, "{key} {value}");
        }
        assert_eq!(take("name", json!(" The archive ")), Some(json!("The archive")));
        assert_eq!(take("welcome", json!("")), Some(json!("")));
        assert_eq!(take("registration", json!("invitation")), Some(json!("invitation")));
        assert_eq!(take("link_days", json!(30)), Some(json!(30)));
    }
}
