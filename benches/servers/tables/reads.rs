//! Many vehicles read in one call.

use quotelock_testkit::{RawConnection, Result, packed};
use redis::{Value, cmd};

use super::VEHICLES;
use crate::common::bench::Bench;
use crate::common::case::{Case, Expected, Ratio, measure, ratios, times};
use crate::common::layout::{Layout, command, json, names_and_values, text};
use crate::common::sheet::Goal::{self, AtLeast, AtMost};
use crate::common::vehicles::{FIELDS, Vehicle, id_list, pipeline, shuffled, values_by_field, vehicles};

const RATIOS: [Ratio; 29] = [
    Ratio("HGETALL, pipeline", "VEHPRICE.MGET LIST JSON", AtLeast(12.0)),
    Ratio("HMGET of one hash", "VEHPRICE.MGET LIST JSON", AtLeast(2.8)),
    Ratio("MGET of JSON", "VEHPRICE.MGET LIST JSON", AtLeast(4.5)),
    Ratio("HMGET of one hash", "VEHPRICE.MGET LIST COLUMNS", AtLeast(3.3)),
    Ratio("HGETALL, pipeline", "VEHPRICE.MGET LIST COLUMNS", Goal::None),
    Ratio("VEHPRICE.MGET LIST JSON", "ECHO of the list", Goal::None),
    Ratio("VEHPRICE.MGET LIST COLUMNS", "ECHO of the list", Goal::None),
    Ratio("HGETALL, pipeline", "VEHPRICE.MGET JSON", AtLeast(7.0)),
    Ratio("HMGET, pipeline", "VEHPRICE.MGET JSON", Goal::None),
    Ratio("HMGET of one hash", "VEHPRICE.MGET JSON", AtLeast(1.8)),
    Ratio("HMGET of one hash, fields expire", "VEHPRICE.MGET JSON", Goal::None),
    Ratio("HGETEX of one hash, fields expire", "VEHPRICE.MGET JSON", Goal::None),
    Ratio("HGETEX of one hash, fields expire", "VEHPRICE.MGET LIST JSON", Goal::None),
    Ratio("MGET of JSON", "VEHPRICE.MGET JSON", AtLeast(2.4)),
    Ratio("JSON.MGET", "VEHPRICE.MGET JSON", Goal::None),
    Ratio("HMGET in Lua", "VEHPRICE.MGET JSON", AtLeast(15.0)),
    Ratio("HMGET in a Function", "VEHPRICE.MGET JSON", Goal::None),
    Ratio("VEHPRICE.MGET JSON", "PING id ..., refused", AtMost(1.8)),
    Ratio("HGETALL, pipeline", "VEHPRICE.MGET", AtLeast(2.5)),
    Ratio("HMGET of one hash", "VEHPRICE.MGET", Goal::None),
    Ratio("HMGET, pipeline", "VEHPRICE.MGET FIELDS 2", AtLeast(3.5)),
    Ratio("HMGET in Lua", "VEHPRICE.MGET FIELDS 2", Goal::None),
    Ratio("HMGET of one hash", "VEHPRICE.MGET FIELDS 2", Goal::None),
    Ratio("HGETALL of one hash", "VEHPRICE.GETALL JSON", AtLeast(1.5)),
    Ratio("HGETALL of one hash", "VEHPRICE.GETALL COLUMNS", Goal::None),
    Ratio("HGETALL of one hash, fields expire", "VEHPRICE.GETALL JSON", Goal::None),
    Ratio("HGETALL, pipeline", "VEHPRICE.GETALL JSON", Goal::None),
    Ratio("HGETALL, pipeline", "VEHPRICE.MGETHASH", Goal::None),
    Ratio("HMGET of one hash", "VEHPRICE.MGETHASH", Goal::None),
];

const LUA: &str = "
local rows = {}
for place, key in ipairs(KEYS) do rows[place] = redis.call('HMGET', key, 'styleId', 'pricingId') end
return rows
";

pub(crate) fn run(bench: &mut Bench, rounds: u32) -> Result<()> {
    let server = bench.start_with_redis_json()?;
    let mut connection = RawConnection::connect(server.port())?;
    let stored = vehicles(VEHICLES);
    // Not in the order in which they were stored.
    let wanted = shuffled(&stored, 1);
    let mut cases = Vec::new();
    for layout in Layout::supported(&mut connection)? {
        layout.fill(&mut connection, &stored)?;
        cases.push(Case::rotating(layout.read_many_name(), vec![layout.read_many(&wanted)]));
    }
    cases.extend(hgetex(&mut connection, &wanted)?);
    cases.extend(hashes(&mut connection, &wanted)?);
    cases.extend(redis_json(&mut connection, &stored, &wanted)?);
    cases.extend(tables(&wanted));
    cases.extend(whole(&mut connection, &stored)?);
    measure(bench, &server, &mut connection, &mut cases, rounds)?;
    bench.add(times("8,000 vehicles read in one call", &cases));
    bench.add(ratios("8,000 vehicles read in one call: how many times as fast", &cases, &RATIOS));
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

/// The command that can set the fields' expiry as it reads them, which it is not asked to.
fn hgetex(connection: &mut RawConnection, wanted: &[Vehicle]) -> Result<Option<Case>> {
    if !connection.has_command("HGETEX")? {
        return Ok(None);
    }
    let mut hgetex = cmd("HGETEX");
    hgetex.arg("expiring").arg("FIELDS").arg(wanted.len());
    hgetex.arg(wanted.iter().map(|vehicle| vehicle.id.as_str()).collect::<Vec<_>>());
    Ok(Some(Case::new("HGETEX of one hash, fields expire", hgetex.get_packed_command(), one(wanted, json))))
}

/// Other commands that read a hash a vehicle.
fn hashes(connection: &mut RawConnection, wanted: &[Vehicle]) -> Result<Vec<Case>> {
    let function = format!(
        "#!lua name=rows\n\
         redis.register_function{{function_name = 'rows', flags = {{'no-writes'}}, callback = function(KEYS){LUA}end}}"
    );
    connection.request(&packed(&["FUNCTION", "LOAD", &function]))?;
    let script: String = redis::from_redis_value(connection.request(&packed(&["SCRIPT", "LOAD", LUA]))?)?;
    let [style, pricing] = FIELDS;
    let keys: Vec<String> = wanted.iter().map(Vehicle::key).collect();
    let hmget = pipeline(keys.iter().map(|key| command("HMGET", [key.as_str(), style, pricing])));
    let call = |name: &str, what: &str| cmd(name).arg(what).arg(keys.len()).arg(&keys).get_packed_command();
    let mgethash = command("VEHPRICE.MGETHASH", &keys).get_packed_command();
    Ok(vec![
        Case::new("HMGET, pipeline", hmget, Expected::Exactly(each(wanted, values))),
        Case::new("HMGET in Lua", call("EVALSHA", &script), one(wanted, values)),
        Case::new("HMGET in a Function", call("FCALL_RO", "rows"), one(wanted, values)),
        Case::new("VEHPRICE.MGETHASH", mgethash, one(wanted, names_and_values)),
    ])
}

/// A JSON document a vehicle, if the server has RedisJSON.
fn redis_json(connection: &mut RawConnection, stored: &[Vehicle], wanted: &[Vehicle]) -> Result<Vec<Case>> {
    if !connection.has_command("JSON.MGET")? {
        println!("\nWithout JSON.MGET: scripts/redis-json fetches RedisJSON");
        return Ok(Vec::new());
    }
    let key = |vehicle: &Vehicle| format!("document:{}", vehicle.key());
    let set =
        stored.iter().map(|vehicle| command("JSON.SET", [key(vehicle), ".".to_owned(), vehicle.json()]));
    connection.pipeline(&pipeline(set), stored.len())?;
    let mget = command("JSON.MGET", wanted.iter().map(key).chain([".".to_owned()])).get_packed_command();
    Ok(vec![Case::new("JSON.MGET", mget, one(wanted, json))])
}

/// Other forms of `VEHPRICE.MGET`, and the floors: a refused command with as many arguments, and an echo of the
/// ids as one argument.
fn tables(wanted: &[Vehicle]) -> Vec<Case> {
    let [style, pricing] = FIELDS;
    let with_ids = |name: &str, start: &[&str]| {
        let ids = wanted.iter().map(|vehicle| vehicle.id.as_str());
        command(name, start.iter().copied().chain(ids)).get_packed_command()
    };
    let fields = ["table", "FIELDS", "2", style, pricing, "IDS"];
    let ids = id_list(wanted);
    let rows: Vec<String> = wanted.iter().map(Vehicle::json).collect();
    let rows = format!("[{}]", rows.join(","));
    let columns = format!(r#"{{"missing":[],"columns":{}}}"#, values_by_field(wanted));
    let list = |words: &[&str]| packed(&[&["VEHPRICE.MGET", "table"], words, &["LIST", &ids]].concat());
    let exactly = |reply: &str| Expected::Exactly(vec![text(reply)]);
    vec![
        Case::new("PING id ..., refused", with_ids("PING", &[]), Expected::Error),
        Case::new("ECHO of the list", packed(&["ECHO", &ids]), exactly(&ids)),
        Case::new("VEHPRICE.MGET LIST JSON", list(&["JSON"]), exactly(&rows)),
        Case::new(
            "VEHPRICE.MGET LIST COLUMNS",
            list(&["FIELDS", "2", style, pricing, "COLUMNS"]),
            exactly(&columns),
        ),
        Case::new("VEHPRICE.MGET", with_ids("VEHPRICE.MGET", &["table"]), one(wanted, names_and_values)),
        Case::new("VEHPRICE.MGET FIELDS 2", with_ids("VEHPRICE.MGET", &fields), one(wanted, values)),
    ]
}

/// Commands that read a whole key.
fn whole(connection: &mut RawConnection, stored: &[Vehicle]) -> Result<Vec<Case>> {
    let rows = || Expected::ById(stored.iter().map(|vehicle| (vehicle.id.clone(), vehicle.json())).collect());
    let mut cases = vec![
        Case::new("HGETALL of one hash", packed(&["HGETALL", "hash"]), rows()),
        Case::new("VEHPRICE.GETALL JSON", packed(&["VEHPRICE.GETALL", "table", "JSON"]), rows()),
    ];
    let columns = packed(&["VEHPRICE.GETALL", "table", "COLUMNS"]);
    cases.push(Case::new("VEHPRICE.GETALL COLUMNS", columns, rows()));
    if connection.has_command("HSETEX")? {
        cases.push(Case::new("HGETALL of one hash, fields expire", packed(&["HGETALL", "expiring"]), rows()));
    }
    Ok(cases)
}
