//! What this process sends, and how fast it may.
//!
//! A machine has one line to the world, whatever runs go to whatever places: the limit and the count are the process's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Bytes that are sent between two looks at the limit: few, so that many connections at once are none of them silent for long.
pub(crate) const AT_ONCE: usize = 32 << 10;

/// Bytes a second; 0 for no limit.
static LIMIT: AtomicU64 = AtomicU64::new(0);
static SENT: AtomicU64 = AtomicU64::new(0);
/// When what was let through until now will have been sent, at the limit.
static FREE: Mutex<Option<Instant>> = Mutex::new(None);

/// Sends no more than so many bytes a second from now on, over all runs and places; 0 takes the limit away.
///
/// Below about 50,000 the connections of many runs wait longer for their turn than a server listens to a silent one.
pub fn limit_rate(bytes_per_second: u64) {
    LIMIT.store(bytes_per_second, Ordering::Relaxed);
}

/// How many bytes were sent until now, heads of requests included; what came twice counts twice.
#[must_use]
pub fn bytes_sent() -> u64 {
    SENT.load(Ordering::Relaxed)
}

/// Waits until so many bytes may be sent, and counts them.
fn pass(bytes: usize) {
    let limit = LIMIT.load(Ordering::Relaxed);
    if limit > 0 {
        let takes = Duration::from_secs_f64(bytes as f64 / limit as f64);
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = reserve(&mut free, takes, Instant::now());
        drop(free);
        thread::sleep(turn);
    }
    SENT.fetch_add(bytes as u64, Ordering::Relaxed);
}

/// Takes the line for a time, after all who took it before; how long until it is one's turn.
fn reserve(free: &mut Option<Instant>, takes: Duration, now: Instant) -> Duration {
    let turn = free.map_or(now, |free| free.max(now));
    *free = Some(turn + takes);
    turn - now
}

/// Puts a [`Metered`] around each connection.
#[derive(Debug)]
pub(crate) struct Meter;

impl<In: Transport> Connector<In> for Meter {
    type Out = Metered<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(Metered))
    }
}

/// A connection that heeds the limit and is counted.
#[derive(Debug)]
pub(crate) struct Metered<T>(T);

impl<T: Transport> Transport for Metered<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        pass(amount);
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_one_after_the_other_and_none_are_saved_up() {
        let (mut free, now) = (None, Instant::now());
        let second = Duration::from_secs(1);
        let mut reserve = |now| super::reserve(&mut free, second, now);
        assert_eq!(reserve(now), Duration::ZERO);
        assert_eq!(reserve(now), second);
        assert_eq!(reserve(now + second), second);
        assert_eq!(reserve(now + 100 * second), Duration::ZERO);
        assert_eq!(reserve(now + 100 * second), second);
    }
}
