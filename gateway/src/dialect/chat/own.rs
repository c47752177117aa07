//! Fields that only one vendor knows, carried along under its name.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::dialect::object::Object;

/// `{ "<vendor>": { … } }`: fields that only this vendor knows.
pub(in crate::dialect) struct Own<'a> {
    vendor: &'static str,
    fields: Object<'a>,
    /// What is left of objects whose other fields have a canonical name.
    nested: Vec<(&'static str, Object<'a>)>,
}

impl<'a> Own<'a> {
    /// No fields yet.
    pub(in crate::dialect) fn new(vendor: &'static str) -> Self {
        Self { vendor, fields: Object::default(), nested: Vec::new() }
    }

    /// Nothing when there are no such fields.
    pub(in crate::dialect) fn of(vendor: &'static str, fields: Object<'a>) -> Option<Self> {
        Self::new(vendor).with(fields)
    }

    /// Keeps what is left of the object `name`.
    pub(in crate::dialect) fn keep(&mut self, name: &'static str, left: Object<'a>) {
        if !left.is_empty() {
            self.nested.push((name, left));
        }
    }

    /// Adds the fields that nobody took.
    pub(in crate::dialect) fn with(mut self, fields: Object<'a>) -> Option<Self> {
        self.fields = fields;
        (!self.fields.is_empty() || !self.nested.is_empty()).then_some(self)
    }
}

impl Serialize for Own<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.vendor, &Inside(self))?;
        map.end()
    }
}

/// The object under the vendor's name.
struct Inside<'o, 'a>(&'o Own<'a>);

impl Serialize for Inside<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.0.fields.0 {
            map.serialize_entry(name, value)?;
        }
        for (name, value) in &self.0.nested {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
