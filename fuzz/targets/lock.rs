//! Stored locks: `Lock::parse` against serde_json, and what a lock is written as.

use quotelock_core::lock::{Lock, MAX_TTL_MS, Outcome, State, Terms};
use quotelock_core::timestamp::Timestamp;
use serde_json::Value;

/// The input is the value of a key.
pub(crate) fn lock(input: &[u8]) {
    let lock = Lock::parse(input);
    if let Some(lock) = &lock {
        check_stored(lock);
        check_reply(lock);
    }
    // The unit tests cover what `Value` can't hold: lone surrogates, and nesting beyond its limit.
    if let Ok(json) = serde_json::from_slice::<Value>(input) {
        let model = Model::from_json(&json, input.len());
        match (&lock, &model) {
            (Some(lock), Some(model)) => model.check(lock),
            (lock, model) => assert!(lock.is_none() && model.is_none(), "{}", input.escape_ascii()),
        }
    }
}

/// A lock as read from any JSON.
struct Model<'j> {
    roles: &'j [Value],
    time: &'j str,
    ttl_ms: Option<i64>,
    buffer_ms: Option<i64>,
}

const MAX_BYTES: usize = 2 << 20;

impl<'j> Model<'j> {
    fn from_json(json: &'j Value, length: usize) -> Option<Self> {
        let object = json.as_object().filter(|_| length <= MAX_BYTES)?;
        let roles = object.get("roleIds")?.as_array()?;
        let time = object.get("queryTime")?.as_str()?;
        Timestamp::parse(time.as_bytes())?;
        let term = |name: &str, min| match object.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(ms) => ms.as_i64().filter(|ms| (min..=MAX_TTL_MS).contains(ms)).map(Some),
        };
        let are_ids = roles.iter().all(|role| role.is_string() || role.is_number());
        are_ids.then_some(Self { roles, time, ttl_ms: term("ttlMs", 1)?, buffer_ms: term("bufferMs", 0)? })
    }

    fn check(&self, lock: &Lock<'_>) {
        assert_eq!(&*lock.query_time, self.time.as_bytes());
        assert_eq!((lock.ttl_ms, lock.buffer_ms), (self.ttl_ms, self.buffer_ms));
        assert_eq!(lock.role_ids.count(), self.roles.len());
        for (id, role) in lock.role_ids.iter().zip(self.roles) {
            match role {
                Value::String(text) => assert_eq!(id, text.as_bytes()),
                // A number keeps its digits as written.
                number => assert_eq!(&serde_json::from_slice::<Value>(id).unwrap(), number),
            }
        }
    }
}

fn check_stored(lock: &Lock<'_>) {
    lock.with_stored(|stored| {
        let parsed = Lock::parse(stored);
        assert_eq!(parsed.as_ref(), Some(lock), "{}", stored.escape_ascii());
        let stored_again = parsed.map(|lock| lock.with_stored(<[u8]>::to_vec));
        assert_eq!(stored_again.as_deref(), Some(stored));
    });
}

fn check_reply(lock: &Lock<'_>) {
    let settings = Terms { ttl_ms: 360_000, buffer_ms: 60_000 };
    for (now, outcome) in
        [(i64::MIN, None), (1_726_109_453_000, Some(Outcome::Held)), (i64::MAX, Some(Outcome::Created))]
    {
        let state = lock.state(Timestamp::from_unix_ms(now), settings);
        let reply: Value = lock.with_reply(state, outcome, |json| serde_json::from_slice(json).unwrap());
        let ids: Vec<&[u8]> =
            reply["roleIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().as_bytes()).collect();
        let expected: Vec<_> = lock.role_ids.iter().map(|id| id.to_vec()).collect();
        assert_eq!(ids, expected);
        assert_eq!(reply["queryTime"].as_str().unwrap().as_bytes(), &*lock.query_time);
        let name = if state == State::Effective { "Effective" } else { "CloseToExpired" };
        assert_eq!(reply["state"], name);
    }
}
