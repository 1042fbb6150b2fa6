//! Writes `docs/generated/config.md` and `docs/generated/holdfast.toml` from the types of the configuration, and checks that
//! both are true: each key that the program knows is there once, with its default, and the example can be read.
//!
//! Meanings are the doc comments of the fields, defaults are those of [`Config::default`]; neither is written twice.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use clap::CommandFactory;

use super::{ADMIN_PASSWORD, CLUSTER_SECRET, Config, DATABASE, MAIL_PASSWORD, Oidc, REDIS, REDIS_PASSWORD};
use crate::cli::Cli;

const SOURCES: [&str; 2] = [include_str!("../config.rs"), include_str!("sections.rs")];

/// Keys whose value an environment variable gives. Those of flags are read from the command line's definition.
const VARIABLES: [(&str, &str); 5] = [
    ("database", DATABASE),
    ("redis", REDIS),
    ("redis_password", REDIS_PASSWORD),
    ("cluster_secret", CLUSTER_SECRET),
    ("mail.password", MAIL_PASSWORD),
];

/// Variables that are no key of the file.
const OTHERS: [(&str, &str); 2] = [
    (ADMIN_PASSWORD, "The password of the account `admin`, read by the first start only, which makes the account."),
    ("HOLDFAST_PASSWORD", "The password for `holdfast login` where nobody is there to type it."),
];

/// What the example shows for keys that have no default.
const EXAMPLES: [(&str, &str); 26] = [
    ("database", "\"postgres://holdfast:PASSWORD@db.internal/holdfast\""),
    ("redis", "\"redis://redis.internal:6379\""),
    ("redis_password", "\"of Redis\""),
    ("redis_password_file", "\"/etc/holdfast/redis-password\""),
    ("cluster_secret", "\"the same for all processes\""),
    ("cluster_secret_file", "\"/etc/holdfast/cluster-secret\""),
    ("accounts.quota", "\"100 GiB\""),
    ("gateway.public_url", "\"https://files.example.org\""),
    ("mail.server", "\"smtps://files@mail.example.org\""),
    ("mail.from", "\"Files <files@example.org>\""),
    ("mail.password", "\"of the mail server\""),
    ("mail.password_file", "\"/etc/holdfast/mail-password\""),
    ("oidc.id", "\"company\""),
    ("oidc.name", "\"Company account\""),
    ("oidc.issuer", "\"https://id.example.org/realms/company\""),
    ("oidc.client_id", "\"holdfast\""),
    ("oidc.client_secret", "\"of this server\""),
    ("oidc.client_secret_file", "\"/etc/holdfast/oidc-secret\""),
    ("drive.team_quota", "\"1 TiB\""),
    ("node.id", "\"nod_0197f3c6b1d07c3a9d2e5f60718293a4\""),
    ("node.listen", "\"0.0.0.0:7001\""),
    ("node.advertise", "\"http://node-1.internal:7001\""),
    ("node.join", "[\"http://gateway-1.internal:8080\", \"http://gateway-2.internal:8080\"]"),
    ("node.capacity", "\"2 TiB\""),
    ("files.parity", "2"),
    ("trace.otlp", "\"http://127.0.0.1:4317\""),
];

/// A field of a struct of the configuration.
struct Field {
    name: String,
    type_name: String,
    meaning: String,
}

/// A key of the file.
struct Key {
    path: String,
    section: String,
    /// Whether there may be several such sections.
    repeats: bool,
    type_name: String,
    meaning: String,
}

/// The fields of each struct, with their doc comments.
fn structs() -> BTreeMap<String, Vec<Field>> {
    let mut found: BTreeMap<String, Vec<Field>> = BTreeMap::new();
    let (mut current, mut meaning) = (None, String::new());
    for line in SOURCES.iter().flat_map(|source| source.lines()) {
        let text = line.trim();
        if let Some(name) = text.strip_prefix("pub(crate) struct ").and_then(|rest| rest.strip_suffix(" {")) {
            current = Some(name.to_owned());
        } else if line == "}" {
            current = None;
        } else if let Some(comment) = text.strip_prefix("///") {
            meaning.push_str(comment);
            continue;
        } else if text.starts_with("#[") {
            continue;
        } else if let (Some(name), Some(field)) = (&current, text.strip_prefix("pub(crate) "))
            && let Some((field, type_name)) = field.trim_end_matches(',').split_once(": ")
        {
            found.entry(name.clone()).or_default().push(Field {
                name: field.to_owned(),
                type_name: type_name.to_owned(),
                meaning: meaning.trim().to_owned(),
            });
        }
        meaning.clear();
    }
    found
}

/// The words of each enum, as they are written in the file.
fn enums() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = None;
    for line in SOURCES.iter().chain([&include_str!("../cli.rs")]).flat_map(|source| source.lines()) {
        if let Some(name) = line.strip_prefix("pub(crate) enum ").and_then(|rest| rest.strip_suffix(" {")) {
            current = Some(name.to_owned());
        } else if line == "}" {
            current = None;
        } else if let Some(name) = &current
            && let Some(word) = line.trim().strip_suffix(',').filter(|word| word.chars().all(char::is_alphanumeric))
        {
            let mut kebab = String::new();
            for letter in word.chars() {
                if letter.is_uppercase() && !kebab.is_empty() {
                    kebab.push('-');
                }
                kebab.extend(letter.to_lowercase());
            }
            found.entry(name.clone()).or_default().push(kebab);
        }
    }
    found
}

/// All keys in the order of the sources, top level first.
fn keys() -> Vec<Key> {
    let structs = structs();
    let mut keys = Vec::new();
    let mut sections = Vec::new();
    for field in &structs["Config"] {
        match structs.contains_key(element(&field.type_name)) {
            true => sections.push(field),
            false => keys.push(Key {
                path: field.name.clone(),
                section: String::new(),
                repeats: false,
                type_name: field.type_name.clone(),
                meaning: field.meaning.clone(),
            }),
        }
    }
    for section in sections {
        for field in &structs[element(&section.type_name)] {
            keys.push(Key {
                repeats: section.type_name.starts_with("Vec<"),
                path: format!("{}.{}", section.name, field.name),
                section: section.name.clone(),
                type_name: field.type_name.clone(),
                meaning: field.meaning.clone(),
            });
        }
    }
    keys
}

/// What a list is of, or the type itself.
fn element(type_name: &str) -> &str {
    type_name.strip_prefix("Vec<").and_then(|rest| rest.strip_suffix('>')).unwrap_or(type_name)
}

/// The defaults by key, as TOML writes them.
fn defaults() -> BTreeMap<String, String> {
    let table = toml::Table::try_from(Config::default()).expect("defaults are TOML");
    let mut found = BTreeMap::new();
    let each = toml::Table::try_from(Oidc::default()).expect("defaults are TOML");
    let has_default = |key: &str| !EXAMPLES.iter().any(|(path, _)| path.strip_prefix("oidc.") == Some(key));
    let each = each.into_iter().filter(|(key, _)| has_default(key));
    found.extend(each.map(|(key, value)| (format!("oidc.{key}"), value.to_string())));
    for (name, value) in table {
        match value {
            toml::Value::Table(section) => {
                found.extend(section.into_iter().map(|(key, value)| (format!("{name}.{key}"), value.to_string())));
            }
            value => {
                found.insert(name, value.to_string());
            }
        }
    }
    found
}

/// Type and unit of a key, as people call them.
fn described(key: &Key, enums: &BTreeMap<String, Vec<String>>) -> (String, &'static str) {
    let inner = key.type_name.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>')).unwrap_or(&key.type_name);
    let is_list = inner.starts_with("Vec<");
    let words = |words: &Vec<String>| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let one = match element(inner) {
        "PathBuf" => "path".to_owned(),
        "SocketAddr" => "address and port".to_owned(),
        "String" => "text".to_owned(),
        "Secret" => "secret text".to_owned(),
        "NodeId" => "id (`nod_…`)".to_owned(),
        "ByteSize" => "size".to_owned(),
        "u32" | "usize" => "number".to_owned(),
        "bool" => "`true` or `false`".to_owned(),
        "BTreeMap<String, String>" => "table: text for each name".to_owned(),
        "BTreeMap<String, Vec<String>>" => "table: list of texts for each name".to_owned(),
        other => {
            format!("one of {}", words(enums.get(other).unwrap_or_else(|| panic!("the type {other} has no name here"))))
        }
    };
    let unit = match inner {
        "ByteSize" => "bytes",
        _ if key.path.ends_with("_seconds") => "seconds",
        _ if key.path.ends_with("_ms") => "milliseconds",
        _ if key.path.ends_with("_hours") => "hours",
        _ if key.path.ends_with("_days") => "days",
        _ => "",
    };
    (if is_list { format!("list: {one}") } else { one }, unit)
}

/// The variable that gives a key its value: that of a flag, or one of [`VARIABLES`].
fn variable_of(key: &str) -> Option<String> {
    let own = VARIABLES.iter().find(|(name, _)| *name == key).map(|(_, variable)| (*variable).to_owned());
    own.or_else(|| flags().into_iter().find(|(id, _, _)| id == key).map(|(_, variable, _)| variable))
}

/// The flags of `serve` and of client commands that an environment variable can stand for: id, variable, help.
fn flags() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for command in Cli::command().get_subcommands().filter(|command| ["serve", "ls"].contains(&command.get_name())) {
        for argument in command.get_arguments() {
            if let Some(variable) = argument.get_env() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                found.push((argument.get_id().to_string(), variable.to_string_lossy().into_owned(), help));
            }
        }
    }
    found
}

fn page() -> String {
    let (enums, defaults, keys) = (enums(), defaults(), keys());
    let mut page = String::from(
        "# Configuration\n\nWritten by a test from the program's own types. None of it is needed: without a file, a server has all roles, \
         SQLite\nand six storage nodes in the process. `--config FILE` names a TOML file; [holdfast.toml](holdfast.toml) is one with \
         every key.\nAn unknown key is an error. Precedence: default, file, environment, flags. `holdfast check --config FILE` \
         validates a file,\n`holdfast config --config FILE` prints what is in effect, secrets hidden.\n\n\
         A size is a number of bytes, or text such as `\"64 KiB\"`, `\"10 GB\"`, `\"1.5 GiB\"`.\n",
    );
    let mut section = None;
    for key in &keys {
        if section != Some(&key.section) {
            section = Some(&key.section);
            let title = match (key.section.as_str(), key.repeats) {
                ("", _) => "Top level".to_owned(),
                (section, false) => format!("`[{section}]`"),
                (section, true) => format!("`[[{section}]]`, for each one"),
            };
            let _ = write!(
                page,
                "\n## {title}\n\n| key | type | unit | default | environment | meaning |\n| --- | --- | --- | --- | --- | --- |\n"
            );
        }
        let (type_name, unit) = described(key, &enums);
        let default = defaults.get(&key.path).map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
        let variable = variable_of(&key.path).map_or_else(String::new, |variable| format!("`{variable}`"));
        let _ = writeln!(page, "| `{}` | {type_name} | {unit} | {default} | {variable} | {} |", key.path, key.meaning);
    }
    page.push_str("\n## Only in the environment\n\n| variable | meaning |\n| --- | --- |\n");
    for (variable, meaning) in OTHERS {
        let _ = writeln!(page, "| `{variable}` | {meaning} |");
    }
    for (id, variable, help) in flags() {
        if !keys.iter().any(|key| key.path == id) {
            let _ = writeln!(page, "| `{variable}` | `--{}`: {help} |", id.replace('_', "-"));
        }
    }
    page
}

/// A file with every key, all of them commented out.
fn example() -> String {
    let (defaults, keys) = (defaults(), keys());
    let mut file = String::from(
        "# Every key of Holdfast's configuration with its default, or an example where there is none.\n# Written by a test; docs/generated/config.md explains more.\n",
    );
    let mut section = String::new();
    for key in &keys {
        if section != key.section {
            section.clone_from(&key.section);
            let _ = match key.repeats {
                false => write!(file, "\n[{section}]\n"),
                true => write!(file, "\n#[[{section}]]\n"),
            };
        }
        let name = key.path.rsplit('.').next().unwrap_or_default();
        file.push('\n');
        let mut line = String::from("#");
        for word in key.meaning.split_whitespace() {
            if line.len() + word.len() > 110 {
                let _ = writeln!(file, "{line}");
                line = String::from("#");
            }
            let _ = write!(line, " {word}");
        }
        let _ = writeln!(file, "{line}");
        let shown = EXAMPLES.iter().find(|(path, _)| *path == key.path).map(|(_, value)| (*value).to_owned());
        let value = shown.or_else(|| defaults.get(&key.path).cloned());
        let value = value.unwrap_or_else(|| panic!("{} has neither default nor example", key.path));
        let _ = writeln!(file, "#{name} = {value}");
    }
    file
}

/// Writes a generated file where it differs; CI refuses the difference.
fn write_if_changed(name: &str, text: &str) {
    // Cargo runs tests in the folder of their package.
    let path = Path::new("../../docs/generated").join(name);
    if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(&path, text).expect("the file can be written");
    }
}

/// The example with those keys switched on that `wanted` says.
fn switched_on(wanted: impl Fn(&str) -> bool) -> String {
    let mut section = String::new();
    let mut text = String::new();
    // A section that repeats is there with all its keys, or not at all: its first key says which.
    let mut repeated = None;
    for line in example().lines() {
        if let Some(name) = line.strip_prefix("#[[").and_then(|rest| rest.strip_suffix("]]")) {
            section = format!("{name}.");
            let is_on = wanted(&format!("{section}id"));
            repeated = Some(is_on);
            text.push_str(if is_on { &line[1..] } else { line });
            text.push('\n');
            continue;
        }
        if line.starts_with('[') {
            repeated = None;
        }
        let wanted = |key: &str| repeated.unwrap_or_else(|| wanted(key));
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = format!("{name}.");
        }
        let setting = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ') && rest.contains(" = "));
        match setting {
            Some(setting) if wanted(&format!("{section}{}", setting.split(' ').next().unwrap_or_default())) => {
                text.push_str(setting);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_reference_and_the_example_are_written() {
    write_if_changed("config.md", &page());
    write_if_changed("holdfast.toml", &example());
}

#[test]
fn every_key_is_explained_once() {
    let keys = keys();
    assert!(keys.len() > 30, "{}", keys.len());
    for key in &keys {
        assert!(key.meaning.len() > 8, "{} has no meaning", key.path);
        assert_eq!(keys.iter().filter(|other| other.path == key.path).count(), 1, "{}", key.path);
    }
    for path in defaults().keys() {
        assert!(keys.iter().any(|key| key.path == *path), "{path} has a default and no place in the reference");
    }
}

#[test]
fn the_example_is_a_configuration_and_shows_the_defaults() {
    let all: Config = toml::from_str(&switched_on(|_| true)).expect("every line of the example can be switched on");
    let shown = all.to_toml().expect("TOML");
    for (path, _) in EXAMPLES {
        assert!(shown.contains(path.rsplit('.').next().unwrap_or_default()), "{path}\n{shown}");
    }
    let has_default = |path: &str| !EXAMPLES.iter().any(|(key, _)| *key == path);
    let usual: Config = toml::from_str(&switched_on(has_default)).expect("the example can be read");
    assert_eq!(usual.to_toml().expect("TOML"), Config::default().to_toml().expect("TOML"));
    usual.check().expect("the defaults are good");
}
