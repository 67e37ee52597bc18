//! Worst calls that bring ids or rows in one argument, or are answered by column, and those that keep a copy.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [lists(), columns(), rows(), changes()].into_iter().flatten().collect()
}

fn list(ids: impl IntoIterator<Item = String>) -> String {
    json_array(ids.into_iter().map(|id| format!("\"{id}\"")))
}

fn json_array(elements: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", elements.into_iter().collect::<Vec<_>>().join(","))
}

fn all_ids() -> String {
    list(ids(0..NARROW_ROWS))
}

fn mget_list(options: &str, list: String) -> Calls {
    call(&format!("VEHPRICE.MGET t {options} LIST").replace("  ", " ")).with([list])
}

fn narrow() -> Calls {
    mset("t", 0..NARROW_ROWS, &names(1, "f"), "12")
}

fn lists() -> Vec<Case> {
    let escaped = || json_array(ids(0..NARROW_ROWS).map(|id| format!("\"\\u003{id}\"")));
    let spaced = || all_ids().replace(',', &format!(",{}", " ".repeat(100)));
    let bad = || all_ids().replace(']', ",null]");
    let claim = |options: &str| call(&format!("VEHPRICE.CLAIM t PX 60000 {options} LIST")).with([all_ids()]);
    let held = "TOKEN 0123456789abcdef0123456789abcdef";
    vec![
        case("`MGET LIST` of ids with escapes", mget_list("", escaped()).after(narrow())).beside(
            "of plain ids",
            mget_list("", all_ids()).after(narrow()),
            6.0,
        ),
        case("`MGET LIST` of ids far apart", mget_list("", spaced()).after(narrow())).beside(
            "close together",
            mget_list("", all_ids()).after(narrow()),
            3.0,
        ),
        case("`MGET JSON LIST` whose last id is none", mget_list("JSON", bad()).after(narrow()).refused())
            .beside("`MGET JSON LIST` of missing rows", mget_list("JSON", all_ids()), 8.0),
        case(
            "`MGET BLOCK LIST` of ids with escapes, of rows that are claimed",
            mget_list("BLOCK 20", escaped()).after(claimed(0..1)).after(narrow()),
        )
        .beside("`MGET LIST` of plain ids", mget_list("", all_ids()).after(narrow()), 8.0),
        case("`CLAIM TOKEN LIST` of 10,000 rows that it holds", claim(held).after(claim(held))).beside(
            "`MGET LIST`",
            mget_list("", all_ids()),
            16.0,
        ),
    ]
}

fn columns() -> Vec<Case> {
    let wide = names(64, "f");
    let fields = backwards(&wide);
    let some_ids = || list(ids(0..ROWS));
    let table = |value: &str| mset("t", 0..ROWS, &wide, value);
    let whole = || mget_list("JSON", some_ids()).after(table("12"));
    let shapes =
        || each(0..ROWS, |id| set(&format!("t {id}"), &names(60, &format!("n{:02}:", id % 100)), "1"));
    let few_shapes =
        || each(0..ROWS, |id| set(&format!("t {id}"), &names(8, &format!("n{:02}:", id % 8)), "1"));
    let absent = backwards(&names(64, "none"));
    vec![
        case(
            "`MGET COLUMNS LIST` of 64 fields",
            mget_list(&format!("FIELDS {fields} COLUMNS"), some_ids()).after(table("12")),
        )
        .beside("`MGET JSON LIST` of whole rows", whole(), 5.0),
        case(
            "`MGET COLUMNS LIST` of values that JSON escapes",
            mget_list(&format!("FIELDS {fields} COLUMNS"), some_ids()).after(table("\"")),
        )
        .beside("`MGET JSON LIST` of whole rows", whole(), 18.0),
        case(
            "`MGET COLUMNS LIST`, each row of another shape, without the fields",
            mget_list(&format!("FIELDS {absent} COLUMNS"), some_ids()).after(shapes()),
        )
        .beside("`MGET JSON LIST` of whole rows", whole(), 12.0),
        case(
            "`CLAIM COLUMNS LIST` of 64 fields",
            call(&format!("VEHPRICE.CLAIM t PX 60000 FIELDS {fields} COLUMNS LIST"))
                .with([some_ids()])
                .after(table("12")),
        )
        .beside("`MGET JSON LIST` of whole rows", whole(), 5.0),
        case("`GETALL COLUMNS` of 8 shapes", call("VEHPRICE.GETALL t COLUMNS").after(few_shapes())).beside(
            "`GETALL JSON` of one",
            call("VEHPRICE.GETALL t JSON").after(mset("t", 0..ROWS, &names(8, "f"), "1")),
            7.0,
        ),
    ]
}

/// Rows as JSON, each with fields and values.
fn json_rows(rows: usize, fields: impl Fn(usize) -> Vec<(String, String)>) -> String {
    let row = |id: usize| {
        let pairs: Vec<_> = fields(id).iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("\"{id}\":{{{}}}", pairs.join(","))
    };
    format!("{{{}}}", (0..rows).map(row).collect::<Vec<_>>().join(","))
}

/// Rows by column.
fn by_column(rows: usize, names: &[String], cell: impl Fn(usize, usize) -> String) -> String {
    let column = |column| json_array((0..rows).map(|row| cell(row, column)));
    format!(
        r#"{{"ids":{},"fields":{},"columns":{}}}"#,
        list(ids(0..rows)),
        list(names.to_vec()),
        json_array((0..names.len()).map(column))
    )
}

fn rows() -> Vec<Case> {
    let json = |text: String| call("VEHPRICE.MSET t JSON").with([text]);
    let table = |text: String| call("VEHPRICE.MSET t COLUMNS").with([text]);
    let plain = || mset("t", 0..NARROW_ROWS, &names(2, "f"), "12");
    let own = |prefix: &'static str| {
        move |id: usize| {
            vec![(format!("{prefix}{id}"), "\"1\"".to_owned()), (format!("b{id}"), "1".to_owned())]
        }
    };
    let wide = names(64, "f");
    let some_null = |row: usize, column: usize| {
        if column == row % 64 || column == row / 64 { "null".to_owned() } else { "\"1\"".to_owned() }
    };
    let merged = |text: String| call("VEHPRICE.MSET t MERGE KEEPTTL JSON").with([text]);
    vec![
        case("`MSET JSON`, each row with fields of its own", json(json_rows(NARROW_ROWS, own("a")))).beside(
            "`MSET ROWS`",
            plain(),
            9.0,
        ),
        case("`MSET JSON` of names with escapes", json(json_rows(NARROW_ROWS, own("\\u0061")))).beside(
            "`MSET ROWS`",
            plain(),
            14.0,
        ),
        case(
            "`MSET JSON` whose last row is wrong",
            json(json_rows(NARROW_ROWS, own("a")).replace("}}", ",\"c\":[]}}")).refused(),
        )
        .beside("`MSET ROWS`", plain(), 9.0),
        case(
            "`MSET MERGE KEEPTTL JSON`, each row with a field of its own",
            merged(json_rows(ROWS, own("a"))).after(mset("t", 0..ROWS, &wide[..60], "12")),
        )
        .beside(
            "`MSET MERGE ROWS` of the same fields",
            {
                let merge = mset("t MERGE", 0..ROWS, &names(2, "x"), "12");
                merge.after(mset("t", 0..ROWS, &wide[..60], "12"))
            },
            12.0,
        ),
        case(
            "`MSET COLUMNS` of 64 fields, each row without others",
            table(by_column(ROWS, &wide, some_null)),
        )
        .beside("`MSET ROWS` of 64 fields", mset("t", 0..ROWS, &wide, "12"), 6.0),
        case(
            "`MSET COLUMNS` of long names, null making too many lists of them",
            table(by_column(ROWS, &names(64, &"n".repeat(250)), some_null)).refused(),
        )
        .beside("`MSET ROWS` of 64 fields", mset("t", 0..ROWS, &wide, "12"), 6.0),
        case(
            "`MSET COLUMNS` of numbers and escapes",
            table(by_column(NARROW_ROWS, &names(2, "f"), |_, column| {
                if column == 0 { "-1.5e3".to_owned() } else { "\"\\n\"".to_owned() }
            })),
        )
        .beside("`MSET ROWS`", plain(), 9.0),
    ]
}

fn changes() -> Vec<Case> {
    let own_expiry = || {
        each(0..ROWS, |id| {
            set(&format!("t {id} PXAT {}", 253_402_300_000_000_u64 + id as u64), &names(8, "f"), "1")
        })
    };
    let changes = |options: &str| call(&format!("VEHPRICE.CHANGES t 0{options}"));
    let wide = names(64, "f");
    let getall = |options: &str| call(&format!("VEHPRICE.GETALL t{options}"));
    vec![
        case("`CHANGES JSON`, each row with an expiry of its own", changes(" JSON").after(own_expiry()))
            .beside("`GETALL JSON`", getall(" JSON").after(own_expiry()), 6.0),
        case(
            "`CHANGES FIELDS` of 64 fields, each row with an expiry of its own",
            changes(&format!(" FIELDS {}", backwards(&wide))).after(own_expiry()),
        )
        .beside("`GETALL`", getall("").after(own_expiry()), 6.0),
    ]
}
