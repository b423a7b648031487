//! `memcpy`, `memmove`, `memset` and `memcmp`, a machine word at a time where both sides allow it.
//!
//! Plain loops rather than `rep movs`: each access is an instruction of its own, so an observer of
//! the processor sees every one of them, in order.

const WORD: usize = size_of::<usize>();

/// Copies `n` bytes from `src` to `dst`, which do not overlap; returns `dst`.
///
/// # Safety
/// Both ranges are valid for `n` bytes and do not overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    unsafe { copy_forward(dst, src, n) };
    dst
}

/// Copies `n` bytes from `src` to `dst`, which may overlap; returns `dst`.
///
/// # Safety
/// Both ranges are valid for `n` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    // One unsigned comparison: true exactly if `dst` lies outside [src, src + n).
    if (dst as usize).wrapping_sub(src as usize) >= n {
        unsafe { copy_forward(dst, src, n) };
    } else {
        unsafe { copy_backward(dst, src, n) };
    }
    dst
}

/// Fills `n` bytes at `dst` with the low byte of `value`; returns `dst`.
///
/// # Safety
/// The range is valid for `n` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(dst: *mut u8, value: i32, n: usize) -> *mut u8 {
    let byte = value as u8;
    let word = usize::from_ne_bytes([byte; WORD]);
    let mut i = 0;
    unsafe {
        while i < n && !(dst.add(i) as usize).is_multiple_of(WORD) {
            *dst.add(i) = byte;
            i += 1;
        }
        while n - i >= WORD {
            *dst.add(i).cast::<usize>() = word;
            i += WORD;
        }
        while i < n {
            *dst.add(i) = byte;
            i += 1;
        }
    }
    dst
}

/// Compares `n` bytes; negative, zero or positive as the first difference has it.
///
/// # Safety
/// Both ranges are valid for `n` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    for i in 0..n {
        let (x, y) = unsafe { (*a.add(i), *b.add(i)) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
    }
    0
}

/// Ascending copy; right for ranges apart, and for overlapping ones with `dst` below `src`.
unsafe fn copy_forward(dst: *mut u8, src: *const u8, n: usize) {
    let mut i = 0;
    unsafe {
        if (dst as usize ^ src as usize).is_multiple_of(WORD) {
            while i < n && !(dst.add(i) as usize).is_multiple_of(WORD) {
                *dst.add(i) = *src.add(i);
                i += 1;
            }
            while n - i >= WORD {
                *dst.add(i).cast::<usize>() = *src.add(i).cast::<usize>();
                i += WORD;
            }
        }
        while i < n {
            *dst.add(i) = *src.add(i);
            i += 1;
        }
    }
}

/// Descending copy, for overlapping ranges with `dst` above `src`.
unsafe fn copy_backward(dst: *mut u8, src: *const u8, n: usize) {
    let mut i = n;
    while i > 0 {
        i -= 1;
        unsafe { *dst.add(i) = *src.add(i) };
    }
}
