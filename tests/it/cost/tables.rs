//! Worst calls that go through whole tables.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [whole(), expired(), cleared(), restored()].into_iter().flatten().collect()
}

fn whole() -> Vec<Case> {
    let wide = names(64, "f");
    let fields = backwards(&wide);
    let table = |names: &[String], value: &str| mset("t", 0..ROWS, names, value);
    let plain = || table(&wide, "12");
    let (long, long_escaped) = (names(64, &"x".repeat(250)), names(64, &"\u{1}".repeat(250)));
    let getall = |options: &str| call(&format!("VEHPRICE.GETALL t{options}"));
    let scan = |options: &str| call(&format!("VEHPRICE.SCAN t 0 COUNT 100000{options}"));
    let info = || call("VEHPRICE.INFO t");
    let rows_of_shape = NARROW_ROWS / 100;
    let shapes = each(0..100, |shape| {
        let first = shape * rows_of_shape;
        mset("t", first..first + rows_of_shape, &names(60, &format!("n{shape:02}:")), "1")
    });
    vec![
        case("`GETALL FIELDS` of 64 fields", getall(&format!(" FIELDS {fields}")).after(plain())).beside(
            "whole rows",
            getall("").after(plain()),
            3.0,
        ),
        case(
            "`GETALL JSON` of names that JSON escapes",
            getall(" JSON").after(mset("t", 0..200, &long_escaped, "12")),
        )
        .beside("of plain names", getall(" JSON").after(mset("t", 0..200, &long, "12")), 4.0),
        case(
            "`GETALL FIELDS JSON RAW` of 64 fields, none of them JSON",
            getall(&format!(" FIELDS {fields} JSON RAW {fields}")).after(table(&wide, "\"")),
        )
        .beside("whole rows in JSON", getall(" JSON").after(plain()), 14.0),
        case("`SCAN COUNT FIELDS` of all rows", scan(&format!(" FIELDS {fields}")).after(plain())).beside(
            "`GETALL`",
            getall("").after(plain()),
            3.0,
        ),
        case("`SCAN COUNT FIELDS JSON` of all rows", scan(&format!(" FIELDS {fields} JSON")).after(plain()))
            .beside("`GETALL JSON`", getall(" JSON").after(plain()), 3.0),
        case("`VEHPRICE.INFO` of 100 shapes", info().after(shapes)).beside(
            "of one",
            info().after(mset("t", 0..NARROW_ROWS, &wide, "1")),
            4.0,
        ),
    ]
}

fn expired() -> Vec<Case> {
    let one = names(1, "f");
    let table = || mset("t", 0..NARROW_ROWS, &one, "1").then(pause());
    let rows = |options: &str, first: usize| {
        let rows = (first..NARROW_ROWS).step_by(2).flat_map(|id| [id.to_string(), "1".to_owned()]);
        call(&format!("VEHPRICE.MSET t {options} FIELDS 1 f00 ROWS")).with(rows)
    };
    // Every other row of each page has expired.
    let half_expired = || rows("EX 600", 0).then(rows("PX 1", 1)).then(pause());
    let nearly_all_expired =
        || mset("t EX 600", 0..1, &one, "1").then(mset("t PX 1", 1..NARROW_ROWS, &one, "1")).then(pause());
    let through_all = |words: &str| call(words).through(NARROW_ROWS);
    let get = || call("VEHPRICE.GET t 0");
    vec![
        case(
            "`LEN` where half of the rows have expired, for each row",
            through_all("VEHPRICE.LEN t").after(half_expired()),
        )
        .beside("`VEHPRICE.INFO`", through_all("VEHPRICE.INFO t").after(table()), 3.0),
        case(
            "`SCAN COUNT` of rows of which one has not expired, for each row",
            through_all("VEHPRICE.SCAN t 0 COUNT 100000").after(nearly_all_expired()),
        )
        .beside("`VEHPRICE.INFO`", through_all("VEHPRICE.INFO t").after(table()), 3.0),
        case("`GET` that takes out expired rows on its way", get().after(half_expired())).beside(
            "where none have expired",
            get().after(table()),
            8.0,
        ),
    ]
}

fn cleared() -> Vec<Case> {
    // A row of this length has an allocation of its own.
    let table = || mset("t", 0..NARROW_ROWS, &names(1, "f"), &"x".repeat(600));
    vec![
        case(
            "`CLEAR` of rows that are claimed, for each row and claim",
            call("VEHPRICE.CLEAR t").after(table().then(claimed(0..NARROW_ROWS))).through(2 * NARROW_ROWS),
        )
        .beside(
            "Redis's `DEL`, without claims",
            call("DEL t").after(table()).through(NARROW_ROWS),
            4.0,
        ),
    ]
}

fn restored() -> Vec<Case> {
    let restore = |key: &str, made_by: Calls| {
        let dump = call(&format!("DUMP {key}")).after(made_by);
        call(&format!("RESTORE restored 0 {ANSWER}")).after(dump)
    };
    let shapes = each(0..100, |shape| {
        set(&format!("t {shape}"), &names(64, &format!("{}{shape:02}:", "\u{1}".repeat(247))), "1")
    });
    let two = names(2, "f");
    let rows = || mset("t", 0..NARROW_ROWS, &two, "12");
    vec![
        case(
            "`RESTORE` of 100 shapes of 64 names of 252 bytes that JSON escapes, uncompressed",
            restore("t", shapes),
        )
        .beside("of a string", restore("s", call("SET s").with(["x".repeat(100 * 64 * 252)])), 12.0),
        case("`RESTORE` of 10,000 rows", restore("t", rows())).beside("`MSET` of them", rows(), 4.0),
    ]
}
