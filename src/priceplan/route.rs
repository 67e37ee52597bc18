//! `PRICEPLAN.ROUTE`

use super::{ARGS, KEYS, answer_each};
use crate::counters::{ROUTES_CORE, ROUTES_LEGACY, ROUTES_RETIRED};
use crate::error::Error;
use crate::reply::{ReplyLength, ReplySink};
use quotelock_core::plan::{self, Mode, PlanId};
use quotelock_server::{Call, Command, Spec};

/// Says which pricing ids go to that came back.
pub(crate) struct Route;

impl Command for Route {
    const SPEC: Spec = Spec {
        name: "priceplan.route",
        summary: "Returns for each plan id the pricing it belongs to, or that its quote is void, and the id without _old.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -3,
        keys: KEYS,
        args: ARGS,
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let count = |length: &ReplyLength, mode: Mode, id: PlanId<'_>| reply(length, mode.route(id), id);
        answer_each(call, count, |mode, id| {
            let route = mode.route(id);
            match route {
                plan::Route::Legacy => ROUTES_LEGACY.count(),
                plan::Route::Core => ROUTES_CORE.count(),
                plan::Route::Retired => ROUTES_RETIRED.count(),
            }
            reply(call, route, id);
        })
    }
}

fn reply(to: &impl ReplySink, route: plan::Route, id: PlanId<'_>) {
    to.reply_array(2);
    to.reply_bytes(route.name().as_bytes());
    to.reply_bytes(id.bare);
}
