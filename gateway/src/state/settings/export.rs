//! Stored settings as a file would have them, for a file.

use serde_json::{Map, Value};

use super::{InForce, SettingError, Settings};
use crate::config::{self, Section};

impl Settings {
    /// What was made through the admin API, as TOML; secrets are `${…}`, to be filled in from the environment.
    ///
    /// # Errors
    /// When a value has no form in TOML.
    pub fn export(&self) -> Result<String, SettingError> {
        let shelf = self.shelf.load();
        let mut sections = Map::new();
        for ((section, name), record) in &shelf.settings {
            let mut value = record.value.clone();
            let keys = shelf.key_ids(name);
            if let (Section::Providers, false, Some(members)) =
                (*section, keys.is_empty(), value.as_object_mut())
            {
                let masks = keys.iter().map(|_| Value::from(super::MASK)).collect();
                members.insert("keys".to_owned(), Value::Array(masks));
            }
            let members = sections.entry(section.name()).or_insert_with(|| Value::Object(Map::new()));
            if let Some(members) = members.as_object_mut() {
                members.insert(name.clone(), value);
            }
        }
        config::stored::as_file(Value::Object(sections)).map_err(SettingError::Impossible)
    }

    /// The whole configuration in force, as TOML.
    ///
    /// # Errors
    /// When a value has no form in TOML.
    pub fn export_all(&self) -> Result<String, SettingError> {
        let InForce { config, .. } = self.in_force()?;
        let told = |error: serde_json::Error| SettingError::Impossible(error.to_string());
        let mut value = serde_json::to_value(&config).map_err(told)?;
        for (name, provider) in &config.providers {
            let masks: Vec<Value> = provider.kept.keys.iter().map(|_| Value::from(super::MASK)).collect();
            let own = value.pointer_mut("/providers").and_then(|all| all.get_mut(name));
            if let Some(Value::Array(keys)) = own.and_then(|provider| provider.get_mut("keys")) {
                keys.extend(masks);
            }
        }
        config::stored::as_file(value).map_err(SettingError::Impossible)
    }
}
