//! The moment a new lock is asked to be on.

use std::borrow::Cow;

use crate::moment::Moment;

/// A `queryTime` as given: a moment in the caller's own words, or the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryTime<'a> {
    /// `*`: the server's clock, so that no pod's clock matters.
    Clock,
    /// A moment, kept byte for byte as given.
    Given(&'a str, Moment),
}

impl<'a> QueryTime<'a> {
    /// Reads `*` or an RFC 3339 time with an offset; `None` for anything else.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        if text == b"*" {
            return Some(Self::Clock);
        }
        let moment = Moment::parse(text)?;
        Some(Self::Given(std::str::from_utf8(text).ok()?, moment))
    }

    /// The text and the moment to lock: the clock less `lag_ms`, or the given moment; then floored to a multiple of
    /// `align_ms` since 1970 if that is asked. `None` where that leaves the years 0000 to 9999.
    pub fn resolve(self, now: Moment, lag_ms: i64, align_ms: Option<i64>) -> Option<(Cow<'a, str>, Moment)> {
        let moment = match (self, align_ms) {
            (Self::Given(text, moment), None) => return Some((Cow::Borrowed(text), moment)),
            (Self::Given(_, moment), Some(step)) => moment.floor_to(step),
            (Self::Clock, None) => now.minus(lag_ms),
            (Self::Clock, Some(step)) => now.minus(lag_ms).floor_to(step),
        };
        Some((Cow::Owned(moment.to_text()?), moment))
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
            let text = resolved.as_ref().map(|(text, _)| text.as_ref());
            assert_eq!(text, *expected, "{given} lag {lag_ms} align {align_ms:?}");
            if let Some((text, moment)) = resolved {
                assert_eq!(Moment::parse(text.as_bytes()), Some(moment), "{given}");
            }
        }
    }
}
