//! How an export of another module is declared.

/// Declares functions imported by name from a module, with one calling convention.
///
/// On 32-bit x86 the exports of NT carry no `_` or `@n` decoration although the functions are
/// stdcall or fastcall, hence `undecorated`.
macro_rules! import {
    ($module:literal $abi:literal $(
        $(#[$meta:meta])*
        fn $name:ident($($arg:tt)*) $(-> $ret:ty)?;
    )*) => {
        #[cfg_attr(
            all(windows, target_arch = "x86"),
            link(name = $module, kind = "raw-dylib", modifiers = "+verbatim", import_name_type = "undecorated")
        )]
        #[cfg_attr(
            all(windows, not(target_arch = "x86")),
            link(name = $module, kind = "raw-dylib", modifiers = "+verbatim")
        )]
        unsafe extern $abi {
            $(
                $(#[$meta])*
                pub fn $name($($arg)*) $(-> $ret)?;
            )*
        }
    };
}
