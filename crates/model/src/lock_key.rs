use std::sync::Arc;

use quotelock_core::lock::{self, Lock, Outcome, QueryTime, RoleIds, Terms};
use quotelock_core::timestamp::Timestamp;
use stateright::semantics::SequentialSpec;

/// A key with a lock or without one, which answers one call after the other. Its clock stands still.
#[derive(Clone, Debug)]
pub struct LockKey {
    stored: Option<Vec<u8>>,
    settings: Terms,
    now: Timestamp,
}

/// A call, and what is sent for it.
#[derive(Clone, Debug)]
pub enum LockCall {
    Acquire {
        role_id: String,
        query_time: String,
        if_missing: bool,
    },
    Set {
        role_id: String,
        query_time: String,
        condition: Option<&'static str>,
    },
    Get,
    Del {
        if_eq: Option<String>,
    },
    /// The server's own command, as a lock that has expired: nothing here waits for that.
    Expire,
}

impl LockCall {
    /// The command at this key.
    pub fn words(&self, key: &str) -> Vec<String> {
        let words: Vec<&str> = match self {
            Self::Acquire { role_id, query_time, if_missing: false } => {
                vec!["QUOTELOCK.ACQUIRE", key, role_id, query_time, "JSON"]
            }
            Self::Acquire { role_id, query_time, if_missing: true } => {
                vec!["QUOTELOCK.ACQUIRE", key, role_id, query_time, "IFMISSING", "JSON"]
            }
            Self::Set { role_id, query_time, condition } => {
                ["QUOTELOCK.SET", key, role_id, query_time].into_iter().chain(*condition).collect()
            }
            Self::Get => vec!["QUOTELOCK.GET", key, "JSON"],
            Self::Del { if_eq: None } => vec!["QUOTELOCK.DEL", key],
            Self::Del { if_eq: Some(query_time) } => vec!["QUOTELOCK.DEL", key, "IFEQ", query_time],
            Self::Expire => vec!["PEXPIREAT", key, "1"],
        };
        words.into_iter().map(str::to_owned).collect()
    }
}

impl LockKey {
    /// A key without a lock.
    pub fn new(settings: Terms, now_ms: i64) -> Self {
        Self { stored: None, settings, now: Timestamp::from_unix_ms(now_ms) }
    }

    /// The same with what a client has read, which may be out of date.
    pub fn with_stored(mut self, stored: Option<Vec<u8>>) -> Self {
        self.stored = stored;
        self
    }

    /// What is stored.
    pub fn stored(&self) -> Option<&[u8]> {
        self.stored.as_deref()
    }

    fn acquire(&mut self, role_id: &str, query_time: &str, if_missing: bool) -> String {
        let stored = self.stored.clone();
        let held = stored.as_deref().and_then(Lock::parse);
        let wanted = new_lock(role_id, query_time, self.now);
        let outcome = lock::acquire(held.as_ref(), wanted.moment, if_missing, self.settings, self.now);
        let in_force = match &held {
            Some(held) if outcome == Outcome::Held => held,
            _ => {
                self.stored = Some(wanted.with_stored(<[u8]>::to_vec));
                &wanted
            }
        };
        self.json(in_force, Some(outcome))
    }

    fn json(&self, lock: &Lock<'_>, outcome: Option<Outcome>) -> String {
        lock.with_reply(lock.state(self.now, self.settings), outcome, |json| {
            format!("\"{}\"", String::from_utf8_lossy(json))
        })
    }
}

fn new_lock<'a>(role_id: &'a str, query_time: &'a str, now: Timestamp) -> Lock<'a> {
    let time = QueryTime::parse(query_time.as_bytes()).unwrap().resolve(now, 0, None).unwrap();
    let role_ids = RoleIds::parse(role_id.as_bytes()).unwrap();
    Lock { role_ids, query_time: time.text(), moment: time.moment(), ttl_ms: None, buffer_ms: None }
}

/// Answers are text, as the tests write replies: `OK`, `nil`, `1`, `"text"`.
impl SequentialSpec for LockKey {
    type Op = Arc<LockCall>;
    type Ret = Arc<str>;

    fn invoke(&mut self, call: &Self::Op) -> Self::Ret {
        match &**call {
            LockCall::Acquire { role_id, query_time, if_missing } => {
                self.acquire(role_id, query_time, *if_missing).into()
            }
            LockCall::Set { role_id, query_time, condition } => {
                let is_met = match *condition {
                    Some("NX") => self.stored.is_none(),
                    Some(_) => self.stored.is_some(),
                    None => true,
                };
                if !is_met {
                    return "nil".into();
                }
                self.stored = Some(new_lock(role_id, query_time, self.now).with_stored(<[u8]>::to_vec));
                "OK".into()
            }
            LockCall::Get => match self.stored.as_deref().and_then(Lock::parse) {
                Some(lock) => self.json(&lock, None).into(),
                None => "\"null\"".into(),
            },
            LockCall::Del { if_eq } => {
                let held = self.stored.as_deref().and_then(Lock::parse);
                let is_met = match if_eq {
                    Some(query_time) => held.is_some_and(|lock| *lock.query_time == *query_time.as_bytes()),
                    None => held.is_some(),
                };
                if is_met {
                    self.stored = None;
                }
                u8::from(is_met).to_string().into()
            }
            LockCall::Expire => u8::from(self.stored.take().is_some()).to_string().into(),
        }
    }
}
