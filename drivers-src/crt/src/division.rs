//! 64-bit division on 32-bit x86, under the names and the convention of the Microsoft compiler.
//!
//! The compiler emits calls of `_alldiv` and its family with both operands on the stack, low half
//! first; the callee pops them and returns in `edx:eax`. The work is done by the functions that
//! every Rust target has in `compiler_builtins`, which take the same operands as plain `cdecl`.

use core::arch::naked_asm;

macro_rules! forward {
    ($($name:ident => $target:ident: $what:literal;)*) => {$(
        unsafe extern "C" { fn $target(); }

        #[doc = $what]
        ///
        /// Called by compiled code only: the convention is not one that Rust can express.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub extern "C" fn $name() {
            naked_asm!(
                "push ebp",
                "mov ebp, esp",
                "push dword ptr [ebp + 20]",
                "push dword ptr [ebp + 16]",
                "push dword ptr [ebp + 12]",
                "push dword ptr [ebp + 8]",
                "call {target}",
                "mov esp, ebp",
                "pop ebp",
                "ret 16",
                target = sym $target,
            )
        }
    )*};
}

forward! {
    _alldiv => __divdi3: "Signed quotient.";
    _allrem => __moddi3: "Signed remainder.";
    _aulldiv => __udivdi3: "Unsigned quotient.";
    _aullrem => __umoddi3: "Unsigned remainder.";
}
