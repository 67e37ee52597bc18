//! `PRICEPLAN.TAG`

use super::{ARGS, KEYS, answer_each};
use crate::command::counters::{TAGS_CORE, TAGS_LEGACY};
use crate::command::error::Error;
use crate::priceplan;
use crate::server::{Call, Command, Example, Spec};

/// Says which ids to send out.
pub struct Tag;

impl Command for Tag {
    const SPEC: Spec = Spec {
        name: "priceplan.tag",
        summary: "Returns the ids of plans as they go out, tagged where old pricing is in force.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -3,
        keys: KEYS,
        args: ARGS,
        about: "\
The toggle is a string that all pods share. What it holds says which pricing is in force:

| toggle | | `571` | `571_old` |
|---|---|---|---|
| `1` or `old`, or no key | old pricing alone | `571_old` | `571_old` |
| `2` or `new` | new pricing alone | `571` | `571_old` |
| `3` or `both` | new pricing; what old pricing gave out goes by it | `571` | `571_old` |
| `4` or `back` | old pricing again, after ids of new pricing went out | `571_old` | `571_old` |

The words may be in any case; anything else in the toggle is an error. `SET toggle 3` switches all pods at one instant: a \
call reads the toggle once, and so goes by one mode for all its ids.

An id is 1 to 256 bytes of UTF-8, and the tag `_old` at its end, in lower case, does not count to that. An id that is tagged \
is returned as it is. At most `quotelock.max-batch` ids.",
        replies: &[("always", "an array: for each id the one to send out, in order")],
        examples: &[
            Example("PRICEPLAN.TAG toggle 571 572_old", "1) \"571_old\"\n2) \"572_old\""),
            Example("SET toggle 3", "OK"),
            Example("PRICEPLAN.TAG toggle 571 572_old", "1) \"571\"\n2) \"572_old\""),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        answer_each(call, |mode, id| {
            let sent = mode.tag(id);
            if sent.ends_with(priceplan::TAG.as_bytes()) {
                TAGS_LEGACY.count();
            } else {
                TAGS_CORE.count();
            }
            call.reply_bytes(&sent);
        })
    }
}
