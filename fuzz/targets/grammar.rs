//! Arguments: words and their values, numbers, role ids, plans' ids, toggles and tokens; and what errors say.

use quotelock::args::{ArgCursor, Exclusive, integer};
use quotelock::error::{Error, Range};
use quotelock_core::lock::RoleIds;
use quotelock_core::plan::{Mode, PlanId, Route};
use quotelock_core::single_flight::Token;
use serde_json::Value;

/// The input as arguments, each ended by a line feed.
pub(crate) fn grammar(input: &[u8]) {
    let arguments: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let read = read(arguments.iter().copied());
    assert_eq!(read.clone().map_err(|error| kind(&error)), plainly(&arguments), "{}", input.escape_ascii());
    if let Err(error) = read {
        says_so_in_a_line(&error);
    }
    for argument in arguments {
        number(argument);
        role_ids(argument);
        plan(argument);
        if let Some(token) = Token::parse(argument) {
            assert_eq!(token.to_string().as_bytes(), argument);
        }
    }
    // Role ids may have line feeds too.
    role_ids(input);
}

const SECONDS: Range = Range { unit: "whole seconds", min: 1, max: 9 };

/// What the words of a call came to: a condition, an expiry, a buffer, names.
type Read<'a> = (Option<bool>, Option<i64>, Option<i64>, Option<usize>);

/// Words of every kind that commands have: bare ones, ones with a number, and one with a list.
fn read<'a>(arguments: impl Iterator<Item = &'a [u8]>) -> Result<Read<'a>, Error> {
    let mut args = ArgCursor::new("x.y", 0, arguments);
    let (mut condition, mut ttl, mut buffer, mut names) =
        (Exclusive::unset(), Exclusive::unset(), Exclusive::unset(), Exclusive::unset());
    while args.advance() {
        if args.is("NX") {
            condition.set("NX", true)?;
        } else if args.is("XX") {
            condition.set("XX", false)?;
        } else if args.is("EX") {
            ttl.set("EX", args.expiry("EX", SECONDS)?)?;
        } else if args.is("BUFFER") {
            buffer.set("BUFFER", args.integer("BUFFER", SECONDS)?)?;
        } else if args.is("FIELDS") {
            let fields = args.integer("FIELDS", SECONDS)?;
            names.set("FIELDS", args.position())?;
            for _ in 0..fields {
                args.argument().ok_or(Error::TooFewFields { word: "FIELDS", fields })?;
            }
        } else {
            return Err(args.unknown());
        }
    }
    Ok((condition.value(), ttl.value(), buffer.value(), names.value()))
}

/// Why a call is refused, as far as the plain reader tells.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Refused {
    Unknown,
    Twice(&'static str),
    Exclusive(&'static str, &'static str),
    NoValue(&'static str),
    NoNumber(&'static str),
    NoExpiry,
    TooFew,
}

fn kind(error: &Error) -> Refused {
    match error {
        Error::UnknownOption { .. } => Refused::Unknown,
        Error::Twice(word) => Refused::Twice(word),
        Error::Exclusive(first, second) => Refused::Exclusive(first, second),
        Error::NoValue(word) => Refused::NoValue(word),
        Error::NotInRange(word, _) => Refused::NoNumber(word),
        Error::InvalidExpire { .. } => Refused::NoExpiry,
        Error::TooFewFields { .. } => Refused::TooFew,
        other => panic!("{other:?}"),
    }
}

/// The same by index.
fn plainly<'a>(arguments: &[&'a [u8]]) -> Result<Read<'a>, Refused> {
    let (mut condition, mut ttl, mut buffer, mut names) = (None, None, None, None);
    let mut at = 0;
    while at < arguments.len() {
        let word = arguments[at].to_ascii_uppercase();
        let value = |word| arguments.get(at + 1).ok_or(Refused::NoValue(word));
        let given = |word| value(word).map(|value| plain_number(value));
        match word.as_slice() {
            b"NX" | b"XX" => {
                let word = if word == b"NX" { "NX" } else { "XX" };
                match condition {
                    None => condition = Some(word),
                    Some(first) if first == word => return Err(Refused::Twice(word)),
                    Some(first) => return Err(Refused::Exclusive(first, word)),
                }
                at += 1;
            }
            b"EX" => {
                let number = given("EX")?.ok_or(Refused::NoNumber("EX"))?;
                let number =
                    Some(number).filter(|number| (1..=9).contains(number)).ok_or(Refused::NoExpiry)?;
                ttl.replace(number).map_or(Ok(()), |_| Err(Refused::Twice("EX")))?;
                at += 2;
            }
            b"BUFFER" => {
                let number = given("BUFFER")?.filter(|number| (1..=9).contains(number));
                let number = number.ok_or(Refused::NoNumber("BUFFER"))?;
                buffer.replace(number).map_or(Ok(()), |_| Err(Refused::Twice("BUFFER")))?;
                at += 2;
            }
            b"FIELDS" => {
                let number = given("FIELDS")?.filter(|number| (1..=9).contains(number));
                let number = number.ok_or(Refused::NoNumber("FIELDS"))?;
                names.replace(at + 2).map_or(Ok(()), |_| Err(Refused::Twice("FIELDS")))?;
                at += 2 + usize::try_from(number).unwrap();
                if at > arguments.len() {
                    return Err(Refused::TooFew);
                }
            }
            _ => return Err(Refused::Unknown),
        }
    }
    Ok((condition.map(|word| word == "NX"), ttl, buffer, names))
}

/// A number is one if it is written just as it would be printed.
fn plain_number(text: &[u8]) -> Option<i64> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == text).then_some(number)
}

fn number(argument: &[u8]) {
    assert_eq!(integer(argument), plain_number(argument), "{}", argument.escape_ascii());
}

/// A line that a client can be sent, whatever the input was.
fn says_so_in_a_line(error: &Error) {
    let line = error.to_string();
    assert!(line.starts_with("ERR ") && line.len() < 400, "{line}");
    assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
}

fn role_ids(argument: &[u8]) {
    match RoleIds::parse(argument) {
        Ok(ids) => {
            let ids: Vec<String> = ids.iter().map(|id| String::from_utf8(id.to_vec()).unwrap()).collect();
            assert!(ids.len() <= 1024 && ids.iter().all(|id| (1..=256).contains(&id.len())));
            let is_json = argument.trim_ascii_start().starts_with(b"[");
            match serde_json::from_slice(argument) {
                Ok(Value::Array(given)) if is_json => {
                    assert_eq!(ids.len(), given.len());
                    assert!(ids.iter().zip(&given).all(|(id, given)| stands_for(given, id)));
                }
                // A number that is too large for the plainer reader.
                _ if is_json => {}
                _ => assert_eq!(ids.join(",").as_bytes(), argument),
            }
        }
        Err(error) => {
            says_so_in_a_line(&Error::BadRoleIds(error));
            // What is an array of short strings is never refused.
            if let Ok(Value::Array(given)) = serde_json::from_slice(argument) {
                let is_id = |id: &Value| id.as_str().is_some_and(|id| (1..=256).contains(&id.len()));
                assert!(given.len() > 1024 || !given.iter().all(is_id), "{}", argument.escape_ascii());
            }
        }
    }
}

/// Whether a role id is a string's text, or a number's digits.
fn stands_for(given: &Value, id: &str) -> bool {
    given == id || (given.is_number() && serde_json::from_str::<Value>(id).unwrap() == *given)
}

fn plan(argument: &[u8]) {
    let Some(id) = PlanId::parse(argument) else { return };
    for mode in [Mode::Old, Mode::New, Mode::Both, Mode::Back] {
        let sent = mode.tag(id);
        let back = PlanId::parse(&sent).unwrap();
        assert_eq!(back.bare, id.bare);
        // What goes out comes back to be priced, but for an old id where there is new pricing alone.
        assert_eq!(mode.route(back) == Route::Retired, id.is_tagged() && mode == Mode::New);
    }
}
