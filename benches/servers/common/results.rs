//! What a part has measured, kept as a JSON file: `<server>/<part>.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::UNIX_EPOCH;

use chrono::DateTime;
use quotelock_testkit::{Kind, Result, Server};
use serde::{Deserialize, Serialize};

use super::sheet::Sheet;

#[derive(Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) environment: Environment,
    pub(crate) sheets: Vec<Sheet>,
}

/// Where and when it was measured.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Environment {
    pub(crate) server: String,
    pub(crate) machine: String,
    pub(crate) kernel: String,
    /// In UTC.
    pub(crate) started: String,
    pub(crate) seconds: u64,
    /// The load averages before and after.
    pub(crate) load: [String; 2],
}

impl Results {
    pub(crate) fn path(directory: &Path, server: Kind, part: &str) -> PathBuf {
        directory.join(server.name()).join(part).with_extension("json")
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        Ok(fs::write(path, serde_json::to_string_pretty(self)?)?)
    }

    /// None if the part was not measured on the server.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&fs::read_to_string(path)?)?))
    }
}

impl Environment {
    pub(crate) fn of(server: &Server) -> Result<Self> {
        let now = i64::try_from(UNIX_EPOCH.elapsed()?.as_secs())?;
        let now = DateTime::from_timestamp(now, 0).ok_or("the clock is beyond the calendar")?;
        Ok(Self {
            server: name_and_version(server)?,
            machine: format!("{} cores, {}", available_parallelism()?, processor()),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            started: now.format("%Y-%m-%d %H:%M").to_string(),
            seconds: 0,
            load: [load_averages(), String::new()],
        })
    }
}

fn name_and_version(server: &Server) -> Result<String> {
    let (name, field) =
        if server.kind().is_valkey() { ("Valkey", "valkey_version") } else { ("Redis", "redis_version") };
    Ok(format!("{name} {}", server.info::<String>("server", field)?))
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown processor", |(_, name)| name).to_owned()
}

pub(crate) fn load_averages() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<&str> = text.split(' ').take(3).collect();
    averages.join(" ")
}
