//! Moments: reading and writing RFC 3339, and flooring.

use quotelock::moment::Moment;
use quotelock::quotelock::QueryTime;

/// The input as a text, and its first 16 bytes as two numbers.
pub(crate) fn times(input: &[u8]) {
    let read = Moment::parse(input);
    assert_eq!(read.map(Moment::unix_ms), unix_ms(input), "{}", input.escape_ascii());
    if let Some(moment) = read {
        assert_eq!(QueryTime::parse(input), Some(QueryTime::Given(input, moment)));
        arithmetic(moment, 60_000);
    }
    if let Some((numbers, _)) = input.split_first_chunk::<16>() {
        let (ms, step) = numbers.split_at(8);
        let number = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().unwrap());
        arithmetic(Moment::from_unix_ms(number(ms)), number(step));
    }
}

fn arithmetic(moment: Moment, step: i64) {
    let ms = moment.unix_ms();
    let text = moment.to_text();
    assert_eq!(text.len(), 24, "{text}");
    let back = Moment::parse(text.as_bytes()).unwrap();
    assert_eq!(moment.has_text(), (FIRST_MS..=LAST_MS).contains(&ms));
    assert_eq!(back.unix_ms(), ms.clamp(FIRST_MS, LAST_MS), "{text}");

    let floored = moment.floor_to(step).unix_ms();
    if step > 0 {
        let exact = i128::from(ms) - i128::from(ms).rem_euclid(i128::from(step));
        assert_eq!(i128::from(floored), exact.max(i128::from(i64::MIN)), "{ms} floored to {step}");
    } else {
        assert_eq!(floored, ms);
    }
    let within = |exact: i128| exact.clamp(i64::MIN.into(), i64::MAX.into());
    let earlier = i128::from(ms) - i128::from(step);
    assert_eq!(i128::from(moment.minus(step).unix_ms()), within(earlier));
    let seconds = moment.seconds_since(Moment::from_unix_ms(step));
    assert_eq!(i128::from(seconds), within(earlier) / 1000);
}

const FIRST_MS: i64 = -62_167_219_200_000;
const LAST_MS: i64 = 253_402_300_799_999;
const MOST_BYTES: usize = 64;

/// RFC 3339 read letter by letter, days counted year by year.
fn unix_ms(text: &[u8]) -> Option<i64> {
    if text.len() > MOST_BYTES {
        return None;
    }
    let mut rest = text;
    let year = number(&mut rest, 4)?;
    one_of(&mut rest, b"-")?;
    let month = number(&mut rest, 2).filter(|month| (1..=12).contains(month))?;
    one_of(&mut rest, b"-")?;
    let day = number(&mut rest, 2).filter(|day| (1..=days_of(year, month)).contains(day))?;
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
        days += days_of(year, earlier);
    }
    for earlier in 0..year {
        days += 365 + i64::from(is_leap(earlier));
    }
    let minutes = (days * 24 + hour) * 60 + minute - offset;
    Some(FIRST_MS + (minutes * 60 + second) * 1000 + ms)
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

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
