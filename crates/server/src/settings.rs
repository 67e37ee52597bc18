//! Settings: from `loadmodule`, the configuration file and `CONFIG SET`.

use std::ffi::{CString, c_char, c_int, c_longlong, c_void};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use redis_module::raw;

use crate::api::api;
use crate::log::excerpt;

/// A whole number that can be set while the server runs.
#[derive(Debug)]
pub struct Setting {
    /// The name, without the module's.
    pub name: &'static str,
    /// The value unless it is set.
    pub default: i64,
    /// The lowest value it can be set to.
    pub min: i64,
    /// The highest value it can be set to.
    pub max: i64,
    value: AtomicI64,
}

impl Setting {
    /// A setting from `min` to `max`, at its default.
    pub const fn new(name: &'static str, default: i64, min: i64, max: i64) -> Self {
        Self { name, default, min, max, value: AtomicI64::new(default) }
    }

    /// The value in force.
    pub fn get(&self) -> i64 {
        self.value.load(Relaxed)
    }
}

/// Why a setting is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingError {
    #[error("unknown setting '{name}', expected {known}")]
    Unknown { name: String, known: String },
    #[error("setting '{name}' is repeated")]
    Twice { name: &'static str },
    #[error("setting '{name}' requires a value")]
    WithoutValue { name: &'static str },
    #[error("setting '{name}' requires a whole number from {min} to {max}, not '{value}'")]
    BadValue { name: &'static str, value: String, min: i64, max: i64 },
    #[error("the server refused the setting '{name}'")]
    Refused { name: &'static str },
    #[error("a setting in the configuration is refused, see the line above")]
    Configuration,
}

/// Registers the settings. Their values come from the `name value` pairs of the `loadmodule` line, and from
/// the server's configuration, which overrides it.
pub(crate) fn register(
    ctx: *mut raw::RedisModuleCtx,
    settings: &'static [&'static Setting],
    arguments: &[&[u8]],
) -> Result<(), SettingError> {
    let given = from_arguments(settings, arguments)?;
    for setting in settings {
        let value = given.iter().find(|(name, _)| *name == setting.name);
        // The `loadmodule` line sets the default, so that `CONFIG REWRITE` writes only what differs from it.
        let default = value.map_or(setting.default, |(_, value)| *value);
        let refused = SettingError::Refused { name: setting.name };
        let Ok(name) = CString::new(setting.name) else {
            return Err(refused);
        };
        let setting: *const Setting = *setting;
        // SAFETY: called while the module loads, with its context; the setting lives as long as the program,
        // and the callbacks take it back as what it is.
        let status = unsafe {
            api!(RedisModule_RegisterNumericConfig(
                ctx,
                name.as_ptr(),
                default,
                raw::REDISMODULE_CONFIG_DEFAULT,
                (*setting).min,
                (*setting).max,
                Some(get),
                Some(set),
                None,
                setting.cast_mut().cast(),
            ))
        };
        if status != 0 {
            return Err(refused);
        }
    }
    // SAFETY: called while the module loads, with its context.
    let status = unsafe { api!(RedisModule_LoadConfigs(ctx)) };
    if status == 0 { Ok(()) } else { Err(SettingError::Configuration) }
}

fn from_arguments(
    settings: &[&'static Setting],
    arguments: &[&[u8]],
) -> Result<Vec<(&'static str, i64)>, SettingError> {
    let mut given: Vec<(&'static str, i64)> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let setting = settings.iter().find(|setting| setting.name.as_bytes().eq_ignore_ascii_case(name));
        let Some(setting) = setting else {
            let known: Vec<_> = settings.iter().map(|setting| setting.name).collect();
            return Err(SettingError::Unknown { name: excerpt(name), known: known.join(", ") });
        };
        let name = setting.name;
        if given.iter().any(|(earlier, _)| *earlier == name) {
            return Err(SettingError::Twice { name });
        }
        let text = rest.next().ok_or(SettingError::WithoutValue { name })?;
        let value: Option<i64> = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        // As `CONFIG SET` takes it: no plus sign, no leading zero.
        let value = value.filter(|value| value.to_string().as_bytes() == *text);
        match value {
            Some(value) if (setting.min..=setting.max).contains(&value) => given.push((name, value)),
            _ => {
                return Err(SettingError::BadValue {
                    name,
                    value: excerpt(text),
                    min: setting.min,
                    max: setting.max,
                });
            }
        }
    }
    Ok(given)
}

/// Answers `CONFIG GET`.
unsafe extern "C" fn get(_name: *const c_char, setting: *mut c_void) -> c_longlong {
    // SAFETY: the server hands back the setting that `register` gave it.
    unsafe { (*setting.cast_const().cast::<Setting>()).value.load(Relaxed) }
}

/// Takes `CONFIG SET`, and at the start the default and the configuration; the server has checked the bounds.
unsafe extern "C" fn set(
    _name: *const c_char,
    value: c_longlong,
    setting: *mut c_void,
    _error: *mut *mut raw::RedisModuleString,
) -> c_int {
    // SAFETY: the server hands back the setting that `register` gave it.
    unsafe { (*setting.cast_const().cast::<Setting>()).value.store(value, Relaxed) };
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    static A: Setting = Setting::new("a-ms", 10, 1, 100);
    static B: Setting = Setting::new("b-ms", 20, 0, 100);

    fn read(line: &str) -> Result<Vec<(&'static str, i64)>, String> {
        let arguments: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
        from_arguments(&[&A, &B], &arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_the_loadmodule_line() {
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read("b-ms 0"), Ok(vec![("b-ms", 0)]));
        assert_eq!(read("B-MS 100 a-ms 1"), Ok(vec![("b-ms", 100), ("a-ms", 1)]));
    }

    #[test]
    fn refuses_the_rest() {
        let bad =
            |value: &str| format!("setting 'a-ms' requires a whole number from 1 to 100, not '{value}'");
        let cases = [
            ("c-ms 1", "unknown setting 'c-ms', expected a-ms, b-ms".to_owned()),
            ("%s\u{1} 1", "unknown setting '%s\\x01', expected a-ms, b-ms".to_owned()),
            ("a-ms", "setting 'a-ms' requires a value".to_owned()),
            ("a-ms 1 a-ms 2", "setting 'a-ms' is repeated".to_owned()),
            ("a-ms 0", bad("0")),
            ("a-ms 101", bad("101")),
            ("a-ms -1", bad("-1")),
            ("a-ms 1.5", bad("1.5")),
            ("a-ms x", bad("x")),
            ("a-ms +5", bad("+5")),
            ("a-ms 05", bad("05")),
            ("a-ms 9223372036854775808", bad("9223372036854775808")),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line), Err(expected), "{line}");
        }
    }
}
