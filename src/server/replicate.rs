//! What replicas and the AOF are told.

use std::ffi::{CStr, c_int};

use redis_module::raw;

use super::Call;
use super::api::api;

/// An argument of a replicated command.
#[derive(Clone, Copy, Debug)]
pub enum Part<'p> {
    /// The argument of the running command at this place, not copied.
    Arg(usize),
    /// All arguments of the running command from this place on.
    ArgsFrom(usize),
    /// Any other text.
    Text(&'p [u8]),
}

/// The running command comes from the primary, or from the AOF.
const REPLAY: c_int =
    (raw::REDISMODULE_CTX_FLAGS_REPLICATED | raw::REDISMODULE_CTX_FLAGS_LOADING).cast_signed();

impl Call<'_> {
    /// Whether the command comes from the primary or from the AOF: it carries what was decided, and decides nothing.
    pub fn is_replay(&self) -> bool {
        // SAFETY: the context is of this call.
        unsafe { api!(RedisModule_GetContextFlags(self.ctx)) & REPLAY != 0 }
    }

    /// Replicates a command with these arguments.
    pub fn replicate<'p>(&self, command: &CStr, parts: impl Iterator<Item = Part<'p>>) {
        let (mut strings, mut own) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Part::Arg(index) => strings.extend(self.string(index)),
                Part::ArgsFrom(index) => strings.extend_from_slice(self.strings_from(index)),
                Part::Text(text) => {
                    // SAFETY: the context is of this call, and the server copies the text.
                    let string =
                        unsafe { api!(RedisModule_CreateString(self.ctx, text.as_ptr().cast(), text.len())) };
                    strings.push(string);
                    own.push(string);
                }
            }
        }
        // SAFETY: the strings are arguments of this call or were just made; the latter are freed once, after their last
        // use, and who keeps them counts a reference. The format has a letter for the list.
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
