//! What is sent to replicas and the AOF.

use std::ffi::CStr;

use redis_module::raw;

use crate::Call;
use crate::api::api;

/// Arguments of a replicated command.
#[derive(Clone, Copy, Debug)]
pub enum ReplicaArg<'p> {
    /// The argument of the running command at this index, not copied.
    Arg(usize),
    /// All arguments of the running command from this index on, not copied.
    ArgsFrom(usize),
    /// Any other bytes.
    Bytes(&'p [u8]),
}

/// The running command comes from the primary or the AOF.
const REPLAY: u32 = raw::REDISMODULE_CTX_FLAGS_REPLICATED | raw::REDISMODULE_CTX_FLAGS_LOADING;

impl Call<'_> {
    /// Whether the command comes from the primary or the AOF: it carries what was decided there, and decides
    /// nothing.
    pub fn is_replay(&self) -> bool {
        self.has_flag(REPLAY)
    }

    /// Replicates a command with these arguments.
    pub fn replicate<'p>(&self, command: &CStr, args: impl Iterator<Item = ReplicaArg<'p>>) {
        let (mut strings, mut own) = (Vec::new(), Vec::new());
        for arg in args {
            match arg {
                ReplicaArg::Arg(index) => strings.extend(self.string(index)),
                ReplicaArg::ArgsFrom(index) => strings.extend_from_slice(self.strings_from(index)),
                ReplicaArg::Bytes(text) => {
                    // SAFETY: the context belongs to this call, and the server copies the text.
                    let string =
                        unsafe { api!(RedisModule_CreateString(self.ctx, text.as_ptr().cast(), text.len())) };
                    strings.push(string);
                    own.push(string);
                }
            }
        }
        // SAFETY: the strings are arguments of this call or were just made; the latter are freed once, after
        // their last use, and who keeps them counts a reference. The format has a letter for the list.
        unsafe {
            api!(RedisModule_Replicate(
                self.ctx,
                command.as_ptr(),
                c"v".as_ptr(),
                strings.as_mut_ptr(),
                strings.len()
            ));
            for string in own {
                api!(RedisModule_FreeString(self.ctx, string));
            }
        }
    }
}
