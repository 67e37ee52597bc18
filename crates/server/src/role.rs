//! Whether this server is the one to answer: it may be about to hand a key, or all of them, to another.

use std::ffi::CStr;
use std::io::{Error, ErrorKind};

use redis_module::raw;

use crate::api::api;
use crate::context::has_flag;
use crate::timer::OwnedString;
use crate::{KeyName, TimerContext};

impl TimerContext {
    /// Whether this server answers for the key now. While it doesn't, because a slot is moving or a failover is under
    /// way, the server itself decides what whoever is blocked on the key is told.
    pub fn answers_for(&mut self, key: KeyName<'_>) -> bool {
        if has_flag(raw::REDISMODULE_CTX_FLAGS_SLAVE) {
            !self.is_failing_over()
        } else {
            !has_flag(raw::REDISMODULE_CTX_FLAGS_CLUSTER) || self.has_slot_of(key)
        }
    }

    /// Whether it has turned replica by `FAILOVER`, but the next primary hasn't taken over yet. From Valkey 9.0 on
    /// clients stay blocked until that is decided.
    fn is_failing_over(&self) -> bool {
        // SAFETY: the context is the timer's; all texts end in NUL, and the answer is freed once, after its last use.
        *self.is_failing_over.get_or_init(|| unsafe {
            let info = api!(RedisModule_GetServerInfo(self.ctx, c"replication".as_ptr()));
            let state = api!(RedisModule_ServerInfoGetFieldC(info, c"master_failover_state".as_ptr()));
            let is_failing_over = !state.is_null() && CStr::from_ptr(state) == c"failover-in-progress";
            api!(RedisModule_FreeServerInfo(self.ctx, info));
            is_failing_over
        })
    }

    /// Whether the cluster has this node run a command on the key, as a server checks for commands that modules call.
    fn has_slot_of(&self, key: KeyName<'_>) -> bool {
        let name = OwnedString::new(self.ctx, key.name);
        // SAFETY: context and name belong to this call; `s` stands for one string, and what is answered is freed once.
        unsafe {
            api!(RedisModule_SelectDb(self.ctx, key.db));
            let answer = api!(RedisModule_Call(self.ctx, c"EXISTS".as_ptr(), c"s".as_ptr(), name.string));
            if answer.is_null() {
                // A server that has renamed the command doesn't tell.
                return Error::last_os_error().kind() == ErrorKind::NotFound;
            }
            api!(RedisModule_FreeCallReply(answer));
            true
        }
    }
}
