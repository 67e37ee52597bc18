//! Many vehicles written in one call, over existing rows and as new rows.

use quotelock_testkit::{RawConnection, Result, packed};
use redis::{Value, cmd};

use super::VEHICLES;
use crate::common::bench::Bench;
use crate::common::case::{Case, Expected, Ratio, measure, ratios, times};
use crate::common::layout::command;
use crate::common::sheet::Goal::{self, AtLeast};
use crate::common::vehicles::{
    TTL, TTL_S, Vehicle, columns, fill_table, json_rows, mset, pipeline, vehicles,
};

const RATIOS: [Ratio; 24] = [
    Ratio("HSET + EXPIRE over rows", "VEHPRICE.MSET COLUMNS PX over rows", AtLeast(13.0)),
    Ratio("HSET + EXPIRE of new rows", "VEHPRICE.MSET COLUMNS PX of new rows", AtLeast(13.0)),
    Ratio("HSET of one hash, no expiry, over rows", "VEHPRICE.MSET COLUMNS PX over rows", AtLeast(1.5)),
    Ratio("HSET of one hash, no expiry, of new rows", "VEHPRICE.MSET COLUMNS PX of new rows", AtLeast(2.5)),
    Ratio("HSET of one hash, no expiry, over rows", "VEHPRICE.MSET JSON PX over rows", Goal::None),
    Ratio("HSET of one hash, no expiry, of new rows", "VEHPRICE.MSET JSON PX of new rows", Goal::None),
    Ratio("SET EX of JSON of new rows", "VEHPRICE.MSET COLUMNS PX of new rows", Goal::None),
    Ratio("HSET + EXPIRE over rows", "VEHPRICE.MSET PX over rows", AtLeast(6.0)),
    Ratio("HSET + EXPIRE of new rows", "VEHPRICE.MSET PX of new rows", AtLeast(6.0)),
    Ratio("SET EX of JSON over rows", "VEHPRICE.MSET PX over rows", Goal::None),
    Ratio("SET EX of JSON of new rows", "VEHPRICE.MSET PX of new rows", Goal::None),
    Ratio("MSETEX of JSON over rows", "VEHPRICE.MSET PX over rows", Goal::None),
    Ratio("MSETEX of JSON of new rows", "VEHPRICE.MSET PX of new rows", Goal::None),
    Ratio("MSETEX of JSON over rows", "VEHPRICE.MSET COLUMNS PX over rows", Goal::None),
    Ratio("MSETEX of JSON of new rows", "VEHPRICE.MSET COLUMNS PX of new rows", Goal::None),
    Ratio("HSETEX, pipeline, over rows", "VEHPRICE.MSET PX over rows", AtLeast(2.0)),
    Ratio("HSETEX, pipeline, of new rows", "VEHPRICE.MSET PX of new rows", AtLeast(2.0)),
    Ratio("HSET of one hash, no expiry, over rows", "VEHPRICE.MSET PX over rows", Goal::None),
    Ratio("HSET of one hash, no expiry, of new rows", "VEHPRICE.MSET PX of new rows", Goal::None),
    Ratio("HSETEX of one hash, over rows", "VEHPRICE.MSET PX over rows", Goal::None),
    Ratio("HSETEX of one hash, of new rows", "VEHPRICE.MSET PX of new rows", Goal::None),
    Ratio("HSETEX of one hash, over rows", "VEHPRICE.MSET COLUMNS PX over rows", Goal::None),
    Ratio("HSETEX of one hash, of new rows", "VEHPRICE.MSET COLUMNS PX of new rows", Goal::None),
    Ratio("HSET + HPEXPIRE of one hash, over rows", "VEHPRICE.MSET PX over rows", Goal::None),
];

const TTL_TEXT: &str = "3600";

pub(crate) fn run(bench: &mut Bench, rounds: u32) -> Result<()> {
    // Not on the server of the reads: writes fragment its heap, and would slow the reads that follow them.
    let server = bench.start()?;
    let mut connection = RawConnection::connect(server.port())?;
    let stored = vehicles(VEHICLES);
    let mut cases = keys(&mut connection, &stored)?;
    cases.extend(one_key(&mut connection, &stored)?);
    measure(bench, &server, &mut connection, &mut cases, rounds)?;
    bench.add(times("8,000 vehicles written in one call", &cases));
    bench.add(ratios("8,000 vehicles written in one call: how many times as fast", &cases, &RATIOS));
    Ok(())
}

/// Layouts with a key a vehicle.
fn keys(connection: &mut RawConnection, stored: &[Vehicle]) -> Result<Vec<Case>> {
    let key = |start: &str, vehicle: &Vehicle| format!("{start}:{}", vehicle.key());
    let hset = |start| {
        pipeline(stored.iter().flat_map(|vehicle| {
            let key = key(start, vehicle);
            [vehicle.hset(&key), command("EXPIRE", [key.as_str(), TTL_TEXT])]
        }))
    };
    let set = |start| {
        pipeline(
            stored
                .iter()
                .map(|vehicle| command("SET", [&key(start, vehicle), &vehicle.json(), "EX", TTL_TEXT])),
        )
    };
    let hsetex = |start| pipeline(stored.iter().map(|vehicle| vehicle.hsetex(&key(start, vehicle), TTL_S)));
    let delete =
        |start| command("DEL", stored.iter().map(|vehicle| key(start, vehicle))).get_packed_command();
    let hset_replies =
        |new: i64| Expected::Exactly(stored.iter().flat_map(|_| [new, 1]).map(Value::Int).collect());
    let each = |reply: Value| Expected::Exactly(vec![reply; stored.len()]);

    connection.pipeline(&hset("old"), stored.len() * 2)?;
    connection.pipeline(&set("oldjson"), stored.len())?;
    let mut cases = vec![
        Case::new("HSET + EXPIRE over rows", hset("old"), hset_replies(0)),
        Case::new("HSET + EXPIRE of new rows", hset("new"), hset_replies(2)).with_setup(delete("new")),
        Case::new("SET EX of JSON over rows", set("oldjson"), each(Value::Okay)),
        Case::new("SET EX of JSON of new rows", set("newjson"), each(Value::Okay))
            .with_setup(delete("newjson")),
    ];
    if connection.has_command("MSETEX")? {
        let msetex = |start| {
            let pairs: Vec<_> = stored.iter().map(|vehicle| (key(start, vehicle), vehicle.json())).collect();
            cmd("MSETEX").arg(stored.len()).arg(pairs).arg("EX").arg(TTL_S).get_packed_command()
        };
        let reply = || Expected::Exactly(vec![Value::Int(1)]);
        cases.extend([
            Case::new("MSETEX of JSON over rows", msetex("oldjson"), reply()),
            Case::new("MSETEX of JSON of new rows", msetex("newjson"), reply()).with_setup(delete("newjson")),
        ]);
    }
    if connection.has_command("HSETEX")? {
        connection.pipeline(&hsetex("oldex"), stored.len())?;
        cases.extend([
            Case::new("HSETEX, pipeline, over rows", hsetex("oldex"), each(Value::Int(1))),
            Case::new("HSETEX, pipeline, of new rows", hsetex("newex"), each(Value::Int(1)))
                .with_setup(delete("newex")),
        ]);
    }
    Ok(cases)
}

/// Layouts with one key.
fn one_key(connection: &mut RawConnection, stored: &[Vehicle]) -> Result<Vec<Case>> {
    let rows = i64::try_from(stored.len())?;
    let pairs = || stored.iter().flat_map(|vehicle| [vehicle.id.clone(), vehicle.json()]);
    let hset = |key: &str| command("HSET", [key.to_owned()].into_iter().chain(pairs())).get_packed_command();
    let mset = |key| mset(key, TTL, stored);
    let (by_row, by_column) = (json_rows(stored), columns(stored));
    let one = |key, word, text| packed(&["VEHPRICE.MSET", key, TTL.0, "3600000", word, text]);
    let json = |key| one(key, "JSON", &by_row);
    let columns = |key| one(key, "COLUMNS", &by_column);
    let reply = |number| Expected::Exactly(vec![Value::Int(number)]);
    connection.request(&hset("oldhash"))?;
    fill_table(connection, "oldtable", TTL, stored)?;
    let mut cases = vec![
        Case::new("HSET of one hash, no expiry, over rows", hset("oldhash"), reply(0)),
        Case::new("HSET of one hash, no expiry, of new rows", hset("newhash"), reply(rows))
            .with_setup(packed(&["DEL", "newhash"])),
        Case::new("VEHPRICE.MSET PX over rows", mset("oldtable"), reply(rows)),
        Case::new("VEHPRICE.MSET PX of new rows", mset("newtable"), reply(rows))
            .with_setup(packed(&["DEL", "newtable"])),
        Case::new("VEHPRICE.MSET JSON PX over rows", json("oldtable"), reply(rows)),
        Case::new("VEHPRICE.MSET JSON PX of new rows", json("newtable"), reply(rows))
            .with_setup(packed(&["DEL", "newtable"])),
        Case::new("VEHPRICE.MSET COLUMNS PX over rows", columns("oldtable"), reply(rows)),
        Case::new("VEHPRICE.MSET COLUMNS PX of new rows", columns("newtable"), reply(rows))
            .with_setup(packed(&["DEL", "newtable"])),
    ];
    if connection.has_command("HSETEX")? {
        let hsetex = |key| {
            let mut command = cmd("HSETEX");
            command.arg(key).arg("EX").arg(TTL_S).arg("FIELDS").arg(stored.len());
            command.arg(pairs().collect::<Vec<_>>()).get_packed_command()
        };
        connection.request(&hsetex("oldexpiring"))?;
        cases.extend([
            Case::new("HSETEX of one hash, over rows", hsetex("oldexpiring"), reply(1)),
            Case::new("HSETEX of one hash, of new rows", hsetex("newexpiring"), reply(1))
                .with_setup(packed(&["DEL", "newexpiring"])),
        ]);
    }
    if connection.has_command("HPEXPIRE")? {
        let mut both = hset("oldhpexpire");
        let ids: Vec<&str> = stored.iter().map(|vehicle| vehicle.id.as_str()).collect();
        both.extend(
            cmd("HPEXPIRE")
                .arg("oldhpexpire")
                .arg("3600000")
                .arg("FIELDS")
                .arg(ids.len())
                .arg(&ids)
                .get_packed_command(),
        );
        connection.pipeline(&both, 2)?;
        let replies = vec![Value::Int(0), Value::Array(vec![Value::Int(1); stored.len()])];
        cases.push(Case::new("HSET + HPEXPIRE of one hash, over rows", both, Expected::Exactly(replies)));
    }
    Ok(cases)
}
