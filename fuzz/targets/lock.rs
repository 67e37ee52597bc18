//! A lock as a string: what is one, and what it holds.

use quotelock::moment::Moment;
use quotelock::quotelock::{LONGEST_TTL_MS, Lock, Outcome, State, Terms};
use serde_json::Value;

/// The input as what a key holds.
pub(crate) fn lock(input: &[u8]) {
    let read = Lock::read(input);
    if let Some(lock) = &read {
        is_the_same_when_stored(lock);
        is_answered(lock);
    }
    // What the plain reader can't read (half a surrogate pair, a hundred brackets) is left to the tests of cases.
    if let Ok(json) = serde_json::from_slice::<Value>(input) {
        let expected = Plain::of(&json, input.len());
        match (&read, &expected) {
            (Some(lock), Some(plain)) => plain.is(lock),
            (read, plain) => assert!(read.is_none() && plain.is_none(), "{}", input.escape_ascii()),
        }
    }
}

/// A lock as a reader of any JSON finds it.
struct Plain<'j> {
    roles: &'j [Value],
    time: &'j str,
    ttl_ms: Option<i64>,
    buffer_ms: Option<i64>,
}

const LONGEST: usize = 2 << 20;

impl<'j> Plain<'j> {
    fn of(json: &'j Value, length: usize) -> Option<Self> {
        let object = json.as_object().filter(|_| length <= LONGEST)?;
        let roles = object.get("roleIds")?.as_array()?;
        let time = object.get("queryTime")?.as_str()?;
        Moment::parse(time.as_bytes())?;
        let own = |name: &str, least| match object.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(ms) => ms.as_i64().filter(|ms| (least..=LONGEST_TTL_MS).contains(ms)).map(Some),
        };
        let are_ids = roles.iter().all(|role| role.is_string() || role.is_number());
        are_ids.then_some(Self { roles, time, ttl_ms: own("ttlMs", 1)?, buffer_ms: own("bufferMs", 0)? })
    }

    fn is(&self, lock: &Lock<'_>) {
        assert_eq!(&*lock.query_time, self.time.as_bytes());
        assert_eq!((lock.ttl_ms, lock.buffer_ms), (self.ttl_ms, self.buffer_ms));
        assert_eq!(lock.role_ids.count(), self.roles.len());
        for (id, role) in lock.role_ids.iter().zip(self.roles) {
            match role {
                Value::String(text) => assert_eq!(id, text.as_bytes()),
                // The digits as they were written.
                number => assert_eq!(&serde_json::from_slice::<Value>(id).unwrap(), number),
            }
        }
    }
}

fn is_the_same_when_stored(lock: &Lock<'_>) {
    lock.with_stored(|stored| {
        let again = Lock::read(stored);
        assert_eq!(again.as_ref(), Some(lock), "{}", stored.escape_ascii());
        let again = again.map(|again| again.with_stored(<[u8]>::to_vec));
        assert_eq!(again.as_deref(), Some(stored));
    });
}

fn is_answered(lock: &Lock<'_>) {
    let settings = Terms { ttl_ms: 360_000, buffer_ms: 60_000 };
    for (now, outcome) in
        [(i64::MIN, None), (1_726_109_453_000, Some(Outcome::Held)), (i64::MAX, Some(Outcome::Created))]
    {
        let state = lock.state(Moment::from_unix_ms(now), settings);
        let answer: Value = lock.with_reply(state, outcome, |json| serde_json::from_slice(json).unwrap());
        let ids: Vec<&[u8]> =
            answer["roleIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().as_bytes()).collect();
        let expected: Vec<_> = lock.role_ids.iter().map(|id| id.to_vec()).collect();
        assert_eq!(ids, expected);
        assert_eq!(answer["queryTime"].as_str().unwrap().as_bytes(), &*lock.query_time);
        let name = if state == State::Effective { "Effective" } else { "CloseToExpired" };
        assert_eq!(answer["state"], name);
    }
}
