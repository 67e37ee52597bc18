//! The vehicles, and the commands that store them.

use std::hash::{DefaultHasher, Hash, Hasher};

use redis::{Cmd, Pipeline, Value, cmd, pipe};

use super::server::Outcome;
use super::wire::Wire;

/// The fields a vehicle has, unless it has another number of them.
pub(crate) const FIELDS: [&str; 2] = ["styleId", "pricingId"];

/// Longer than any part takes.
pub(crate) const LIFE_S: u64 = 3600;
pub(crate) const LIFE: (&str, u128) = ("PX", 3_600_000);

/// How many rows a command has that fills a large table, and how many commands a pipeline that fills as many keys.
pub(crate) const BATCH: usize = 50_000;

#[derive(Clone)]
pub(crate) struct Vehicle {
    pub(crate) id: String,
    values: Vec<String>,
}

impl Vehicle {
    fn new(number: u64, fields: usize) -> Self {
        let below = |limit: u64, field: usize| {
            random((number, field), limit).checked_rem(limit).unwrap_or_default().to_string()
        };
        let values = (0..fields).map(|field| below(if field == 0 { 60 } else { 900 }, field)).collect();
        Self { id: format!("{number:06}"), values }
    }

    /// The key of a hash of its own, as services name it.
    pub(crate) fn key(&self) -> String {
        format!("hermes:scooters:styleAndPrice:{}", self.id)
    }

    /// Each field and its value.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (String, &str)> {
        self.values.iter().enumerate().map(|(field, value)| (field_name(field), value.as_str()))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }

    pub(crate) fn json(&self) -> String {
        let pairs: Vec<String> = self.pairs().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        format!("{{{}}}", pairs.join(","))
    }

    /// What stores it as a hash of its own.
    pub(crate) fn hset(&self, key: &str) -> Cmd {
        let mut command = cmd("HSET");
        command.arg(key).arg(self.pairs().collect::<Vec<_>>());
        command
    }

    /// The same, with an expiry of its fields.
    pub(crate) fn hsetex(&self, key: &str, seconds: u64) -> Cmd {
        let mut command = cmd("HSETEX");
        command.arg(key).arg("EX").arg(seconds).arg("FIELDS").arg(self.values.len());
        command.arg(self.pairs().collect::<Vec<_>>());
        command
    }
}

fn field_name(field: usize) -> String {
    FIELDS.get(field).map_or_else(|| format!("plan:{field}"), |&name| name.to_owned())
}

/// So many, in an order without order.
pub(crate) fn vehicles(count: u32) -> Vec<Vehicle> {
    vehicles_of(count, FIELDS.len())
}

/// The same with so many fields each.
pub(crate) fn vehicles_of(count: u32, fields: usize) -> Vec<Vehicle> {
    let mut numbers: Vec<u64> = (0..1_000_000.max(u64::from(count))).collect();
    numbers.sort_by_cached_key(|&number| random(number, 0));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    numbers.into_iter().take(count).map(|number| Vehicle::new(number, fields)).collect()
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
    let names: Vec<String> =
        vehicles.first().map(|vehicle| vehicle.pairs().map(|(name, _)| name).collect()).unwrap_or_default();
    command
        .arg(key)
        .arg(expiry.0)
        .arg(expiry.1.to_string())
        .arg("FIELDS")
        .arg(names.len())
        .arg(names)
        .arg("ROWS");
    for vehicle in vehicles {
        command.arg(&vehicle.id).arg(vehicle.values().collect::<Vec<_>>());
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
