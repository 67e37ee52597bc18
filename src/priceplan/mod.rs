//! `PRICEPLAN.*`: old and new pricing side by side.

mod route;
mod tag;

pub(crate) use route::Route;
pub(crate) use tag::Tag;

use crate::error::Error;
use crate::settings::check_batch;
use quotelock_core::plan::{Mode, PlanId};
use quotelock_server::{Arg, Call, KeyFlag, KeySpec, excerpt};

/// Where the toggle is in the arguments of both.
const TOGGLE: usize = 1;

/// Where the ids begin.
const IDS: usize = 2;

const KEYS: &[KeySpec] = &[KeySpec::first(&[KeyFlag::Ro, KeyFlag::Access])];

const ARGS: &[Arg] = &[
    Arg::key("toggle", "the key of the toggle"),
    Arg::string("id", "the plan's id, bare or with `_old`").multiple(),
];

/// Replies with an array, one element per id as `answer` replies it. The toggle is read once.
fn answer_each(call: &Call<'_>, answer: impl Fn(Mode, PlanId<'_>)) -> Result<(), Error> {
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
    call.reply_array(ids.len());
    ids.into_iter().for_each(|id| answer(mode, id));
    Ok(())
}
