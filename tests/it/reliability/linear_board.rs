//! Keys that clients work at, a few at a time, with what was asked and answered of each.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use quotelock_model::History;

use super::linear_calls::Judged;
use crate::harness::*;

/// How many keys are open at once.
const OPEN: usize = 4;

/// How many calls a key gets: few, as the tester tries all orders of them where none is right.
const CALLS: usize = 12;

/// A key, and all that happened to it.
struct Key<S: Judged> {
    number: usize,
    history: Mutex<History<S>>,
}

/// All keys so far. Some are open; one that has had its calls is replaced by another.
pub(super) struct Board<S: Judged> {
    keys: Mutex<Keys<S>>,
}

struct Keys<S: Judged> {
    all: Vec<Arc<Key<S>>>,
    open: [usize; OPEN],
}

impl<S: Judged> Keys<S> {
    fn add(&mut self) -> usize {
        let number = self.all.len();
        self.all.push(Arc::new(Key { number, history: Mutex::default() }));
        number
    }
}

/// A call under way.
pub(super) struct Asked<S: Judged> {
    key: Arc<Key<S>>,
    number: usize,
    pub(super) call: Arc<S::Call>,
}

impl<S: Judged> Asked<S>
where
    S::Call: Debug,
{
    pub(super) fn key(&self) -> String {
        format!("{}:{}", S::PREFIX, self.key.number)
    }

    pub(super) fn answer(self, answer: &str) {
        self.key.history.lock().unwrap().answer(self.number, answer.into());
    }
}

/// What came of judging.
#[derive(Default)]
pub(super) struct Judgement {
    pub(super) keys: usize,
    pub(super) calls: usize,
    pub(super) unanswered: usize,
    /// The histories of which there is no order.
    pub(super) refused: Vec<String>,
}

impl<S: Judged + Send> Board<S>
where
    S::Call: Debug + Send + Sync,
{
    pub(super) fn new() -> Self {
        let mut keys = Keys { all: Vec::new(), open: [0; OPEN] };
        keys.open = [(); OPEN].map(|()| keys.add());
        Self { keys: Mutex::new(keys) }
    }

    /// A client is about to make a random call of an open key.
    pub(super) fn ask(&self, client: usize, rng: &mut Rng) -> Asked<S> {
        let mut keys = self.keys.lock().unwrap();
        let place = rng.below(OPEN as u64) as usize;
        if keys.all[keys.open[place]].history.lock().unwrap().len() >= CALLS {
            keys.open[place] = keys.add();
        }
        let key = &keys.all[keys.open[place]];
        let call = S::random_call(key.number as u64, rng);
        Self::note(key, client, call)
    }

    /// The same call of all open keys; while `meanwhile` runs no key is opened.
    pub(super) fn ask_all(
        &self,
        client: usize,
        call: impl Fn() -> S::Call,
        meanwhile: impl FnOnce(),
    ) -> Vec<Asked<S>> {
        let keys = self.keys.lock().unwrap();
        let asked = keys.open.iter().map(|number| Self::note(&keys.all[*number], client, call())).collect();
        meanwhile();
        asked
    }

    fn note(key: &Arc<Key<S>>, client: usize, call: S::Call) -> Asked<S> {
        let call = Arc::new(call);
        let number = key.history.lock().unwrap().ask(client, Arc::clone(&call));
        Asked { key: Arc::clone(key), number, call }
    }

    /// Judges every key, on two threads.
    pub(super) fn judge(self) -> Judgement {
        let (keys, next) = (self.keys.into_inner().unwrap().all, AtomicUsize::new(0));
        let judge = || {
            let mut judgement = Judgement::default();
            while let Some(key) = keys.get(next.fetch_add(1, Ordering::Relaxed)) {
                let history = key.history.lock().unwrap();
                judgement.keys += 1;
                judgement.calls += history.len();
                judgement.unanswered += history.unanswered();
                if !history.is_linearizable(S::fresh()) {
                    judgement.refused.push(format!("{}:{}\n{history}", S::PREFIX, key.number));
                }
            }
            judgement
        };
        let judgements = std::thread::scope(|scope| {
            let judges = [(); 2].map(|()| scope.spawn(judge));
            judges.map(|judge| judge.join().unwrap())
        });
        judgements.into_iter().fold(Judgement::default(), Judgement::and)
    }
}

impl Judgement {
    pub(super) fn and(mut self, other: Self) -> Self {
        self.keys += other.keys;
        self.calls += other.calls;
        self.unanswered += other.unanswered;
        self.refused.extend(other.refused);
        self
    }
}
