//! `PRICEPLAN.*`: old and new pricing side by side.

mod route;
mod tag;

pub use route::Route;
pub use tag::Tag;

use super::error::Error;
use super::settings::check_batch;
use crate::priceplan::{Mode, PlanId};
use crate::server::{Arg, Call, KeyFlag, KeySpec, excerpt};

/// Where the toggle is in the arguments of both.
const TOGGLE: usize = 1;

/// Where the ids begin.
const IDS: usize = 2;

const KEYS: &[KeySpec] = &[KeySpec::first(&[KeyFlag::Ro, KeyFlag::Access])];

const ARGS: &[Arg] = &[
    Arg::key("toggle", "the key of the toggle"),
    Arg::string("id", "the plan's id, bare or with `_old`").multiple(),
];

/// Answers an array, for each id what `answer` replies by the mode that goes for all of them: the toggle is read once.
fn answer_each(call: &Call<'_>, answer: impl Fn(Mode, PlanId<'_>)) -> Result<(), Error> {
    check_batch(call, "ids", call.argc().saturating_sub(IDS))?;
    let id = |text| PlanId::parse(text).ok_or_else(|| Error::BadPlanId(excerpt(text)));
    let ids = call.args_from(IDS).map(id).collect::<Result<Vec<_>, _>>()?;
    let key = call.read_key(TOGGLE)?;
    let mode = match key.string_length()? {
        None => Mode::default(),
        Some(_) => {
            // A value so short is kept in its compact form until this reads it, once for each `SET` of the toggle.
            let value = key.string().unwrap_or_default();
            Mode::parse(value).ok_or_else(|| Error::BadToggle(excerpt(value)))?
        }
    };
    call.reply_array(ids.len());
    ids.into_iter().for_each(|id| answer(mode, id));
    Ok(())
}
