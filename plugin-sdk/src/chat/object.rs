//! One macro: a JSON object with named fields and a place for all the others.

/// Declares a struct that reads and writes a JSON object. Fields without a name end up in `rest`, in order;
/// `null` reads as absent; what is absent (see [`Absent`](crate::chat::Absent)) is not written. A derive cannot do this:
/// `#[serde(flatten)]` buffers the whole object and cannot borrow raw values. An adapter may use it for its
/// vendor's own JSON; it needs `serde` among its dependencies, and the lifetime of the fields is `'a`.
#[macro_export]
macro_rules! object {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty = $key:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default)]
        pub struct $name<'a> {
            $($(#[$doc])* pub $field: $type,)*
            /// Fields that have no name here.
            pub rest: $crate::chat::Fields<'a>,
        }

        impl<'de: 'a, 'a> $crate::serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader<'a>(std::marker::PhantomData<&'a ()>);
                impl<'de: 'a, 'a> $crate::serde::de::Visitor<'de> for Reader<'a> {
                    type Value = $name<'a>;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str("an object")
                    }

                    fn visit_map<A: $crate::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut object = $name::default();
                        while let Some(key) = map.next_key::<$crate::chat::Text<'a>>()? {
                            match &*key {
                                $($key => object.$field = map.next_value::<Option<$type>>()?.unwrap_or_default(),)*
                                _ => object.rest.0.push((key, map.next_value()?)),
                            }
                        }
                        Ok(object)
                    }
                }
                deserializer.deserialize_map(Reader(std::marker::PhantomData))
            }
        }

        impl $crate::serde::Serialize for $name<'_> {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use $crate::serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                $(if !$crate::chat::Absent::absent(&self.$field) {
                    map.serialize_entry($key, &self.$field)?;
                })*
                for (name, value) in self.rest.iter() {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }

        impl $crate::chat::Absent for $name<'_> {}
    };
}
