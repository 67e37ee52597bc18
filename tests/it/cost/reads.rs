//! Worst calls that read rows.

use super::*;

const MIB: usize = 1 << 20;

pub(super) fn cases() -> Vec<Case> {
    [one_row(), many_rows(), waiting(), hashes()].into_iter().flatten().collect()
}

fn one_row() -> Vec<Case> {
    let wide = names(64, "f");
    let fields = backwards(&wide);
    let row = || set("t 0", &wide, "12");
    let get = |options: &str| call(&format!("VEHPRICE.GET t 0{options}")).times(100);
    let verify = call("VEHPRICE.VERIFY t 0")
        .with(wide.iter().rev().flat_map(|name| [name.as_str(), "12"]))
        .with(["JSON"])
        .times(100);
    let long = |value: String| call("VEHPRICE.SET t 0 FIELDS 1 f").with([value]);
    let get_long = |options: &str| call(&format!("VEHPRICE.GET t 0 JSON{options}")).times(4);
    vec![
        case("`GET FIELDS` of 64 fields", get(&format!(" FIELDS {fields}")).after(row())).beside(
            "the whole row",
            get("").after(row()),
            5.0,
        ),
        case(
            "`GET FIELDS JSON RAW` of 64 fields",
            get(&format!(" FIELDS {fields} JSON RAW {fields}")).after(row()),
        )
        .beside("the whole row in JSON", get(" JSON").after(row()), 9.0),
        case(
            "`GET JSON RAW` of 1 MiB of `[`, which is no JSON",
            get_long(" RAW 1 f").after(long("[".repeat(MIB))),
        )
        .beside("of letters, without `RAW`", get_long("").after(long("x".repeat(MIB))), 13.0),
        case("`VERIFY JSON` of 64 fields", verify.after(row())).beside(
            "`GET JSON`",
            get(" JSON").after(row()),
            12.0,
        ),
    ]
}

fn many_rows() -> Vec<Case> {
    let wide = names(64, "f");
    let fields = backwards(&wide);
    let table = |value: &str| mset("t", 0..ROWS, &wide, value);
    let rows = |options: &str| mget(options, ids(0..ROWS));
    let whole = || rows("").after(table("12"));
    let whole_json = || rows("JSON").after(table("12"));
    // Each row has another shape than the one before.
    let shapes = each(0..ROWS, |id| set(&format!("t {id}"), &names(60, &format!("n{:02}:", id % 100)), "1"));
    let escaped = names(64, "\"");
    let long = call("VEHPRICE.SET t 0 FIELDS 1 f").with([format!("[{}", "\"\",".repeat(MIB / 4))]);
    let narrow = mset("t", 0..NARROW_ROWS, &names(1, "f"), "12");
    vec![
        case("`MGET FIELDS` of 64 fields", rows(&format!("FIELDS {fields}")).after(table("12"))).beside(
            "whole rows",
            whole(),
            2.5,
        ),
        case(
            "`MGET FIELDS` of one field 64 times",
            rows(&format!("FIELDS 64 {}", vec!["f63"; 64].join(" "))).after(table("12")),
        )
        .beside("whole rows", whole(), 2.5),
        case("`MGET FIELDS JSON` of 64 fields", rows(&format!("FIELDS {fields} JSON")).after(table("12")))
            .beside("whole rows in JSON", whole_json(), 3.0),
        case(
            "`MGET FIELDS JSON` of 64 names that JSON escapes",
            rows(&format!("FIELDS {} JSON", backwards(&escaped))).after(mset("t", 0..ROWS, &escaped, "12")),
        )
        .beside("whole rows in JSON", whole_json(), 8.0),
        case(
            "`MGET JSON RAW` of 64 fields, none of them JSON",
            rows(&format!("JSON RAW {fields}")).after(table("\"")),
        )
        .beside("whole rows in JSON", whole_json(), 14.0),
        case(
            "`MGET FIELDS`, each row of another shape",
            rows(&format!("FIELDS 60 {}", names(60, "n07:").join(" "))).after(shapes.clone()),
        )
        .beside("whole rows", rows("").after(shapes), 3.0),
        case(
            "`MGET FIELDS JSON RAW`, refused, for each byte that was built",
            mget("FIELDS 1 f JSON RAW 1 f", repeated(ROWS, "0"))
                .after(long.clone())
                .through(64 * MIB)
                .refused(),
        )
        .beside("`MGET JSON` of 10 MiB", mget("JSON", repeated(8, "0")).after(long), 4.0),
        case("`MGET JSON`, refused for its last id", rows("JSON").with([""]).after(table("12")).refused())
            .beside(
                "without `JSON`, refused for its last id",
                rows("").with([""]).after(table("12")).refused(),
                12.0,
            ),
        case(
            "`PTTL` of 10,000 rows",
            call("VEHPRICE.PTTL t").with(ids(0..NARROW_ROWS)).after(narrow.clone()),
        )
        .beside("`MGET`", mget("", ids(0..NARROW_ROWS)).after(narrow), 3.0),
    ]
}

fn waiting() -> Vec<Case> {
    let last = NARROW_ROWS - 1;
    let one = names(1, "f");
    let all_ids = || ids(0..NARROW_ROWS);
    let all_but_last = || mset("t", 0..last, &one, "12").then(claimed(0..NARROW_ROWS));
    let plain = || mget("", all_ids()).after(mset("t", 0..NARROW_ROWS, &one, "12"));
    let missing = || mget("", all_ids());
    let claim = |id: usize| claimed(id..id + 1);
    let delete = |id: usize| call(&format!("VEHPRICE.DEL t {id}"));
    let handed_on = claim(last).then(delete(0)).then(claim(0)).then(delete(last)).times(10).then(delete(0));
    vec![
        case(
            "`MGET FIELDS BLOCK` of rows that are claimed and there",
            mget("FIELDS 1 f00 BLOCK 1000", all_ids())
                .after(mset("t", 0..NARROW_ROWS, &one, "12").then(claimed(0..NARROW_ROWS))),
        )
        .beside(
            "without `BLOCK`",
            mget("FIELDS 1 f00", all_ids()).after(mset("t", 0..NARROW_ROWS, &one, "12")),
            6.0,
        ),
        case(
            "`MGET BLOCK` until the claim on the last of 10,000 is given up",
            mget("BLOCK 10000", all_ids())
                .after(all_but_last())
                .until(call(&format!("VEHPRICE.RELEASE t {ANSWER}"))),
        )
        .beside("without `BLOCK`", plain(), 9.0),
        case("`MGET BLOCK` until its time is up", mget("BLOCK 20", all_ids()).after(claimed(last..last + 1)))
            .beside("without `BLOCK`", missing(), 5.0),
        case(
            "`MGET BLOCK` of 10,000 rows, which the end of a claim makes it look through 20 times",
            mget("BLOCK 10000", all_ids()).after(claim(0)).until(handed_on),
        )
        .beside("without `BLOCK`", missing(), 12.0),
    ]
}

fn hashes() -> Vec<Case> {
    let hashes = |count: usize| call("VEHPRICE.MGETHASH").with(repeated(count, "h"));
    let hash = |names: &[String]| call("HSET h").with(names.iter().flat_map(|name| [name.as_str(), "12"]));
    let (wide, one) = (names(64, "f"), names(1, "f"));
    let of_rows = |names: &[String]| mget("", ids(0..ROWS)).after(mset("t", 0..ROWS, names, "12"));
    let long = || call("HSET h f").with(["x".repeat(MIB)]);
    vec![
        case("`MGETHASH` of one hash of 64 fields 1,000 times", hashes(ROWS).after(hash(&wide))).beside(
            "`MGET` of as many rows",
            of_rows(&wide),
            6.0,
        ),
        case("`MGETHASH` of one hash of a field 1,000 times", hashes(ROWS).after(hash(&one))).beside(
            "`MGET` of as many rows",
            of_rows(&one),
            11.0,
        ),
        case(
            "`MGETHASH` of 10,000 keys that are missing",
            call("VEHPRICE.MGETHASH").with(ids(0..NARROW_ROWS)),
        )
        .beside("Redis's `MGET`", call("MGET").with(ids(0..NARROW_ROWS)), 4.0),
        case(
            "`MGETHASH`, refused, for each byte that was built",
            hashes(ROWS).after(long()).through(64 * MIB).refused(),
        )
        .beside("of 32 MiB", hashes(32).after(long()), 5.0),
    ]
}
