//! The server's log, and how input is shown in it and in errors.

use std::ffi::CString;

use redis_module::raw;

use crate::Call;

/// The most bytes of input that are shown.
const MAX_SHOWN_BYTES: usize = 32;

/// Input made safe to show as `escaped` does, and cut after 32 bytes.
pub fn excerpt(input: &[u8]) -> String {
    let mut shown = escaped(input.get(..MAX_SHOWN_BYTES).unwrap_or(input));
    if input.len() > MAX_SHOWN_BYTES {
        shown.push_str("...");
    }
    shown
}

/// A text made safe to show: printable ASCII as it is, but for quotes and backslashes; every other byte as
/// `\xHH`.
pub(crate) fn escaped(text: &[u8]) -> String {
    let mut shown = String::new();
    for &byte in text {
        match byte {
            b' '..=b'~' if byte != b'\'' && byte != b'\\' => shown.push(char::from(byte)),
            _ => shown.push_str(&format!("\\x{byte:02x}")),
        }
    }
    shown
}

impl Call<'_> {
    /// Writes a warning to the server's log. Input in it must have gone through [`excerpt`].
    pub fn warn(&self, message: &str) {
        warning(self.ctx, message);
    }
}

pub(crate) fn warning(ctx: *mut raw::RedisModuleCtx, message: &str) {
    let Ok(message) = CString::new(message) else {
        return;
    };
    // SAFETY: the level, the format and its one argument are strings that end in NUL; the message is never
    // the format.
    unsafe {
        if let Some(log) = raw::RedisModule_Log {
            log(ctx, c"warning".as_ptr(), c"%s".as_ptr(), message.as_ptr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_made_safe_to_show() {
        let cases: &[(&[u8], &str)] = &[
            (b"", ""),
            (b"FOO bar", "FOO bar"),
            (b"it's \\", "it\\x27s \\x5c"),
            (b"a\0b\r\n\xff", "a\\x00b\\x0d\\x0a\\xff"),
            ("Ā".as_bytes(), "\\xc4\\x80"),
            (b"%s%n", "%s%n"),
            (&[b'x'; 32], "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
            (&[b'x'; 33], "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."),
        ];
        for (input, expected) in cases {
            assert_eq!(excerpt(input), *expected);
        }
    }
}
