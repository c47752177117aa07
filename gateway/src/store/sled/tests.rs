//! What only the backend on disk must show: that it is still there, and that a bad folder is told.

mod corruption;
mod rescue;

use bytes::Bytes;

use super::super::suite::{Folder, Turned};
use super::super::{Batch, Class, Space, Store, StoreError};
use super::{Disk, Sled};

fn open(folder: &Folder) -> Result<Sled, StoreError> {
    Sled::open(&folder.0, Turned::new().1)
}

/// Opens again what was dropped and not closed: its thread needs a moment to let go.
fn reopen(folder: &Folder) -> Sled {
    loop {
        match open(folder) {
            Ok(store) => return store,
            Err(error) => assert!(error.to_string().contains("another process"), "{error}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = Folder::new("restart");
    let names = ["durable", "relaxed", "noted"].map(|name| Space::Vault.key(&["k", name]));
    let [durable, relaxed, noted] = names.clone();
    {
        let store = open(&folder).unwrap();
        store.write(Batch::default().put(durable, "1", Space::Vault.life()), Class::Durable).await.unwrap();
        store.write(Batch::default().put(relaxed, "2", None), Class::Relaxed).await.unwrap();
        store.note(Batch::default().put(noted, "3", None)).unwrap();
    }
    let found = reopen(&folder).get_all(names.to_vec()).await.unwrap();
    assert_eq!(found, ["1", "2", "3"].map(|value| Some(Bytes::from(value))));
}

#[tokio::test]
async fn many_writers_are_all_acknowledged() {
    let folder = Folder::new("many");
    let store = open(&folder).unwrap();
    let writes = (0..2000).map(|number: u32| {
        let key = Space::Response.key(&["k", &number.to_string()]);
        let batch = Batch::default().put(key, number.to_string(), None);
        store.write(batch, if number.is_multiple_of(2) { Class::Durable } else { Class::Relaxed })
    });
    let mut running: Vec<_> = writes.collect();
    // All at once, on this one task.
    let all = std::future::poll_fn(move |context| {
        running.retain_mut(|write| match write.as_mut().poll(context) {
            std::task::Poll::Ready(done) => {
                done.unwrap();
                false
            }
            std::task::Poll::Pending => true,
        });
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    all.await;
    for number in [0_u32, 999, 1999] {
        let key = Space::Response.key(&["k", &number.to_string()]);
        assert_eq!(store.get(key).await.unwrap(), Some(Bytes::from(number.to_string())));
    }
}

#[test]
fn a_second_process_is_told() {
    let folder = Folder::new("locked");
    let _first = open(&folder).unwrap();
    let error = open(&folder).err().unwrap().to_string();
    assert!(error.contains("another process uses this store"), "{error}");
    assert!(error.contains(&format!("process {} (`", std::process::id())), "{error}");
}

#[tokio::test]
async fn who_has_closed_it_is_waited_for() {
    let folder = Folder::new("let-go");
    open(&folder).unwrap().close().await.unwrap();
    let file = std::fs::File::open(folder.0.join("db")).unwrap();
    while file.try_lock().is_err() {
        std::thread::yield_now();
    }
    let letting_go = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        drop(file);
    });
    open(&folder).unwrap();
    letting_go.join().unwrap();
}

#[test]
fn a_file_is_no_folder() {
    let folder = Folder::new("file");
    std::fs::write(&folder.0, "x").unwrap();
    let error = open(&folder).err().unwrap().to_string();
    std::fs::remove_file(&folder.0).unwrap();
    assert!(error.contains("this is a file"), "{error}");
}

#[tokio::test]
async fn a_value_that_is_not_what_was_written_is_an_error_with_its_key() {
    let folder = Folder::new("touched");
    let key = Space::Response.key(&["tenant", "resp_1"]);
    {
        let db = sled::Config::new().path(&folder.0).open().unwrap();
        db.insert(&key.0, b"\x01not a record at all").unwrap();
        db.flush().unwrap();
    }
    let error = reopen(&folder).get(key).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupted { .. }), "{error}");
    assert!(error.to_string().contains("response/tenant/resp_1"), "{error}");
}

#[test]
fn files_that_were_cut_are_told_and_not_a_panic() {
    let whole = Folder::new("whole");
    {
        let db = sled::Config::new().path(&whole.0).open().unwrap();
        for number in 0..20_000_u32 {
            db.insert(number.to_be_bytes(), vec![7; 200]).unwrap();
        }
        db.flush().unwrap();
    }
    // What sled makes of a cut depends on where it is: here it panics in most places.
    let mut refused = 0;
    for part in 1..8 {
        let folder = Folder::new("cut");
        std::fs::create_dir_all(&folder.0).unwrap();
        for name in ["db", "conf"] {
            std::fs::copy(whole.0.join(name), folder.0.join(name)).unwrap();
        }
        let file = std::fs::OpenOptions::new().write(true).open(folder.0.join("db")).unwrap();
        file.set_len(file.metadata().unwrap().len() * part / 8 + 17).unwrap();
        if let Err(error) = open(&folder) {
            assert!(error.to_string().contains(&folder.0.display().to_string()), "{error}");
            refused += 1;
        }
    }
    assert!(refused > 0);
}

#[test]
fn the_disk_is_shared_by_both_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Disk>();
}
