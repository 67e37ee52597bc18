//! Worst calls that claim rows and give claims up.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [claim(), release()].into_iter().flatten().collect()
}

fn all_ids() -> impl Iterator<Item = String> {
    ids(0..NARROW_ROWS)
}

fn missing() -> Calls {
    mget("", all_ids())
}

fn claim() -> Vec<Case> {
    let wide = names(64, "f");
    let fields = backwards(&wide);
    let long = names(64, &"n".repeat(250));
    let table = |names: &[String], value: &str| mset("t", 0..ROWS, names, value);
    let claim = |options: &str, ids: &mut dyn Iterator<Item = String>| {
        call(&format!("VEHPRICE.CLAIM t PX 60000 {options} IDS").replace("  ", " ")).with(ids)
    };
    let many_times = || (0..10).flat_map(|_| ids(0..ROWS));
    let over = call("VEHPRICE.CLAIM t PX 15 IDS");
    let all_over = over.clone().with(all_ids()).then(over.with(ids(NARROW_ROWS..2 * NARROW_ROWS)));
    let others = || claim("", &mut ids(2 * NARROW_ROWS..3 * NARROW_ROWS));
    vec![
        case("`CLAIM JSON` of 10,000 missing rows", claim("JSON", &mut all_ids())).beside(
            "`MGET`",
            missing(),
            6.0,
        ),
        case("`CLAIM LIMIT` of one of 10,000 missing rows", claim("LIMIT 1", &mut all_ids())).beside(
            "`MGET`",
            missing(),
            5.0,
        ),
        case(
            "`CLAIM LIMIT REFRESH FIELDS JSON RAW` of 64 fields, none of them JSON",
            claim(
                &format!("LIMIT 10000 REFRESH 9999999999 FIELDS {fields} JSON RAW {fields}"),
                &mut ids(0..ROWS),
            )
            .after(table(&wide, "\"")),
        )
        .beside(
            "`MGET JSON` of whole rows",
            mget("JSON", ids(0..ROWS)).after(table(&wide, "12")),
            14.0,
        ),
        case(
            "`CLAIM FIELDS` of one field 64 times",
            claim(&format!("FIELDS 64 {}", vec!["f63"; 64].join(" ")), &mut ids(0..ROWS))
                .after(table(&wide, "12")),
        )
        .beside("whole rows", claim("", &mut ids(0..ROWS)).after(table(&wide, "12")), 3.0),
        case(
            "`CLAIM FIELDS` of 64 long names, refused",
            claim(&format!("FIELDS {} JSON", backwards(&long)), &mut many_times())
                .after(table(&long, "12"))
                .refused(),
        )
        .beside(
            "whole rows, refused",
            claim("JSON", &mut many_times()).after(table(&long, "12")).refused(),
            4.0,
        ),
        case("`CLAIM` where expired claims must make room", pause().then(others()).after(all_over)).beside(
            "where there is room",
            pause().then(others()),
            3.0,
        ),
    ]
}

fn release() -> Vec<Case> {
    let release = |token: &str| call(&format!("VEHPRICE.RELEASE t {token}"));
    let all_claimed = || claimed(0..NARROW_ROWS);
    let by_ids = || release(ANSWER).with(all_ids()).after(all_claimed());
    vec![
        case("`RELEASE` of 10,000 rows that are claimed", by_ids()).beside("`MGET`", missing(), 9.0),
        case(
            "`RELEASE` of 10,000 rows that are not",
            release(&"0".repeat(32)).with(all_ids()).after(claimed(0..3)),
        )
        .beside("`MGET`", missing(), 3.0),
        case(
            "`RELEASE` of all claims of a token, for each byte of their ids",
            release(ANSWER).after(all_claimed()).through(by_ids().bytes()),
        )
        .beside("with their ids", by_ids(), 3.0),
    ]
}
