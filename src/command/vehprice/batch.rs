//! Writing rows: what `VEHPRICE.SET` and `VEHPRICE.MSET` have in common.

use std::collections::HashMap;

use ahash::RandomState;

use super::{KEY, end_if_over, field, id, refill, settle};
use crate::command::counters::{CLAIMS_OVERTAKEN, ROWS_DELETED, ROWS_STORED};
use crate::command::error::{Error, Range};
use crate::command::grammar::{Choice, TTL_MS, TTL_S, Words};
use crate::command::settings;
use crate::server::{Arg, Call, Part, excerpt, seed};
use crate::vehprice::bounds::LATEST_EXPIRY_MS;
use crate::vehprice::refill::Token;
use crate::vehprice::{Condition, Expiry, IdHash, NewExpiry, Rules, Table, Written, groups};

const EXAT: Range = Range { unit: "unix seconds", least: 1, most: LATEST_EXPIRY_MS / 1000 };
const PXAT: Range = Range { unit: "unix milliseconds", least: 1, most: LATEST_EXPIRY_MS };

/// How a row without an expiry comes from the primary and the AOF.
const NEVER: Range = Range { least: -1, ..PXAT };

pub(super) const CONDITION_ARG: Arg = Arg::one_of(
    "condition",
    &[
        Arg::word("NX", "nx", "only rows that are not there"),
        Arg::word("XX", "xx", "only rows that are there"),
    ],
)
.optional();
pub(super) const MERGE_ARG: Arg =
    Arg::word("MERGE", "merge", "set the named fields and keep the others").optional();
pub(super) const EXPIRY_ARG: Arg = Arg::one_of(
    "expiry",
    &[
        Arg::integer("seconds", "the rows expire in so many seconds").after("EX"),
        Arg::integer("milliseconds", "the rows expire in so many milliseconds").after("PX"),
        Arg::integer("unix-seconds", "the rows expire at this unix time in seconds").after("EXAT"),
        Arg::integer("unix-milliseconds", "the rows expire at this unix time in milliseconds").after("PXAT"),
        Arg::word("KEEPTTL", "keepttl", "the rows keep the expiry of those they replace"),
    ],
)
.optional();

pub(super) const TOKEN_ARG: Arg = Arg::block(
    "token-keepclaim",
    &[
        Arg::string("token", "only rows still claimed under this token").after("TOKEN"),
        Arg::word("KEEPCLAIM", "keepclaim", "the rows stay claimed").optional(),
    ],
)
.optional();

/// The expiry that is asked for.
#[derive(Clone, Copy)]
enum Asked {
    InMs(i64),
    AtMs(i64),
    Keep,
}

/// The words of a write.
pub(super) struct Options {
    condition: Choice<Condition>,
    merge: Choice<()>,
    expiry: Choice<Asked>,
    /// What no `VEHPRICE.CLAIM` gave out is no token, and holds no claim.
    token: Choice<Option<Token>>,
    keep_claim: Choice<()>,
    is_replay: bool,
}

impl Options {
    pub(super) fn new(call: &Call<'_>) -> Self {
        let (condition, merge, expiry) = (Choice::none(), Choice::none(), Choice::none());
        let (token, keep_claim) = (Choice::none(), Choice::none());
        Self { condition, merge, expiry, token, keep_claim, is_replay: call.is_replay() }
    }

    /// Takes the word read last, if it is one of a write's.
    pub(super) fn take<'a, I>(&mut self, words: &mut Words<'a, I>) -> Result<(), Error>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        if words.is("NX") {
            self.condition.take("NX", Condition::Absent)
        } else if words.is("XX") {
            self.condition.take("XX", Condition::Present)
        } else if words.is("MERGE") {
            self.merge.take("MERGE", ())
        } else if words.is("KEEPTTL") {
            self.expiry.take("KEEPTTL", Asked::Keep)
        } else if words.is("EX") {
            let seconds = words.expiry("EX", TTL_S)?;
            self.expiry.take("EX", Asked::InMs(seconds.saturating_mul(1000)))
        } else if words.is("PX") {
            let ms = words.expiry("PX", TTL_MS)?;
            self.expiry.take("PX", Asked::InMs(ms))
        } else if words.is("EXAT") {
            let seconds = words.expiry("EXAT", EXAT)?;
            self.expiry.take("EXAT", Asked::AtMs(seconds.saturating_mul(1000)))
        } else if words.is("PXAT") {
            let ms = words.expiry("PXAT", if self.is_replay { NEVER } else { PXAT })?;
            self.expiry.take("PXAT", Asked::AtMs(ms))
        } else if words.is("TOKEN") {
            let token = words.value("TOKEN")?;
            self.token.take("TOKEN", Token::parse(token))
        } else if words.is("KEEPCLAIM") {
            self.keep_claim.take("KEEPCLAIM", ())
        } else {
            Err(words.unknown())
        }
    }

    /// To be called when all words were taken.
    fn check(&self) -> Result<(), Error> {
        let lacks_token = self.keeps_claims() && self.token.value().is_none();
        if lacks_token { Err(Error::KeepClaimWithoutToken) } else { Ok(()) }
    }

    fn keeps_claims(&self) -> bool {
        self.keep_claim.value().is_some()
    }

    fn rules(&self, now_ms: i64) -> Rules {
        let merge = self.merge.value().is_some();
        let default = settings::default_expiry(now_ms);
        let expiry = match self.expiry.value() {
            Some(Asked::InMs(ms)) => NewExpiry::Given(Expiry::at(now_ms.saturating_add(ms))),
            Some(Asked::AtMs(-1)) => NewExpiry::Given(Expiry::NEVER),
            Some(Asked::AtMs(ms)) => NewExpiry::Given(Expiry::at(ms)),
            Some(Asked::Keep) => NewExpiry::Kept(default),
            None if merge => NewExpiry::Kept(default),
            None => NewExpiry::Given(default),
        };
        Rules { condition: self.condition.value(), merge, expiry }
    }
}

/// Rows to write, and where they stand in the arguments.
pub(super) struct Batch<'a> {
    names: Vec<&'a str>,
    names_at: Places,
    ids: Vec<&'a [u8]>,
    ids_at: Places,
    /// The values of all rows, row by row.
    values: Vec<&'a str>,
    /// Where the values of the first row stand; those of the others are as far apart as the ids.
    values_at: Places,
}

/// Places of arguments at even distances.
#[derive(Clone, Copy)]
struct Places {
    first: usize,
    step: usize,
}

impl Places {
    fn place(self, index: usize) -> usize {
        self.first.saturating_add(index.saturating_mul(self.step))
    }

    fn parts<'p>(self, count: usize) -> impl Iterator<Item = Part<'p>> {
        (0..count).map(move |index| Part::Arg(self.place(index)))
    }
}

impl<'a> Batch<'a> {
    /// The row of `VEHPRICE.SET`: its id stands at `id_at`, fields and values in turn from `fields_at` on.
    pub(super) fn of_pairs(
        call: &Call<'a>,
        id_at: usize,
        fields_at: usize,
        fields: usize,
    ) -> Result<Self, Error> {
        let mut batch = Self {
            names: Vec::new(),
            names_at: Places { first: fields_at, step: 2 },
            ids: vec![id(call.arg(id_at))?],
            ids_at: Places { first: id_at, step: 0 },
            values: Vec::new(),
            values_at: Places { first: fields_at.saturating_add(1), step: 2 },
        };
        let mut arguments = call.args_from(fields_at);
        for _ in 0..fields {
            let (Some(name), Some(value)) = (arguments.next(), arguments.next()) else {
                break;
            };
            let name = push_name(&mut batch.names, name)?;
            batch.values.push(super::value(name, value)?);
        }
        Ok(batch)
    }

    /// The rows of `VEHPRICE.MSET`: their names stand from `names_at` on, the first row's id at `rows_at`.
    pub(super) fn of_rows(
        call: &Call<'a>,
        names: Vec<&'a str>,
        names_at: usize,
        rows_at: usize,
    ) -> Result<Self, Error> {
        let ids_at = Places { first: rows_at, step: names.len().saturating_add(1) };
        let arguments = call.argc().saturating_sub(rows_at);
        let rows = arguments.checked_div(ids_at.step).unwrap_or_default();
        let mut batch = Self {
            names,
            names_at: Places { first: names_at, step: 1 },
            ids: Vec::with_capacity(rows),
            ids_at,
            values: Vec::with_capacity(arguments.saturating_sub(rows)),
            values_at: Places { first: rows_at.saturating_add(1), step: 1 },
        };
        let mut arguments = call.args_from(rows_at);
        while let Some(row) = arguments.next() {
            batch.ids.push(id(row)?);
            for (name, value) in batch.names.iter().zip(&mut arguments) {
                batch.values.push(super::value(name, value)?);
            }
        }
        Ok(batch)
    }

    /// Writes the rows and replicates what came of it. Returns how many are stored.
    pub(super) fn write(&self, call: &Call<'_>, options: &Options) -> Result<usize, Error> {
        options.check()?;
        let mut key = call.write_key(KEY)?;
        let now_ms = call.now_ms();
        let rules = options.rules(now_ms);
        // What comes from the primary was decided there: no row is over to it.
        let judged_ms = if options.is_replay { i64::MIN } else { now_ms };
        let found = super::swept_table(call, &mut key)?;
        let held = Held::new(call, options, &self.ids);
        if let Some(table) = &found {
            self.check_width(table, rules, &held, judged_ms)?;
        }
        CLAIMS_OVERTAKEN.add(self.ids.len().saturating_sub(held.count()));
        let table = match found {
            _ if held.count() == 0 => {
                end_if_over(call, &mut key)?;
                return Ok(0);
            }
            Some(_) => key.table()?,
            // A table is made only for rows that will be in it.
            None if rules.condition == Some(Condition::Present) => return Ok(0),
            None if is_over(rules, judged_ms) => {
                if refill::any() {
                    refill::written(call, held.ids(&self.ids).copied(), options.keeps_claims());
                }
                return Ok(0);
            }
            None => key.create_table(),
        };
        let Some(table) = table else {
            return Ok(0);
        };
        let Rows { stored, deleted, changed } = self.store(table, rules, &held, judged_ms);
        if !changed.is_empty() {
            refill::written(call, changed.into_iter(), options.keeps_claims());
        }
        ROWS_STORED.add(stored.len());
        ROWS_DELETED.add(deleted.len());
        if !end_if_over(call, &mut key)? {
            if let Some(table) = key.table()? {
                self.replicate(call, table, rules, &stored, &deleted, judged_ms);
            }
            settle(call, &mut key, stored.len(), deleted.len())?;
        }
        Ok(stored.len())
    }

    /// Refuses rows that merging would give too many fields. With `NX` a row that is there is left as it is, and with an
    /// expiry in the past it is deleted.
    fn check_width(&self, table: &Table, rules: Rules, held: &Held, now_ms: i64) -> Result<(), Error> {
        if !rules.merge || rules.condition == Some(Condition::Absent) || is_over(rules, now_ms) {
            return Ok(());
        }
        let too_wide = held.ids(&self.ids).find(|id| table.merges_too_wide(id, &self.names, now_ms));
        too_wide.map_or(Ok(()), |id| Err(Error::TooWide(excerpt(id))))
    }

    /// Writes the rows that are held.
    fn store(&self, table: &mut Table, rules: Rules, held: &Held, now_ms: i64) -> Rows<'a> {
        let (mut stored, mut deleted) = (Vec::with_capacity(held.count()), Vec::new());
        let (has_claims, mut changed) = (refill::any(), Vec::new());
        let hashes: Vec<IdHash> = self.ids.iter().map(|id| table.hash(id)).collect();
        let last = self.last_of_each(&hashes);
        table.make_pages_for(last.as_ref().map_or(self.ids.len(), HashMap::len).min(held.count()));
        let mut writer = table.writer(&self.names, rules);
        let mut rows = self.ids.iter().enumerate();
        for hashes in hashes.chunks(Table::SIDE_BY_SIDE) {
            let spots = writer.spots(hashes);
            for ((row, id), spot) in rows.by_ref().take(hashes.len()).zip(spots) {
                if last.as_ref().is_some_and(|last| last.get(id) != Some(&row)) || !held.is_held(row) {
                    continue;
                }
                let written = writer.write(id, spot, self.row_values(row), now_ms);
                if has_claims && written != Written::Not {
                    changed.push(*id);
                }
                match written {
                    Written::Stored(_) => stored.push(row),
                    Written::Deleted { was_there: true } => deleted.push(row),
                    Written::Deleted { was_there: false } | Written::Not => {}
                }
            }
        }
        Rows { stored, deleted, changed }
    }

    /// Replicates what came of the rows.
    fn replicate(
        &self,
        call: &Call<'_>,
        table: &Table,
        rules: Rules,
        stored: &[usize],
        deleted: &[usize],
        judged_ms: i64,
    ) {
        match rules {
            _ if stored.is_empty() => {}
            Rules { merge: false, expiry: NewExpiry::Given(expiry), .. } => {
                self.replicate_rows(call, expiry, stored);
            }
            _ => self.replicate_resolved(call, table, stored, judged_ms),
        }
        if !deleted.is_empty() {
            let ids = deleted.iter().map(|row| Part::Arg(self.ids_at.place(*row)));
            call.replicate(c"VEHPRICE.DEL", [Part::Arg(KEY)].into_iter().chain(ids));
        }
    }

    /// Which row of those with the same id is the last; `None` where no two rows have the same.
    fn last_of_each(&self, hashes: &[IdHash]) -> Option<HashMap<&'a [u8], usize, RandomState>> {
        if !may_repeat(hashes) {
            return None;
        }
        let [a, b, c, d] = seed();
        let hasher = RandomState::with_seeds(a, b, c, d);
        let mut last = HashMap::with_capacity_and_hasher(self.ids.len(), hasher);
        last.extend(self.ids.iter().copied().zip(0..));
        Some(last)
    }

    fn row_values(&self, row: usize) -> impl Iterator<Item = &'a str> + Clone + use<'a, '_> {
        let first = row.saturating_mul(self.names.len());
        let values = self.values.get(first..first.saturating_add(self.names.len()));
        values.unwrap_or_default().iter().copied()
    }

    /// Replicates rows as they stand in the arguments, with one expiry.
    fn replicate_rows(&self, call: &Call<'_>, expiry: Expiry, rows: &[usize]) {
        let expiry = expiry.unix_ms().unwrap_or(-1).to_string();
        let count = self.names.len().to_string();
        let head = [
            Part::Arg(KEY),
            Part::Text(b"PXAT"),
            Part::Text(expiry.as_bytes()),
            Part::Text(b"FIELDS"),
            Part::Text(count.as_bytes()),
        ];
        let fields = self.names.len();
        let head = head.into_iter().chain(self.names_at.parts(fields)).chain([Part::Text(b"ROWS")]);
        if rows.len() == self.ids.len() && self.values_at.step == 1 {
            // All rows, as they stand at the end of the arguments.
            return call.replicate(c"VEHPRICE.MSET", head.chain([Part::ArgsFrom(self.ids_at.first)]));
        }
        let rows = rows.iter().flat_map(|row| {
            let first = self.values_at.first.saturating_add(row.saturating_mul(self.ids_at.step));
            let values = Places { first, ..self.values_at };
            [Part::Arg(self.ids_at.place(*row))].into_iter().chain(values.parts(fields))
        });
        call.replicate(c"VEHPRICE.MSET", head.chain(rows));
    }

    /// Replicates rows as they are in the table now: merged, and each with its own expiry.
    fn replicate_resolved(&self, call: &Call<'_>, table: &Table, rows: &[usize], judged_ms: i64) {
        let ids = rows.iter().filter_map(|row| self.ids.get(*row));
        groups(ids.filter_map(|id| table.get(id, judged_ms)), |group| {
            let arguments = group.arguments();
            let parts = arguments.iter().map(|text| Part::Text(text));
            call.replicate(c"VEHPRICE.MSET", [Part::Arg(KEY)].into_iter().chain(parts));
        });
    }
}

/// What came of the rows of a batch: which are stored, which deleted, and the ids of those whose claims end.
struct Rows<'a> {
    stored: Vec<usize>,
    deleted: Vec<usize>,
    changed: Vec<&'a [u8]>,
}

/// Which rows of a batch may be written: all of them, or with a token those that are claimed under it.
struct Held {
    by_token: Option<Vec<bool>>,
    count: usize,
}

impl Held {
    fn new(call: &Call<'_>, options: &Options, ids: &[&[u8]]) -> Self {
        let by_token = options.token.value().map(|token| refill::held(call, token, ids));
        let count = match &by_token {
            None => ids.len(),
            Some(held) => held.iter().filter(|held| **held).count(),
        };
        Self { by_token, count }
    }

    fn count(&self) -> usize {
        self.count
    }

    fn is_held(&self, row: usize) -> bool {
        self.by_token.as_ref().is_none_or(|held| held.get(row) == Some(&true))
    }

    /// Those of the batch's ids.
    fn ids<'i, 'a>(&self, ids: &'i [&'a [u8]]) -> impl Iterator<Item = &'i &'a [u8]> {
        ids.iter().enumerate().filter(|(row, _)| self.is_held(*row)).map(|(_, id)| id)
    }
}

/// Whether two of these hashes may be of one id: a set of no more than the hashes, at a fraction of the cost of a map.
fn may_repeat(hashes: &[IdHash]) -> bool {
    if hashes.len() < 2 {
        return false;
    }
    let places = hashes.len().saturating_mul(2).next_power_of_two();
    let mut seen = vec![0_u32; places];
    let mask = places.saturating_sub(1);
    for hash in hashes {
        // 0 is for the places that are free.
        let hash = hash.bits().max(1);
        let mut place = usize::try_from(hash).unwrap_or_default() & mask;
        while let Some(found) = seen.get_mut(place) {
            if *found == hash {
                return true;
            }
            if *found == 0 {
                *found = hash;
                break;
            }
            place = place.wrapping_add(1) & mask;
        }
    }
    false
}

/// Whether rows that are written so are over at once.
fn is_over(rules: Rules, now_ms: i64) -> bool {
    matches!(rules.expiry, NewExpiry::Given(expiry) if expiry.is_over(now_ms))
}

/// Adds the name of a field that is written; none may be there twice.
pub(super) fn push_name<'a>(names: &mut Vec<&'a str>, name: &'a [u8]) -> Result<&'a str, Error> {
    let name = field(name)?;
    if names.contains(&name) {
        return Err(Error::FieldTwice(excerpt(name.as_bytes())));
    }
    names.push(name);
    Ok(name)
}
