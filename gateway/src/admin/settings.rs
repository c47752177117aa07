//! Providers, models and prices: those of the file, which are only shown, and those made here.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::audit::{self, Note};
use super::caller::Caller;
use super::desk::Desk;
use super::refusal::Refusal;
use crate::config::stored::path_of;
use crate::config::{Config, Section};
use crate::domain::Secret;
use crate::state::settings::{Changed, Edit, GivenKey, SettingError, SettingRecord};

/// Where an entry was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    /// In the configuration file: it is changed there only.
    File,
    /// Here.
    Api,
}

/// An entry.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct SettingView {
    pub(super) name: String,
    source: Source,
    /// Of one made here: counts up with every change.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// When it was changed last, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    changed: Option<String>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// The file has an entry of this name, too, and that one counts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shadowed: bool,
    /// What the file would say; secrets are `***`.
    #[schema(value_type = Object)]
    settings: Value,
    /// Of a provider: the keys typed in here.
    #[serde(skip_serializing_if = "Option::is_none")]
    typed_keys: Option<Vec<KeyView>>,
}

/// A provider key typed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct KeyView {
    /// As in the list of provider keys.
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Where it may be sent; to no other address.
    origin: String,
    /// When it was typed in, in UTC.
    #[schema(format = DateTime)]
    made: String,
    by: String,
}

/// A new entry.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSetting {
    #[schema(min_length = 1, max_length = 200)]
    pub(super) name: String,
    /// What the file would say.
    #[schema(value_type = Object)]
    settings: Value,
    /// Keys of a provider.
    #[serde(default)]
    keys: Vec<NewKey>,
}

/// An entry as it shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedSetting {
    /// What the file would say, all of it. A secret that is `***` stays what it is, as long as the provider stays where it is.
    #[schema(value_type = Object)]
    settings: Value,
    /// More keys of a provider.
    #[serde(default)]
    keys: Vec<NewKey>,
    /// The version that was seen; it must still be the one.
    #[serde(default)]
    version: Option<u64>,
}

/// A provider key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    /// The key itself; it is sealed and never shown again.
    #[schema(format = Password)]
    key: String,
    /// A word on it.
    #[serde(default)]
    note: Option<String>,
}

/// What came of a change.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangedView {
    #[serde(flatten)]
    view: SettingView,
    /// Keys that were added, by id.
    added_keys: Vec<String>,
    /// Keys that are gone because the provider is at another address now, by id. Type them in again if they belong there.
    dropped_keys: Vec<String>,
}

impl NewKey {
    fn given(self) -> GivenKey {
        GivenKey { secret: Secret::new(self.key), note: self.note.filter(|note| !note.is_empty()) }
    }
}

/// Every entry of a section, in order of name.
pub(super) fn all(desk: &Desk, section: Section) -> Result<Vec<SettingView>, Refusal> {
    let config = desk.control.config();
    let shelf = desk.stored.shelf();
    let in_file = names(&config, section);
    let made = shelf.settings.keys().filter(|(own, _)| *own == section).map(|(_, name)| name.clone());
    let mut names: Vec<String> = in_file.into_iter().chain(made).collect();
    names.sort();
    names.dedup();
    names.iter().map(|name| view(desk, &config, section, name)).collect()
}

fn names(config: &Config, section: Section) -> Vec<String> {
    match section {
        Section::Providers => config.providers.keys().cloned().collect(),
        Section::Models => config.models.keys().cloned().collect(),
        Section::Prices => config.prices.keys().cloned().collect(),
    }
}

/// One entry.
pub(super) fn one(desk: &Desk, section: Section, name: &str) -> Result<SettingView, Refusal> {
    view(desk, &desk.control.config(), section, name)
}

fn view(desk: &Desk, config: &Config, section: Section, name: &str) -> Result<SettingView, Refusal> {
    let shelf = desk.stored.shelf();
    let own: Option<&SettingRecord> = shelf.settings.get(&(section, name.to_owned()));
    let missing = || Refusal::not_found(format!("there is no `{}`", path_of(section, name)));
    let settings = match own {
        Some(record) => record.value.clone(),
        None => shown(config, section, name).ok_or_else(missing)?,
    };
    let at = |seconds: u64| audit::at(seconds.saturating_mul(1000));
    let keys =
        shelf.keys.iter().filter(|((provider, _), _)| provider == name).map(|((_, id), key)| KeyView {
            id: id.clone(),
            note: key.note.clone(),
            origin: key.origin.clone(),
            made: at(key.made),
            by: key.by.clone(),
        });
    let in_force = own.is_none_or(|_| match section {
        Section::Providers => config.providers.get(name).is_some_and(|provider| provider.kept.made),
        _ => section.holds(config, name),
    });
    Ok(SettingView {
        name: name.to_owned(),
        source: if own.is_some() { Source::Api } else { Source::File },
        version: own.map(|record| record.version),
        changed: own.map(|record| at(record.changed)),
        by: own.map(|record| record.by.clone()),
        shadowed: !in_force,
        settings,
        typed_keys: (section == Section::Providers).then(|| keys.collect()),
    })
}

/// An entry of the file, with its defaults and without its secrets.
fn shown(config: &Config, section: Section, name: &str) -> Option<Value> {
    let value = match section {
        Section::Providers => serde_json::to_value(config.providers.get(name)?),
        Section::Models => serde_json::to_value(config.models.get(name)?),
        Section::Prices => serde_json::to_value(config.prices.get(name)?),
    };
    value.ok()
}

/// Makes an entry.
pub(super) async fn create(
    desk: &Desk,
    (caller, note): (&Caller, &Note),
    section: Section,
    new: NewSetting,
) -> Result<ChangedView, Refusal> {
    let NewSetting { name, settings, keys } = new;
    note.about(path_of(section, &name));
    let keys = keys.into_iter().map(NewKey::given).collect();
    let edit = Edit::Put { section, name: name.clone(), value: settings, keys, expected: Some(0) };
    let changed = change(desk, edit, caller).await?;
    told(desk, note, section, &name, changed)
}

/// Puts an entry into the place of the one of this name.
pub(super) async fn replace(
    desk: &Desk,
    (caller, note): (&Caller, &Note),
    (section, name): (Section, &str),
    changed: ChangedSetting,
) -> Result<ChangedView, Refusal> {
    note.about(path_of(section, name));
    note.before(&one(desk, section, name)?);
    let ChangedSetting { settings, keys, version } = changed;
    let keys = keys.into_iter().map(NewKey::given).collect();
    let edit = Edit::Put { section, name: name.to_owned(), value: settings, keys, expected: version };
    let changed = change(desk, edit, caller).await?;
    told(desk, note, section, name, changed)
}

/// Removes an entry.
pub(super) async fn remove(
    desk: &Desk,
    (caller, note): (&Caller, &Note),
    section: Section,
    name: &str,
) -> Result<(), Refusal> {
    note.about(path_of(section, name));
    note.before(&one(desk, section, name)?);
    change(desk, Edit::Delete { section, name: name.to_owned(), expected: None }, caller).await.map(drop)
}

/// Adds keys to a provider.
pub(super) async fn add_keys(
    desk: &Desk,
    (caller, note): (&Caller, &Note),
    provider: &str,
    keys: Vec<NewKey>,
) -> Result<ChangedView, Refusal> {
    note.about(path_of(Section::Providers, provider));
    let keys = keys.into_iter().map(NewKey::given).collect();
    let changed = change(desk, Edit::AddKeys { provider: provider.to_owned(), keys }, caller).await?;
    told(desk, note, Section::Providers, provider, changed)
}

/// Removes a key.
pub(super) async fn remove_key(
    desk: &Desk,
    (caller, note): (&Caller, &Note),
    provider: &str,
    id: &str,
) -> Result<(), Refusal> {
    note.about(format!("{}.keys.{id}", path_of(Section::Providers, provider)));
    let edit = Edit::DeleteKey { provider: provider.to_owned(), id: id.to_owned() };
    change(desk, edit, caller).await.map(drop)
}

async fn change(desk: &Desk, edit: Edit, caller: &Caller) -> Result<Changed, Refusal> {
    Ok(desk.stored.change(edit, &caller.name).await?)
}

fn told(
    desk: &Desk,
    note: &Note,
    section: Section,
    name: &str,
    changed: Changed,
) -> Result<ChangedView, Refusal> {
    let view = one(desk, section, name)?;
    let view = ChangedView { view, added_keys: changed.added, dropped_keys: changed.dropped };
    note.after(&view);
    Ok(view)
}

impl From<SettingError> for Refusal {
    fn from(error: SettingError) -> Self {
        let told = error.to_string();
        match error {
            SettingError::ReadOnly => Self::readonly(),
            SettingError::NotFound(_) => Self::not_found(told),
            SettingError::Invalid(_) => Self::invalid("settings", told),
            SettingError::Store(error) => error.into(),
            SettingError::InFile { .. } | SettingError::Changed { .. } | SettingError::Impossible(_) => {
                Self::conflict(told)
            }
        }
    }
}
