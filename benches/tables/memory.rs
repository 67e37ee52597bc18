//! Bytes a row, by the server's own count.

use std::thread::sleep;
use std::time::Duration;

use redis::{Cmd, cmd};

use super::common::report::Spread;
use super::common::server::{Outcome, Server};
use super::report::Wants::{self, AtMost, Near, Nothing};
use super::report::{print_goal, print_goal_heads};
use super::vehicles::{BATCH, Vehicle, fill, pipeline, vehicles};
use super::wire::Wire;

const LIFE_S: u64 = 3600;
const LIFE: (&str, u128) = ("PX", 3_600_000);
const TABLE: &str = "table";

pub(crate) fn run(rows: u32) -> Outcome<()> {
    println!("\n== Memory, {rows} rows: used_memory a row\n");
    let server = Server::start(&super::module())?;
    let has_hsetex = super::has_hsetex(&mut Wire::connect(&server)?)?;
    let vehicles = vehicles(rows);
    let few = vehicles.get(..8000).ok_or("there are too few vehicles")?;

    // A server keeps a histogram of each command's times, from its first call on: that is not the rows' memory.
    let first = vehicles.get(..1).unwrap_or_default();
    let mut wire = Wire::connect(&server)?;
    fill_keys(&mut wire, first)?;
    fill_hash(&mut wire, first, has_hsetex)?;
    fill(&mut wire, TABLE, LIFE, first)?;
    usage(&server)?;
    drop(wire);

    let keys = grown(&server, |wire| fill_keys(wire, &vehicles))? / f64::from(rows);
    println!(
        "{keys:>8.1}  a hash key with a TTL, named {}",
        vehicles.first().map(Vehicle::key).unwrap_or_default()
    );
    let fields = grown(&server, |wire| fill_hash(wire, &vehicles, has_hsetex))? / f64::from(rows);
    println!("{fields:>8.1}  a field of one hash, {} expiry", if has_hsetex { "with" } else { "without" });
    let small = grown(&server, |wire| fill(wire, TABLE, LIFE, few))?;
    let small_usage = usage(&server)?;
    println!("{:>8.1}  a row of a table of 8000", small / 8000.0);
    let large = grown(&server, |wire| fill(wire, TABLE, LIFE, &vehicles))?;
    let large_usage = usage(&server)?;
    let row = large / f64::from(rows);
    println!("{row:>8.1}  a row of a table");

    print_goal_heads("by used_memory", "");
    let print = |name: &str, wants: Wants, figure: f64| {
        print_goal(name, wants, &Spread::of(std::iter::once(figure)), None, 3);
    };
    print("row / hash key with a TTL", AtMost(0.333), row / keys);
    if has_hsetex {
        print("row / field with expiry", AtMost(1.0), row / fields);
    } else {
        print("row / field, which has no expiry on this server", Nothing, row / fields);
    }
    for (name, share) in [("8000 rows", small_usage / small), ("all rows", large_usage / large)] {
        print(&format!("MEMORY USAGE / used_memory, {name}"), Near(0.05), share);
    }
    Ok(())
}

/// What the server's memory grows by, from empty.
fn grown(server: &Server, load: impl FnOnce(&mut Wire) -> Outcome<()>) -> Outcome<f64> {
    server.run::<()>(&["FLUSHALL", "SYNC"])?;
    let empty = settled(server)?;
    // The connection's buffers go with it.
    load(&mut Wire::connect(server)?)?;
    Ok(settled(server)? - empty)
}

/// `used_memory`, once it stands still.
fn settled(server: &Server) -> Outcome<f64> {
    let mut last = f64::NAN;
    for _ in 0..100 {
        sleep(Duration::from_millis(300));
        let used: f64 = server.info("memory", "used_memory")?;
        if (used - last).abs() < 1024.0 {
            return Ok(used);
        }
        last = used;
    }
    Err("the server's memory does not stand still".into())
}

fn usage(server: &Server) -> Outcome<f64> {
    server.run(&["MEMORY", "USAGE", TABLE, "SAMPLES", "0"])
}

fn fill_keys(wire: &mut Wire, vehicles: &[Vehicle]) -> Outcome<()> {
    for vehicles in vehicles.chunks(BATCH) {
        let commands = vehicles.iter().flat_map(|vehicle| {
            let mut expire = cmd("EXPIRE");
            expire.arg(vehicle.key()).arg(LIFE_S);
            [vehicle.hset(&vehicle.key()), expire]
        });
        wire.ask(&pipeline(commands), vehicles.len().saturating_mul(2))?;
    }
    Ok(())
}

fn fill_hash(wire: &mut Wire, vehicles: &[Vehicle], expires: bool) -> Outcome<()> {
    for vehicles in vehicles.chunks(BATCH) {
        let mut command: Cmd;
        if expires {
            command = cmd("HSETEX");
            command.arg("big").arg("EX").arg(LIFE_S).arg("FIELDS").arg(vehicles.len());
        } else {
            command = cmd("HSET");
            command.arg("big");
        }
        for vehicle in vehicles {
            command.arg(&vehicle.id).arg(vehicle.json());
        }
        wire.run(&command.get_packed_command())?;
    }
    Ok(())
}
