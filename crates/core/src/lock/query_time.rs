//! The time a new lock is for.

use std::borrow::Cow;

use crate::timestamp::Timestamp;

/// A `queryTime` argument: a time in the caller's own text, or the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryTime<'a> {
    /// `*`: the server's clock, so that no client's clock matters.
    Clock,
    /// A time, whose text is kept byte for byte.
    Given(&'a [u8], Timestamp),
}

impl<'a> QueryTime<'a> {
    /// Parses `*` or an RFC 3339 time with an offset.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        if text == b"*" {
            return Some(Self::Clock);
        }
        Some(Self::Given(text, Timestamp::parse(text)?))
    }

    /// The moment to lock: the given one, or the clock less `lag_ms`, floored to a multiple of `align_ms` if
    /// there is one. `None` if that is outside the years 0000 to 9999.
    pub fn resolve(self, now: Timestamp, lag_ms: i64, align_ms: Option<i64>) -> Option<LockTime<'a>> {
        let moment = match (self, align_ms) {
            (Self::Given(text, moment), None) => return Some(LockTime { moment, given: Some(text) }),
            (Self::Given(_, moment), Some(_)) => moment,
            (Self::Clock, _) => now.saturating_sub_ms(lag_ms),
        };
        let moment = align_ms.map_or(moment, |step_ms| moment.floor_to(step_ms));
        moment.is_representable().then_some(LockTime { moment, given: None })
    }
}

/// The moment of a new lock, formatted only when its text is asked for.
#[derive(Clone, Copy, Debug)]
pub struct LockTime<'a> {
    moment: Timestamp,
    /// The caller's text, if the moment is as given. Otherwise the moment is representable.
    given: Option<&'a [u8]>,
}

impl<'a> LockTime<'a> {
    /// The moment to lock.
    pub fn moment(self) -> Timestamp {
        self.moment
    }

    /// The text to store.
    #[expect(clippy::expect_used, reason = "`resolve` refuses a moment that has no text")]
    pub fn text(self) -> Cow<'a, [u8]> {
        match self.given {
            Some(text) => Cow::Borrowed(text),
            None => {
                Cow::Owned(self.moment.format_rfc3339().expect("the moment is representable").into_bytes())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_the_clock_lag_and_align() {
        let now = Timestamp::parse(b"2024-09-12T02:50:53.123Z").unwrap();
        let cases: &[(&str, i64, Option<i64>, Option<&str>)] = &[
            // (argument, lag, align, text of the lock)
            ("*", 0, None, Some("2024-09-12T02:50:53.123Z")),
            ("*", 200, None, Some("2024-09-12T02:50:52.923Z")),
            ("*", 0, Some(1_000), Some("2024-09-12T02:50:53.000Z")),
            ("*", 0, Some(300_000), Some("2024-09-12T02:50:00.000Z")),
            // The lag is subtracted before aligning.
            ("*", 124, Some(1_000), Some("2024-09-12T02:50:52.000Z")),
            ("*", 53_124, Some(300_000), Some("2024-09-12T02:45:00.000Z")),
            // A given time keeps its text, and no lag applies to it.
            ("2024-09-12T10:50:53+08:00", 5_000, None, Some("2024-09-12T10:50:53+08:00")),
            ("2024-09-12T10:50:53.987654321+08:00", 0, None, Some("2024-09-12T10:50:53.987654321+08:00")),
            ("2024-09-12T10:50:53+08:00", 5_000, Some(60_000), Some("2024-09-12T02:50:00.000Z")),
            ("2024-02-29T00:00:00Z", 0, Some(86_400_000), Some("2024-02-29T00:00:00.000Z")),
            // The ends of the calendar.
            ("0000-01-01T00:00:00.000Z", 0, Some(1_000), Some("0000-01-01T00:00:00.000Z")),
            ("0000-01-01T00:00:00+00:01", 0, None, Some("0000-01-01T00:00:00+00:01")),
            ("0000-01-01T00:00:00+00:01", 0, Some(1_000), None),
            ("9999-12-31T23:59:59.999Z", 0, Some(1_000), Some("9999-12-31T23:59:59.000Z")),
            ("9999-12-31T23:59:59-00:01", 0, Some(1_000), None),
        ];
        for (argument, lag_ms, align_ms, expected) in cases {
            let resolved = QueryTime::parse(argument.as_bytes()).unwrap().resolve(now, *lag_ms, *align_ms);
            let text = resolved.map(LockTime::text);
            assert_eq!(
                text.as_deref(),
                expected.map(str::as_bytes),
                "{argument} lag {lag_ms} align {align_ms:?}"
            );
            if let Some(time) = resolved {
                assert_eq!(Timestamp::parse(&time.text()), Some(time.moment), "{argument}");
            }
        }
    }
}
