//! Whether the user of a client that has waited may still do what it asked for: rights may have been taken
//! away meanwhile.

use std::ffi::{CString, c_int};
use std::io;

use redis_module::raw;

use crate::Call;
use crate::api::api;
use crate::call::bytes;

/// The oldest server that can check a command as if it had come now, without running it.
const DRY_RUN_SINCE: c_int = 0x07_02_00;

impl Call<'_> {
    /// Answers with the server's own error if the client's user may not run this command now. Returns whether
    /// it did.
    pub(crate) fn is_refused(&self) -> bool {
        // SAFETY: the function takes nothing and reads a number.
        if unsafe { api!(RedisModule_GetServerVersion()) } >= DRY_RUN_SINCE {
            self.is_refused_in_dry_run()
        } else {
            self.is_refused_by_acl()
        }
    }

    /// A dry run checks all that a server's rights depend on, such as the database on Valkey 9.1, and uses the
    /// server's wording.
    fn is_refused_in_dry_run(&self) -> bool {
        const NO_PERMISSION: i32 = 13;

        // SAFETY: the argument is this call's.
        let name = self.string(0).map(|name| CString::new(unsafe { bytes(name) }).unwrap_or_default());
        let (name, args) = (name.unwrap_or_default(), self.strings_from(1));
        // SAFETY: context and arguments belong to this call, which has no key open; the name ends in NUL. `v` stands
        // for a list, `C` for the client's user, `D` for a dry run, and `E` has errors come as an answer, which
        // is freed once.
        unsafe {
            let answer =
                api!(RedisModule_Call(self.ctx, name.as_ptr(), c"vCDE".as_ptr(), args.as_ptr(), args.len()));
            // What else stands against it now, as a slot that moves, the server settles itself.
            let is_refused =
                !answer.is_null() && io::Error::last_os_error().raw_os_error() == Some(NO_PERMISSION);
            if is_refused {
                api!(RedisModule_ReplyWithCallReply(self.ctx, answer));
            }
            if !answer.is_null() {
                api!(RedisModule_FreeCallReply(answer));
            }
            is_refused
        }
    }

    /// Redis 7.0 doesn't tell which right is missing.
    fn is_refused_by_acl(&self) -> bool {
        let args = self.strings_from(0);
        let Some(command) = self.string(0) else {
            return false;
        };
        // SAFETY: the context and the arguments, which the server does not change, belong to this call; name and
        // user are freed once, after their last use.
        let is_refused = unsafe {
            let name = api!(RedisModule_GetCurrentUserName(self.ctx));
            let user = api!(RedisModule_GetModuleUserFromUserName(name));
            api!(RedisModule_FreeString(self.ctx, name));
            // Another module's own user, which can't be asked about.
            if user.is_null() {
                return false;
            }
            let argc = c_int::try_from(args.len()).unwrap_or(c_int::MAX);
            let is_refused =
                api!(RedisModule_ACLCheckCommandPermissions(user, args.as_ptr().cast_mut(), argc)) != 0;
            if is_refused {
                let reason = raw::RedisModuleACLLogEntryReason_REDISMODULE_ACL_LOG_CMD;
                api!(RedisModule_ACLAddLogEntry(self.ctx, user, command, reason));
            }
            api!(RedisModule_FreeModuleUser(user));
            is_refused
        };
        if is_refused {
            self.reply_error(
                &"NOPERM this user has no permissions to run this command or to access its key any more",
            );
        }
        is_refused
    }
}
