//! Moments: RFC 3339 in and out, and flooring to a grid.
//!
//! A moment is what prices are asked for, so its text is never touched: it is read to judge a lock's age, and
//! written only where the server itself chooses it (`*`, `ALIGN`).

use chrono::{DateTime, SecondsFormat};

/// The longest text read as a moment, in bytes: RFC 3339 sets no end to the digits of a second's fraction.
pub const LONGEST_TEXT: usize = 64;

const MS_PER_DAY: i64 = 86_400_000;

/// 0000-01-01T00:00:00.000Z
const FIRST_MS: i64 = -62_167_219_200_000;

/// 9999-12-31T23:59:59.999Z
const LAST_MS: i64 = 253_402_300_799_999;

/// An instant in whole milliseconds since 1970-01-01T00:00:00Z; what is finer is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// The moment `ms` milliseconds after 1970 began.
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970 began.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 time with an offset. `None` for anything else, a time without an offset included: it is ambiguous.
    ///
    /// A leap second (`:60`) is the first second of the next minute, as in Unix time.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        parse_plain(text).or_else(|| parse_any(text))
    }

    /// Whether RFC 3339 can write the moment: it has four digits for the year.
    pub fn has_text(self) -> bool {
        (FIRST_MS..=LAST_MS).contains(&self.0)
    }

    /// The moment as `YYYY-MM-DDTHH:MM:SS.mmmZ`; one that has no text is written as the nearest that has.
    pub fn to_text(self) -> String {
        let ms = self.0.clamp(FIRST_MS, LAST_MS);
        DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// `ms` earlier.
    pub fn minus(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// The latest multiple of `step_ms` since 1970 that is not later than this moment. A step below 1 changes nothing.
    pub fn floor_to(self, step_ms: i64) -> Self {
        match self.0.checked_rem_euclid(step_ms) {
            Some(past) if step_ms > 0 => Self(self.0.saturating_sub(past)),
            _ => self,
        }
    }

    /// Whole seconds from `earlier` to this moment, truncated toward zero; negative where `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / 1000
    }
}

/// Reads `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form nearly every lock has (JavaScript's `toISOString`), at a fraction of the
/// general parser's cost.
/// `None` leaves the text to [`parse_any`]; the two never disagree.
#[inline]
fn parse_plain(text: &[u8]) -> Option<Moment> {
    let (date, time, rest) =
        (text.first_chunk()?, text.get(8..)?.first_chunk()?, text.get(16..)?.try_into().ok()?);
    let [y1, y2, y3, y4, _, o1, o2, _] = digits(date, b"0000-00-")?;
    let [d1, d2, _, h1, h2, _, m1, m2] = digits(time, b"00T00:00")?;
    let [_, s1, s2, _, f1, f2, f3, _] = digits(rest, b":00.000Z")?;
    let (year, month, day) = (number([y1, y2, y3, y4]), number([o1, o2]), number([d1, d2]));
    let (hour, minute, second) = (number([h1, h2]), number([m1, m2]), number([s1, s2]));
    let ms = number([f1, f2, f3]);
    if day < 1 || day > days_in_month(year, month)? || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Numbers of two to four digits: nothing here comes near an overflow.
    let seconds = hour.wrapping_mul(3600).wrapping_add(minute.wrapping_mul(60)).wrapping_add(second);
    let of_day = i64::from(seconds.wrapping_mul(1000).wrapping_add(ms));
    let of_days = days_since_1970(year, month, day).wrapping_mul(MS_PER_DAY);
    Some(Moment(of_days.wrapping_add(of_day)))
}

/// Reads every other RFC 3339 text: other offsets, other fractions, leap seconds, lower case.
#[cold]
fn parse_any(text: &[u8]) -> Option<Moment> {
    // chrono also takes U+2212 for a minus sign, which RFC 3339 does not.
    if text.len() > LONGEST_TEXT || !text.is_ascii() {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Moment(time.timestamp_millis()))
}

/// The values of the digits of a text that has this form: a digit where the form has `0`, else just what the form has.
/// All eight bytes are judged at once.
#[inline]
fn digits(text: &[u8; 8], form: &[u8; 8]) -> Option<[u8; 8]> {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    // Added to a byte, these reach its high bit from 10 on where there must be a digit, and else from 1 on.
    let beyond = u64::from_le_bytes(form.map(|byte| if byte == b'0' { 0x80 - 10 } else { 0x80 - 1 }));
    // A digit less its `0` is its value, and so is their exclusive or.
    let values = u64::from_le_bytes(*text) ^ u64::from_le_bytes(*form);
    let wrong = (values | values.wrapping_add(beyond)) & HIGH_BITS;
    (wrong == 0).then_some(values.to_le_bytes())
}

/// The number that a few digits' values make.
#[inline]
fn number<const DIGITS: usize>(values: [u8; DIGITS]) -> u32 {
    values.into_iter().fold(0, |number: u32, value| number.wrapping_mul(10).wrapping_add(u32::from(value)))
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

/// Days from 1970-01-01 to a date of the Gregorian calendar with a year of four digits. Years are counted from March,
/// so that the leap day is a year's last, and from 400 years before the year 0, so that none is negative.
fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    /// Days from 0001-03-01 less 401 years to 1970-01-01, and one more because days count from 1.
    const DAYS_TO_1970: i64 = 865_566;
    let before_march = u32::from(month < 3);
    let year = year.wrapping_add(400).wrapping_sub(before_march);
    let month = month.wrapping_add(before_march.wrapping_mul(12)).wrapping_sub(3);
    let leap_days = (year / 4).wrapping_sub(year / 100).wrapping_add(year / 400);
    let of_years = year.wrapping_mul(365).wrapping_add(leap_days);
    // Months from March are 31, 30, 31, 30, 31 days, and again, and the first two of those again.
    let of_months = month.wrapping_mul(153).wrapping_add(2) / 5;
    i64::from(of_years.wrapping_add(of_months).wrapping_add(day)).wrapping_sub(DAYS_TO_1970)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_rfc_3339_with_an_offset_and_nothing_else() {
        let moment = 1_726_109_453_000;
        let cases: &[(&str, Option<i64>)] = &[
            // Offsets.
            ("2024-09-12T02:50:53.000Z", Some(moment)),
            ("2024-09-12T02:50:53Z", Some(moment)),
            ("2024-09-12T10:50:53+08:00", Some(moment)),
            ("2024-09-11T23:20:53.000-03:30", Some(moment)),
            ("2024-09-12T02:50:53-00:00", Some(moment)),
            ("2024-09-12t02:50:53z", Some(moment)),
            ("2024-09-12 02:50:53Z", Some(moment)),
            ("2024-09-12T02:50:53", None),
            ("2024-09-12T02:50:53.000", None),
            ("2024-09-12T10:50:53+0800", None),
            ("2024-09-12T10:50:53+08", None),
            ("2024-09-12T10:50:53+24:00", None),
            ("2024-09-12T10:50:53\u{2212}08:00", None),
            // Fractions of 0 to 9 digits and beyond: what is finer than a millisecond is cut off.
            ("2024-09-12T02:50:53.Z", None),
            ("2024-09-12T02:50:53.1Z", Some(moment + 100)),
            ("2024-09-12T02:50:53.12Z", Some(moment + 120)),
            ("2024-09-12T02:50:53.123Z", Some(moment + 123)),
            ("2024-09-12T02:50:53.1239Z", Some(moment + 123)),
            ("2024-09-12T02:50:53.12399Z", Some(moment + 123)),
            ("2024-09-12T02:50:53.123999Z", Some(moment + 123)),
            ("2024-09-12T02:50:53.1239999Z", Some(moment + 123)),
            ("2024-09-12T02:50:53.12399999Z", Some(moment + 123)),
            ("2024-09-12T02:50:53.123999999Z", Some(moment + 123)),
            ("2024-09-12T02:50:53.123999999999Z", Some(moment + 123)),
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
            ("0000-01-01T00:00:00.000Z", Some(FIRST_MS)),
            ("0000-01-01T00:00:00+00:01", Some(FIRST_MS - 60_000)),
            ("9999-12-31T23:59:59.999Z", Some(LAST_MS)),
            ("9999-12-31T23:59:59.999-00:01", Some(LAST_MS + 60_000)),
            ("10000-01-01T00:00:00Z", None),
            ("+2024-09-12T02:50:53Z", None),
            // Out of range.
            ("2024-00-12T02:50:53.000Z", None),
            ("2024-13-12T02:50:53.000Z", None),
            ("2024-09-00T02:50:53.000Z", None),
            ("2024-09-31T02:50:53.000Z", None),
            ("2024-09-12T24:00:00.000Z", None),
            ("2024-09-12T02:60:53.000Z", None),
            // Not this format.
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
            let got = Moment::parse(text.as_bytes()).map(Moment::unix_ms);
            assert_eq!(got, *expected, "{text:?}");
        }
    }

    #[test]
    fn the_two_parsers_agree_on_every_byte_at_every_place() {
        for plain in ["2024-09-12T02:50:53.000Z", "0000-10-31T23:59:59.999Z"] {
            for place in 0..plain.len() {
                for byte in 0..=u8::MAX {
                    let mut text = plain.as_bytes().to_vec();
                    text[place] = byte;
                    if let Some(moment) = parse_plain(&text) {
                        assert_eq!(parse_any(&text), Some(moment), "{}", text.escape_ascii());
                    }
                }
            }
        }
    }

    #[test]
    fn text_is_bounded() {
        let with_length = |length: usize| format!("2024-09-12T02:50:53.{}Z", "0".repeat(length - 21));
        assert!(Moment::parse(with_length(LONGEST_TEXT).as_bytes()).is_some());
        assert!(Moment::parse(with_length(LONGEST_TEXT + 1).as_bytes()).is_none());
    }

    #[test]
    fn has_no_text_outside_four_digit_years() {
        let (first, last) = ("0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z");
        let cases = [
            (i64::MIN, false, first),
            (FIRST_MS - 1, false, first),
            (FIRST_MS, true, first),
            (LAST_MS, true, last),
            (LAST_MS + 1, false, last),
            (i64::MAX, false, last),
        ];
        for (ms, has_text, text) in cases {
            assert_eq!((Moment(ms).has_text(), Moment(ms).to_text().as_str()), (has_text, text), "{ms}");
        }
    }

    #[test]
    fn floors_to_a_grid_that_starts_in_1970() {
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
            assert_eq!(Moment(ms).floor_to(step), Moment(expected), "{ms} by {step}");
        }
    }

    proptest! {
        #[test]
        fn parse_of_text_is_identity(ms in FIRST_MS..=LAST_MS) {
            let text = Moment(ms).to_text();
            prop_assert_eq!(Moment::parse(text.as_bytes()), Some(Moment(ms)));
        }

        #[test]
        fn the_two_parsers_agree_on_texts_that_look_plain(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z"
        ) {
            if let Some(plain) = parse_plain(text.as_bytes()) {
                prop_assert_eq!(Some(plain), parse_any(text.as_bytes()));
            } else {
                // All that is left to the general parser in this form is a leap second.
                let leap_second = text.get(17..19) == Some("60");
                prop_assert!(leap_second || parse_any(text.as_bytes()).is_none(), "{}", text);
            }
        }

        #[test]
        fn the_two_parsers_agree_on_every_date(ms in FIRST_MS..=LAST_MS) {
            let text = Moment(ms).to_text();
            prop_assert_eq!(parse_plain(text.as_bytes()), parse_any(text.as_bytes()));
        }

        #[test]
        fn flooring_is_idempotent_and_never_later(ms: i64, step in 1..=i64::MAX) {
            let floored = Moment(ms).floor_to(step);
            prop_assert!(floored <= Moment(ms));
            if floored.unix_ms() != i64::MIN {
                prop_assert_eq!(floored.floor_to(step), floored);
            }
        }

        #[test]
        fn no_age_overflows(now: i64, then: i64) {
            let age = i128::from(now).saturating_sub(i128::from(then));
            let expected = age.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) / 1000;
            prop_assert_eq!(i128::from(Moment(now).seconds_since(Moment(then))), expected);
        }
    }
}
