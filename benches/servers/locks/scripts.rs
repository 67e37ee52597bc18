//! The same logic in Lua, as a script and as a Function.

use quotelock_testkit::{Result, Server};

const GET: &str = concat!(include_str!("read.lua"), include_str!("get.lua"));
const ACQUIRE: &str = concat!(include_str!("read.lua"), include_str!("acquire.lua"));
const DELETE: &str = include_str!("delete.lua");

/// The SHA-1 digests of the scripts.
pub(crate) struct Scripts {
    get: String,
    acquire: String,
    delete: String,
}

impl Scripts {
    pub(crate) fn load(server: &Server) -> Result<Self> {
        let functions = format!(
            "#!lua name=locks\n\
             redis.register_function{{function_name = 'get', flags = {{'no-writes'}}, callback = function(KEYS)\n{GET}end}}\n\
             redis.register_function('acquire', function(KEYS, ARGV)\n{ACQUIRE}end)\n"
        );
        server.run::<()>(&["FUNCTION", "LOAD", &functions])?;
        let load = |script| server.run(&["SCRIPT", "LOAD", script]);
        Ok(Self { get: load(GET)?, acquire: load(ACQUIRE)?, delete: load(DELETE)? })
    }

    pub(crate) fn get<'a>(&'a self, key: &'a str) -> [&'a str; 4] {
        ["EVALSHA", &self.get, "1", key]
    }

    pub(crate) fn acquire<'a>(&'a self, key: &'a str, roles: &'a str, time: &'a str) -> [&'a str; 6] {
        ["EVALSHA", &self.acquire, "1", key, roles, time]
    }

    pub(crate) fn delete<'a>(&'a self, key: &'a str, time: &'a str) -> [&'a str; 5] {
        ["EVALSHA", &self.delete, "1", key, time]
    }
}
