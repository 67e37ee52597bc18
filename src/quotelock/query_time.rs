//! The moment a new lock is asked to be on.

use std::borrow::Cow;

use crate::moment::Moment;

/// A `queryTime` as given: a moment in the caller's own words, or the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryTime<'a> {
    /// `*`: the server's clock, so that no pod's clock matters.
    Clock,
    /// A moment, kept byte for byte as given.
    Given(&'a [u8], Moment),
}

impl<'a> QueryTime<'a> {
    /// Reads `*` or an RFC 3339 time with an offset; `None` for anything else.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        if text == b"*" {
            return Some(Self::Clock);
        }
        Some(Self::Given(text, Moment::parse(text)?))
    }

    /// The moment to lock: the clock less `lag_ms`, or the given one; then floored to a multiple of `align_ms` since 1970
    /// if that is asked. `None` where that leaves the years 0000 to 9999.
    pub fn resolve(self, now: Moment, lag_ms: i64, align_ms: Option<i64>) -> Option<LockTime<'a>> {
        let (words, moment) = match self {
            Self::Clock => (None, now.minus(lag_ms)),
            Self::Given(words, moment) => (Some(words), moment),
        };
        match (words, align_ms) {
            (Some(words), None) => Some(LockTime { moment, words: Some(words) }),
            _ => {
                let moment = align_ms.map_or(moment, |step| moment.floor_to(step));
                moment.has_text().then_some(LockTime { moment, words: None })
            }
        }
    }
}

/// The moment of a new lock.
#[derive(Clone, Copy, Debug)]
pub struct LockTime<'a> {
    /// The moment.
    pub moment: Moment,
    /// The caller's words for it; without them it is written anew.
    words: Option<&'a [u8]>,
}

impl<'a> LockTime<'a> {
    /// The text to store.
    pub fn text(self) -> Cow<'a, [u8]> {
        self.words.map_or_else(|| Cow::Owned(self.moment.to_text().into_bytes()), Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_clock_lag_and_align() {
        let now = Moment::parse(b"2024-09-12T02:50:53.123Z").unwrap();
        let cases: &[(&str, i64, Option<i64>, Option<&str>)] = &[
            // (given, lag, align, text locked)
            ("*", 0, None, Some("2024-09-12T02:50:53.123Z")),
            ("*", 200, None, Some("2024-09-12T02:50:52.923Z")),
            ("*", 0, Some(1_000), Some("2024-09-12T02:50:53.000Z")),
            ("*", 0, Some(300_000), Some("2024-09-12T02:50:00.000Z")),
            // The lag comes before the align.
            ("*", 124, Some(1_000), Some("2024-09-12T02:50:52.000Z")),
            ("*", 53_124, Some(300_000), Some("2024-09-12T02:45:00.000Z")),
            // A moment in the caller's own words stays as it is, whatever the lag.
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
        for (given, lag_ms, align_ms, expected) in cases {
            let resolved = QueryTime::parse(given.as_bytes()).unwrap().resolve(now, *lag_ms, *align_ms);
            let text = resolved.map(LockTime::text);
            assert_eq!(
                text.as_deref(),
                expected.map(str::as_bytes),
                "{given} lag {lag_ms} align {align_ms:?}"
            );
            if let Some(time) = resolved {
                assert_eq!(Moment::parse(&time.text()), Some(time.moment), "{given}");
            }
        }
    }
}
