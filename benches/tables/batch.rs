//! Many vehicles in one call, beside the other ways to read and write them.

use redis::{Value, cmd};

use super::case::{Case, Expected, measure};
use super::common::server::{Outcome, Server};
use super::report::Wants::{AtLeast, AtMost, Nothing};
use super::report::{Goal, print_cases, print_ratios};
use super::vehicles::{FIELDS, Vehicle, fill, mset, pipeline, shuffled, vehicles};
use super::wire::Wire;

const VEHICLES: u32 = 8000;
/// Longer than a run.
const LIFE_S: u64 = 3600;
const LIFE_MS: (&str, u128) = ("PX", 3_600_000);

const GOALS: [Goal; 16] = [
    Goal("HGETALL, pipeline", "VEHPRICE.MGET JSON", AtLeast(7.0)),
    Goal("HMGET of one hash", "VEHPRICE.MGET JSON", AtLeast(1.8)),
    Goal("MGET of JSON strings", "VEHPRICE.MGET JSON", AtLeast(2.4)),
    Goal("HMGET in Lua", "VEHPRICE.MGET JSON", AtLeast(15.0)),
    Goal("VEHPRICE.MGET JSON", "PING id ..., refused", AtMost(1.8)),
    Goal("HGETALL, pipeline", "VEHPRICE.MGET", AtLeast(2.5)),
    Goal("HMGET, pipeline", "VEHPRICE.MGET FIELDS 2", AtLeast(3.5)),
    Goal("HGETALL of one hash", "VEHPRICE.GETALL JSON", AtLeast(1.5)),
    Goal("HSET + EXPIRE over rows", "VEHPRICE.MSET PX over rows", AtLeast(6.0)),
    Goal("HSET + EXPIRE of new rows", "VEHPRICE.MSET PX of new rows", AtLeast(6.0)),
    Goal("HSETEX, pipeline, over rows", "VEHPRICE.MSET PX over rows", AtLeast(2.0)),
    Goal("HSETEX, pipeline, of new rows", "VEHPRICE.MSET PX of new rows", AtLeast(2.0)),
    // What else a user would compare.
    Goal("HGETALL, pipeline", "VEHPRICE.GETALL JSON", Nothing),
    Goal("HMGET in Lua", "VEHPRICE.MGET FIELDS 2", Nothing),
    Goal("HMGET of one hash", "VEHPRICE.MGET", Nothing),
    Goal("HSETEX of one hash, over rows", "VEHPRICE.MSET PX over rows", Nothing),
];

const LUA: &str = "
local rows = {}
for place, key in ipairs(KEYS) do rows[place] = redis.call('HMGET', key, 'styleId', 'pricingId') end
return rows";

pub(crate) fn run(rounds: u32) -> Outcome<()> {
    println!("\n== {VEHICLES} vehicles in one call, {rounds} rounds\n");
    let server = Server::start(&super::module())?;
    let mut wire = Wire::connect(&server)?;
    let stored = vehicles(VEHICLES);
    let mut cases = peers(&mut wire, &stored)?;
    cases.extend(reads(&mut wire, &stored)?);
    measure(&server, &mut wire, &mut cases, rounds)?;
    // Apart from the reads: what writes leave of the server's heap would slow those that happen to follow them.
    let mut writes = writes(&mut wire, &stored)?;
    measure(&server, &mut wire, &mut writes, rounds)?;
    cases.extend(writes);
    print_cases(&cases);
    print_ratios(&cases, &GOALS);
    Ok(())
}

fn text(text: impl AsRef<str>) -> Value {
    Value::BulkString(text.as_ref().as_bytes().to_vec())
}

fn names_and_values(vehicle: &Vehicle) -> Value {
    let [style, pricing] = FIELDS;
    Value::Array(vec![text(style), text(&vehicle.style), text(pricing), text(&vehicle.pricing)])
}

fn values(vehicle: &Vehicle) -> Value {
    Value::Array(vec![text(&vehicle.style), text(&vehicle.pricing)])
}

fn each(vehicles: &[Vehicle], reply: fn(&Vehicle) -> Value) -> Vec<Value> {
    vehicles.iter().map(reply).collect()
}

/// One reply of one entry for each.
fn one(vehicles: &[Vehicle], entry: fn(&Vehicle) -> Value) -> Expected {
    Expected::Exactly(vec![Value::Array(each(vehicles, entry))])
}

pub(crate) fn by_id(vehicles: &[Vehicle]) -> Expected {
    Expected::ById(vehicles.iter().map(|vehicle| (vehicle.id.clone(), vehicle.json())).collect())
}

/// The rows as one JSON text.
pub(crate) fn json_rows(vehicles: &[Vehicle]) -> Expected {
    let rows: Vec<String> = vehicles.iter().map(Vehicle::json).collect();
    Expected::Exactly(vec![text(format!("[{}]", rows.join(",")))])
}

/// The command `words id id …`.
pub(crate) fn with_ids(words: &[&str], vehicles: &[Vehicle]) -> Vec<u8> {
    let (name, arguments) = words.split_first().unwrap_or((&"", &[]));
    let mut command = cmd(name);
    command.arg(arguments);
    for vehicle in vehicles {
        command.arg(&vehicle.id);
    }
    command.get_packed_command()
}

/// What the server has of its own. They are asked in another order than that in which they were stored.
fn peers(wire: &mut Wire, stored: &[Vehicle]) -> Outcome<Vec<Case>> {
    let asked = shuffled(stored, 1);
    wire.ask(&pipeline(stored.iter().map(|vehicle| vehicle.hset(&vehicle.key()))), stored.len())?;
    let (mut strings, mut hash) = (cmd("MSET"), cmd("HSET"));
    hash.arg("big");
    for vehicle in stored {
        strings.arg(format!("json:{}", vehicle.id)).arg(vehicle.json());
        hash.arg(&vehicle.id).arg(vehicle.json());
    }
    wire.run(&strings.get_packed_command())?;
    wire.run(&hash.get_packed_command())?;
    let script: String =
        redis::from_redis_value(wire.run(&cmd("SCRIPT").arg("LOAD").arg(LUA).get_packed_command())?)?;

    let keys: Vec<String> = asked.iter().map(Vehicle::key).collect();
    let pipeline = |name: &str, fields: &[&str]| {
        pipeline(keys.iter().map(|key| {
            let mut command = cmd(name);
            command.arg(key).arg(fields);
            command
        }))
    };
    let jsons = |vehicle: &Vehicle| text(vehicle.json());
    let mget = cmd("MGET")
        .arg(asked.iter().map(|vehicle| format!("json:{}", vehicle.id)).collect::<Vec<_>>())
        .get_packed_command();
    let lua = cmd("EVALSHA").arg(script).arg(keys.len()).arg(&keys).get_packed_command();
    Ok(vec![
        Case::new(
            "HGETALL, pipeline",
            pipeline("HGETALL", &[]),
            Expected::Exactly(each(&asked, names_and_values)),
        ),
        Case::new("HMGET, pipeline", pipeline("HMGET", &FIELDS), Expected::Exactly(each(&asked, values))),
        Case::new("HMGET in Lua", lua, one(&asked, values)),
        Case::new("MGET of JSON strings", mget, one(&asked, jsons)),
        Case::new("HMGET of one hash", with_ids(&["HMGET", "big"], &asked), one(&asked, jsons)),
        Case::new("HGETALL of one hash", with_ids(&["HGETALL", "big"], &[]), by_id(&asked)),
    ])
}

fn reads(wire: &mut Wire, stored: &[Vehicle]) -> Outcome<Vec<Case>> {
    fill(wire, "table", LIFE_MS, stored)?;
    let asked = shuffled(stored, 1);
    let [style, pricing] = FIELDS;
    let mget = |words: &[&str]| with_ids(&[&["VEHPRICE.MGET", "table"], words].concat(), &asked);
    let getall = with_ids(&["VEHPRICE.GETALL", "table", "JSON"], &[]);
    Ok(vec![
        Case::new("PING id ..., refused", with_ids(&["PING"], &asked), Expected::Error),
        Case::new("VEHPRICE.MGET JSON", mget(&["JSON", "IDS"]), json_rows(&asked)),
        Case::new("VEHPRICE.MGET", mget(&[]), one(&asked, names_and_values)),
        Case::new(
            "VEHPRICE.MGET FIELDS 2",
            mget(&["FIELDS", "2", style, pricing, "IDS"]),
            one(&asked, values),
        ),
        Case::new("VEHPRICE.GETALL JSON", getall, by_id(stored)),
    ])
}

/// Each over rows that are there, and of rows that are not.
fn writes(wire: &mut Wire, stored: &[Vehicle]) -> Outcome<Vec<Case>> {
    let key = |start: &str, vehicle: &Vehicle| format!("{start}:{}", vehicle.key());
    let hset = |start| {
        pipeline(stored.iter().flat_map(|vehicle| {
            let key = key(start, vehicle);
            let mut expire = cmd("EXPIRE");
            expire.arg(&key).arg(LIFE_S);
            [vehicle.hset(&key), expire]
        }))
    };
    let hsetex = |start| pipeline(stored.iter().map(|vehicle| vehicle.hsetex(&key(start, vehicle), LIFE_S)));
    let delete = |start| {
        let keys: Vec<String> = stored.iter().map(|vehicle| key(start, vehicle)).collect();
        cmd("DEL").arg(keys).get_packed_command()
    };
    let mset = |key| mset(key, LIFE_MS, stored);
    let hset_answers =
        |new: i64| Expected::Exactly(stored.iter().flat_map(|_| [new, 1]).map(Value::Int).collect());
    let rows = i64::try_from(stored.len())?;
    let mset_answer = || Expected::Exactly(vec![Value::Int(rows)]);

    wire.ask(&hset("old"), stored.len().saturating_mul(2))?;
    fill(wire, "old", LIFE_MS, stored)?;
    let mut cases = vec![
        Case::new("HSET + EXPIRE over rows", hset("old"), hset_answers(0)),
        Case::new("HSET + EXPIRE of new rows", hset("new"), hset_answers(2)).after(delete("new")),
        Case::new("VEHPRICE.MSET PX over rows", mset("old"), mset_answer()),
        Case::new("VEHPRICE.MSET PX of new rows", mset("new"), mset_answer())
            .after(cmd("DEL").arg("new").get_packed_command()),
    ];
    if super::has_hsetex(wire)? {
        let mut one_hash = cmd("HSETEX");
        one_hash.arg("bigex").arg("EX").arg(LIFE_S).arg("FIELDS").arg(stored.len());
        for vehicle in stored {
            one_hash.arg(&vehicle.id).arg(vehicle.json());
        }
        let one_hash = one_hash.get_packed_command();
        wire.run(&one_hash)?;
        wire.ask(&hsetex("oldex"), stored.len())?;
        let answers = || Expected::Exactly(vec![Value::Int(1); stored.len()]);
        cases.extend([
            Case::new("HSETEX, pipeline, over rows", hsetex("oldex"), answers()),
            Case::new("HSETEX, pipeline, of new rows", hsetex("newex"), answers()).after(delete("newex")),
            Case::new("HSETEX of one hash, over rows", one_hash, Expected::Exactly(vec![Value::Int(1)])),
        ]);
    }
    Ok(cases)
}
