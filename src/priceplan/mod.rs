//! `PRICEPLAN.*`: old and new pricing side by side.

mod route;
mod tag;

pub(crate) use route::Route;
pub(crate) use tag::Tag;

use crate::error::Error;
use crate::reply::{MAX_HEAD_BYTES, MAX_STRING_HEAD_BYTES, ReplyLength, ReplySink, check_length};
use crate::settings::check_batch;
use quotelock_core::plan::{MAX_ID_BYTES, Mode, PlanId, TAG};
use quotelock_server::{Arg, Call, KeyFlag, KeySpec, excerpt};

/// Where the toggle is in the arguments of both.
const TOGGLE: usize = 1;

/// Where the ids begin.
const IDS: usize = 2;

const KEYS: &[KeySpec] = &[KeySpec::first(&[KeyFlag::Ro, KeyFlag::Access])];

const ARGS: &[Arg] = &[
    Arg::key("toggle", "the key of the toggle"),
    Arg::string("id", "the plan's id, with or without `_old`").multiple(),
];

/// The most an id's answer takes: a route, which is shorter than the longest id, and an id.
const MAX_ANSWER_BYTES: usize = MAX_HEAD_BYTES + 2 * (MAX_STRING_HEAD_BYTES + MAX_ID_BYTES + TAG.len());

/// Replies with an array, one element per id as `answer` replies it and `count` counts it. The toggle is read
/// once.
fn answer_each(
    call: &Call<'_>,
    count: impl Fn(&ReplyLength, Mode, PlanId<'_>),
    answer: impl Fn(Mode, PlanId<'_>),
) -> Result<(), Error> {
    check_batch(call, "ids", call.argc() - IDS)?;
    let id = |text| PlanId::parse(text).ok_or_else(|| Error::BadPlanId(excerpt(text)));
    let ids = call.args_from(IDS).map(id).collect::<Result<Vec<_>, _>>()?;
    let key = call.open_read(TOGGLE)?;
    let mode = match key.string_length()? {
        None => Mode::default(),
        Some(_) => {
            // A value so short is kept in its compact form until this reads it, once for each `SET` of the
            // toggle.
            let value = key.string().unwrap_or_default();
            Mode::parse(value).ok_or_else(|| Error::BadToggle(excerpt(value)))?
        }
    };
    check_length((ids.len() + 1) * MAX_ANSWER_BYTES, |length| {
        length.reply_array(ids.len());
        ids.iter().for_each(|id| count(length, mode, *id));
    })?;
    call.reply_array(ids.len());
    ids.into_iter().for_each(|id| answer(mode, id));
    Ok(())
}
