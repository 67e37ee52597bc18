//! How a user could store many vehicles' prices.

use quotelock_testkit::{RawConnection, Result, packed};
use redis::{Cmd, ToRedisArgs, Value, cmd};

use super::case::{Exchange, Expected};
use super::vehicles::{BATCH, TTL, TTL_S, Vehicle, fill_table, pipeline};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Layout {
    /// A hash a vehicle, with a TTL.
    Hashes,
    /// A string of JSON a vehicle, with a TTL.
    Strings,
    /// One hash with a field of JSON a vehicle.
    OneHash,
    /// The same, where each field expires; newer servers only.
    ExpiringHash,
    Table,
}

impl Layout {
    pub(crate) const ALL: [Self; 5] =
        [Self::Hashes, Self::Strings, Self::OneHash, Self::ExpiringHash, Self::Table];

    /// Those that this server supports.
    pub(crate) fn supported(connection: &mut RawConnection) -> Result<Vec<Self>> {
        let fields_expire = connection.has_command("HSETEX")?;
        Ok(Self::ALL.into_iter().filter(|&layout| layout != Self::ExpiringHash || fields_expire).collect())
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hashes => "a hash a vehicle",
            Self::Strings => "a string of JSON a vehicle",
            Self::OneHash => "one hash of JSON",
            Self::ExpiringHash => "one hash of JSON, fields expire",
            Self::Table => "VEHPRICE table",
        }
    }

    /// The command of `read_many`.
    pub(crate) fn read_many_name(self) -> &'static str {
        match self {
            Self::Hashes => "HGETALL, pipeline",
            Self::Strings => "MGET of JSON",
            Self::OneHash => "HMGET of one hash",
            Self::ExpiringHash => "HMGET of one hash, fields expire",
            Self::Table => "VEHPRICE.MGET JSON",
        }
    }

    /// The command of `read_one`.
    pub(crate) fn read_one_name(self) -> &'static str {
        match self {
            Self::Hashes => "HGETALL",
            Self::Strings => "GET of JSON",
            Self::OneHash => "HGET of one hash",
            Self::ExpiringHash => "HGET of one hash, fields expire",
            Self::Table => "VEHPRICE.GET JSON",
        }
    }

    /// The key that holds all vehicles; empty if each has its own.
    fn key(self) -> &'static str {
        match self {
            Self::Hashes | Self::Strings => "",
            Self::OneHash => "hash",
            Self::ExpiringHash => "expiring",
            Self::Table => "table",
        }
    }

    pub(crate) fn fill(self, connection: &mut RawConnection, vehicles: &[Vehicle]) -> Result<()> {
        for vehicles in vehicles.chunks(BATCH) {
            let (commands, replies) = match self {
                Self::Hashes => (pipeline(vehicles.iter().flat_map(hash)), vehicles.len() * 2),
                Self::Strings => (pipeline(vehicles.iter().map(string)), vehicles.len()),
                Self::OneHash | Self::ExpiringHash => (self.one_hash(vehicles).get_packed_command(), 1),
                Self::Table => {
                    fill_table(connection, self.key(), TTL, vehicles)?;
                    continue;
                }
            };
            let (replies, _) = connection.pipeline(&commands, replies)?;
            if let Some(error) = replies.iter().find(|reply| matches!(reply, Value::ServerError(_))) {
                return Err(format!("{}: {error:?}", self.name()).into());
            }
        }
        Ok(())
    }

    fn one_hash(self, vehicles: &[Vehicle]) -> Cmd {
        let mut command = cmd(if self == Self::ExpiringHash { "HSETEX" } else { "HSET" });
        command.arg(self.key());
        if self == Self::ExpiringHash {
            command.arg("EX").arg(TTL_S).arg("FIELDS").arg(vehicles.len());
        }
        for vehicle in vehicles {
            command.arg(&vehicle.id).arg(vehicle.json());
        }
        command
    }

    pub(crate) fn read_many(self, vehicles: &[Vehicle]) -> Exchange {
        let ids = || vehicles.iter().map(|vehicle| vehicle.id.as_str());
        let jsons = || vec![Value::Array(vehicles.iter().map(json).collect())];
        let (request, replies) = match self {
            Self::Hashes => {
                let commands = vehicles.iter().map(|vehicle| command("HGETALL", [vehicle.key()]));
                (pipeline(commands), vehicles.iter().map(names_and_values).collect())
            }
            Self::Strings => {
                let keys = vehicles.iter().map(string_key);
                (command("MGET", keys).get_packed_command(), jsons())
            }
            Self::OneHash | Self::ExpiringHash => {
                (command("HMGET", [self.key()].into_iter().chain(ids())).get_packed_command(), jsons())
            }
            Self::Table => return read_rows(self.key(), vehicles),
        };
        Exchange::new(request, Expected::Exactly(replies))
    }

    pub(crate) fn read_one(self, vehicle: &Vehicle) -> Exchange {
        let request = packed(&self.read_one_command(vehicle));
        let reply = if self == Self::Hashes { names_and_values(vehicle) } else { json(vehicle) };
        Exchange::new(request, Expected::Exactly(vec![reply]))
    }

    pub(crate) fn read_one_command(self, vehicle: &Vehicle) -> Vec<String> {
        let key = self.key();
        match self {
            Self::Hashes => vec!["HGETALL".to_owned(), vehicle.key()],
            Self::Strings => vec!["GET".to_owned(), string_key(vehicle)],
            Self::OneHash | Self::ExpiringHash => ["HGET", key, &vehicle.id].map(str::to_owned).to_vec(),
            Self::Table => ["VEHPRICE.GET", key, &vehicle.id, "JSON"].map(str::to_owned).to_vec(),
        }
    }
}

/// Reads rows of a table as JSON.
pub(crate) fn read_rows(table: &str, vehicles: &[Vehicle]) -> Exchange {
    let ids = vehicles.iter().map(|vehicle| vehicle.id.as_str());
    let command = command("VEHPRICE.MGET", [table, "JSON", "IDS"].into_iter().chain(ids));
    let rows: Vec<String> = vehicles.iter().map(Vehicle::json).collect();
    let reply = text(format!("[{}]", rows.join(",")));
    Exchange::new(command.get_packed_command(), Expected::Exactly(vec![reply]))
}

pub(crate) fn command<A: ToRedisArgs>(name: &str, arguments: impl IntoIterator<Item = A>) -> Cmd {
    let mut command = cmd(name);
    for argument in arguments {
        command.arg(argument);
    }
    command
}

fn hash(vehicle: &Vehicle) -> [Cmd; 2] {
    let key = vehicle.key();
    [vehicle.hset(&key), command("EXPIRE", [key, TTL_S.to_string()])]
}

pub(crate) fn string_key(vehicle: &Vehicle) -> String {
    format!("json:{}", vehicle.id)
}

fn string(vehicle: &Vehicle) -> Cmd {
    command("SET", [string_key(vehicle), vehicle.json(), "EX".to_owned(), TTL_S.to_string()])
}

pub(crate) fn text(text: impl AsRef<str>) -> Value {
    Value::BulkString(text.as_ref().as_bytes().to_vec())
}

pub(crate) fn json(vehicle: &Vehicle) -> Value {
    text(vehicle.json())
}

/// The reply of `HGETALL`.
pub(crate) fn names_and_values(vehicle: &Vehicle) -> Value {
    Value::Array(vehicle.pairs().flat_map(|(name, value)| [text(name), text(value)]).collect())
}
