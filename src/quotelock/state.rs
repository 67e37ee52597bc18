//! What state a lock is in, and what acquiring it comes to.

use super::Lock;
use crate::moment::Moment;

/// The longest ttl and the longest buffer: ten years of 365 days, in milliseconds.
pub const LONGEST_TTL_MS: i64 = 315_360_000_000;

/// How long a lock is in force and how long before its end it is closing, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a lock is in force.
    pub ttl_ms: i64,
    /// The last part of the ttl, in which the lock is [`State::CloseToExpired`]; more than the ttl counts as the ttl.
    pub buffer_ms: i64,
}

impl Terms {
    /// These terms, but for what a lock has of its own.
    pub fn with_own(self, ttl_ms: Option<i64>, buffer_ms: Option<i64>) -> Self {
        Self { ttl_ms: ttl_ms.unwrap_or(self.ttl_ms), buffer_ms: buffer_ms.unwrap_or(self.buffer_ms) }
    }

    /// The age, in milliseconds, beyond which a lock is closing.
    pub fn closing_age_ms(self) -> i64 {
        self.ttl_ms.saturating_sub(self.buffer_ms.min(self.ttl_ms))
    }

    /// The longest `ALIGN`, in whole seconds: with a longer one a lock could be closing at birth.
    pub fn longest_align_s(self) -> i64 {
        self.closing_age_ms() / 1000
    }
}

/// The state of a lock that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In force.
    Effective,
    /// In its buffer: the map renews it, a vehicle's page and reserving do not.
    CloseToExpired,
}

impl State {
    /// The state of a lock on `moment` under `terms`, at `now`. Ages count in whole seconds, as the services have
    /// always counted them: 300,999 ms is 300 s.
    pub fn at(now: Moment, moment: Moment, terms: Terms) -> Self {
        let age_ms = now.seconds_since(moment).saturating_mul(1000);
        if age_ms > terms.closing_age_ms() { Self::CloseToExpired } else { Self::Effective }
    }

    /// The state's name in replies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Effective => "Effective",
            Self::CloseToExpired => "CloseToExpired",
        }
    }
}

/// What acquiring a lock came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was no lock; the caller's is now in force.
    Created,
    /// The lock was closing; the caller's is now in force.
    Refreshed,
    /// The lock that was there stays in force, its roles too.
    Held,
}

impl Outcome {
    /// The outcome's name in replies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Refreshed => "Refreshed",
            Self::Held => "Held",
        }
    }
}

/// Decides who is in force: the lock that is `held`, or a new one on the moment `wanted`.
///
/// A closing lock gives way only to a later moment, so that pods that race can't renew twice or go back in time, and
/// not at all with `if_missing`. `settings` are the terms of a lock that carries none of its own.
pub fn acquire(
    held: Option<&Lock>,
    wanted: Moment,
    if_missing: bool,
    settings: Terms,
    now: Moment,
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
    fn state_by_age_and_terms() {
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
            // Own ttl and buffer.
            (terms(10_000, 4_000), 6_999, Effective),
            (terms(10_000, 4_000), 7_000, CloseToExpired),
            // No buffer: closing only once the ttl is over.
            (terms(10_000, 0), 10_999, Effective),
            (terms(10_000, 0), 11_000, CloseToExpired),
            // All buffer: closing from the first whole second on.
            (terms(10_000, 10_000), -1, Effective),
            (terms(10_000, 10_000), 999, Effective),
            (terms(10_000, 10_000), 1_000, CloseToExpired),
            // A buffer beyond the ttl is the ttl.
            (terms(10_000, 60_000), 999, Effective),
            (terms(10_000, 60_000), 1_000, CloseToExpired),
            // Terms finer than a second, ages still in whole seconds.
            (terms(1_500, 0), 1_999, Effective),
            (terms(1_500, 0), 2_000, CloseToExpired),
            (terms(1, 0), 999, Effective),
            (terms(1, 0), 1_000, CloseToExpired),
            (terms(LONGEST_TTL_MS, 0), 10 * YEAR_MS, Effective),
            (terms(LONGEST_TTL_MS, 0), 10 * YEAR_MS + 1_000, CloseToExpired),
        ];
        let now = Moment::from_unix_ms(1_726_109_453_000);
        for (terms, age_ms, expected) in cases {
            assert_eq!(State::at(now, now.minus(age_ms), terms), expected, "{terms:?} at {age_ms} ms");
        }
    }

    #[test]
    fn align_ends_where_a_lock_would_be_closing_at_birth() {
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
            assert_eq!(terms.longest_align_s(), expected, "{terms:?}");
        }
    }

    #[test]
    fn acquiring() {
        use Outcome::{Created, Held, Refreshed};
        let now = Moment::from_unix_ms(1_726_109_453_000);
        let effective = Some(300_999);
        let closing = Some(301_000);
        let cases = [
            // (age of the lock held, age of the moment wanted, if missing, outcome)
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
            let text = held_age.map(|age| now.minus(age).to_text());
            let held = text.as_deref().map(Lock::on);
            let got = acquire(held.as_ref(), now.minus(wanted_age), if_missing, DEFAULT, now);
            assert_eq!(got, expected, "held {held_age:?}, wanted {wanted_age}, if missing {if_missing}");
        }
    }

    #[test]
    fn a_lock_s_own_terms_go_before_the_settings() {
        let lock = |ttl_ms, buffer_ms| Lock { ttl_ms, buffer_ms, ..Lock::on("2024-09-12T02:50:53.000Z") };
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
        fn no_age_or_term_overflows(now: i64, moment: i64, ttl_ms: i64, buffer_ms: i64) {
            let terms = terms(ttl_ms, buffer_ms);
            State::at(Moment::from_unix_ms(now), Moment::from_unix_ms(moment), terms);
            terms.longest_align_s();
        }

        #[test]
        fn no_allowed_align_gives_a_lock_that_closes_at_birth(
            now in 0..253_402_300_799_999_i64,
            ttl_ms in 1..=LONGEST_TTL_MS,
            buffer_ms in 0..=LONGEST_TTL_MS,
            pick: prop::sample::Index,
        ) {
            let terms = terms(ttl_ms, buffer_ms);
            let longest_s = usize::try_from(terms.longest_align_s()).unwrap();
            prop_assume!(longest_s > 0);
            let align_s = i64::try_from(pick.index(longest_s).saturating_add(1)).unwrap();
            let now = Moment::from_unix_ms(now);
            let moment = now.floor_to(align_s.saturating_mul(1000));
            prop_assert_eq!(State::at(now, moment, terms), State::Effective);
        }
    }
}
