//! Many vehicles written in one call, each over rows that are there and of rows that are not.

use redis::{Value, cmd};

use super::VEHICLES;
use crate::common::bench::Bench;
use crate::common::case::{Case, Expected, Goal, measure, ratios, times};
use crate::common::server::Outcome;
use crate::common::sheet::Wants::{AtLeast, Nothing};
use crate::common::vehicles::{LIFE, LIFE_S, Vehicle, fill, mset, pipeline, vehicles};
use crate::common::ways::words;
use crate::common::wire::{Wire, packed};

const GOALS: [Goal; 10] = [
    Goal("HSET + EXPIRE over rows", "VEHPRICE.MSET PX over rows", AtLeast(6.0)),
    Goal("HSET + EXPIRE of new rows", "VEHPRICE.MSET PX of new rows", AtLeast(6.0)),
    Goal("SET EX of JSON over rows", "VEHPRICE.MSET PX over rows", Nothing),
    Goal("SET EX of JSON of new rows", "VEHPRICE.MSET PX of new rows", Nothing),
    Goal("HSETEX, pipeline, over rows", "VEHPRICE.MSET PX over rows", AtLeast(2.0)),
    Goal("HSETEX, pipeline, of new rows", "VEHPRICE.MSET PX of new rows", AtLeast(2.0)),
    Goal("HSET of one hash, no expiry, over rows", "VEHPRICE.MSET PX over rows", Nothing),
    Goal("HSET of one hash, no expiry, of new rows", "VEHPRICE.MSET PX of new rows", Nothing),
    Goal("HSETEX of one hash, over rows", "VEHPRICE.MSET PX over rows", Nothing),
    Goal("HSET + HPEXPIRE of one hash, over rows", "VEHPRICE.MSET PX over rows", Nothing),
];

const LIFE_TEXT: &str = "3600";

pub(crate) fn run(bench: &mut Bench, rounds: u32) -> Outcome<()> {
    // Not the server of the reads: what writes leave of the server's heap would slow those that happen to follow them.
    let server = bench.start()?;
    let mut wire = Wire::connect(&server)?;
    let stored = vehicles(VEHICLES);
    let mut cases = keys(&mut wire, &stored)?;
    cases.extend(one_key(&mut wire, &stored)?);
    measure(bench, &server, &mut wire, &mut cases, rounds)?;
    bench.add(times("8,000 vehicles written in one call", &cases));
    bench.add(ratios("8,000 vehicles written in one call: how many times as fast", &cases, &GOALS));
    Ok(())
}

/// A key a vehicle.
fn keys(wire: &mut Wire, stored: &[Vehicle]) -> Outcome<Vec<Case>> {
    let key = |start: &str, vehicle: &Vehicle| format!("{start}:{}", vehicle.key());
    let hset = |start| {
        pipeline(stored.iter().flat_map(|vehicle| {
            let key = key(start, vehicle);
            [vehicle.hset(&key), words("EXPIRE", [key.as_str(), LIFE_TEXT])]
        }))
    };
    let set = |start| {
        pipeline(
            stored
                .iter()
                .map(|vehicle| words("SET", [&key(start, vehicle), &vehicle.json(), "EX", LIFE_TEXT])),
        )
    };
    let hsetex = |start| pipeline(stored.iter().map(|vehicle| vehicle.hsetex(&key(start, vehicle), LIFE_S)));
    let delete = |start| words("DEL", stored.iter().map(|vehicle| key(start, vehicle))).get_packed_command();
    let hset_answers =
        |new: i64| Expected::Exactly(stored.iter().flat_map(|_| [new, 1]).map(Value::Int).collect());
    let each = |answer: Value| Expected::Exactly(vec![answer; stored.len()]);

    wire.ask(&hset("old"), stored.len().saturating_mul(2))?;
    wire.ask(&set("oldjson"), stored.len())?;
    let mut cases = vec![
        Case::new("HSET + EXPIRE over rows", hset("old"), hset_answers(0)),
        Case::new("HSET + EXPIRE of new rows", hset("new"), hset_answers(2)).after(delete("new")),
        Case::new("SET EX of JSON over rows", set("oldjson"), each(Value::Okay)),
        Case::new("SET EX of JSON of new rows", set("newjson"), each(Value::Okay)).after(delete("newjson")),
    ];
    if wire.knows("HSETEX")? {
        wire.ask(&hsetex("oldex"), stored.len())?;
        cases.extend([
            Case::new("HSETEX, pipeline, over rows", hsetex("oldex"), each(Value::Int(1))),
            Case::new("HSETEX, pipeline, of new rows", hsetex("newex"), each(Value::Int(1)))
                .after(delete("newex")),
        ]);
    }
    Ok(cases)
}

/// All in one key.
fn one_key(wire: &mut Wire, stored: &[Vehicle]) -> Outcome<Vec<Case>> {
    let rows = i64::try_from(stored.len())?;
    let pairs = || stored.iter().flat_map(|vehicle| [vehicle.id.clone(), vehicle.json()]);
    let hset = |key: &str| words("HSET", [key.to_owned()].into_iter().chain(pairs())).get_packed_command();
    let mset = |key| mset(key, LIFE, stored);
    let answer = |answer| Expected::Exactly(vec![Value::Int(answer)]);
    wire.run(&hset("oldhash"))?;
    fill(wire, "oldtable", LIFE, stored)?;
    let mut cases = vec![
        Case::new("HSET of one hash, no expiry, over rows", hset("oldhash"), answer(0)),
        Case::new("HSET of one hash, no expiry, of new rows", hset("newhash"), answer(rows))
            .after(packed(&["DEL", "newhash"])),
        Case::new("VEHPRICE.MSET PX over rows", mset("oldtable"), answer(rows)),
        Case::new("VEHPRICE.MSET PX of new rows", mset("newtable"), answer(rows))
            .after(packed(&["DEL", "newtable"])),
    ];
    if wire.knows("HSETEX")? {
        let mut hsetex = cmd("HSETEX");
        hsetex.arg("oldexpiring").arg("EX").arg(LIFE_S).arg("FIELDS").arg(stored.len());
        hsetex.arg(pairs().collect::<Vec<_>>());
        let hsetex = hsetex.get_packed_command();
        wire.run(&hsetex)?;
        cases.push(Case::new("HSETEX of one hash, over rows", hsetex, answer(1)));
    }
    if wire.knows("HPEXPIRE")? {
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
        wire.ask(&both, 2)?;
        let answers = vec![Value::Int(0), Value::Array(vec![Value::Int(1); stored.len()])];
        cases.push(Case::new("HSET + HPEXPIRE of one hash, over rows", both, Expected::Exactly(answers)));
    }
    Ok(cases)
}
