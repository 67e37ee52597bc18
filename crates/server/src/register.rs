//! Registering a command as its entry describes it.

use std::ffi::{CString, NulError, c_int};
use std::ptr;

use redis_module::raw;

use crate::api::api;
use crate::load_error::LoadError;
use crate::{Arg, ArgKind, CommandEntry, KeyFlag, KeySpec, Spec};

/// Registers a command: name, flags and handler, then arity, key specs and docs, then its ACL categories
/// where modules can have them. Errors name what was refused.
pub(crate) fn register(
    ctx: *mut raw::RedisModuleCtx,
    entry: &CommandEntry,
    category: Option<&str>,
) -> Result<(), LoadError> {
    let spec = &entry.spec;
    let name = CString::new(spec.name)?;
    let flags = CString::new(spec.flags)?;
    let (first, last, step) = spec.keys.first().map_or((0, 0, 0), |keys| (keys.first, keys.last, keys.step));
    // The legacy range counts the last key from the start, a key spec from its first key.
    let last = if last < 0 { last } else { first + last };
    // SAFETY: called while the module loads, with its context; the strings end in NUL and are copied by the
    // server.
    let command = unsafe {
        let status = api!(RedisModule_CreateCommand(
            ctx,
            name.as_ptr(),
            Some(entry.handler),
            flags.as_ptr(),
            first,
            last,
            step
        ));
        if status != 0 {
            return Err(LoadError::Command(spec.name));
        }
        api!(RedisModule_GetCommand(ctx, name.as_ptr()))
    };
    set_info(command, spec)?;
    set_categories(command, spec, category)
}

fn set_info(command: *mut raw::RedisModuleCommand, spec: &Spec) -> Result<(), LoadError> {
    let summary = CString::new(spec.summary)?;
    let complexity = CString::new(spec.complexity)?;
    let since = CString::new(spec.since)?;
    let mut keys: Vec<_> = spec.keys.iter().map(raw_key_spec).collect();
    keys.push(end_of_key_specs());
    let mut args = Args::build(spec.args)?;
    let info = raw::RedisModuleCommandInfo {
        version: &raw const VERSION,
        summary: summary.as_ptr(),
        complexity: complexity.as_ptr(),
        since: since.as_ptr(),
        history: ptr::null_mut(),
        tips: ptr::null(),
        arity: spec.arity,
        key_specs: keys.as_mut_ptr(),
        args: args.raw.as_mut_ptr(),
    };
    // SAFETY: the command is the one just created; the info and all it points at live until the server has
    // copied them, and both lists end with an empty element.
    let status = unsafe { api!(RedisModule_SetCommandInfo(command, &raw const info)) };
    if status == 0 { Ok(()) } else { Err(LoadError::CommandInfo(spec.name)) }
}

fn set_categories(
    command: *mut raw::RedisModuleCommand,
    spec: &Spec,
    category: Option<&str>,
) -> Result<(), LoadError> {
    // SAFETY: reads a pointer that was set while the module was loaded.
    let Some(set) = (unsafe { raw::RedisModule_SetCommandACLCategories }) else {
        return Ok(());
    };
    let try_set = |categories: &str| -> Result<bool, NulError> {
        let categories = CString::new(categories)?;
        // SAFETY: the command is the one just created, and the text ends in NUL.
        Ok(unsafe { set(command, categories.as_ptr()) } == 0)
    };
    let with_own = category.map(|category| format!("{} {category}", spec.categories));
    if with_own.is_some_and(|categories| try_set(&categories) == Ok(true)) || try_set(spec.categories)? {
        return Ok(());
    }
    Err(LoadError::Categories(spec.name))
}

/// The sizes by which the server steps through the lists of a command's info.
static VERSION: raw::RedisModuleCommandInfoVersion = raw::RedisModuleCommandInfoVersion {
    version: 1,
    sizeof_historyentry: size_of::<raw::RedisModuleCommandHistoryEntry>(),
    sizeof_keyspec: size_of::<raw::RedisModuleCommandKeySpec>(),
    sizeof_arg: size_of::<raw::RedisModuleCommandArg>(),
};

fn raw_key_spec(spec: &KeySpec) -> raw::RedisModuleCommandKeySpec {
    raw::RedisModuleCommandKeySpec {
        notes: ptr::null(),
        flags: spec.flags.iter().fold(0, |flags, flag| flags | raw_key_flag(*flag)),
        begin_search_type: raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_INDEX,
        bs: raw::RedisModuleCommandKeySpec__bindgen_ty_1 {
            index: raw::RedisModuleCommandKeySpec__bindgen_ty_1__bindgen_ty_1 { pos: spec.first },
        },
        find_keys_type: raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_RANGE,
        fk: raw::RedisModuleCommandKeySpec__bindgen_ty_2 {
            range: raw::RedisModuleCommandKeySpec__bindgen_ty_2__bindgen_ty_1 {
                lastkey: spec.last,
                keystep: spec.step,
                limit: 0,
            },
        },
    }
}

fn end_of_key_specs() -> raw::RedisModuleCommandKeySpec {
    raw::RedisModuleCommandKeySpec {
        begin_search_type: raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_INVALID,
        ..raw_key_spec(&KeySpec { flags: &[], first: 0, last: 0, step: 0 })
    }
}

fn raw_key_flag(flag: KeyFlag) -> u64 {
    u64::from(match flag {
        KeyFlag::Ro => raw::REDISMODULE_CMD_KEY_RO,
        KeyFlag::Rw => raw::REDISMODULE_CMD_KEY_RW,
        KeyFlag::Ow => raw::REDISMODULE_CMD_KEY_OW,
        KeyFlag::Rm => raw::REDISMODULE_CMD_KEY_RM,
        KeyFlag::Access => raw::REDISMODULE_CMD_KEY_ACCESS,
        KeyFlag::Update => raw::REDISMODULE_CMD_KEY_UPDATE,
        KeyFlag::Insert => raw::REDISMODULE_CMD_KEY_INSERT,
        KeyFlag::Delete => raw::REDISMODULE_CMD_KEY_DELETE,
    })
}

/// A list of arguments in the server's form, ended by an empty one, with what it points at.
struct Args {
    raw: Vec<raw::RedisModuleCommandArg>,
    _texts: Vec<CString>,
    _groups: Vec<Args>,
}

impl Args {
    fn build(args: &[Arg]) -> Result<Self, NulError> {
        let (mut list, mut texts, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for arg in args {
            // A text's bytes stay where they are when the list of texts grows.
            let mut text = |text: Option<&str>| -> Result<_, NulError> {
                let Some(text) = text.filter(|text| !text.is_empty()) else {
                    return Ok(ptr::null());
                };
                texts.push(CString::new(text)?);
                Ok(texts.last().map_or(ptr::null(), |text| text.as_ptr()))
            };
            let (kind, key_spec_index, subargs) = match arg.kind {
                ArgKind::Key(index) => (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_KEY, index, None),
                ArgKind::String => (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_STRING, -1, None),
                ArgKind::Integer => (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_INTEGER, -1, None),
                ArgKind::PureToken => {
                    (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_PURE_TOKEN, -1, None)
                }
                ArgKind::OneOf(parts) => {
                    (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_ONEOF, -1, Some(Self::build(parts)?))
                }
                ArgKind::Block(parts) => {
                    (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_BLOCK, -1, Some(Self::build(parts)?))
                }
            };
            list.push(raw::RedisModuleCommandArg {
                name: text(Some(arg.name))?,
                type_: kind,
                key_spec_index,
                token: text(arg.token)?,
                summary: text(Some(arg.summary))?,
                since: ptr::null(),
                flags: raw_arg_flags(arg),
                deprecated_since: ptr::null(),
                subargs: ptr::null_mut(),
                display_text: ptr::null(),
            });
            if let (Some(mut group), Some(arg)) = (subargs, list.last_mut()) {
                arg.subargs = group.raw.as_mut_ptr();
                groups.push(group);
            }
        }
        list.push(raw::RedisModuleCommandArg {
            name: ptr::null(),
            type_: raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_STRING,
            key_spec_index: 0,
            token: ptr::null(),
            summary: ptr::null(),
            since: ptr::null(),
            flags: 0,
            deprecated_since: ptr::null(),
            subargs: ptr::null_mut(),
            display_text: ptr::null(),
        });
        Ok(Self { raw: list, _texts: texts, _groups: groups })
    }
}

fn raw_arg_flags(arg: &Arg) -> c_int {
    let optional = if arg.optional { raw::REDISMODULE_CMD_ARG_OPTIONAL } else { 0 };
    let multiple = if arg.multiple { raw::REDISMODULE_CMD_ARG_MULTIPLE } else { 0 };
    (optional | multiple).cast_signed()
}
