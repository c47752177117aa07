//! What goes out as lines comes in again the same, and a touched line is told by its number.

use std::time::Duration;

use super::super::suite::Turned;
use super::super::{Batch, Class, Kept, Memory, Space, Store};
use super::{Export, Import, read};

async fn all(store: &dyn Store) -> Vec<Kept> {
    let mut found = Vec::new();
    let spaces = Space::ALL.into_iter().filter(|space| !space.is_own()).collect::<Vec<_>>();
    let take = &mut |kept: Vec<_>| {
        found.extend(kept);
        Ok(())
    };
    store.walk(&spaces, take).await.unwrap();
    found
}

async fn filled() -> Memory {
    let store = Memory::new(Turned::new().1);
    for number in 0..600_u32 {
        let key = Space::Vault.key(&["te/nant", &number.to_string()]);
        let life = Some(Duration::from_secs(60));
        store.write(Batch::default().put(key, number.to_string(), life), Class::Relaxed).await.unwrap();
    }
    let odd = Space::Response.key(&["", &"long".repeat(300), "\u{1}\"\n"]);
    let batch = Batch::default().put(odd, vec![0xFF, 0x00, 0x7F], None);
    store.write(batch, Class::Relaxed).await.unwrap();
    store.increment(Space::Counter.key(&["c"]), -7, Some(Duration::from_secs(9))).await.unwrap();
    store
}

fn exported(kept: &[Kept]) -> Vec<u8> {
    let mut export = Export::begin(Vec::new(), 0).unwrap();
    for one in kept {
        export.take(one).unwrap();
    }
    let (records, lines) = export.end().unwrap();
    assert_eq!(records, u64::try_from(kept.len()).unwrap());
    lines
}

#[tokio::test]
async fn a_store_goes_through_lines_into_another_one() {
    let (_, clock) = Turned::new();
    let before = all(&filled().await).await;
    assert_eq!(before.len(), 602);
    let lines = exported(&before);
    let target = Memory::new(clock.clone());
    let mut import = Import::into(&target, clock);
    assert_eq!(import.occupied(&[Space::Vault]).await.unwrap(), None);
    let mut found = Vec::new();
    let records = read(lines.as_slice(), |kept| {
        found.push(kept);
        Ok(())
    });
    assert_eq!(records.unwrap(), 602);
    for kept in found {
        import.take(kept).await.unwrap();
    }
    assert_eq!(import.end().await.unwrap(), (602, 0));
    assert_eq!(all(&target).await, before);
}

#[tokio::test]
async fn lines_that_were_touched_are_refused() {
    let lines = exported(&all(&filled().await).await);
    let text = String::from_utf8(lines.clone()).unwrap();
    let all: Vec<&str> = text.lines().collect();
    let told = |lines: &[&str]| read(lines.join("\n").as_bytes(), |_| Ok(())).unwrap_err().to_string();
    assert!(told(&all[..all.len() - 1]).contains("cut off"));
    assert!(told(&[&all[..5], &all[6..]].concat()).contains("not all"));
    assert!(told(&[&all[..5], &all[4..]].concat()).contains("not all"));
    let touched = all[7].replace("\"text\":\"", "\"text\":\"1");
    assert!(told(&[&all[..7], &[touched.as_str()], &all[8..]].concat()).starts_with("line 8: its checksum"));
    let unknown = all[7].replace("vault", "spaceship");
    assert!(told(&[&all[..7], &[unknown.as_str()], &all[8..]].concat()).contains("`spaceship` is no space"));
    assert!(told(&all[1..]).starts_with("line 1: this is no export"));
    assert!(told(&[&all[..], &["{}"]].concat()).contains("behind the last line"));
}
