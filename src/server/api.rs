//! The way to a function of the module API.

/// Calls a function of the module API by its full name, inside an `unsafe` block.
///
/// All that are called so are in every server the module loads into, so the other arm is never taken; it is a panic,
/// not a jump to nowhere, and [`super::call`] keeps panics from the server.
macro_rules! api {
    ($function:ident($($argument:expr),* $(,)?)) => {
        match redis_module::raw::$function {
            Some(function) => function($($argument),*),
            None => $crate::server::api::absent(stringify!($function)),
        }
    };
}

pub(super) use api;

#[allow(clippy::panic, reason = "reached only on a server the module refuses to load into")]
#[cold]
pub(super) fn absent(function: &str) -> ! {
    panic!("the server has no {function}")
}

/// A length as C counts it.
#[allow(clippy::as_conversions, reason = "slices are never longer than isize::MAX")]
pub(super) const fn c_long(length: usize) -> std::ffi::c_long {
    length as std::ffi::c_long
}
