//! Timestamps: parsing and formatting RFC 3339, and arithmetic.

use quotelock_core::lock::QueryTime;
use quotelock_core::timestamp::Timestamp;

/// The input is a text, and its first 16 bytes are two numbers.
pub(crate) fn times(input: &[u8]) {
    let parsed = Timestamp::parse(input);
    assert_eq!(parsed.map(Timestamp::unix_ms), unix_ms(input), "{}", input.escape_ascii());
    if let Some(time) = parsed {
        assert_eq!(QueryTime::parse(input), Some(QueryTime::Given(input, time)));
        check(time, 60_000);
    }
    if let Some((numbers, _)) = input.split_first_chunk::<16>() {
        let (ms, step) = numbers.split_at(8);
        let number = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().unwrap());
        check(Timestamp::from_unix_ms(number(ms)), number(step));
    }
}

fn check(time: Timestamp, step: i64) {
    let ms = time.unix_ms();
    assert_eq!(time.is_representable(), (MIN_MS..=MAX_MS).contains(&ms));
    assert_eq!(time.format_rfc3339().is_some(), time.is_representable());
    if let Some(text) = time.format_rfc3339() {
        assert_eq!(text.len(), 24, "{text}");
        assert_eq!(Timestamp::parse(text.as_bytes()), Some(time), "{text}");
    }

    let floored = time.floor_to(step).unix_ms();
    if step > 0 {
        let exact = i128::from(ms) - i128::from(ms).rem_euclid(i128::from(step));
        assert_eq!(i128::from(floored), exact.max(i128::from(i64::MIN)), "{ms} floored to {step}");
    } else {
        assert_eq!(floored, ms);
    }
    let difference = (i128::from(ms) - i128::from(step)).clamp(i64::MIN.into(), i64::MAX.into());
    assert_eq!(i128::from(time.saturating_sub_ms(step).unix_ms()), difference);
    let seconds = time.seconds_since(Timestamp::from_unix_ms(step));
    assert_eq!(i128::from(seconds), difference / 1000);
}

const MIN_MS: i64 = -62_167_219_200_000;
const MAX_MS: i64 = 253_402_300_799_999;
const MAX_BYTES: usize = 64;

/// Parses RFC 3339 byte by byte, and counts days year by year.
fn unix_ms(text: &[u8]) -> Option<i64> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut rest = text;
    let year = number(&mut rest, 4)?;
    one_of(&mut rest, b"-")?;
    let month = number(&mut rest, 2).filter(|month| (1..=12).contains(month))?;
    one_of(&mut rest, b"-")?;
    let day = number(&mut rest, 2).filter(|day| (1..=days_in_month(year, month)).contains(day))?;
    one_of(&mut rest, b"Tt ")?;
    let hour = number(&mut rest, 2).filter(|hour| *hour <= 23)?;
    one_of(&mut rest, b":")?;
    let minute = number(&mut rest, 2).filter(|minute| *minute <= 59)?;
    one_of(&mut rest, b":")?;
    let second = number(&mut rest, 2).filter(|second| *second <= 60)?;
    let mut ms = 0;
    if one_of(&mut rest, b".").is_some() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let fraction = &rest[..digits];
        fraction.first()?;
        for place in 0..3 {
            ms = ms * 10 + fraction.get(place).map_or(0, |digit| i64::from(digit - b'0'));
        }
        rest = &rest[digits..];
    }
    let offset = match one_of(&mut rest, b"Zz+-")? {
        sign @ (b'+' | b'-') => {
            let hours = number(&mut rest, 2).filter(|hours| *hours <= 23)?;
            one_of(&mut rest, b":")?;
            let minutes = number(&mut rest, 2).filter(|minutes| *minutes <= 59)?;
            let offset = hours * 60 + minutes;
            if sign == b'+' { offset } else { -offset }
        }
        _ => 0,
    };
    if !rest.is_empty() {
        return None;
    }
    let mut days = day - 1;
    for earlier in 1..month {
        days += days_in_month(year, earlier);
    }
    for earlier in 0..year {
        days += 365 + i64::from(is_leap(earlier));
    }
    let minutes = (days * 24 + hour) * 60 + minute - offset;
    Some(MIN_MS + (minutes * 60 + second) * 1000 + ms)
}

fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (text, after) = rest.split_at_checked(digits)?;
    *rest = after;
    text.iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

fn one_of(rest: &mut &[u8], bytes: &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    bytes.contains(first).then(|| *rest = after)?;
    Some(*first)
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
