//! The vehicles, and the commands that store them.

use std::hash::{DefaultHasher, Hash, Hasher};

use redis::{Cmd, Pipeline, Value, cmd, pipe};

use super::common::server::Outcome;
use super::wire::Wire;

pub(crate) const FIELDS: [&str; 2] = ["styleId", "pricingId"];

/// How many rows a command has that fills a large table, and how many commands a pipeline that fills as many keys.
pub(crate) const BATCH: usize = 50_000;

#[derive(Clone)]
pub(crate) struct Vehicle {
    pub(crate) id: String,
    pub(crate) style: String,
    pub(crate) pricing: String,
}

impl Vehicle {
    fn new(number: u64) -> Self {
        let below = |limit: u64| random(number, limit).checked_rem(limit).unwrap_or_default().to_string();
        Self { id: format!("{number:06}"), style: below(60), pricing: below(900) }
    }

    /// The key of a hash of its own, as services name it.
    pub(crate) fn key(&self) -> String {
        format!("hermes:scooters:styleAndPrice:{}", self.id)
    }

    pub(crate) fn json(&self) -> String {
        let [style, pricing] = FIELDS;
        format!(r#"{{"{style}":"{}","{pricing}":"{}"}}"#, self.style, self.pricing)
    }

    /// What stores it as a hash of its own.
    pub(crate) fn hset(&self, key: &str) -> Cmd {
        let [style, pricing] = FIELDS;
        let mut command = cmd("HSET");
        command.arg(key).arg(style).arg(&self.style).arg(pricing).arg(&self.pricing);
        command
    }

    /// The same, with an expiry of its fields.
    pub(crate) fn hsetex(&self, key: &str, seconds: u64) -> Cmd {
        let [style, pricing] = FIELDS;
        let mut command = cmd("HSETEX");
        command.arg(key).arg("EX").arg(seconds).arg("FIELDS").arg(2);
        command.arg(style).arg(&self.style).arg(pricing).arg(&self.pricing);
        command
    }
}

/// So many, in an order without order.
pub(crate) fn vehicles(count: u32) -> Vec<Vehicle> {
    let mut numbers: Vec<u64> = (0..1_000_000.max(u64::from(count))).collect();
    numbers.sort_by_cached_key(|&number| random(number, 0));
    numbers.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)).map(Vehicle::new).collect()
}

/// The same in another order.
pub(crate) fn shuffled(vehicles: &[Vehicle], seed: u64) -> Vec<Vehicle> {
    let mut shuffled = vehicles.to_vec();
    shuffled.sort_by_cached_key(|vehicle| random(&vehicle.id, seed));
    shuffled
}

/// The same in each run.
fn random(what: impl Hash, seed: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, what).hash(&mut hasher);
    hasher.finish()
}

/// One write of all these rows.
pub(crate) fn mset(key: &str, expiry: (&str, u128), vehicles: &[Vehicle]) -> Vec<u8> {
    let mut command = cmd("VEHPRICE.MSET");
    command.arg(key).arg(expiry.0).arg(expiry.1.to_string()).arg("FIELDS").arg(2).arg(&FIELDS).arg("ROWS");
    for vehicle in vehicles {
        command.arg(&vehicle.id).arg(&vehicle.style).arg(&vehicle.pricing);
    }
    command.get_packed_command()
}

pub(crate) fn pipeline(commands: impl Iterator<Item = Cmd>) -> Vec<u8> {
    let mut pipeline: Pipeline = pipe();
    for command in commands {
        pipeline.add_command(command);
    }
    pipeline.get_packed_pipeline()
}

/// Fills a table.
pub(crate) fn fill(wire: &mut Wire, key: &str, expiry: (&str, u128), vehicles: &[Vehicle]) -> Outcome<()> {
    for rows in vehicles.chunks(BATCH) {
        let stored = wire.run(&mset(key, expiry, rows))?;
        if stored != Value::Int(i64::try_from(rows.len())?) {
            return Err(format!("of {} rows {stored:?} were stored", rows.len()).into());
        }
    }
    Ok(())
}
