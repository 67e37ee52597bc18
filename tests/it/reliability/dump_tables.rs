//! The tables whose dumps are damaged.

use redis::Connection;

use crate::harness::*;

/// How many there are.
pub(super) const TABLES: u64 = 50;

/// How many of them are written out below; the others come from random commands.
const WRITTEN_OUT: usize = 21;

/// What fills each table `t` that is dumped.
fn tables_to_dump() -> Vec<Vec<String>> {
    let words = |command: &str| command.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let set = |rest: &str| words(&format!("VEHPRICE.SET t {rest}"));
    let mset = |rest: &str| words(&format!("VEHPRICE.MSET t {rest}"));
    let with = |mut command: Vec<String>, last: &[&str]| {
        command.extend(last.iter().map(|word| (*word).to_owned()));
        command
    };
    let wide = (0..64).map(|field| format!(" f{field} v")).collect::<String>();
    let rows = |count: i64| (0..count).map(|id| format!(" {id} {} {}", id % 9, id * 571)).collect::<String>();
    vec![
        set("a FIELDS 1 x 1"),
        set("a PXAT 4000000000000 FIELDS 1 x 1"),
        set("a PXAT 253402300799999 FIELDS 1 x 1"),
        set("a PXAT 3900000000000 FIELDS 2 styleId 7 pricingId 571"),
        with(set("a FIELDS 1"), &["x", ""]),
        with(set("a FIELDS 1"), &["é\0\"", "\r\n\"\\\0😀"]),
        with(words("VEHPRICE.SET t"), &["é\0\n", "FIELDS", "1", "x", "1"]),
        with(set("a FIELDS 1 x"), &[&"v".repeat(100)]),
        // Long enough to be kept packed, or not, and for a length of two bytes.
        with(
            set("a FIELDS 1 x"),
            &[&(0..400).map(|n| char::from(b'!' + (n * n % 90) as u8)).collect::<String>()],
        ),
        with(words("VEHPRICE.SET t"), &[&"i".repeat(256), "FIELDS", "1", &"n".repeat(256), "1"]),
        set(&format!("a PXAT 4000000000000 FIELDS 64{wide}")),
        mset("PXAT 4000000000000 FIELDS 2 x y ROWS a 1 2 b 3 4"),
        mset("FIELDS 2 x y ROWS a 1 2 b 3 4 c 5 6"),
        mset(&format!("PXAT 4000000000000 FIELDS 2 styleId pricingId ROWS{}", rows(10))),
        mset(&format!("PXAT 4000000000000 FIELDS 2 styleId pricingId ROWS{}", rows(40))),
    ]
}

/// Fills `t` anew. No row of it has an expiry that comes.
pub(super) fn fill(con: &mut Connection, number: u64) {
    cmd(con, "DEL t");
    let number = number as usize;
    if let Some(command) = tables_to_dump().get(number) {
        cmd(con, command);
    } else if number < WRITTEN_OUT {
        fill_in_steps(con, number);
    } else {
        fill_at_random(con, &mut Rng::seeded(number as u64));
    }
    // RESTORE gives a key without an expiry.
    cmd(con, "PERSIST t");
}

/// By several commands where no one command does.
fn fill_in_steps(con: &mut Connection, number: usize) {
    match number {
        15 => {
            cmd(con, "VEHPRICE.SET t a FIELDS 1 x 1");
            cmd(con, "VEHPRICE.SET t b PXAT 4000000000000 FIELDS 1 x 1");
        }
        16 => {
            for id in 0..8 {
                cmd(
                    con,
                    &format!("VEHPRICE.SET t {id} PXAT {} FIELDS 1 f{id} {id}", 4_000_000_000_000_i64 + id),
                );
            }
        }
        17 => {
            cmd(con, "VEHPRICE.SET t a FIELDS 2 x 1 y 2");
            cmd(con, "VEHPRICE.SET t b FIELDS 2 y 2 x 1");
        }
        18 => {
            cmd(con, "VEHPRICE.SET t a FIELDS 1 x 1");
            cmd(con, "VEHPRICE.SET t b PX 1 FIELDS 1 y 1");
            // It expires before it is saved.
            rest(5);
        }
        19 => {
            cmd(con, "VEHPRICE.MSET t FIELDS 1 x ROWS a 1 b 2 c 3 d 4");
            cmd(con, "VEHPRICE.DEL t b c");
        }
        // More than is saved in one piece.
        20 => {
            let long: String = (b'!'..=b'z').cycle().take(70_000).map(char::from).collect();
            for id in ["a", "b", "c"] {
                cmd(con, &["VEHPRICE.SET", "t", id, "FIELDS", "1", "x", &long]);
            }
        }
        other => panic!("there is no table {other}"),
    }
}

/// A few short rows of a few fields.
fn fill_at_random(con: &mut Connection, rng: &mut Rng) {
    let names = ["styleId", "pricingId", "plan:571", "é", "r"];
    for _ in 0..=rng.below(5) {
        let bits = rng.below(30);
        let id = rng.below(1 << bits).to_string();
        let mut command = vec!["VEHPRICE.SET".to_owned(), "t".to_owned(), id];
        if rng.below(3) > 0 {
            let expiry = 4_000_000_000_000 + rng.below(100_000_000_000);
            command.extend(["PXAT".to_owned(), expiry.to_string()]);
        }
        let fields = 1 + rng.below(3) as usize;
        command.extend(["FIELDS".to_owned(), fields.to_string()]);
        let first = rng.below(5) as usize;
        for name in names.iter().cycle().skip(first).take(fields) {
            let value = match rng.below(4) {
                0 => "v".repeat(rng.below(60) as usize),
                1 => "{\"price\":\"1.50\"}".to_owned(),
                _ => rng.below(1000).to_string(),
            };
            command.extend([(*name).to_owned(), value]);
        }
        cmd(con, &command);
    }
}
