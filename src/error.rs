//! Why a command refuses. Where Redis has a wording for the same mistake it comes first; then the argument at
//! fault and what it should have been. Input is shown escaped and cut.

use std::fmt;

use quotelock_core::batch::{BatchError, Form, RowFault};
use quotelock_core::lock::RoleIdsError;
use quotelock_core::plan::{MAX_ID_BYTES as PLAN_ID_BYTES, TAG};
use quotelock_core::table::MAX_KEPT_BYTES;
use quotelock_core::table::bounds::{MAX_FIELDS, MAX_ID_BYTES, MAX_NAME_BYTES, MAX_VALUE_BYTES};
use quotelock_server::{OpenError, Spec, excerpt};

use crate::settings::max_batch;

const RFC_3339: &str = "an RFC 3339 time with an offset, like 2024-09-12T02:50:53.000Z";
const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

/// Why a command refuses. Texts from the caller are made safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A word the command doesn't know.
    #[error("ERR syntax error, unknown option '{option}' for '{command}'")]
    UnknownOption {
        /// The word.
        option: String,
        /// The command's name.
        command: &'static str,
    },
    /// The same word twice.
    #[error("ERR syntax error, {0} is repeated")]
    Twice(&'static str),
    /// Two words that exclude each other, in the order they were given.
    #[error("ERR syntax error, {0} and {1} are mutually exclusive")]
    Exclusive(&'static str, &'static str),
    /// A word without its value.
    #[error("ERR syntax error, {0} requires a value")]
    NoValue(&'static str),
    /// Something after a word that comes last with its value.
    #[error("ERR syntax error, {0} requires one argument, the last")]
    NotLast(&'static str),
    /// A `LAG` where the caller brings its own moment.
    #[error("ERR syntax error, LAG requires the queryTime '*'")]
    LagWithoutClock,
    /// Not a whole number, or out of range.
    #[error("{NOT_AN_INTEGER}, {0} requires {1}")]
    NotInRange(&'static str, Range),
    /// Not a whole number of milliseconds to wait, or too many.
    #[error("ERR timeout is not an integer or out of range, {0} requires {1}")]
    BadTimeout(&'static str, Range),
    /// A negative number of milliseconds to wait.
    #[error("ERR timeout is negative, {0} requires {1}")]
    NegativeTimeout(&'static str, Range),
    /// A whole number that is not an expiry.
    #[error("ERR invalid expire time in '{command}' command, {word} requires {range}")]
    InvalidExpire {
        /// The command's name.
        command: &'static str,
        /// The word at fault.
        word: &'static str,
        /// What it takes.
        range: Range,
    },
    /// A buffer longer than the ttl it came with.
    #[error("{NOT_AN_INTEGER}, {word} requires at most the ttl, {ttl_ms} ms")]
    BufferAboveTtl {
        /// The word at fault.
        word: &'static str,
        /// The ttl in milliseconds.
        ttl_ms: i64,
    },
    /// An align with which a lock could be closing at birth, and the longest with which it can't, in seconds.
    #[error("{NOT_AN_INTEGER}, ALIGN requires {}", align_range(*max_s))]
    BadAlign {
        /// The longest align in whole seconds; 0 if there is none.
        max_s: i64,
    },
    /// The align that is set is too long for the lock; the longest that is not, in seconds.
    #[error("ERR quotelock.lock-align-s is too long for this lock, ALIGN requires {}", align_range(*max_s))]
    AlignSetting {
        /// The longest align in whole seconds; 0 if there is none.
        max_s: i64,
    },
    /// Not a moment.
    #[error("ERR invalid queryTime '{0}', expected {RFC_3339}, or '*' for the server's clock")]
    BadQueryTime(String),
    /// A moment that `ALIGN` takes out of the calendar.
    #[error("ERR invalid queryTime '{0}', with ALIGN it is outside the years 0000 to 9999")]
    AlignOutOfYears(String),
    /// Not a moment at which to tell a lock's state.
    #[error("ERR invalid AT '{0}', expected {RFC_3339}")]
    BadAt(String),
    /// Not a list of role ids.
    #[error("ERR invalid roleIds, {0}")]
    BadRoleIds(#[from] RoleIdsError),
    /// The key can't be opened, or holds another type.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Not a row's id.
    #[error("ERR invalid id '{0}', expected 1 to {MAX_ID_BYTES} bytes of UTF-8")]
    BadId(String),
    /// Not a field's name.
    #[error("ERR invalid field '{0}', expected 1 to {MAX_NAME_BYTES} bytes of UTF-8")]
    BadField(String),
    /// Not a value; the name of its field.
    #[error("ERR invalid value of field '{0}', expected at most {MAX_VALUE_BYTES} bytes of UTF-8")]
    BadValue(String),
    /// A field to be written or verified is named twice.
    #[error("ERR syntax error, field '{0}' is repeated")]
    FieldTwice(String),
    /// Fewer fields than were counted.
    #[error("ERR syntax error, {word} {fields} requires {}", counted(fields, "field"))]
    TooFewFields {
        /// `FIELDS` or `RAW`.
        word: &'static str,
        /// The count given.
        fields: i64,
    },
    /// Not as many fields and values as were counted.
    #[error("ERR syntax error, FIELDS {fields} requires {} and as many values", counted(fields, "field"))]
    FieldsAndValues {
        /// The count given.
        fields: i64,
    },
    /// A required clause is missing.
    #[error("ERR syntax error, expected {clause}, usage: {usage}")]
    Missing {
        /// The words it may begin with.
        clause: &'static str,
        /// How the command is called.
        usage: String,
    },
    /// No rows, or an incomplete one; how many values each has.
    #[error("ERR syntax error, ROWS requires rows of an id and {}", counted(.0, "value"))]
    BadRows(usize),
    /// `IDS` without an id.
    #[error("ERR syntax error, IDS requires at least one id")]
    NoIds,
    /// More ids, rows or keys than the setting allows.
    #[error("ERR too many {what}, {count} are more than quotelock.max-batch, {max}")]
    TooMany {
        /// `ids`, `rows` or `keys`.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: i64,
    },
    /// More ids or rows in one argument than the setting allows, which is not known beyond that.
    #[error("ERR too many {what}, there are more than quotelock.max-batch, {max}")]
    TooManyInOne {
        /// `ids` or `rows`.
        what: &'static str,
        /// How many there may be.
        max: i64,
    },
    /// More fields of columns than as many rows as allowed can have.
    #[error(
        "ERR invalid columns, there are more fields than {MAX_FIELDS} for each of quotelock.max-batch, {max}"
    )]
    TooManyColumns {
        /// How many rows there may be.
        max: i64,
    },
    /// An argument of JSON is not UTF-8, or not of its form.
    #[error("ERR invalid JSON{}, expected {form}", at_byte(*at))]
    BadJson {
        /// What was expected.
        form: Form,
        /// The byte at which that shows, counted from 1; `None` where it is not UTF-8.
        at: Option<usize>,
    },
    /// A member of the object of columns that has no meaning.
    #[error("ERR invalid columns, unknown member '{0}', expected 'ids', 'fields' and 'columns'")]
    UnknownMember(String),
    /// A member of the object of columns that is there twice.
    #[error("ERR invalid columns, the member '{0}' is repeated")]
    MemberTwice(&'static str),
    /// A member of the object of columns that is missing.
    #[error("ERR invalid columns, expected the member '{0}' too")]
    MissingMember(&'static str),
    /// More or fewer columns than fields; how many fields there are.
    #[error("ERR invalid columns, expected one for each of the {0} fields")]
    ColumnCount(usize),
    /// A column with more or fewer values than there are ids.
    #[error("ERR invalid columns, that of field '{field}' requires a value for each of the {ids} ids")]
    ColumnLength {
        /// The field.
        field: String,
        /// How many ids there are.
        ids: usize,
    },
    /// Columns with too many different lists of fields that are not null.
    #[error(
        "ERR invalid columns, null makes too many different lists of fields: write rows with different fields in separate calls"
    )]
    TooManyLists,
    /// A row in an argument of JSON is wrong.
    #[error("ERR invalid row '{id}', {}{fault}", of_field(field.as_deref()))]
    BadRow {
        /// The row's id.
        id: String,
        /// The field at fault, if it is one field.
        field: Option<String>,
        /// What is wrong.
        fault: RowFault,
    },
    /// `COLUMNS` without `FIELDS`.
    #[error("ERR syntax error, COLUMNS requires FIELDS")]
    ColumnsWithoutFields,
    /// An id that reads like an option's name.
    #[error(
        "ERR syntax error, option '{0}' among the ids: pass options before IDS or LIST, or such an id after IDS"
    )]
    OptionAmongIds(String),
    /// With `MERGE` a row would have too many fields; its id.
    #[error("ERR invalid row '{0}', with MERGE it would have more than {MAX_FIELDS} fields")]
    TooWide(String),
    /// With `MERGE` or `KEEPTTL` far more would be replicated than was sent.
    #[error(
        "ERR too much to replicate, MERGE or KEEPTTL would take more than {MAX_KEPT_BYTES} bytes: write fewer rows in a call"
    )]
    KeepsTooMuch,
    /// Rows whose different lists of fields, each replicated by a command, would take far more than was sent.
    #[error(
        "ERR too much to replicate, a command for each list of fields would take more than {MAX_KEPT_BYTES} bytes: write rows with different fields in separate calls"
    )]
    TooManyCommands,
    /// Not a cursor.
    #[error("ERR invalid cursor, expected 0 or what the last call returned")]
    BadCursor,
    /// Not a revision.
    #[error("ERR invalid revision '{0}', expected 0 or what the last call returned")]
    BadRevision(String),
    /// Not a token.
    #[error("ERR invalid token '{0}', expected 32 hex digits in lower case")]
    BadToken(String),
    /// `RAW` without `JSON`.
    #[error("ERR syntax error, RAW requires JSON")]
    RawWithoutJson,
    /// `KEEPCLAIM` without `TOKEN`.
    #[error("ERR syntax error, KEEPCLAIM requires TOKEN")]
    KeepClaimWithoutToken,
    /// A field without the value it should have.
    #[error("ERR syntax error, field '{0}' requires an expected value")]
    NothingExpected(String),
    /// More fields to be verified than a row can have; how many.
    #[error("ERR too many fields, {0} are more than a row can have, {MAX_FIELDS}")]
    TooManyPairs(usize),
    /// Not a plan's id.
    #[error(
        "ERR invalid id '{0}', expected 1 to {PLAN_ID_BYTES} bytes of UTF-8, {TAG} at its end not counted"
    )]
    BadPlanId(String),
    /// The toggle holds what means no mode.
    #[error("ERR invalid value '{0}' in the toggle, expected 1 or old, 2 or new, 3 or both, 4 or back")]
    BadToggle(String),
    /// The reply would be longer than the setting allows; how many bytes that is.
    #[error(
        "ERR the reply would be longer than quotelock.max-reply-bytes, {0}, ask for fewer rows or fields"
    )]
    ReplyTooLong(usize),
}

fn align_range(max_s: i64) -> String {
    if max_s == 0 {
        "a ttl at least 1 second longer than the buffer".to_owned()
    } else {
        format!("whole seconds from 1 to {max_s}, the ttl less the buffer")
    }
}

/// `1 field`, `2 fields`.
fn counted(count: impl fmt::Display, what: &str) -> String {
    let count = count.to_string();
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Where JSON is wrong.
fn at_byte(at: Option<usize>) -> String {
    at.map_or_else(|| ", it is not UTF-8".to_owned(), |at| format!(" at byte {at}"))
}

fn of_field(field: Option<&str>) -> String {
    field.map(|field| format!("field '{field}' ")).unwrap_or_default()
}

impl Error {
    /// Why an argument of `what`, ids or rows, is refused.
    pub(crate) fn of_batch(error: BatchError, what: &'static str) -> Self {
        let shown = |text: &str| excerpt(text.as_bytes());
        match error {
            BatchError::NotUtf8(form) => Self::BadJson { form, at: None },
            BatchError::Malformed(form, at) => Self::BadJson { form, at: Some(at) },
            BatchError::TooMany => Self::TooManyInOne { what, max: max_batch() },
            BatchError::TooManyFields => Self::TooManyColumns { max: max_batch() },
            BatchError::BadId(id) => Self::BadId(shown(&id)),
            BatchError::BadField(field) => Self::BadField(shown(&field)),
            BatchError::FieldTwice(field) => Self::FieldTwice(shown(&field)),
            BatchError::UnknownMember(name) => Self::UnknownMember(shown(&name)),
            BatchError::MemberTwice(name) => Self::MemberTwice(name),
            BatchError::MissingMember(name) => Self::MissingMember(name),
            BatchError::ColumnCount { fields } => Self::ColumnCount(fields),
            BatchError::ColumnLength { field, ids } => Self::ColumnLength { field: shown(&field), ids },
            BatchError::TooManyLists => Self::TooManyLists,
            BatchError::Row { id, field, fault } => {
                Self::BadRow { id: shown(&id), field: field.map(|field| shown(&field)), fault }
            }
        }
    }

    /// A word that `command` doesn't know.
    pub fn unknown_option(word: &[u8], command: &'static str) -> Self {
        Self::UnknownOption { option: excerpt(word), command }
    }

    /// A clause that a command requires, by the words it may begin with.
    pub(crate) fn missing(clause: &'static str, command: &Spec) -> Self {
        Self::Missing { clause, usage: command.usage() }
    }
}

/// A range of whole numbers and what they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// What they count, as `whole seconds`.
    pub unit: &'static str,
    /// The lowest.
    pub min: i64,
    /// The highest.
    pub max: i64,
}

impl Range {
    /// Whether the number is in the range.
    pub fn contains(self, number: i64) -> bool {
        (self.min..=self.max).contains(&number)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.unit, self.min, self.max)
    }
}
