//! `PRICEPLAN.ROUTE`

use super::{ARGS, KEYS, answer_each};
use crate::command::counters::{ROUTES_CORE, ROUTES_LEGACY, ROUTES_RETIRED};
use crate::command::error::Error;
use crate::priceplan;
use crate::server::{Call, Command, Example, Spec};

/// Says which pricing ids go to that came back.
pub struct Route;

impl Command for Route {
    const SPEC: Spec = Spec {
        name: "priceplan.route",
        summary: "Returns for each plan id that came back to which pricing it goes, and the bare id.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -3,
        keys: KEYS,
        args: ARGS,
        about: "\
Where an id goes is said by the toggle and by whether the id is tagged:

| toggle | `571` | `571_old` |
|---|---|---|
| `1` or `old`, or no key | `Legacy` | `Legacy` |
| `2` or `new` | `Core` | `Retired` |
| `3` or `both` | `Core` | `Legacy` |
| `4` or `back` | `Retired` | `Legacy` |

`Legacy` is old pricing and `Core` new pricing. `Retired` is neither: the quote is void, and the app asks for a new one. A rent that \
exists goes on by what was stored with it.

The toggle and the ids are those of `PRICEPLAN.TAG`.",
        replies: &[(
            "always",
            "an array: for each id, in order, an array of `Legacy`, `Core` or `Retired`, and the id without its tag",
        )],
        examples: &[
            Example("SET toggle both", "OK"),
            Example(
                "PRICEPLAN.ROUTE toggle 571 571_old",
                "1) 1) \"Core\"\n   2) \"571\"\n2) 1) \"Legacy\"\n   2) \"571\"",
            ),
            Example("SET toggle back", "OK"),
            Example("PRICEPLAN.ROUTE toggle 571", "1) 1) \"Retired\"\n   2) \"571\""),
            Example("SET toggle 5", "OK"),
            Example(
                "PRICEPLAN.ROUTE toggle 571",
                "(error) ERR invalid value '5' in the toggle, it takes 1 or old, 2 or new, 3 or both, 4 or back",
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        answer_each(call, |mode, id| {
            let route = mode.route(id);
            match route {
                priceplan::Route::Legacy => ROUTES_LEGACY.count(),
                priceplan::Route::Core => ROUTES_CORE.count(),
                priceplan::Route::Retired => ROUTES_RETIRED.count(),
            }
            call.reply_array(2);
            call.reply_bytes(route.name().as_bytes());
            call.reply_bytes(id.bare);
        })
    }
}
