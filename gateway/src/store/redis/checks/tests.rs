//! What a server says of itself, and what we make of it.

use super::{Told, fit};

const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n# Memory\r\nmaxmemory:1000000\r\n\
    maxmemory_policy:noeviction\r\n# Persistence\r\nloading:0\r\naof_enabled:1\r\n# Replication\r\nrole:master\r\n";

fn refused(from: &str, to: &str) -> String {
    let told = GOOD.replace(from, to);
    assert_ne!(told, GOOD);
    fit(&Told(&told)).unwrap_err().to_string()
}

#[test]
fn a_fit_server_is_taken() {
    let server = fit(&Told(GOOD)).unwrap();
    assert_eq!((server.shown.as_str(), server.keeps), ("Redis 7.0.15", true));
    assert!(!fit(&Told(&GOOD.replace("aof_enabled:1", "aof_enabled:0"))).unwrap().keeps);
}

#[test]
fn valkey_is_known_by_its_own_number() {
    let told = GOOD
        .replace("redis_version:7.0.15", "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1");
    assert_eq!(fit(&Told(&told)).unwrap().shown, "Valkey 8.1.1");
}

#[test]
fn an_old_server_is_refused() {
    let said = refused("7.0.15", "6.2.14");
    assert!(said.contains("Redis 6.2.14") && said.contains("upgrade"), "{said}");
    assert!(refused("redis_version:7.0.15", "").contains('?'));
}

#[test]
fn a_server_that_forgets_is_refused_with_the_setting() {
    let said = refused("noeviction", "allkeys-lru");
    assert!(said.contains("maxmemory-policy allkeys-lru"), "{said}");
    assert!(said.contains("set `maxmemory-policy noeviction`"), "{said}");
    // Without a limit nothing is ever forgotten.
    let told = GOOD.replace("noeviction", "allkeys-lru").replace("maxmemory:1000000", "maxmemory:0");
    fit(&Told(&told)).unwrap();
}

#[test]
fn a_replica_is_refused() {
    let said = refused("role:master", "role:slave");
    assert!(said.contains("is a replica") && said.contains("store.url"), "{said}");
}
