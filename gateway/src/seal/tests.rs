//! Boxes open where they belong and nowhere else.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::{Closed, KeyId, Keys, MasterKey, Purpose, closed_with, file};
use crate::domain::Secret;

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "Dx8vP09fb3+Pn6+/z9/v/xAgMEBQYHCAkKCwwNDg8AE=";

fn keys(current: &str, older: &[&str]) -> Keys {
    let older: Vec<Secret> = older.iter().map(|text| Secret::new(*text)).collect();
    Keys::read(&Secret::new(current), &older).unwrap()
}

fn master() -> MasterKey {
    MasterKey::with_new_root(keys(HEX, &[])).unwrap()
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("causeway-seal-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_box_opens_under_the_same_words_only() {
    let master = master();
    let plain = Secret::new("sk-canary-0123456789");
    let about = ["provider/acme/7", "acme", "https://api.acme.test:443"];
    let sealed = master.seal(Purpose::ProviderKey, &about, &plain).unwrap();
    assert_eq!(master.open(Purpose::ProviderKey, &about, &sealed), Ok(plain.clone()));
    let joined = ["provider/acme/7acme", "", "https://api.acme.test:443"];
    for other in [
        &["provider/acme/8", "acme", "https://api.acme.test:443"][..],
        &["provider/acme/7", "acne", "https://api.acme.test:443"],
        &["provider/acme/7", "acme", "https://api.acme.test:444"],
        &["provider/acme/7", "acme"],
        &joined,
    ] {
        assert_eq!(master.open(Purpose::ProviderKey, other, &sealed), Err(Closed::Elsewhere), "{other:?}");
    }
    assert_eq!(master.open(Purpose::Setting, &about, &sealed), Err(Closed::Elsewhere));
    assert!(!sealed.windows(4).any(|window| window == b"cana"), "the plain text shows");
}

#[test]
fn one_changed_bit_anywhere_is_noticed() {
    let master = master();
    let sealed = master.seal(Purpose::ProviderKey, &["a"], &Secret::new("secret")).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(master.open(Purpose::ProviderKey, &["a"], &changed).is_err(), "byte {at}");
    }
    for length in 0..sealed.len() {
        assert!(master.open(Purpose::ProviderKey, &["a"], &sealed[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn the_same_text_is_never_sealed_the_same_way_twice() {
    let master = master();
    let seal = || master.seal(Purpose::ProviderKey, &["a"], &Secret::new("secret")).unwrap();
    let boxes: HashSet<Vec<u8>> = (0..100).map(|_| seal()).collect();
    assert_eq!(boxes.len(), 100);
}

#[test]
fn purposes_have_keys_of_their_own() {
    let master = master();
    let mut seen: HashSet<[u8; 32]> = Purpose::ALL.map(|purpose| master.derive(purpose)).into();
    assert_eq!(seen.len(), Purpose::ALL.len());
    // The root's keys are not the master key's.
    seen.extend(Purpose::ALL.map(|purpose| keys(HEX, &[]).current().derive(purpose)));
    assert_eq!(seen.len(), 2 * Purpose::ALL.len());
    let names: HashSet<_> = Purpose::ALL.map(Purpose::name).into();
    assert_eq!(names.len(), Purpose::ALL.len());
    assert!(Purpose::ALL.iter().all(|purpose| Purpose::named(purpose.name()) == Some(*purpose)));
}

#[test]
fn a_box_of_an_older_key_opens_and_tells_whose_it_is() {
    let before = master();
    let sealed = before.seal(Purpose::ProviderKey, &["a"], &Secret::new("secret")).unwrap();
    let root = before.sealed_root().unwrap();
    let old = before.keys().current().id();
    let after = MasterKey::with_sealed_root(keys(OTHER, &[HEX]), &root).unwrap();
    assert_eq!(after.derive(Purpose::VirtualKeyHash), before.derive(Purpose::VirtualKeyHash));
    assert_eq!(after.open(Purpose::ProviderKey, &["a"], &sealed), Ok(Secret::new("secret")));
    assert_eq!(closed_with(&sealed), Ok(old));
    let again = after.seal(Purpose::ProviderKey, &["a"], &Secret::new("secret")).unwrap();
    assert_eq!(closed_with(&again), Ok(after.keys().current().id()));
    let without = MasterKey::with_sealed_root(keys(OTHER, &[]), &root);
    assert_eq!(without.err(), Some(Closed::UnknownKey(old)));
    assert_eq!(KeyId::parse(&old.to_string()), Some(old));
}

#[test]
fn keys_are_read_as_they_are_written_and_never_shown() {
    let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let id = keys(HEX, &[]).current().id();
    for text in [base64, base64.trim_end_matches('='), &HEX.to_uppercase(), &format!(" {HEX}\n")] {
        assert_eq!(keys(text, &[]).current().id(), id, "{text}");
    }
    // `+` and `/`, or `-` and `_`.
    assert_eq!(
        keys(OTHER, &[]).current().id(),
        keys(&OTHER.replace('+', "-").replace('/', "_"), &[]).current().id()
    );
    let long = HEX.repeat(40);
    for (text, why) in [
        ("", "is 0 bytes long"),
        ("changeme", "is 6 bytes long"),
        (&HEX[..62], "is 31 bytes long"),
        ("this is a passphrase, and quite a long one at that", "neither base64 nor"),
        (&long, "1024 are the most"),
        (&"00".repeat(32), "one byte over and over"),
    ] {
        let refused = Keys::read(&Secret::new(text), &[]).unwrap_err();
        assert!(refused.contains(why), "{text}: {refused}");
        assert!(text.len() < 8 || !refused.contains(&text[..8]), "{refused}");
    }
    assert!(!format!("{:?} {:?}", keys(HEX, &[OTHER]), master()).contains("000102"));
}

#[test]
fn a_folder_keeps_its_key() {
    let folder = Folder::new("keeps");
    assert!(file::read(&folder.0).unwrap().is_none());
    let made = file::read_or_make(&folder.0).unwrap();
    let again = file::read_or_make(&folder.0).unwrap();
    assert_eq!(made.current().id(), again.current().id());
    let mode = std::fs::metadata(file::path_in(&folder.0)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let next = again.with_new().unwrap();
    file::replace(&folder.0, &next).unwrap();
    let read = file::read(&folder.0).unwrap().unwrap();
    assert_eq!(read.ids().collect::<Vec<_>>(), next.ids().collect::<Vec<_>>());
    assert_eq!(read.ids().count(), 2);
    file::replace(&folder.0, &next.without_older()).unwrap();
    assert_eq!(file::read(&folder.0).unwrap().unwrap().ids().count(), 1);
    let left: Vec<_> = std::fs::read_dir(&folder.0).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_key_others_may_read_is_refused() {
    let folder = Folder::new("refused");
    file::read_or_make(&folder.0).unwrap();
    let path = file::path_in(&folder.0);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = file::read(&folder.0).unwrap_err();
    assert!(refused.contains("0640") && refused.contains("chmod 600"), "{refused}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for (text, why) in [("", "empty"), ("# nothing\n", "empty"), ("nonsense!\n", "neither base64 nor")] {
        std::fs::write(&path, text).unwrap();
        let refused = file::read(&folder.0).unwrap_err();
        assert!(refused.contains(why) && refused.contains("master.key"), "{refused}");
        assert!(file::read_or_make(&folder.0).is_err(), "a broken key is not replaced");
    }
}
