//! Worst calls on plans.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    let ids = || (0..NARROW_ROWS).map(|id| format!("{id}_old"));
    let toggle = || call("SET toggle both");
    let plain = || call("MGET").with(ids());
    vec![
        case(
            "`PRICEPLAN.TAG` of 10,000 tagged ids",
            call("PRICEPLAN.TAG toggle").with(ids()).after(toggle()),
        )
        .beside("Redis's `MGET`", plain(), 4.0),
        case(
            "`PRICEPLAN.ROUTE` of 10,000 tagged ids",
            call("PRICEPLAN.ROUTE toggle").with(ids()).after(toggle()),
        )
        .beside("Redis's `MGET`", plain(), 4.0),
    ]
}
