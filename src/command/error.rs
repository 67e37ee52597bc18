//! Why a command refuses. Where Redis has a wording for the same mistake, Redis's wording comes first; then the
//! argument at fault and what it should have been. Input is shown escaped and cut.

use std::fmt;

use crate::priceplan;
use crate::quotelock::RoleIdsError;
use crate::server::{NoKey, WrongType, excerpt};
use crate::vehprice::TooLong;
use crate::vehprice::bounds::{LONGEST_ID, LONGEST_NAME, LONGEST_VALUE, MOST_FIELDS};

/// Why a command refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A word the command doesn't know.
    UnknownWord {
        /// The word, made safe to show.
        word: String,
        /// The command's name.
        command: &'static str,
    },
    /// The same word twice.
    Twice(&'static str),
    /// Two words that exclude each other, in the order they were given.
    Exclusive(&'static str, &'static str),
    /// A word without the value it wants.
    NoValue(&'static str),
    /// A `LAG` where the caller brings a moment of its own.
    LagWithoutClock,
    /// No whole number, or out of range.
    NotInRange(&'static str, Range),
    /// No whole number of milliseconds to wait, or too many.
    BadTimeout(&'static str, Range),
    /// Fewer than no milliseconds to wait.
    NegativeTimeout(&'static str, Range),
    /// A whole number that is no expiry.
    InvalidExpire {
        /// The command's name.
        command: &'static str,
        /// The word at fault.
        word: &'static str,
        /// What it takes.
        range: Range,
    },
    /// A buffer above the ttl it came with.
    BufferAboveTtl {
        /// The word at fault.
        word: &'static str,
        /// The ttl it came with, in milliseconds.
        ttl_ms: i64,
    },
    /// An align with which a lock could be closing at birth, and the longest that does not, in seconds.
    BadAlign {
        /// The longest align in whole seconds; none fits where this is 0.
        longest_s: i64,
    },
    /// No moment.
    BadQueryTime(String),
    /// A moment that flooring takes out of the calendar.
    AlignOutOfYears(String),
    /// No moment to judge a lock at.
    BadAt(String),
    /// No list of role ids.
    BadRoleIds(RoleIdsError),
    /// The key holds another type than the command is for.
    WrongType,
    /// No id of a row.
    BadId(String),
    /// No name of a field.
    BadField(String),
    /// No value; the name of its field.
    BadValue(String),
    /// A field that is written is named twice.
    FieldTwice(String),
    /// The arguments end before the fields that were counted.
    TooFewFields {
        /// `FIELDS` or `RAW`.
        word: &'static str,
        /// How many were counted.
        fields: i64,
    },
    /// There are not just the fields and values that were counted.
    FieldsAndValues {
        /// How many were counted.
        fields: i64,
    },
    /// A part that must be there is not.
    Missing(&'static str),
    /// No rows, or an incomplete one; how many values each has.
    BadRows(usize),
    /// `IDS` and then none.
    NoIds,
    /// More ids or rows than the setting allows.
    TooMany {
        /// `ids`, `rows` or `keys`.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: i64,
    },
    /// With `MERGE` a row would have too many fields; its id.
    TooWide(String),
    /// No cursor.
    BadCursor,
    /// `RAW` without `JSON`.
    RawWithoutJson,
    /// `KEEPCLAIM` without `TOKEN`.
    KeepClaimWithoutToken,
    /// A field without the value it should have.
    NothingExpected(String),
    /// No id of a plan.
    BadPlanId(String),
    /// The toggle holds what means no mode.
    BadToggle(String),
    /// One string of JSON would be too long.
    ReplyTooLong,
    /// The command asked for a key that it can't open.
    NoKey,
}

/// A range of whole numbers and what they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// What they count, as `whole seconds`.
    pub unit: &'static str,
    /// The least.
    pub least: i64,
    /// The most.
    pub most: i64,
}

impl Range {
    /// Whether the number is one of them.
    pub fn contains(self, number: i64) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.unit, self.least, self.most)
    }
}

const RFC_3339: &str = "an RFC 3339 time with an offset, as 2024-09-12T02:50:53.000Z";
const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownWord { word, command } => {
                write!(f, "ERR syntax error, '{word}' is not a word of '{command}'")
            }
            Self::Twice(word) => write!(f, "ERR syntax error, {word} is given twice"),
            Self::Exclusive(first, second) => {
                write!(f, "ERR syntax error, {first} and {second} exclude each other")
            }
            Self::NoValue(word) => write!(f, "ERR syntax error, {word} wants a value"),
            Self::LagWithoutClock => f.write_str("ERR syntax error, LAG goes with the queryTime '*' only"),
            Self::NotInRange(word, range) => write!(f, "{NOT_AN_INTEGER}, {word} takes {range}"),
            Self::BadTimeout(word, range) => {
                write!(f, "ERR timeout is not an integer or out of range, {word} takes {range}")
            }
            Self::NegativeTimeout(word, range) => write!(f, "ERR timeout is negative, {word} takes {range}"),
            Self::InvalidExpire { command, word, range } => {
                write!(f, "ERR invalid expire time in '{command}' command, {word} takes {range}")
            }
            Self::BufferAboveTtl { word, ttl_ms } => {
                write!(f, "{NOT_AN_INTEGER}, {word} takes at most the ttl given, {ttl_ms} ms")
            }
            Self::BadAlign { longest_s: 0 } => {
                write!(f, "{NOT_AN_INTEGER}, ALIGN wants a ttl at least 1 second longer than the buffer")
            }
            Self::BadAlign { longest_s } => {
                write!(
                    f,
                    "{NOT_AN_INTEGER}, ALIGN takes whole seconds from 1 to {longest_s}, the ttl less the buffer"
                )
            }
            Self::BadQueryTime(text) => {
                write!(
                    f,
                    "ERR invalid queryTime '{text}', it takes {RFC_3339}, or '*' for the server's clock"
                )
            }
            Self::AlignOutOfYears(text) => {
                write!(f, "ERR invalid queryTime '{text}', ALIGN takes it out of the years 0000 to 9999")
            }
            Self::BadAt(text) => write!(f, "ERR invalid AT '{text}', it takes {RFC_3339}"),
            Self::BadRoleIds(error) => write!(f, "ERR invalid roleIds, {error}"),
            Self::BadId(id) => write!(f, "ERR invalid id '{id}', it takes 1 to {LONGEST_ID} bytes of UTF-8"),
            Self::BadField(name) => {
                write!(f, "ERR invalid field '{name}', it takes 1 to {LONGEST_NAME} bytes of UTF-8")
            }
            Self::BadValue(name) => {
                write!(
                    f,
                    "ERR invalid value of field '{name}', it takes at most {LONGEST_VALUE} bytes of UTF-8"
                )
            }
            Self::FieldTwice(name) => write!(f, "ERR syntax error, field '{name}' is given twice"),
            Self::TooFewFields { word, fields } => {
                write!(f, "ERR syntax error, {word} {fields} wants {fields} fields")
            }
            Self::FieldsAndValues { fields } => {
                write!(f, "ERR syntax error, FIELDS {fields} wants {fields} fields and their values")
            }
            Self::Missing(word) => write!(f, "ERR syntax error, {word} is missing"),
            Self::BadRows(values) => {
                write!(f, "ERR syntax error, ROWS takes rows of an id and {values} values")
            }
            Self::NoIds => f.write_str("ERR syntax error, IDS wants at least one id"),
            Self::TooMany { what, count, most } => {
                write!(f, "ERR too many {what}, {count} are more than quotelock.max-batch, {most}")
            }
            Self::TooWide(id) => {
                write!(f, "ERR invalid row '{id}', with MERGE it would have more than {MOST_FIELDS} fields")
            }
            Self::BadCursor => f.write_str("ERR invalid cursor, it takes 0 or what the last call returned"),
            Self::RawWithoutJson => f.write_str("ERR syntax error, RAW goes with JSON only"),
            Self::KeepClaimWithoutToken => f.write_str("ERR syntax error, KEEPCLAIM goes with TOKEN only"),
            Self::NothingExpected(name) => {
                write!(f, "ERR syntax error, field '{name}' wants an expected value")
            }
            Self::BadPlanId(id) => {
                write!(
                    f,
                    "ERR invalid id '{id}', it takes 1 to {} bytes of UTF-8, {} at its end not counted",
                    priceplan::LONGEST_ID,
                    priceplan::TAG
                )
            }
            Self::BadToggle(value) => {
                write!(
                    f,
                    "ERR invalid value '{value}' in the toggle, it takes 1 or old, 2 or new, 3 or both, 4 or back"
                )
            }
            Self::ReplyTooLong => f.write_str(
                "ERR the reply would be longer than 512 MiB of JSON, ask for fewer rows or fields",
            ),
            Self::NoKey => f.write_str("ERR internal error, no key was opened"),
            Self::WrongType => {
                f.write_str("WRONGTYPE Operation against a key holding the wrong kind of value")
            }
        }
    }
}

impl Error {
    /// A word that `command` doesn't know.
    pub fn unknown_word(word: &[u8], command: &'static str) -> Self {
        Self::UnknownWord { word: excerpt(word), command }
    }
}

impl From<RoleIdsError> for Error {
    fn from(error: RoleIdsError) -> Self {
        Self::BadRoleIds(error)
    }
}

impl From<TooLong> for Error {
    fn from(TooLong: TooLong) -> Self {
        Self::ReplyTooLong
    }
}

impl From<NoKey> for Error {
    fn from(NoKey: NoKey) -> Self {
        Self::NoKey
    }
}

impl From<WrongType> for Error {
    fn from(WrongType: WrongType) -> Self {
        Self::WrongType
    }
}
