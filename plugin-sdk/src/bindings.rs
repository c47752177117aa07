//! What `wit-bindgen` makes of the contract; the newest folder of `wit/`.
#![allow(missing_docs, unsafe_code, clippy::all, reason = "generated code")]

wit_bindgen::generate!({
    path: "../wit/since-v0.1.0",
    world: "adapter",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "plugin_sdk::bindings",
    generate_all,
    additional_derives: [PartialEq],
});
