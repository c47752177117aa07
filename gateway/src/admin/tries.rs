//! Passwords are not guessed: who gives wrong ones waits, longer each time, and so does everybody when many do.
//!
//! An address may be wrong a few times; then each wrong try doubles the wait. When there are many wrong tries from many
//! addresses, all those that were never right wait, too. Who waits is not even compared, so that a right guess looks like a
//! wrong one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Wrong tries without a wait, of one address and of all together.
const FREE: u32 = 5;
const FREE_FOR_ALL: u32 = 50;

/// The first wait and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// After this time without a wrong try all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

/// Addresses that are remembered.
const MOST: usize = 10_000;

/// What is remembered of tries.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    addresses: HashMap<IpAddr, Wrong>,
    all: Option<Wrong>,
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Instant,
    /// It was right once; the waits of others are none of its.
    trusted: bool,
}

impl Wrong {
    fn one_more(before: Option<Self>, now: Instant) -> Self {
        let before = before.filter(|before| now.saturating_duration_since(before.last) < FORGOTTEN);
        let count = before.map_or(0, |before| before.count).saturating_add(1);
        Self { count, last: now, trusted: before.is_some_and(|before| before.trusted) }
    }

    /// How long to wait still.
    fn wait(self, free: u32, now: Instant) -> Option<Duration> {
        let over = self.count.checked_sub(free)?;
        let wait = FIRST.saturating_mul(1 << over.min(16)).min(LONGEST);
        wait.checked_sub(now.saturating_duration_since(self.last)).filter(|wait| !wait.is_zero())
    }
}

impl Tries {
    /// How long this address must wait before it may try again; `None`: not at all.
    pub(super) fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let kept = self.0.lock();
        let own = kept.addresses.get(&network(address)).copied();
        let own_wait = own.and_then(|own| own.wait(FREE, now));
        if own.is_some_and(|own| own.trusted) {
            return own_wait;
        }
        own_wait.max(kept.all.and_then(|all| all.wait(FREE_FOR_ALL, now)))
    }

    /// It was wrong.
    pub(super) fn wrong(&self, address: IpAddr, now: Instant) {
        let mut kept = self.0.lock();
        let address = network(address);
        make_room(&mut kept.addresses, address);
        let next = Wrong::one_more(kept.addresses.get(&address).copied(), now);
        kept.addresses.insert(address, next);
        kept.all = Some(Wrong::one_more(kept.all, now));
    }

    /// It was right: its own wrong tries are forgotten.
    pub(super) fn right(&self, address: IpAddr, now: Instant) {
        let mut kept = self.0.lock();
        let address = network(address);
        make_room(&mut kept.addresses, address);
        kept.addresses.insert(address, Wrong { count: 0, last: now, trusted: true });
    }
}

/// The one that was seen longest ago goes.
fn make_room(addresses: &mut HashMap<IpAddr, Wrong>, address: IpAddr) {
    if addresses.len() < MOST || addresses.contains_key(&address) {
        return;
    }
    let oldest = addresses.iter().min_by_key(|(_, wrong)| wrong.last).map(|(address, _)| *address);
    if let Some(oldest) = oldest {
        addresses.remove(&oldest);
    }
}

/// Who has one address of IPv6 has 2⁶⁴ of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(std::net::Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn the_wait_doubles_and_ends() {
        let (tries, start) = (Tries::default(), Instant::now());
        for _ in 0..FREE - 1 {
            tries.wrong(HOME, start);
        }
        assert_eq!(tries.wait(HOME, start), None);
        for seconds in [1, 2, 4, 8] {
            tries.wrong(HOME, start);
            assert_eq!(tries.wait(HOME, start), Some(Duration::from_secs(seconds)));
            assert_eq!(tries.wait(HOME, start + Duration::from_secs(seconds)), None);
        }
        for _ in 0..100 {
            tries.wrong(HOME, start);
        }
        assert_eq!(tries.wait(HOME, start), Some(LONGEST));
        tries.right(HOME, start + LONGEST);
        assert_eq!(tries.wait(HOME, start + LONGEST), None);
    }

    #[test]
    fn many_addresses_make_all_wait_but_those_that_were_right() {
        let (tries, start) = (Tries::default(), Instant::now());
        tries.right(HOME, start);
        for last in 0..200 {
            tries.wrong(IpAddr::from([198, 51, 100, last]), start);
        }
        assert!(tries.wait(IpAddr::from([203, 0, 113, 1]), start).is_some());
        assert_eq!(tries.wait(HOME, start), None);
        assert_eq!(tries.wait(IpAddr::from([203, 0, 113, 1]), start + LONGEST), None);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_memory_is_bounded() {
        let (tries, start) = (Tries::default(), Instant::now());
        for last in 0..5 {
            tries.wrong(format!("2001:db8::{last}").parse().unwrap(), start);
        }
        assert!(tries.wait("2001:db8::ffff".parse().unwrap(), start).is_some());
        for number in 0..u32::try_from(MOST).unwrap() + 10 {
            tries.wrong(IpAddr::from(number.to_be_bytes()), start + Duration::from_millis(number.into()));
        }
        assert_eq!(tries.0.lock().addresses.len(), MOST);
    }
}
