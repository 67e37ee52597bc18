use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::PathBuf;

use crate::{Result, paths};

/// A server by name and version, which is what its directory is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind(&'static str);

/// The servers of the tests. `tests/servers.txt` pins where they come from.
impl Kind {
    pub const REDIS_7_0: Self = Self("redis-7.0.15");
    pub const REDIS_7_2: Self = Self("redis-7.2.4");
    pub const REDIS_7_4: Self = Self("redis-7.4.1");
    pub const REDIS_8_0: Self = Self("redis-8.0.2");
    pub const REDIS_8_2: Self = Self("redis-8.2.3");
    pub const REDIS_8_6: Self = Self("redis-8.6.2");
    pub const REDIS_8_10: Self = Self("redis-8.10.2");
    pub const VALKEY_8_0: Self = Self("valkey-8.0.1");
    pub const VALKEY_8_1: Self = Self("valkey-8.1.8");
    pub const VALKEY_9_1: Self = Self("valkey-9.1.2");

    /// Those that the benchmark leaves out: older and newer ones stand for them.
    pub const UNMEASURED: [Self; 5] =
        [Self::REDIS_7_2, Self::REDIS_7_4, Self::REDIS_8_0, Self::REDIS_8_6, Self::VALKEY_8_0];

    /// For a test that needs one server only.
    pub const DEFAULT: Self = Self::REDIS_7_0;

    /// Too old for the module.
    pub const TOO_OLD: Self = Self("redis-6.2.5");
}

impl Kind {
    /// The server of this name, which may be one that the tests don't know.
    pub fn named(name: &str) -> Self {
        Self(name.to_owned().leak())
    }

    /// All that are installed and can load the module, without the [unmeasured](Self::UNMEASURED) ones: those of
    /// Redis before those of Valkey, older ones first.
    pub fn measured() -> Result<Vec<Self>> {
        let servers = paths::servers();
        let entries = fs::read_dir(&servers).map_err(|error| format!("{}: {error}", servers.display()))?;
        let mut kinds = Vec::new();
        for entry in entries {
            let kind = Self::named(&entry?.file_name().to_string_lossy());
            if kind.version() >= (7, 0) && kind.program().is_ok() && !Self::UNMEASURED.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds.sort_by_key(|kind| (kind.is_valkey(), kind.version()));
        Ok(kinds)
    }

    /// `redis-7.0.15`, say.
    pub fn name(self) -> &'static str {
        self.0
    }

    pub fn is_valkey(self) -> bool {
        self.0.starts_with("valkey")
    }

    /// Major and minor version; (0, 0) if its name doesn't tell.
    pub fn version(self) -> (u32, u32) {
        let (_, version) = self.0.split_once('-').unwrap_or_default();
        let mut numbers = version.split('.').map_while(|number| number.parse().ok());
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    /// The path of its program.
    pub fn program(self) -> Result<PathBuf> {
        let program = if self.is_valkey() { "valkey-server" } else { "redis-server" };
        let program = paths::servers().join(self.0).join(program);
        if !program.exists() {
            return Err(format!("there is no {}: run scripts/servers", program.display()).into());
        }
        Ok(program)
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn a_name_tells_the_version() {
        assert_eq!(Kind::REDIS_7_0.version(), (7, 0));
        assert_eq!(Kind::named("valkey-10.2.33").version(), (10, 2));
        assert_eq!(Kind::named("lost+found").version(), (0, 0));
        assert!(Kind::VALKEY_9_1.is_valkey() && !Kind::REDIS_8_2.is_valkey());
    }
}
