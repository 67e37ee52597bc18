//! Worst calls that write rows.

use std::ops::Range;

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [one_row(), many_rows(), merged(), claims(), deleted()].into_iter().flatten().collect()
}

fn one_row() -> Vec<Case> {
    let (one, wide) = (names(1, "f"), names(64, "f"));
    let (long, long_escaped) = (names(64, &"x".repeat(250)), names(64, &"\u{1}".repeat(250)));
    let value = "x".repeat(300);
    let comes_and_goes = set("t 0 PXAT 9999999999999", &one, &value).then(set("t 0 EXAT 1", &one, ""));
    let long_value = "x".repeat(16 << 10);
    vec![
        case("`SET NX PX` of names that JSON escapes", set("t 0 NX PX 60000", &long_escaped, "12")).beside(
            "of plain names",
            set("t 0", &long, "12"),
            3.0,
        ),
        case("`SET PXAT`, and `SET EXAT` in the past", comes_and_goes.times(100)).beside(
            "`SET` of as many bytes",
            set("t 0", &one, &value[..150]).times(200),
            3.0,
        ),
        case("`SET PERSIST`", set("t 0 PERSIST", &one, &value).times(200)).beside(
            "without",
            set("t 0", &one, &value).times(200),
            3.0,
        ),
        case(
            "`SET XX MERGE KEEPTTL` of one field into 64",
            set("t 0 XX MERGE KEEPTTL", &one, "13").times(200).after(set("t 0", &wide, "12")),
        )
        .beside("a row of that field", set("t 0", &one, "13").times(200), 10.0),
        case(
            "`SET MERGE` of one field into a row of 1 MiB, for each byte of it",
            set("t 0 MERGE", &one, "13").after(set("t 0", &wide, &long_value)).through(1 << 20),
        )
        .beside("`SET` of that row", set("t 0", &wide, &long_value), 3.0),
        case(
            "`SET XX MERGE EX TOKEN KEEPCLAIM` of 64 fields",
            set(&format!("t 0 XX MERGE EX 60 TOKEN {ANSWER} KEEPCLAIM"), &wide, "13")
                .times(100)
                .after(set("t 0", &wide, "12").then(claimed(0..1))),
        )
        .beside("without these words", set("t 0", &wide, "13").times(100), 4.0),
    ]
}

fn many_rows() -> Vec<Case> {
    let one = names(1, "f");
    let rows = |options: &str| mset(&format!("t{options}"), 0..NARROW_ROWS, &one, "13");
    // As long as a row can be that shares the memory of its page.
    let long = || mset("t", 0..NARROW_ROWS + 1, &one, &"x".repeat(480));
    vec![
        case("`MSET NX PX`", rows(" NX PX 60000")).beside("without", rows(""), 3.0),
        case("`MSET PERSIST`", rows(" PERSIST")).beside("without", rows(""), 3.0),
        case("`MSET XX KEEPTTL`", rows(" XX KEEPTTL").after(rows(""))).beside("without", rows(""), 3.0),
        case("`MSET EX` of short rows over long ones", rows(" EX 60").after(long())).beside(
            "of new rows",
            rows(""),
            4.0,
        ),
        case("`MSET PXAT` in the past over long rows", rows(" PXAT 1").after(long())).beside(
            "of new rows",
            rows(""),
            4.0,
        ),
        case(
            "`MSET` with one id many times",
            call("VEHPRICE.MSET t FIELDS 1 f ROWS").with(repeated(2 * NARROW_ROWS, "1")),
        )
        .beside("different ids", rows(""), 3.0),
    ]
}

fn merged() -> Vec<Case> {
    let (one, wide) = (names(1, "f"), names(64, "f"));
    let table = || mset("t", 0..ROWS, &wide, "12");
    let shapes = each(0..ROWS, |id| set(&format!("t {id}"), &names(60, &format!("n{id:03}:")), "1"));
    let shapes_bytes = shapes.bytes();
    let long = names(64, &"x".repeat(250));
    let own_expiries = each(0..ROWS / 5, |id| set(&format!("t {id} PX {}", 10_000_000 + id), &long, "12"));
    let few_rows = |options: &str, names: &[String]| mset(&format!("t{options}"), 0..ROWS / 5, names, "13");
    vec![
        case("`MSET MERGE` of 64 fields", mset("t MERGE", 0..ROWS, &wide, "13").after(table())).beside(
            "without `MERGE`",
            mset("t", 0..ROWS, &wide, "13"),
            3.0,
        ),
        case("`MSET MERGE` of one field into 64", mset("t MERGE", 0..ROWS, &one, "13").after(table()))
            .beside("a row of that field", mset("t", 0..ROWS, &one, "13"), 36.0),
        case(
            "`MSET MERGE` of one field into 60, each row of another shape, for each byte of them",
            mset("t MERGE", 0..ROWS, &one, "13").after(shapes.clone()).through(shapes_bytes),
        )
        .beside("`SET` of each row", shapes, 2.0),
        case(
            "`MSET MERGE` of one field into rows with expiries of their own, for each byte of them in the AOF",
            few_rows(" MERGE", &long[..1]).after(own_expiries.clone()),
        )
        .beside("a row of that field", few_rows("", &long[..1]), 1.0)
        .kept(),
        case(
            "`MSET KEEPTTL` over rows with expiries of their own, for each byte of them in the AOF",
            few_rows(" KEEPTTL", &long).after(own_expiries),
        )
        .beside("without `KEEPTTL`", few_rows("", &long), 1.5)
        .kept(),
    ]
}

fn claims() -> Vec<Case> {
    let one = names(1, "f");
    let rows = |options: &str| mset(&format!("t{options}"), 0..NARROW_ROWS, &one, "13");
    let with_token = |options: &str| rows(&format!(" {options} TOKEN {ANSWER}"));
    let all_claimed = || rows("").then(claimed(0..NARROW_ROWS));
    vec![
        case(
            "`MSET XX MERGE KEEPTTL TOKEN` over rows claimed under it",
            with_token("XX MERGE KEEPTTL").after(all_claimed()),
        )
        .beside("without these words", rows(""), 6.0),
        case(
            "`MSET EX TOKEN KEEPCLAIM` of rows claimed under it",
            rows(&format!(" EX 60 TOKEN {ANSWER} KEEPCLAIM")).after(claimed(0..NARROW_ROWS)),
        )
        .beside("without these words", rows(""), 4.0),
        case("`MSET EXAT` in the past over rows that are claimed", rows(" EXAT 1").after(all_claimed()))
            .beside("of new rows", rows(""), 4.0),
    ]
}

fn deleted() -> Vec<Case> {
    let one = names(1, "f");
    let all_ids = || ids(0..NARROW_ROWS);
    let delete = || call("VEHPRICE.DEL t");
    let long = mset("t", 0..NARROW_ROWS, &one, &"x".repeat(480));
    let narrow = || mset("t", 0..NARROW_ROWS, &one, "12");
    let expiries = mset("t PX 1000000", 0..90_000, &one, "1")
        .then(each(90_000..90_100, |id| set(&format!("t {id} PX {}", 2_000_000 + id), &one, "1")));
    let delete_each = |ids: Range<usize>| each(ids.rev(), |id| delete().with([id.to_string()]));
    vec![
        case("`DEL` of one id many times", delete().with(repeated(NARROW_ROWS, "1")).after(narrow())).beside(
            "`MGET` of as many",
            mget("", all_ids()).after(narrow()),
            4.0,
        ),
        case(
            "`DEL` of long rows that are claimed",
            delete().with(all_ids()).after(long.then(claimed(0..NARROW_ROWS))),
        )
        .beside(
            "of rows that are missing",
            delete().with(all_ids()).after(mset("t", 0..1, &one, "12")),
            17.0,
        ),
        case(
            "`DEL` of the row of 90,000 that lives longest, 100 times",
            delete_each(90_000..90_100).after(expiries.clone()),
        )
        .beside("of another row", delete_each(10_000..10_100).after(expiries), 6.0),
    ]
}
