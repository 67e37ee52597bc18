//! Calling the module API.

/// Calls a function of the module API by its full name, inside an `unsafe` block.
///
/// Every server the module loads into has all functions that are called so. Were one missing, a panic stops
/// the call, and the guard at its entry answers an error.
macro_rules! api {
    ($function:ident($($argument:expr),* $(,)?)) => {
        match redis_module::raw::$function {
            Some(function) => function($($argument),*),
            None => $crate::api::absent(stringify!($function)),
        }
    };
}

pub(crate) use api;

#[expect(clippy::panic, reason = "a server without the function is refused when the module loads")]
#[cold]
pub(crate) fn absent(function: &str) -> ! {
    panic!("the server has no {function}")
}

/// A length as C counts it.
#[expect(clippy::cast_possible_wrap, reason = "slices are never longer than isize::MAX")]
pub(crate) const fn c_long(length: usize) -> std::ffi::c_long {
    length as std::ffi::c_long
}
