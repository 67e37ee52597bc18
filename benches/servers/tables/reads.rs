//! Many vehicles read in one call.

use redis::{Value, cmd};

use super::VEHICLES;
use crate::common::bench::Bench;
use crate::common::case::{Case, Expected, Goal, measure, ratios, times};
use crate::common::server::Outcome;
use crate::common::sheet::Wants::{AtLeast, AtMost, Nothing};
use crate::common::vehicles::{FIELDS, Vehicle, pipeline, shuffled, vehicles};
use crate::common::ways::{Way, json, names_and_values, text, words};
use crate::common::wire::{Wire, packed};

const GOALS: [Goal; 19] = [
    Goal("HGETALL, pipeline", "VEHPRICE.MGET JSON", AtLeast(7.0)),
    Goal("HMGET, pipeline", "VEHPRICE.MGET JSON", Nothing),
    Goal("HMGET of one hash", "VEHPRICE.MGET JSON", AtLeast(1.8)),
    Goal("HMGET of one hash, fields expire", "VEHPRICE.MGET JSON", Nothing),
    Goal("MGET of JSON", "VEHPRICE.MGET JSON", AtLeast(2.4)),
    Goal("JSON.MGET", "VEHPRICE.MGET JSON", Nothing),
    Goal("HMGET in Lua", "VEHPRICE.MGET JSON", AtLeast(15.0)),
    Goal("HMGET in a Function", "VEHPRICE.MGET JSON", Nothing),
    Goal("VEHPRICE.MGET JSON", "PING id ..., refused", AtMost(1.8)),
    Goal("HGETALL, pipeline", "VEHPRICE.MGET", AtLeast(2.5)),
    Goal("HMGET of one hash", "VEHPRICE.MGET", Nothing),
    Goal("HMGET, pipeline", "VEHPRICE.MGET FIELDS 2", AtLeast(3.5)),
    Goal("HMGET in Lua", "VEHPRICE.MGET FIELDS 2", Nothing),
    Goal("HMGET of one hash", "VEHPRICE.MGET FIELDS 2", Nothing),
    Goal("HGETALL of one hash", "VEHPRICE.GETALL JSON", AtLeast(1.5)),
    Goal("HGETALL of one hash, fields expire", "VEHPRICE.GETALL JSON", Nothing),
    Goal("HGETALL, pipeline", "VEHPRICE.GETALL JSON", Nothing),
    Goal("HGETALL, pipeline", "VEHPRICE.MGETHASH", Nothing),
    Goal("HMGET of one hash", "VEHPRICE.MGETHASH", Nothing),
];

const LUA: &str = "
local rows = {}
for place, key in ipairs(KEYS) do rows[place] = redis.call('HMGET', key, 'styleId', 'pricingId') end
return rows
";

pub(crate) fn run(bench: &mut Bench, rounds: u32) -> Outcome<()> {
    let server = bench.start_with_redis_json()?;
    let mut wire = Wire::connect(&server)?;
    let stored = vehicles(VEHICLES);
    // In another order than that in which they were stored.
    let asked = shuffled(&stored, 1);
    let mut cases = Vec::new();
    for way in Way::at_hand(&mut wire)? {
        way.fill(&mut wire, &stored)?;
        cases.push(Case::in_turn(way.reader(), vec![way.read(&asked)]));
    }
    cases.extend(hashes(&mut wire, &asked)?);
    cases.extend(redis_json(&mut wire, &stored, &asked)?);
    cases.extend(tables(&asked));
    cases.extend(whole(&mut wire, &stored)?);
    measure(bench, &server, &mut wire, &mut cases, rounds)?;
    bench.add(times("8,000 vehicles read in one call", &cases));
    bench.add(ratios("8,000 vehicles read in one call: how many times as fast", &cases, &GOALS));
    Ok(())
}

fn values(vehicle: &Vehicle) -> Value {
    Value::Array(vehicle.values().map(text).collect())
}

fn each(vehicles: &[Vehicle], reply: fn(&Vehicle) -> Value) -> Vec<Value> {
    vehicles.iter().map(reply).collect()
}

/// One reply of one entry for each.
fn one(vehicles: &[Vehicle], entry: fn(&Vehicle) -> Value) -> Expected {
    Expected::Exactly(vec![Value::Array(each(vehicles, entry))])
}

/// A hash a vehicle, read in other ways.
fn hashes(wire: &mut Wire, asked: &[Vehicle]) -> Outcome<Vec<Case>> {
    let function = format!(
        "#!lua name=rows\n\
         redis.register_function{{function_name = 'rows', flags = {{'no-writes'}}, callback = function(KEYS){LUA}end}}"
    );
    wire.run(&packed(&["FUNCTION", "LOAD", &function]))?;
    let script: String = redis::from_redis_value(wire.run(&packed(&["SCRIPT", "LOAD", LUA]))?)?;
    let [style, pricing] = FIELDS;
    let keys: Vec<String> = asked.iter().map(Vehicle::key).collect();
    let hmget = pipeline(keys.iter().map(|key| words("HMGET", [key.as_str(), style, pricing])));
    let call = |name: &str, what: &str| cmd(name).arg(what).arg(keys.len()).arg(&keys).get_packed_command();
    let mgethash = words("VEHPRICE.MGETHASH", &keys).get_packed_command();
    Ok(vec![
        Case::new("HMGET, pipeline", hmget, Expected::Exactly(each(asked, values))),
        Case::new("HMGET in Lua", call("EVALSHA", &script), one(asked, values)),
        Case::new("HMGET in a Function", call("FCALL_RO", "rows"), one(asked, values)),
        Case::new("VEHPRICE.MGETHASH", mgethash, one(asked, names_and_values)),
    ])
}

/// A document of JSON a vehicle, where RedisJSON is there.
fn redis_json(wire: &mut Wire, stored: &[Vehicle], asked: &[Vehicle]) -> Outcome<Vec<Case>> {
    if !wire.knows("JSON.MGET")? {
        println!("\nJSON.MGET is left out: there is no RedisJSON here (scripts/redis-json fetches it)");
        return Ok(Vec::new());
    }
    let key = |vehicle: &Vehicle| format!("document:{}", vehicle.key());
    let set = stored.iter().map(|vehicle| words("JSON.SET", [key(vehicle), ".".to_owned(), vehicle.json()]));
    wire.ask(&pipeline(set), stored.len())?;
    let mget = words("JSON.MGET", asked.iter().map(key).chain([".".to_owned()])).get_packed_command();
    Ok(vec![Case::new("JSON.MGET", mget, one(asked, json))])
}

/// The table in other forms, and the floor.
fn tables(asked: &[Vehicle]) -> Vec<Case> {
    let [style, pricing] = FIELDS;
    let with_ids = |name: &str, start: &[&str]| {
        let ids = asked.iter().map(|vehicle| vehicle.id.as_str());
        words(name, start.iter().copied().chain(ids)).get_packed_command()
    };
    let fields = ["table", "FIELDS", "2", style, pricing, "IDS"];
    vec![
        Case::new("PING id ..., refused", with_ids("PING", &[]), Expected::Error),
        Case::new("VEHPRICE.MGET", with_ids("VEHPRICE.MGET", &["table"]), one(asked, names_and_values)),
        Case::new("VEHPRICE.MGET FIELDS 2", with_ids("VEHPRICE.MGET", &fields), one(asked, values)),
    ]
}

/// All that is in one key.
fn whole(wire: &mut Wire, stored: &[Vehicle]) -> Outcome<Vec<Case>> {
    let rows = || Expected::ById(stored.iter().map(|vehicle| (vehicle.id.clone(), vehicle.json())).collect());
    let mut cases = vec![
        Case::new("HGETALL of one hash", packed(&["HGETALL", "hash"]), rows()),
        Case::new("VEHPRICE.GETALL JSON", packed(&["VEHPRICE.GETALL", "table", "JSON"]), rows()),
    ];
    if wire.knows("HSETEX")? {
        cases.push(Case::new("HGETALL of one hash, fields expire", packed(&["HGETALL", "expiring"]), rows()));
    }
    Ok(cases)
}
