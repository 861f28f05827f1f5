//! Wrong keys are counted by address, so that nobody tries many.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many wrong keys within [`WINDOW`] are answered; after that the address waits.
const ALLOWED: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses and good keys that are remembered at most.
const REMEMBERED: usize = 4096;

/// Counts wrong keys by address.
///
/// Of an IPv6 address the first half counts: the rest is its holder's to choose.
///
/// A key that was right before is let through all the same, so that one guest behind a proxy cannot lock out the others.
/// Of keys only a hash is remembered, under a secret that the process draws.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    state: Mutex<State>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct State {
    wrong: HashMap<IpAddr, (Instant, u32)>,
    good: HashMap<u64, Instant>,
}

impl Throttle {
    /// Whether this key may be tried from this address; if not, the seconds to wait.
    pub(crate) fn admit(&self, address: IpAddr, secret: &str) -> Result<(), u64> {
        let state = self.state();
        if state.good.contains_key(&self.hasher.hash_one(secret)) {
            return Ok(());
        }
        match state.wrong.get(&holder(address)) {
            Some((since, count)) if *count >= ALLOWED => {
                let left = WINDOW.saturating_sub(since.elapsed());
                if left.is_zero() {
                    Ok(())
                } else {
                    Err(left.as_secs() + 1)
                }
            }
            _ => Ok(()),
        }
    }

    /// A key was right or wrong.
    pub(crate) fn note(&self, address: IpAddr, secret: &str, right: bool) {
        let hash = self.hasher.hash_one(secret);
        let now = Instant::now();
        let mut state = self.state();
        if right {
            make_room(&mut state.good, |time| *time);
            state.good.insert(hash, now);
            return;
        }
        state.good.remove(&hash);
        make_room(&mut state.wrong, |(since, _)| *since);
        let (since, count) = state.wrong.entry(holder(address)).or_insert((now, 0));
        if since.elapsed() >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every statement leaves the tables valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tells one holder of addresses from another: a network of 64 bits is given to each
/// (<https://www.rfc-editor.org/rfc/rfc6177>).
fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

/// Forgets the oldest half of a full table.
fn make_room<K: Eq + std::hash::Hash, V>(table: &mut HashMap<K, V>, time: impl Fn(&V) -> Instant) {
    if table.len() < REMEMBERED {
        return;
    }
    let mut times: Vec<Instant> = table.values().map(&time).collect();
    times.sort_unstable();
    if let Some(middle) = times.get(times.len() / 2).copied() {
        table.retain(|_, value| time(value) > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_wrong_keys_close_the_door_for_the_address_and_not_for_keys_that_were_right() {
        let throttle = Throttle::default();
        let [here, there] = [1, 2].map(|n| IpAddr::from([10, 0, 0, n]));
        throttle.note(here, "right", true);
        for _ in 0..ALLOWED {
            assert_eq!(throttle.admit(here, "guess"), Ok(()));
            throttle.note(here, "guess", false);
        }
        assert!(throttle.admit(here, "guess").is_err_and(|s| s <= 61));
        assert_eq!(throttle.admit(here, "right"), Ok(()));
        assert_eq!(throttle.admit(there, "guess"), Ok(()));
        // A key that was taken back counts as any other wrong one.
        throttle.note(there, "right", false);
        assert!(throttle.admit(here, "right").is_err());
    }

    #[test]
    fn who_has_a_network_has_no_more_tries_than_who_has_an_address() {
        let throttle = Throttle::default();
        for i in 0..ALLOWED {
            let address = format!("2001:db8:1:2:{i:x}::1").parse().unwrap();
            assert_eq!(throttle.admit(address, "guess"), Ok(()));
            throttle.note(address, "guess", false);
        }
        for (address, is_closed) in [
            ("2001:db8:1:2::7", true),
            ("2001:db8:1:3::7", false),
            ("::ffff:10.0.0.1", false),
        ] {
            let admitted = throttle.admit(address.parse().unwrap(), "guess");
            assert_eq!(admitted.is_err(), is_closed, "{address}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for i in 0..3 * REMEMBERED as u32 {
            throttle.note(IpAddr::from(i.to_be_bytes()), &i.to_string(), i % 2 == 0);
        }
        let state = throttle.state();
        assert!(state.wrong.len() <= REMEMBERED && state.good.len() <= REMEMBERED);
    }
}
