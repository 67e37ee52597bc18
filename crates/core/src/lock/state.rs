//! A lock's state, and the outcome of acquiring one.

use super::Lock;
use crate::timestamp::Timestamp;

/// The longest ttl and the longest buffer: ten years of 365 days, in milliseconds.
pub const MAX_TTL_MS: i64 = 315_360_000_000;

/// How long a lock is effective, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a lock lives.
    pub ttl_ms: i64,
    /// The last part of the ttl, in which the lock is [`State::CloseToExpired`]. Above the ttl, it counts as
    /// the ttl.
    pub buffer_ms: i64,
}

impl Terms {
    /// These terms, with whichever of the two a lock overrides.
    pub fn with_overrides(self, ttl_ms: Option<i64>, buffer_ms: Option<i64>) -> Self {
        Self { ttl_ms: ttl_ms.unwrap_or(self.ttl_ms), buffer_ms: buffer_ms.unwrap_or(self.buffer_ms) }
    }

    /// The age, in milliseconds, above which a lock is close to expired. Saturates, as any `i64` is allowed
    /// here.
    pub fn closing_age_ms(self) -> i64 {
        self.ttl_ms.saturating_sub(self.buffer_ms.min(self.ttl_ms))
    }

    /// The longest `ALIGN`, in whole seconds: any longer, and a new lock could already be close to expired.
    pub fn max_align_s(self) -> i64 {
        self.closing_age_ms() / 1000
    }
}

/// The state of a lock that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In force.
    Effective,
    /// In its buffer: the map renews it, but a vehicle's page and a reservation don't.
    CloseToExpired,
}

impl State {
    /// The state at `now` of a lock on `moment`.
    ///
    /// Ages count in whole seconds, as in the services that already use locks: 300,999 ms is 300 s. They
    /// saturate, because a caller may give any moment.
    pub fn at(now: Timestamp, moment: Timestamp, terms: Terms) -> Self {
        let age_ms = now.seconds_since(moment).saturating_mul(1000);
        if age_ms > terms.closing_age_ms() { Self::CloseToExpired } else { Self::Effective }
    }

    /// The state as replies spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Effective => "Effective",
            Self::CloseToExpired => "CloseToExpired",
        }
    }
}

/// What acquiring a lock did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was no lock, so the caller's is stored.
    Created,
    /// The lock was close to expired, so the caller's replaces it.
    Refreshed,
    /// The existing lock stays as it is, roles included.
    Held,
}

impl Outcome {
    /// The outcome as replies spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Refreshed => "Refreshed",
            Self::Held => "Held",
        }
    }
}

/// Decides between the lock that is `held` and a new one on the moment `wanted`.
///
/// Only a later moment replaces a lock that is close to expired, so that racing pods neither renew it twice
/// nor move it back in time. With `if_missing` none does. `settings` apply to a held lock without terms of
/// its own.
pub fn acquire(
    held: Option<&Lock>,
    wanted: Timestamp,
    if_missing: bool,
    settings: Terms,
    now: Timestamp,
) -> Outcome {
    match held {
        None => Outcome::Created,
        Some(held)
            if !if_missing && held.state(now, settings) == State::CloseToExpired && wanted > held.moment =>
        {
            Outcome::Refreshed
        }
        Some(_) => Outcome::Held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEFAULT: Terms = terms(360_000, 60_000);
    const YEAR_MS: i64 = 31_536_000_000;

    const fn terms(ttl_ms: i64, buffer_ms: i64) -> Terms {
        Terms { ttl_ms, buffer_ms }
    }

    #[test]
    fn state_depends_on_age_and_terms() {
        use State::{CloseToExpired, Effective};
        let cases = [
            // (terms, age in ms, state)
            (DEFAULT, -3_600_000, Effective),
            (DEFAULT, 0, Effective),
            (DEFAULT, 299_999, Effective),
            (DEFAULT, 300_000, Effective),
            (DEFAULT, 300_999, Effective),
            (DEFAULT, 301_000, CloseToExpired),
            (DEFAULT, 359_000, CloseToExpired),
            (DEFAULT, 361_000, CloseToExpired),
            (DEFAULT, YEAR_MS, CloseToExpired),
            // Another ttl and buffer.
            (terms(10_000, 4_000), 6_999, Effective),
            (terms(10_000, 4_000), 7_000, CloseToExpired),
            // No buffer: close to expired only after the ttl.
            (terms(10_000, 0), 10_999, Effective),
            (terms(10_000, 0), 11_000, CloseToExpired),
            // All buffer: close to expired from the first whole second on.
            (terms(10_000, 10_000), -1, Effective),
            (terms(10_000, 10_000), 999, Effective),
            (terms(10_000, 10_000), 1_000, CloseToExpired),
            // A buffer above the ttl counts as the ttl.
            (terms(10_000, 60_000), 999, Effective),
            (terms(10_000, 60_000), 1_000, CloseToExpired),
            // Terms finer than a second; ages are in whole seconds all the same.
            (terms(1_500, 0), 1_999, Effective),
            (terms(1_500, 0), 2_000, CloseToExpired),
            (terms(1, 0), 999, Effective),
            (terms(1, 0), 1_000, CloseToExpired),
            (terms(MAX_TTL_MS, 0), 10 * YEAR_MS, Effective),
            (terms(MAX_TTL_MS, 0), 10 * YEAR_MS + 1_000, CloseToExpired),
        ];
        let now = Timestamp::from_unix_ms(1_726_109_453_000);
        for (terms, age_ms, expected) in cases {
            assert_eq!(
                State::at(now, now.saturating_sub_ms(age_ms), terms),
                expected,
                "{terms:?} at {age_ms} ms"
            );
        }
    }

    #[test]
    fn max_align_is_the_closing_age_in_seconds() {
        let cases = [
            (DEFAULT, 300),
            (terms(10_000, 4_000), 6),
            (terms(10_000, 0), 10),
            (terms(10_000, 10_000), 0),
            (terms(10_000, 60_000), 0),
            (terms(1_999, 0), 1),
            (terms(999, 0), 0),
        ];
        for (terms, expected) in cases {
            assert_eq!(terms.max_align_s(), expected, "{terms:?}");
        }
    }

    #[test]
    fn acquires_missing_or_closing_locks() {
        use Outcome::{Created, Held, Refreshed};
        let now = Timestamp::from_unix_ms(1_726_109_453_000);
        let effective = Some(300_999);
        let closing = Some(301_000);
        let cases = [
            // (age of the held lock, age of the wanted moment, if missing, outcome)
            (None, 0, false, Created),
            (None, 0, true, Created),
            (None, YEAR_MS, false, Created),
            (effective, 0, false, Held),
            (effective, 0, true, Held),
            (closing, 0, false, Refreshed),
            (closing, 0, true, Held),
            // Only a later moment renews.
            (closing, 300_999, false, Refreshed),
            (closing, 301_000, false, Held),
            (closing, 301_001, false, Held),
            (closing, -1, false, Refreshed),
        ];
        for (held_age, wanted_age, if_missing, expected) in cases {
            let text = held_age.map(|age| now.saturating_sub_ms(age).format_rfc3339().unwrap());
            let held = text.as_deref().map(Lock::at);
            let got = acquire(held.as_ref(), now.saturating_sub_ms(wanted_age), if_missing, DEFAULT, now);
            assert_eq!(got, expected, "held {held_age:?}, wanted {wanted_age}, if missing {if_missing}");
        }
    }

    #[test]
    fn terms_of_a_lock_override_the_settings() {
        let lock = |ttl_ms, buffer_ms| Lock { ttl_ms, buffer_ms, ..Lock::at("2024-09-12T02:50:53.000Z") };
        let cases = [
            (lock(None, None), DEFAULT),
            (lock(Some(10_000), None), terms(10_000, 60_000)),
            (lock(None, Some(1_000)), terms(360_000, 1_000)),
            (lock(Some(10_000), Some(1_000)), terms(10_000, 1_000)),
        ];
        for (lock, expected) in cases {
            assert_eq!(lock.terms(DEFAULT), expected);
        }
    }

    proptest! {
        #[test]
        fn extreme_ages_and_terms_saturate(now: i64, moment: i64, ttl_ms: i64, buffer_ms: i64) {
            let difference = |a, b| (i128::from(a) - i128::from(b)).clamp(i64::MIN.into(), i64::MAX.into());
            let age_ms = difference(now, moment) / 1000 * 1000;
            let closing_age_ms = difference(ttl_ms, buffer_ms.min(ttl_ms));
            let terms = terms(ttl_ms, buffer_ms);
            prop_assert_eq!(i128::from(terms.closing_age_ms()), closing_age_ms);
            prop_assert_eq!(i128::from(terms.max_align_s()), closing_age_ms / 1000);
            let state = State::at(Timestamp::from_unix_ms(now), Timestamp::from_unix_ms(moment), terms);
            prop_assert_eq!(state == State::CloseToExpired, age_ms > closing_age_ms);
        }

        #[test]
        fn an_aligned_lock_starts_effective(
            now in 0..253_402_300_799_999_i64,
            ttl_ms in 1..=MAX_TTL_MS,
            buffer_ms in 0..=MAX_TTL_MS,
            pick: prop::sample::Index,
        ) {
            let terms = terms(ttl_ms, buffer_ms);
            let max_s = usize::try_from(terms.max_align_s()).unwrap();
            prop_assume!(max_s > 0);
            let align_s = i64::try_from(pick.index(max_s) + 1).unwrap();
            let now = Timestamp::from_unix_ms(now);
            let moment = now.floor_to(align_s * 1000);
            prop_assert_eq!(State::at(now, moment, terms), State::Effective);
        }
    }
}
