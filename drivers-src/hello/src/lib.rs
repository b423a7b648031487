#![no_std]
#![allow(non_snake_case, missing_docs)]
extern crate crt as _;
use core::ffi::c_void;
#[cfg_attr(target_arch = "x86", link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim", import_name_type = "undecorated"))]
#[cfg_attr(not(target_arch = "x86"), link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim"))]
unsafe extern "system" {
    fn ExAllocatePoolWithTag(kind: u32, size: usize, tag: u32) -> *mut u8;
    fn ExFreePool(p: *mut u8);
    fn KeBugCheckEx(code: u32, a: usize, b: usize, c: usize, d: usize) -> !;
}
#[cfg_attr(target_arch = "x86", link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim", import_name_type = "undecorated"))]
#[cfg_attr(not(target_arch = "x86"), link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim"))]
unsafe extern "C" {
    fn DbgPrint(f: *const u8, ...) -> u32;
}
#[cfg(target_arch = "x86")]
#[cfg_attr(target_arch = "x86", link(name = "hal.dll", kind = "raw-dylib", modifiers = "+verbatim", import_name_type = "undecorated"))]
#[cfg_attr(not(target_arch = "x86"), link(name = "hal.dll", kind = "raw-dylib", modifiers = "+verbatim"))]
unsafe extern "fastcall" {
    fn KfRaiseIrql(level: u8) -> u8;
    fn KfLowerIrql(level: u8);
}
#[cfg_attr(target_arch = "x86", link(name = "ndis.sys", kind = "raw-dylib", modifiers = "+verbatim", import_name_type = "undecorated"))]
#[cfg_attr(not(target_arch = "x86"), link(name = "ndis.sys", kind = "raw-dylib", modifiers = "+verbatim"))]
unsafe extern "system" {
    fn NdisAllocatePacketPool(status: *mut i32, pool: *mut *mut c_void, n: u32, size: u32);
}
static TABLE: [u64; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
static mut COUNT: u64 = 0;
static NAMES: [&str; 2] = ["a", "bc"];

#[unsafe(link_section = "PAGE")]
#[inline(never)]
extern "system" fn paged(x: u64, y: u64) -> u64 {
    let mut a = [0u8; 200];
    unsafe {
        core::ptr::write_volatile(&raw mut COUNT, COUNT + x);
    }
    a[(x & 127) as usize] = NAMES[(y & 1) as usize].len() as u8;
    let b = a;
    x / y + x % y + b[y as usize & 63] as u64 + TABLE[(x as usize) % 9]
}

#[unsafe(link_section = "INIT")]
#[unsafe(no_mangle)]
pub unsafe extern "system" fn DriverEntry(driver: *mut c_void, path: *mut c_void) -> i32 {
    unsafe {
        let p = ExAllocatePoolWithTag(0, 100, 0x41424344);
        core::ptr::write_bytes(p, 7, driver as usize & 63);
        let mut st = 0;
        let mut pool = core::ptr::null_mut();
        NdisAllocatePacketPool(&mut st, &mut pool, 2, 16);
        #[cfg(target_arch = "x86")]
        {
            let o = KfRaiseIrql(2);
            KfLowerIrql(o);
        }
        DbgPrint(c"hello %d".as_ptr().cast(), 5u32);
        let v = paged(driver as u64, path as u64 | 1);
        let i = -(v as i64) / (path as i64 | 3);
        let j = (v as i64) % (path as i64 | 3);
        ExFreePool(p);
        (v as i32) + i as i32 + j as i32
    }
}
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { KeBugCheckEx(0xE2, 0, 0, 0, 0) }
}
