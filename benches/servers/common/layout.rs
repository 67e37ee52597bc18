//! The ways to keep many vehicles' prices, each as a user would.

use redis::{Cmd, Value, cmd};

use super::case::{Exchange, Expected};
use super::server::Outcome;
use super::vehicles::{BATCH, LIFE, LIFE_S, Vehicle, fill, pipeline};
use super::wire::{Wire, packed};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    /// As services do today: a hash a vehicle, with a ttl.
    Hashes,
    /// A string of JSON a vehicle, with a ttl.
    Strings,
    /// A field of JSON a vehicle, in one hash, which has one ttl.
    OneHash,
    /// The same, and each field with an expiry of its own. Not every server has it.
    ExpiringHash,
    Table,
}

impl Way {
    pub(crate) const ALL: [Self; 5] =
        [Self::Hashes, Self::Strings, Self::OneHash, Self::ExpiringHash, Self::Table];

    /// Those that this server has.
    pub(crate) fn at_hand(wire: &mut Wire) -> Outcome<Vec<Self>> {
        let expires = wire.knows("HSETEX")?;
        Ok(Self::ALL.into_iter().filter(|&way| way != Self::ExpiringHash || expires).collect())
    }

    /// What is kept.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hashes => "a hash a vehicle",
            Self::Strings => "a string of JSON a vehicle",
            Self::OneHash => "one hash of JSON",
            Self::ExpiringHash => "one hash of JSON, fields expire",
            Self::Table => "VEHPRICE table",
        }
    }

    /// What many are read with.
    pub(crate) fn reader(self) -> &'static str {
        match self {
            Self::Hashes => "HGETALL, pipeline",
            Self::Strings => "MGET of JSON",
            Self::OneHash => "HMGET of one hash",
            Self::ExpiringHash => "HMGET of one hash, fields expire",
            Self::Table => "VEHPRICE.MGET JSON",
        }
    }

    /// What one is read with.
    pub(crate) fn one_reader(self) -> &'static str {
        match self {
            Self::Hashes => "HGETALL",
            Self::Strings => "GET of JSON",
            Self::OneHash => "HGET of one hash",
            Self::ExpiringHash => "HGET of one hash, fields expire",
            Self::Table => "VEHPRICE.GET JSON",
        }
    }

    /// The key in which all vehicles are, where they are in one.
    pub(crate) fn key(self) -> Option<&'static str> {
        match self {
            Self::Hashes | Self::Strings => None,
            Self::OneHash => Some("hash"),
            Self::ExpiringHash => Some("expiring"),
            Self::Table => Some("table"),
        }
    }

    fn one_key(self) -> &'static str {
        self.key().unwrap_or_default()
    }

    pub(crate) fn fill(self, wire: &mut Wire, vehicles: &[Vehicle]) -> Outcome<()> {
        if self == Self::Table {
            return fill(wire, self.one_key(), LIFE, vehicles);
        }
        for vehicles in vehicles.chunks(BATCH) {
            let (commands, replies) = match self {
                Self::Hashes => (pipeline(vehicles.iter().flat_map(hash)), vehicles.len().saturating_mul(2)),
                Self::Strings => (pipeline(vehicles.iter().map(string)), vehicles.len()),
                Self::OneHash | Self::ExpiringHash | Self::Table => {
                    (self.one_hash(vehicles).get_packed_command(), 1)
                }
            };
            let (replies, _) = wire.ask(&commands, replies)?;
            if let Some(error) = replies.iter().find(|reply| matches!(reply, Value::ServerError(_))) {
                return Err(format!("{}: {error:?}", self.name()).into());
            }
        }
        Ok(())
    }

    fn one_hash(self, vehicles: &[Vehicle]) -> Cmd {
        let mut command = cmd(if self == Self::ExpiringHash { "HSETEX" } else { "HSET" });
        command.arg(self.one_key());
        if self == Self::ExpiringHash {
            command.arg("EX").arg(LIFE_S).arg("FIELDS").arg(vehicles.len());
        }
        for vehicle in vehicles {
            command.arg(&vehicle.id).arg(vehicle.json());
        }
        command
    }

    /// Reads these at once.
    pub(crate) fn read(self, vehicles: &[Vehicle]) -> Exchange {
        let ids = || vehicles.iter().map(|vehicle| vehicle.id.as_str());
        let jsons = || vec![Value::Array(vehicles.iter().map(json).collect())];
        let (request, replies) = match self {
            Self::Hashes => {
                let commands = vehicles.iter().map(|vehicle| words("HGETALL", [vehicle.key()]));
                (pipeline(commands), vehicles.iter().map(names_and_values).collect())
            }
            Self::Strings => {
                let keys = vehicles.iter().map(string_key);
                (words("MGET", keys).get_packed_command(), jsons())
            }
            Self::OneHash | Self::ExpiringHash => {
                (words("HMGET", [self.one_key()].into_iter().chain(ids())).get_packed_command(), jsons())
            }
            Self::Table => return read_rows(self.one_key(), vehicles),
        };
        Exchange::new(request, Expected::Exactly(replies))
    }

    /// Reads this one.
    pub(crate) fn read_one(self, vehicle: &Vehicle) -> Exchange {
        let command = self.one(vehicle);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let reply = if self == Self::Hashes { names_and_values(vehicle) } else { json(vehicle) };
        Exchange::new(packed(&command), Expected::Exactly(vec![reply]))
    }

    /// The words that read this one.
    pub(crate) fn one(self, vehicle: &Vehicle) -> Vec<String> {
        let key = self.one_key();
        match self {
            Self::Hashes => vec!["HGETALL".to_owned(), vehicle.key()],
            Self::Strings => vec!["GET".to_owned(), string_key(vehicle)],
            Self::OneHash | Self::ExpiringHash => ["HGET", key, &vehicle.id].map(str::to_owned).to_vec(),
            Self::Table => ["VEHPRICE.GET", key, &vehicle.id, "JSON"].map(str::to_owned).to_vec(),
        }
    }
}

/// Reads these rows of a table at once.
pub(crate) fn read_rows(table: &str, vehicles: &[Vehicle]) -> Exchange {
    let ids = vehicles.iter().map(|vehicle| vehicle.id.as_str());
    let command = words("VEHPRICE.MGET", [table, "JSON", "IDS"].into_iter().chain(ids));
    let rows: Vec<String> = vehicles.iter().map(Vehicle::json).collect();
    let reply = text(format!("[{}]", rows.join(",")));
    Exchange::new(command.get_packed_command(), Expected::Exactly(vec![reply]))
}

pub(crate) fn words<W: redis::ToRedisArgs>(name: &str, arguments: impl IntoIterator<Item = W>) -> Cmd {
    let mut command = cmd(name);
    for argument in arguments {
        command.arg(argument);
    }
    command
}

fn hash(vehicle: &Vehicle) -> [Cmd; 2] {
    let key = vehicle.key();
    [vehicle.hset(&key), words("EXPIRE", [key, LIFE_S.to_string()])]
}

pub(crate) fn string_key(vehicle: &Vehicle) -> String {
    format!("json:{}", vehicle.id)
}

fn string(vehicle: &Vehicle) -> Cmd {
    words("SET", [string_key(vehicle), vehicle.json(), "EX".to_owned(), LIFE_S.to_string()])
}

pub(crate) fn text(text: impl AsRef<str>) -> Value {
    Value::BulkString(text.as_ref().as_bytes().to_vec())
}

pub(crate) fn json(vehicle: &Vehicle) -> Value {
    text(vehicle.json())
}

/// What `HGETALL` answers.
pub(crate) fn names_and_values(vehicle: &Vehicle) -> Value {
    Value::Array(vehicle.pairs().flat_map(|(name, value)| [text(name), text(value)]).collect())
}
