//! Two hundred damages of each kind. Each is told with what to do about it, or did no harm: none shows a wrong value,
//! none an empty store, none panics, none hangs.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::super::super::suite::{Folder, Turned};
use super::super::super::{Batch, Class, Key, Mark, Space, Store, StoreError, snapshot};
use super::super::open::mark_record;
use super::super::{Place, Sled};

const CASES: u64 = 200;
const SPACES: [Space; 3] = [Space::Vault, Space::Response, Space::VirtualKey];

type Content = BTreeMap<Key, Bytes>;

/// A store that was closed, with a snapshot, and what is in it.
struct Whole {
    folder: Folder,
    content: Content,
}

fn place(folder: &Path) -> Place {
    Place { snapshots: Some(folder.join("snapshots")), ..Place::at(folder.join("sled")) }
}

impl Whole {
    async fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        fs::create_dir_all(folder.0.join("snapshots")).unwrap();
        let store = Sled::open_at(&place(&folder.0), Turned::new().1).unwrap();
        let mut content = Content::new();
        for round in 0..12_u32 {
            let mut batch = Batch::default();
            for number in 0..100_u32 {
                let number = number + 80 * round;
                let space = SPACES[number as usize % SPACES.len()];
                let key = space.key(&["tenant", &number.to_string()]);
                if number % 7 == 0 && round % 3 == 2 {
                    content.remove(&key);
                    batch = batch.delete(key);
                    continue;
                }
                let value = Bytes::from(format!("{round} {number} ").repeat(30));
                content.insert(key.clone(), value.clone());
                batch = batch.put(key, value, space.life());
            }
            store.write(batch, Class::Durable).await.unwrap();
            if round == 9 {
                let path = folder.0.join("snapshots").join(snapshot::name(7, &store.mark().unwrap()));
                snapshot::write(&store, &path, &SPACES, 7).await.unwrap();
            }
        }
        store.close().await.unwrap();
        Self { folder, content }
    }

    /// A copy of everything.
    fn copy(&self, to: &Path) {
        let _ = fs::remove_dir_all(to);
        copy(&self.folder.0, to);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// How a damaged store shows itself.
#[derive(Debug, PartialEq)]
enum Shown {
    Whole,
    Refused,
    Told,
}

async fn shown(folder: &Path, content: &Content) -> Shown {
    let opened = loop {
        match Sled::open_at(&place(folder), Turned::new().1) {
            // The engine that did the harm needs a moment to let go.
            Err(error) if error.to_string().contains("another process") => std::thread::yield_now(),
            opened => break opened,
        }
    };
    let store = match opened {
        Ok(store) => store,
        Err(error) => {
            told(&error);
            return Shown::Refused;
        }
    };
    let mut found = Content::new();
    let take = &mut |kept: Vec<_>| {
        found.extend(kept.into_iter().map(|one: super::super::super::Kept| (one.key, one.value)));
        Ok(())
    };
    let walked = store.walk(&SPACES, take).await;
    let shown = match walked {
        Ok(()) if !store.missing().is_empty() => {
            // What was named may be anything; all else is what it was.
            let named = store.missing().join(" ");
            let named = |key: &Key| named.contains(&format!("`{}`", key.space().unwrap().name()));
            assert!(!named(&Space::VirtualKey.key(&[])), "keys are never done without");
            found.retain(|key, _| !named(key));
            let expected: Content = content
                .iter()
                .filter(|(key, _)| !named(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            assert!(found == expected, "silently: {:?}", store.missing());
            Shown::Told
        }
        Ok(()) => {
            assert!(found == *content, "silently {} records instead of {}", found.len(), content.len());
            Shown::Whole
        }
        Err(error) => {
            told(&error);
            for (key, value) in content.iter().filter(|_| store.missing().is_empty()) {
                match store.get(key.clone()).await {
                    Ok(found) => assert_eq!(found.as_ref(), Some(value), "{key} is silently another"),
                    Err(error) => told(&error),
                }
            }
            Shown::Told
        }
    };
    // It may say no; it must come back.
    let _ = store.close().await;
    shown
}

fn told(error: &StoreError) {
    let text = error.to_string();
    let known = text.contains("causeway store") || text.contains("newer version of this program");
    assert!(known && !text.contains('\n'), "{error:?}");
}

/// Does harm to a copy of a store, a case at a time, and counts how it showed.
async fn each(name: &str, damage: impl Fn(&Path, &mut fastrand::Rng)) -> [usize; 3] {
    let whole = Whole::new(&format!("{name}-whole")).await;
    let folder = Folder::new(&format!("{name}-copy"));
    let mut counts = [0; 3];
    whole.copy(&folder.0);
    assert_eq!(shown(&folder.0, &whole.content).await, Shown::Whole, "without any damage");
    for case in 0..CASES {
        whole.copy(&folder.0);
        damage(&folder.0, &mut fastrand::Rng::with_seed(case));
        let looking = tokio::time::timeout(Duration::from_secs(60), shown(&folder.0, &whole.content));
        match looking.await.unwrap_or_else(|_| panic!("case {case} hangs")) {
            Shown::Whole => counts[0] += 1,
            Shown::Refused => counts[1] += 1,
            Shown::Told => counts[2] += 1,
        }
    }
    println!(
        "{name}: {} no harm, {} refused at the start, {} told when read",
        counts[0], counts[1], counts[2]
    );
    counts
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// One of the store's files; mostly the large one.
fn one(folder: &Path, random: &mut fastrand::Rng) -> PathBuf {
    if random.u8(..8) > 0 {
        return folder.join("sled/db");
    }
    let mut all = files(&folder.join("sled"));
    all.push(folder.join("sled.manifest"));
    all.retain(|path| fs::metadata(path).unwrap().len() > 0);
    all.swap_remove(random.usize(..all.len()))
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

#[tokio::test]
async fn a_bit_that_flips_is_told() {
    let counts = each("bit", |folder, random| {
        let path = one(folder, random);
        let bytes = fs::read(&path).unwrap();
        let at = random.usize(..bytes.len());
        overwrite(&path, at as u64, &[bytes[at] ^ (1 << random.u8(..8))]);
    });
    let [_, refused, told] = counts.await;
    assert!(refused + told > 100);
}

#[tokio::test]
async fn a_page_of_zeros_is_told() {
    let counts = each("zeros", |folder, random| {
        let path = one(folder, random);
        let length = fs::metadata(&path).unwrap().len();
        let at = random.u64(..length) / 4096 * 4096;
        overwrite(&path, at, &vec![0; usize::try_from((length - at).min(4096)).unwrap()]);
    });
    let [_, refused, told] = counts.await;
    assert!(refused + told > 100);
}

#[tokio::test]
async fn a_file_that_is_cut_off_is_told() {
    let counts = each("cut", |folder, random| {
        let file = OpenOptions::new().write(true).open(one(folder, random)).unwrap();
        file.set_len(random.u64(..file.metadata().unwrap().len())).unwrap();
    });
    assert!(counts.await[1] > 0);
}

#[tokio::test]
async fn a_file_that_is_missing_is_told() {
    let counts = each("missing", |folder, random| {
        let mut all = files(&folder.join("sled"));
        all.push(folder.join("sled.manifest"));
        fs::remove_file(&all[random.usize(..all.len())]).unwrap();
    });
    assert!(counts.await[1] > 0);
}

#[tokio::test]
async fn a_store_that_is_empty_all_at_once_is_refused() {
    let counts = each("empty", |folder, random| {
        let sled = folder.join("sled");
        match random.u8(..3) {
            0 => files(&sled).iter().for_each(|path| fs::remove_file(path).unwrap()),
            1 => fs::remove_dir_all(&sled).unwrap(),
            _ => fs::write(sled.join("db"), "").unwrap(),
        }
        // The snapshot remembers too.
        if random.bool() {
            fs::remove_file(folder.join("sled.manifest")).unwrap();
        }
    });
    assert_eq!(counts.await, [0, 200, 0]);
}

#[tokio::test]
async fn another_version_or_state_of_a_store_is_refused() {
    let counts = each("version", |folder, random| {
        let db = sled::Config::new().path(folder.join("sled")).open().unwrap();
        let mark: Vec<u8> = db.get(&Space::Meta.key(&["mark"]).0).unwrap().unwrap().to_vec();
        let mark = super::super::super::record::Record::decode(&Space::Meta.key(&["mark"]).0, &mark).unwrap();
        let mark: Mark = serde_json::from_slice(&mark.value).unwrap();
        let write = |mark: &Mark| {
            let (key, bytes) = mark_record(mark).unwrap();
            db.insert(key, bytes).unwrap();
        };
        match random.u8(..4) {
            0 => {
                let key = Space::Meta.key(&["format"]);
                let version = random.u32(2..).to_string().into();
                let record = super::super::super::record::Record { expires: None, value: version };
                db.insert(&key.0, record.encode(&key.0)).unwrap();
            }
            1 => write(&Mark { sequence: mark.sequence - random.u64(1..=mark.sequence), ..mark }),
            2 => write(&Mark { epoch: 0, ..mark }),
            _ => write(&Mark { store: "another".to_owned(), ..mark }),
        }
        db.flush().unwrap();
        drop(db);
    });
    assert_eq!(counts.await, [0, 200, 0]);
}
