//! `PRICEPLAN.TAG`

use super::{ARGS, KEYS, answer_each};
use crate::counters::{TAGS_CORE, TAGS_LEGACY};
use crate::error::Error;
use crate::reply::{ReplyLength, ReplySink};
use quotelock_core::plan::{self, Mode, PlanId};
use quotelock_server::{Call, Command, Spec};

/// Says which ids to send out.
pub(crate) struct Tag;

impl Command for Tag {
    const SPEC: Spec = Spec {
        name: "priceplan.tag",
        summary: "Returns plan ids as the app should see them: with _old while old pricing is in force.",
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
        let count = |length: &ReplyLength, mode: Mode, id: PlanId<'_>| length.reply_bytes(&mode.tag(id));
        answer_each(call, count, |mode, id| {
            let sent = mode.tag(id);
            if sent.ends_with(plan::TAG.as_bytes()) {
                TAGS_LEGACY.count();
            } else {
                TAGS_CORE.count();
            }
            call.reply_bytes(&sent);
        })
    }
}
