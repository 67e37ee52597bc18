//! Timestamps: read and written as RFC 3339, floored to multiples of a step.
//!
//! Prices are asked for by the text of a timestamp, so text from a caller is stored as it came. This module
//! writes text only where the server picks the time itself (`*`, `ALIGN`).

use chrono::{DateTime, SecondsFormat};

/// The longest text that is parsed, in bytes: RFC 3339 sets no limit to the digits of a fraction.
pub const MAX_TEXT_BYTES: usize = 64;

const MS_PER_DAY: i64 = 86_400_000;

/// 0000-01-01T00:00:00.000Z
const MIN_MS: i64 = -62_167_219_200_000;

/// 9999-12-31T23:59:59.999Z
const MAX_MS: i64 = 253_402_300_799_999;

/// An instant, in whole milliseconds since 1970-01-01T00:00:00Z. Anything finer is truncated.
///
/// Any `i64` is a valid timestamp, so arithmetic saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `ms` milliseconds after the Unix epoch.
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Parses an RFC 3339 time. `None` for anything else, including a time without an offset, which is
    /// ambiguous.
    ///
    /// A leap second (`:60`) is the first second of the next minute, as in Unix time.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        parse_fast(text).or_else(|| parse_slow(text))
    }

    /// Whether RFC 3339 can express this: it needs a year of four digits.
    pub fn is_representable(self) -> bool {
        (MIN_MS..=MAX_MS).contains(&self.0)
    }

    /// Formats as `YYYY-MM-DDTHH:MM:SS.mmmZ`; `None` if that isn't [representable](Self::is_representable).
    pub fn format_rfc3339(self) -> Option<String> {
        let time = DateTime::from_timestamp_millis(self.0).filter(|_| self.is_representable())?;
        Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    /// The instant `ms` milliseconds earlier.
    pub fn saturating_sub_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// The latest multiple of `step_ms` since the epoch that is not after `self`. A step below 1 changes
    /// nothing.
    pub fn floor_to(self, step_ms: i64) -> Self {
        if step_ms < 1 {
            return self;
        }
        Self(self.0.saturating_sub(self.0.rem_euclid(step_ms)))
    }

    /// Whole seconds since `earlier`, truncated toward zero; negative if `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / 1000
    }
}

/// Parses `YYYY-MM-DDTHH:MM:SS.mmmZ`, the output of JavaScript's `toISOString` and so the text of nearly
/// every lock, at a fraction of the cost of [`parse_slow`]. Whatever this accepts, `parse_slow` reads as the
/// same time.
#[inline]
fn parse_fast(text: &[u8]) -> Option<Timestamp> {
    let (date, time, rest) =
        (text.first_chunk()?, text.get(8..)?.first_chunk()?, text.get(16..)?.try_into().ok()?);
    let [y1, y2, y3, y4, _, o1, o2, _] = match_digits(date, b"0000-00-")?;
    let [d1, d2, _, h1, h2, _, m1, m2] = match_digits(time, b"00T00:00")?;
    let [_, s1, s2, _, f1, f2, f3, _] = match_digits(rest, b":00.000Z")?;
    let (year, month, day) = (decimal([y1, y2, y3, y4]), decimal([o1, o2]), decimal([d1, d2]));
    let (hour, minute, second) = (decimal([h1, h2]), decimal([m1, m2]), decimal([s1, s2]));
    let ms = decimal([f1, f2, f3]);
    if day < 1 || day > days_in_month(year, month)? || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let ms_of_day = (hour * 3600 + minute * 60 + second) * 1000 + ms;
    Some(Timestamp(days_since_1970(year, month, day) * MS_PER_DAY + i64::from(ms_of_day)))
}

/// Parses any RFC 3339 text: other offsets, other fractions, leap seconds, lower case.
#[cold]
fn parse_slow(text: &[u8]) -> Option<Timestamp> {
    // chrono also accepts U+2212 as a minus sign, which RFC 3339 does not.
    if text.len() > MAX_TEXT_BYTES || !text.is_ascii() {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp(time.timestamp_millis()))
}

/// Matches `text` with `pattern`, where `0` stands for any digit and every other byte for itself. Returns the
/// values of the digits, in place; the other bytes are 0.
#[inline]
fn match_digits(text: &[u8; 8], pattern: &[u8; 8]) -> Option<[u8; 8]> {
    // All eight bytes are checked at once (SIMD within a register).
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    // Added to a byte, this sets its high bit if the byte is at least 10 for a digit, at least 1 for any
    // other.
    let bias = u64::from_le_bytes(pattern.map(|byte| if byte == b'0' { 0x80 - 10 } else { 0x80 - 1 }));
    // XOR with `0` turns a digit into its value; XOR with itself turns any byte into 0.
    let values = u64::from_le_bytes(*text) ^ u64::from_le_bytes(*pattern);
    // Only a byte whose high bit is set can carry into the next, or overflow, and it is a mismatch anyway.
    let mismatch = (values | values.wrapping_add(bias)) & HIGH_BITS;
    (mismatch == 0).then_some(values.to_le_bytes())
}

/// The number that up to four decimal digits make.
#[inline]
fn decimal<const DIGITS: usize>(digits: [u8; DIGITS]) -> u32 {
    // Wrapping, though it can't overflow: overflow checks would more than double the cost of parsing.
    digits.into_iter().fold(0, |number: u32, digit| number.wrapping_mul(10).wrapping_add(digit.into()))
}

fn days_in_month(year: u32, month: u32) -> Option<u32> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if is_leap(year) => Some(29),
        2 => Some(28),
        _ => None,
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, for years 0 to 9999.
///
/// Years start in March, so that a leap day is the last of its year, and are shifted by 400, so that none is
/// negative.
#[inline(always)] // The ranges its caller has checked then rule out every overflow check.
fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    /// What the sum below is for 1970-01-01.
    const EPOCH_DAY: i64 = 865_566;
    let (year, month) = if month < 3 { (year + 399, month + 9) } else { (year + 400, month - 3) };
    let days_before_year = year * 365 + year / 4 - year / 100 + year / 400;
    // Counted from March, lengths of months repeat 31, 30, 31, 30, 31: 153 days in five.
    let days_before_month = (month * 153 + 2) / 5;
    i64::from(days_before_year + days_before_month + day) - EPOCH_DAY
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parses_only_rfc_3339_with_an_offset() {
        let time = 1_726_109_453_000;
        let cases: &[(&str, Option<i64>)] = &[
            // Offsets.
            ("2024-09-12T02:50:53.000Z", Some(time)),
            ("2024-09-12T02:50:53Z", Some(time)),
            ("2024-09-12T10:50:53+08:00", Some(time)),
            ("2024-09-11T23:20:53.000-03:30", Some(time)),
            ("2024-09-12T02:50:53-00:00", Some(time)),
            ("2024-09-12t02:50:53z", Some(time)),
            ("2024-09-12 02:50:53Z", Some(time)),
            ("2024-09-12T02:50:53", None),
            ("2024-09-12T02:50:53.000", None),
            ("2024-09-12T10:50:53+0800", None),
            ("2024-09-12T10:50:53+08", None),
            ("2024-09-12T10:50:53+24:00", None),
            ("2024-09-12T10:50:53\u{2212}08:00", None),
            // Fractions of any length, truncated to milliseconds.
            ("2024-09-12T02:50:53.Z", None),
            ("2024-09-12T02:50:53.1Z", Some(time + 100)),
            ("2024-09-12T02:50:53.12Z", Some(time + 120)),
            ("2024-09-12T02:50:53.123Z", Some(time + 123)),
            ("2024-09-12T02:50:53.1239Z", Some(time + 123)),
            ("2024-09-12T02:50:53.12399Z", Some(time + 123)),
            ("2024-09-12T02:50:53.123999Z", Some(time + 123)),
            ("2024-09-12T02:50:53.1239999Z", Some(time + 123)),
            ("2024-09-12T02:50:53.12399999Z", Some(time + 123)),
            ("2024-09-12T02:50:53.123999999Z", Some(time + 123)),
            ("2024-09-12T02:50:53.123999999999Z", Some(time + 123)),
            ("1969-12-31T23:59:59.9995Z", Some(-1)),
            // Leap seconds and leap days.
            ("2016-12-31T23:59:60Z", Some(1_483_228_800_000)),
            ("2016-12-31T23:59:60.500Z", Some(1_483_228_800_500)),
            ("2016-12-31T23:59:61Z", None),
            ("2024-02-29T00:00:00.000Z", Some(1_709_164_800_000)),
            ("2023-02-29T00:00:00.000Z", None),
            ("1900-02-29T00:00:00.000Z", None),
            ("2000-02-29T00:00:00.000Z", Some(951_782_400_000)),
            // The ends of the calendar.
            ("0000-01-01T00:00:00.000Z", Some(MIN_MS)),
            ("0000-01-01T00:00:00+00:01", Some(MIN_MS - 60_000)),
            ("9999-12-31T23:59:59.999Z", Some(MAX_MS)),
            ("9999-12-31T23:59:59.999-00:01", Some(MAX_MS + 60_000)),
            ("10000-01-01T00:00:00Z", None),
            ("+2024-09-12T02:50:53Z", None),
            // Out of range.
            ("2024-00-12T02:50:53.000Z", None),
            ("2024-13-12T02:50:53.000Z", None),
            ("2024-09-00T02:50:53.000Z", None),
            ("2024-09-31T02:50:53.000Z", None),
            ("2024-09-12T24:00:00.000Z", None),
            ("2024-09-12T02:60:53.000Z", None),
            // Other formats.
            ("", None),
            ("*", None),
            ("2024-09-12", None),
            ("1726109453000", None),
            ("Thu, 12 Sep 2024 02:50:53 GMT", None),
            ("2024-09-12T02:50:53.000Z ", None),
            (" 2024-09-12T02:50:53.000Z", None),
            ("2024-09-12T02:50:53.000Z\0", None),
            ("2024-09-12T02:50:5\u{0663}.00Z", None),
        ];
        for (text, expected) in cases {
            let got = Timestamp::parse(text.as_bytes()).map(Timestamp::unix_ms);
            assert_eq!(got, *expected, "{text:?}");
        }
    }

    #[test]
    fn parsers_agree_whichever_byte_changes() {
        for original in ["2024-09-12T02:50:53.000Z", "0000-10-31T23:59:59.999Z"] {
            for index in 0..original.len() {
                for byte in 0..=u8::MAX {
                    let mut text = original.as_bytes().to_vec();
                    text[index] = byte;
                    if let Some(fast) = parse_fast(&text) {
                        assert_eq!(parse_slow(&text), Some(fast), "{}", text.escape_ascii());
                    }
                }
            }
        }
    }

    #[test]
    fn length_is_limited() {
        let with_length = |length: usize| format!("2024-09-12T02:50:53.{}Z", "0".repeat(length - 21));
        assert!(Timestamp::parse(with_length(MAX_TEXT_BYTES).as_bytes()).is_some());
        assert!(Timestamp::parse(with_length(MAX_TEXT_BYTES + 1).as_bytes()).is_none());
    }

    #[test]
    fn formats_only_years_of_four_digits() {
        let cases = [
            (i64::MIN, None),
            (MIN_MS - 1, None),
            (MIN_MS, Some("0000-01-01T00:00:00.000Z")),
            (-1, Some("1969-12-31T23:59:59.999Z")),
            (MAX_MS, Some("9999-12-31T23:59:59.999Z")),
            (MAX_MS + 1, None),
            (i64::MAX, None),
        ];
        for (ms, expected) in cases {
            assert_eq!(Timestamp(ms).format_rfc3339().as_deref(), expected, "{ms}");
            assert_eq!(Timestamp(ms).is_representable(), expected.is_some(), "{ms}");
        }
    }

    #[test]
    fn floors_to_multiples_since_the_epoch() {
        let cases = [
            (1_726_109_453_123, 1_000, 1_726_109_453_000),
            (1_726_109_453_123, 300_000, 1_726_109_400_000),
            (1_726_109_400_000, 300_000, 1_726_109_400_000),
            (-1, 1_000, -1_000),
            (-1_000, 1_000, -1_000),
            (5, 0, 5),
            (5, -3, 5),
            (i64::MIN, 7, i64::MIN),
        ];
        for (ms, step, expected) in cases {
            assert_eq!(Timestamp(ms).floor_to(step), Timestamp(expected), "{ms} by {step}");
        }
    }

    proptest! {
        #[test]
        fn parse_inverts_format(ms in MIN_MS..=MAX_MS) {
            let text = Timestamp(ms).format_rfc3339().unwrap();
            prop_assert_eq!(Timestamp::parse(text.as_bytes()), Some(Timestamp(ms)));
        }

        #[test]
        fn parsers_agree_on_text_of_the_fast_form(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z"
        ) {
            if let Some(fast) = parse_fast(text.as_bytes()) {
                prop_assert_eq!(Some(fast), parse_slow(text.as_bytes()));
            } else {
                // Of this form, only leap seconds are left to the slow parser.
                let leap_second = text.get(17..19) == Some("60");
                prop_assert!(leap_second || parse_slow(text.as_bytes()).is_none(), "{}", text);
            }
        }

        #[test]
        fn parsers_agree_on_every_date(ms in MIN_MS..=MAX_MS) {
            let text = Timestamp(ms).format_rfc3339().unwrap();
            prop_assert_eq!(parse_fast(text.as_bytes()), parse_slow(text.as_bytes()));
        }

        #[test]
        fn floor_is_idempotent_and_never_later(ms: i64, step in 1..=i64::MAX) {
            let floored = Timestamp(ms).floor_to(step);
            prop_assert!(floored <= Timestamp(ms));
            if floored.unix_ms() != i64::MIN {
                prop_assert_eq!(floored.floor_to(step), floored);
            }
        }

        #[test]
        fn seconds_since_saturates(now: i64, then: i64) {
            let age = i128::from(now) - i128::from(then);
            let expected = age.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) / 1000;
            prop_assert_eq!(i128::from(Timestamp(now).seconds_since(Timestamp(then))), expected);
        }
    }
}
