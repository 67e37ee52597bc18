//! The same logic in Lua, as a script and as a Function.

use crate::common::server::{Outcome, Server};

const GET: &str = concat!(include_str!("read.lua"), include_str!("get.lua"));
const ACQUIRE: &str = concat!(include_str!("read.lua"), include_str!("acquire.lua"));

/// The scripts' hashes.
pub(crate) struct Scripts {
    get: String,
    acquire: String,
}

impl Scripts {
    pub(crate) fn load(server: &Server) -> Outcome<Self> {
        let functions = format!(
            "#!lua name=locks\n\
             redis.register_function{{function_name = 'get', flags = {{'no-writes'}}, callback = function(KEYS)\n{GET}end}}\n\
             redis.register_function('acquire', function(KEYS, ARGV)\n{ACQUIRE}end)\n"
        );
        server.run::<()>(&["FUNCTION", "LOAD", &functions])?;
        let load = |script| server.run(&["SCRIPT", "LOAD", script]);
        Ok(Self { get: load(GET)?, acquire: load(ACQUIRE)? })
    }

    pub(crate) fn get<'words>(&'words self, key: &'words str) -> [&'words str; 4] {
        ["EVALSHA", &self.get, "1", key]
    }

    pub(crate) fn acquire<'words>(
        &'words self,
        key: &'words str,
        roles: &'words str,
        moment: &'words str,
    ) -> [&'words str; 6] {
        ["EVALSHA", &self.acquire, "1", key, roles, moment]
    }
}
