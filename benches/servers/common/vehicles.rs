//! The vehicles, and the commands that store them.

use quotelock_testkit::{RawConnection, Result, Rng};
use redis::{Cmd, Pipeline, Value, cmd, pipe};

/// The first fields of a vehicle; further ones are numbered.
pub(crate) const FIELDS: [&str; 2] = ["styleId", "pricingId"];

/// Longer than any part takes.
pub(crate) const TTL_S: u64 = 3600;
pub(crate) const TTL: (&str, u128) = ("PX", 3_600_000);

/// How many rows a command stores when a table is filled, or how many commands a pipeline has.
pub(crate) const BATCH: usize = 50_000;

#[derive(Clone)]
pub(crate) struct Vehicle {
    pub(crate) id: String,
    values: Vec<String>,
}

impl Vehicle {
    fn random(number: u32, fields: usize, rng: &mut Rng) -> Self {
        let values =
            (0..fields).map(|field| rng.below(if field == 0 { 60 } else { 900 }).to_string()).collect();
        Self { id: format!("{number:06}"), values }
    }

    /// The key of the vehicle's hash, as services name it.
    pub(crate) fn key(&self) -> String {
        format!("hermes:scooters:styleAndPrice:{}", self.id)
    }

    /// The fields with their values.
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

    /// Stores it as a hash.
    pub(crate) fn hset(&self, key: &str) -> Cmd {
        let mut command = cmd("HSET");
        command.arg(key).arg(self.pairs().collect::<Vec<_>>());
        command
    }

    /// The same, with fields that expire.
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

/// Up to a million, with ids of six digits in random order: the same in each run.
pub(crate) fn vehicles(count: usize) -> Vec<Vehicle> {
    vehicles_with_fields(count, FIELDS.len())
}

pub(crate) fn vehicles_with_fields(count: usize, fields: usize) -> Vec<Vehicle> {
    let mut rng = Rng::seeded(0);
    let mut numbers: Vec<u32> = (0..1_000_000).collect();
    rng.shuffle(&mut numbers);
    numbers.into_iter().take(count).map(|number| Vehicle::random(number, fields, &mut rng)).collect()
}

pub(crate) fn shuffled(vehicles: &[Vehicle], seed: u64) -> Vec<Vehicle> {
    let mut shuffled = vehicles.to_vec();
    Rng::seeded(seed).shuffle(&mut shuffled);
    shuffled
}

/// Their ids, as one argument.
pub(crate) fn id_list(vehicles: &[Vehicle]) -> String {
    json_array(vehicles.iter().map(|vehicle| quoted(&vehicle.id)))
}

/// Their rows, as `GETALL JSON` answers them.
pub(crate) fn json_rows(vehicles: &[Vehicle]) -> String {
    let rows: Vec<String> =
        vehicles.iter().map(|vehicle| format!("{}:{}", quoted(&vehicle.id), vehicle.json())).collect();
    format!("{{{}}}", rows.join(","))
}

/// Their rows, as `GETALL COLUMNS` answers them.
pub(crate) fn columns(vehicles: &[Vehicle]) -> String {
    let fields = json_array(FIELDS.iter().map(|name| quoted(name)));
    format!(r#"{{"ids":{},"fields":{fields},"columns":{}}}"#, id_list(vehicles), values_by_field(vehicles))
}

/// An array of the values of each field.
pub(crate) fn values_by_field(vehicles: &[Vehicle]) -> String {
    let column = |field| {
        json_array(vehicles.iter().map(|vehicle| quoted(vehicle.values().nth(field).unwrap_or_default())))
    };
    json_array((0..FIELDS.len()).map(column))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn json_array(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

/// Stores the vehicles by one command.
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

pub(crate) fn fill_table(
    connection: &mut RawConnection,
    key: &str,
    expiry: (&str, u128),
    vehicles: &[Vehicle],
) -> Result<()> {
    for rows in vehicles.chunks(BATCH) {
        let stored = connection.request(&mset(key, expiry, rows))?;
        if stored != Value::Int(i64::try_from(rows.len())?) {
            return Err(format!("{stored:?} of {} rows were stored", rows.len()).into());
        }
    }
    Ok(())
}
