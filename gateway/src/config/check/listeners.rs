//! Checks of `[server]`, `[admin]` and `[store]`.

use std::net::SocketAddr;

use super::Check;
use crate::config::admin::SHORTEST_PASSWORD;
use crate::config::tree::Route;
use crate::config::{Backend, TimeoutOverrides};
use crate::domain::{Timespan, key_material};

impl Check<'_> {
    pub(super) fn listeners(&mut self) {
        let listen = &self.config.server.listen;
        let route = Route::keys(&["server", "listen"]);
        if listen.is_empty() {
            let help = Some("write at least one address, as in `listen = [\"127.0.0.1:8080\"]`".to_owned());
            self.report(&route, "the gateway listens nowhere", "no address", help);
        }
        for (index, address) in listen.iter().enumerate() {
            if listen.iter().take(index).any(|other| collide(other.0, address.0)) {
                let message = format!("`{address}` is taken by another address of the list");
                self.report(&route.index(index), message, "taken", None);
            }
        }
        self.proxy_of(self.config.server.proxy.as_ref(), &Route::keys(&["server", "proxy"]));
        self.admin();
        self.oidc();
    }

    fn admin(&mut self) {
        let admin = &self.config.admin;
        let route = Route::keys(&["admin", "listen"]);
        if self.config.server.listen.iter().any(|address| collide(address.0, admin.listen.0)) {
            let message = format!("`{}` is taken by `server.listen`", admin.listen);
            self.report(&route, message, "taken", Some("give the admin side a port of its own".to_owned()));
        }
        let password = admin.password.as_ref().map(|password| password.expose().chars().count());
        match password {
            Some(0) => {
                let route = Route::keys(&["admin", "password"]);
                let help = Some("leave the key out to have one made at the first start".to_owned());
                self.report(&route, "the admin password is empty", "empty", help);
            }
            Some(length) if length < SHORTEST_PASSWORD => {
                let route = Route::keys(&["admin", "password"]);
                let message = format!("the admin password has fewer than {SHORTEST_PASSWORD} characters");
                self.report(&route, message, "too short", None);
            }
            _ => {}
        }
    }

    pub(super) fn timeouts(&mut self) {
        let base = &self.config.server.timeouts;
        let all = TimeoutOverrides {
            connect: Some(base.connect),
            first_token: Some(base.first_token),
            idle: Some(base.idle),
            total: Some(base.total),
        };
        self.timeouts_at(&Route::keys(&["server", "timeouts"]), &all);
        for (name, provider) in &self.config.providers {
            self.timeouts_at(&Route::keys(&["providers", name, "timeouts"]), &provider.timeouts);
        }
        for (name, model) in &self.config.models {
            self.timeouts_at(&Route::keys(&["models", name, "timeouts"]), &model.timeouts);
        }
    }

    fn timeouts_at(&mut self, route: &Route, timeouts: &TimeoutOverrides) {
        let named = [
            ("connect", timeouts.connect),
            ("first_token", timeouts.first_token),
            ("idle", timeouts.idle),
            ("total", timeouts.total),
        ];
        for (name, timespan) in named {
            if timespan == Some(Timespan::default()) {
                let route = route.key(name);
                self.report(&route, format!("`{route}` is zero: nothing could ever succeed"), "zero", None);
            }
        }
    }

    pub(super) fn store(&mut self) {
        let store = &self.config.store;
        let route = Route::keys(&["store", "url"]);
        let url = store.url.as_ref().map(|url| url.expose());
        if store.backend == Backend::Redis && url.is_none() && !self.dropped.contains(&route) {
            let route = Route::keys(&["store", "backend"]);
            let help = Some("set `store.url`, as in \"redis://10.0.0.5:6379\"".to_owned());
            self.report(&route, "the store `redis` has no address", "without `store.url`", help);
        }
        let scheme = |url: &str| url.starts_with("redis://") || url.starts_with("rediss://");
        if url.is_some_and(|url| !scheme(url)) {
            let help = Some("write \"redis://host:port\", or \"rediss://host:port\" for TLS".to_owned());
            self.report(&route, "`store.url` is not the address of a Redis server", "not understood", help);
        }
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if store.prefix.is_empty() || !store.prefix.chars().all(is_plain) {
            let help = Some("write letters, digits, `-` and `_`, as in \"causeway\"".to_owned());
            let route = Route::keys(&["store", "prefix"]);
            self.report(&route, "`store.prefix` cannot begin the name of a key", "not understood", help);
        }
        for (name, time) in [("connect_timeout", store.connect_timeout), ("timeout", store.timeout)] {
            if time.get().is_zero() {
                let route = Route::keys(&["store", name]);
                self.report(
                    &route,
                    format!("`store.{name}` is zero: nothing could ever succeed"),
                    "zero",
                    None,
                );
            }
        }
        if !(0.0..=1.0).contains(&store.lease.share) {
            let route = Route::keys(&["store", "lease", "share"]);
            self.report(&route, "`store.lease.share` is no share", "not between 0 and 1", None);
        }
        if store.lease.usd.get() < 0 {
            let route = Route::keys(&["store", "lease", "usd"]);
            self.report(&route, "`store.lease.usd` is below zero", "negative", None);
        }
        self.master_keys();
    }

    fn master_keys(&mut self) {
        let store = &self.config.store;
        let route = Route::keys(&["store", "master_key"]);
        let make = || Some("`openssl rand -base64 32` makes one".to_owned());
        if let Some(Err(why)) = store.master_key.as_ref().map(key_material::read) {
            self.report(&route, format!("the master key {why}"), "not a master key", make());
        }
        let missing = store.master_key.is_none() && !self.dropped.contains(&route);
        if missing && store.backend == Backend::Redis {
            let message = "the store `redis` keeps secrets for several nodes and has no master key";
            let help = Some("set `store.master_key`, the same on every node".to_owned());
            self.report(&Route::keys(&["store", "backend"]), message, "without `store.master_key`", help);
        }
        let route = Route::keys(&["store", "old_master_keys"]);
        for (index, old) in store.old_master_keys.iter().enumerate() {
            if let Err(why) = key_material::read(old) {
                self.report(
                    &route.index(index),
                    format!("a master key of before {why}"),
                    "not a master key",
                    None,
                );
            }
        }
        if missing && !store.old_master_keys.is_empty() {
            let help = Some("set `store.master_key` to the new one".to_owned());
            self.report(
                &route,
                "there are master keys of before and none of now",
                "without `store.master_key`",
                help,
            );
        }
    }
}

/// True when the second cannot be bound after the first. Port 0 is a free one each time.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let same_ip = one.ip() == other.ip()
        || one.is_ipv4() == other.is_ipv4() && (one.ip().is_unspecified() || other.ip().is_unspecified());
    one.port() != 0 && one.port() == other.port() && same_ip
}
