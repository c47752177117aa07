//! Never more requests than somebody is to get, at a time and per window of time: who comes first goes first, and nobody
//! waits without end.
//!
//! A [`Gate`] is known by a name and outlives reloads; a cap that is lowered takes effect as running requests end.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::keys::{Limits, Used};
use crate::domain::Rate;

/// More than anybody has.
const UNLIMITED: usize = Semaphore::MAX_PERMITS;
/// What is told to come back when nothing is known, and at least.
const SOON: Duration = Duration::from_secs(1);
/// At most.
const LATER: Duration = Duration::from_secs(60);

/// All gates of a process, by name.
#[derive(Clone, Default)]
pub struct Gates {
    known: Arc<RwLock<HashMap<Arc<str>, Arc<Gate>>>>,
}

impl Gates {
    /// Puts these caps in force. A gate that is not named any more stands open, and goes when nobody is inside.
    pub fn adopt(&self, caps: impl IntoIterator<Item = (Arc<str>, Caps)>) {
        let caps: HashMap<Arc<str>, Caps> = caps.into_iter().collect();
        let mut known = self.known.write();
        for (name, gate) in known.iter().filter(|(name, _)| !caps.contains_key(*name)) {
            tracing::debug!(gate = %name, "the gate stands open");
            gate.adopt(&Caps::default());
        }
        for (name, cap) in caps {
            known.entry(name).or_insert_with(|| Arc::new(Gate::open())).adopt(&cap);
        }
        known.retain(|_, gate| gate.is_limited() || Arc::strong_count(gate) > 1);
    }

    /// Counts what an answer took against the tokens of a provider.
    pub fn spent(&self, name: &str, tokens: u64) {
        if let Some(gate) = self.get(name) {
            gate.spent(tokens);
        }
    }

    /// The gate of this name.
    pub fn get(&self, name: &str) -> Option<Arc<Gate>> {
        self.known.read().get(name).cloned()
    }
}

/// One gate.
#[derive(Debug)]
pub struct Gate {
    room: Arc<Semaphore>,
    size: Mutex<Size>,
    waiting: AtomicUsize,
    /// How long one is inside, in microseconds, weighted towards the last ones. 0: nobody has left yet.
    usual: AtomicU64,
    /// What was asked, per window of time.
    windows: Mutex<Option<Windows>>,
    /// Windows are counted from here on.
    born: Instant,
}

/// How much may be asked per window, and how much was.
#[derive(Debug)]
struct Windows {
    limits: Limits,
    used: Used,
}

#[derive(Debug)]
struct Size {
    cap: usize,
    /// How many of those inside are over a cap that was lowered: they leave no room behind.
    owed: usize,
}

/// Somebody is inside. Dropping it is leaving.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    permit: Option<OwnedSemaphorePermit>,
    since: Instant,
}

/// A place in a queue. Dropping it is leaving the queue.
struct Place<'a>(&'a Gate);

impl Gate {
    fn open() -> Self {
        Self {
            room: Arc::new(Semaphore::new(UNLIMITED)),
            size: Mutex::new(Size { cap: UNLIMITED, owed: 0 }),
            waiting: AtomicUsize::new(0),
            usual: AtomicU64::new(0),
            windows: Mutex::new(None),
            born: Instant::now(),
        }
    }

    fn is_limited(&self) -> bool {
        self.size.lock().cap < UNLIMITED || self.windows.lock().is_some()
    }

    fn adopt(&self, caps: &Caps) {
        self.resize(caps.concurrent.map_or(UNLIMITED, |cap| cap as usize));
        let list = |rate: Option<Rate>| rate.into_iter().collect();
        let limits = Limits { requests: list(caps.requests), tokens: list(caps.tokens) };
        let mut windows = self.windows.lock();
        // What was counted stays counted, unless it was counted in other windows.
        if windows.as_ref().is_none_or(|windows| windows.limits != limits) {
            let used = Used::none(&limits);
            let any = caps.requests.is_some() || caps.tokens.is_some();
            *windows = any.then_some(Windows { limits, used });
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Counts one request, if all windows have room; else how long it takes until they have.
    fn count(&self) -> Result<(), Duration> {
        let mut windows = self.windows.lock();
        let Some(Windows { limits, used }) = &mut *windows else { return Ok(()) };
        let now = self.now();
        match used.free_at(limits, now).saturating_sub(now) {
            0 => {
                used.request(limits, now);
                Ok(())
            }
            wait => Err(Duration::from_millis(wait)),
        }
    }

    fn spent(&self, tokens: u64) {
        if let Some(Windows { limits, used }) = &mut *self.windows.lock() {
            used.tokens(limits, self.now(), tokens);
        }
    }

    fn resize(&self, cap: usize) {
        let mut size = self.size.lock();
        let more = cap.saturating_sub(size.cap);
        let paid = more.min(size.owed);
        size.owed -= paid;
        self.room.add_permits(more - paid);
        let fewer = size.cap.saturating_sub(cap);
        size.owed += fewer - self.room.forget_permits(fewer);
        size.cap = cap;
    }

    /// Goes in if there is room and nobody waits.
    fn try_enter(self: &Arc<Self>) -> Option<Pass> {
        let permit = Arc::clone(&self.room).try_acquire_owned().ok()?;
        Some(self.pass(permit))
    }

    /// Goes in when it is its turn.
    async fn enter(self: &Arc<Self>) -> Option<Pass> {
        let permit = Arc::clone(&self.room).acquire_owned().await.ok()?;
        Some(self.pass(permit))
    }

    fn pass(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Pass {
        Pass { gate: Arc::clone(self), permit: Some(permit), since: Instant::now() }
    }

    fn place(&self, length: usize) -> Option<Place<'_>> {
        let place = Place(self);
        // Counted before it is compared, so that two cannot take the last place.
        (self.waiting.fetch_add(1, Ordering::Relaxed) < length).then_some(place)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// When somebody who comes back may find room: the time in which those before it have gone through.
    fn later(&self) -> Duration {
        let usual = Duration::from_micros(self.usual.load(Ordering::Relaxed));
        let turn = u32::try_from(self.waiting() + 1).unwrap_or(u32::MAX);
        let cap = u32::try_from(self.size.lock().cap).unwrap_or(u32::MAX).max(1);
        usual.saturating_mul(turn).checked_div(cap).unwrap_or_default().clamp(SOON, LATER)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let inside = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        let usual = self.gate.usual.load(Ordering::Relaxed);
        let usual = if usual == 0 { inside } else { usual - usual / 8 + inside / 8 };
        self.gate.usual.store(usual, Ordering::Relaxed);
        let mut size = self.gate.size.lock();
        if size.owed > 0 {
            size.owed -= 1;
            self.permit.take().into_iter().for_each(OwnedSemaphorePermit::forget);
        }
    }
}

/// What the operator says of one provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// Requests at the same time.
    pub concurrent: Option<u32>,
    /// Requests per window of time.
    pub requests: Option<Rate>,
    /// Tokens per window of time, prompt and answer together.
    pub tokens: Option<Rate>,
    /// How many more may wait, and how long.
    pub queue: Option<(usize, Duration)>,
}

impl Caps {
    /// True when there is anything to count.
    pub fn is_any(&self) -> bool {
        self.concurrent.is_some() || self.requests.is_some() || self.tokens.is_some()
    }
}

/// What one attempt has to pass.
#[derive(Clone, Debug, Default)]
pub struct Doors {
    /// The target's gate.
    pub target: Option<Arc<Gate>>,
    /// The provider's gate.
    pub provider: Option<Arc<Gate>>,
    /// How many may wait before them, and how long.
    pub queue: Option<(usize, Duration)>,
}

/// What was passed; held until the answer has ended.
#[derive(Debug, Default)]
pub struct Passes {
    // Given back in this order: who waits for the target has passed nothing yet.
    _provider: Option<Pass>,
    _target: Option<Pass>,
}

/// Nobody gets in here now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// When it may be worth another try.
    pub retry_after: Duration,
    /// It was waited for.
    pub waited: bool,
    /// Too much was asked in a window of time; otherwise too much runs.
    pub too_often: bool,
}

impl Doors {
    /// Goes in if there is room.
    ///
    /// # Errors
    /// When there is none.
    pub fn try_enter(&self) -> Result<Passes, Full> {
        let enter = |gate: &Option<Arc<Gate>>| match gate {
            Some(gate) => gate.try_enter().map(Some).ok_or_else(|| self.full(false)),
            None => Ok(None),
        };
        // The narrow one first: whoever waits there must not take up room for others.
        let target = enter(&self.target)?;
        let passes = Passes { _target: target, _provider: enter(&self.provider)? };
        self.counted(passes)
    }

    /// The last check: whoever is refused for it leaves at once.
    fn counted(&self, passes: Passes) -> Result<Passes, Full> {
        for gate in self.target.iter().chain(&self.provider) {
            gate.count().map_err(|wait| Full {
                retry_after: wait.max(SOON),
                waited: false,
                too_often: true,
            })?;
        }
        Ok(passes)
    }

    /// Goes in when it is its turn.
    ///
    /// # Errors
    /// When nobody may wait, too many do, or it takes too long.
    pub async fn enter(&self) -> Result<Passes, Full> {
        let Some((length, wait)) = self.queue else { return self.try_enter() };
        let counter = self.provider.as_ref().or(self.target.as_ref());
        let place = counter.map(|gate| gate.place(length).ok_or_else(|| self.full(false))).transpose()?;
        let entered = timeout(wait, async {
            let target = match &self.target {
                Some(gate) => Some(gate.enter().await?),
                None => None,
            };
            let provider = match &self.provider {
                Some(gate) => Some(gate.enter().await?),
                None => None,
            };
            Some(Passes { _target: target, _provider: provider })
        });
        let entered = entered.await.ok().flatten();
        drop(place);
        self.counted(entered.ok_or_else(|| self.full(true))?)
    }

    fn full(&self, waited: bool) -> Full {
        let gates = self.target.iter().chain(&self.provider);
        Full { retry_after: gates.map(|gate| gate.later()).max().unwrap_or(SOON), waited, too_often: false }
    }
}

/// Waits before all of these doors at once and goes in where there is room first; the others' places are given up.
///
/// # Errors
/// When none of them lets anybody in, with the soonest of their times.
pub async fn first(doors: &[Doors]) -> Result<(usize, Passes), Full> {
    type Entering<'a> = Pin<Box<dyn Future<Output = Result<Passes, Full>> + Send + 'a>>;
    let mut waiting: Vec<(usize, Entering<'_>)> =
        doors.iter().enumerate().map(|(at, doors)| (at, Box::pin(doors.enter()) as Entering<'_>)).collect();
    let mut soonest = Full { retry_after: Duration::MAX, waited: false, too_often: true };
    std::future::poll_fn(move |context| {
        let mut entered = None;
        waiting.retain_mut(|(at, entering)| {
            if entered.is_some() {
                return true;
            }
            match entering.as_mut().poll(context) {
                Poll::Pending => return true,
                Poll::Ready(Ok(passes)) => entered = Some((*at, passes)),
                Poll::Ready(Err(full)) => {
                    soonest.retry_after = soonest.retry_after.min(full.retry_after);
                    soonest.waited |= full.waited;
                    soonest.too_often &= full.too_often;
                }
            }
            false
        });
        match entered {
            Some(entered) => Poll::Ready(Ok(entered)),
            None if waiting.is_empty() => Poll::Ready(Err(soonest)),
            None => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests;
