//! The sizes and offsets that the drivers rely on, checked at compile time.
//!
//! The numbers are those of the DDK's `wdm.h` and `ntddk.h` for x86 and for the 64-bit machines.

use core::mem::offset_of;

use crate::io::{CREATE_PARAMETERS, IOCTL_PARAMETERS};
use crate::ip::IPRcvBuf;
use crate::ndis::{NDIS_PACKET, NDIS_REQUEST};
use crate::types::*;

const fn by_width(on_32: usize, on_64: usize) -> usize {
    if size_of::<usize>() == 4 {
        on_32
    } else {
        on_64
    }
}

macro_rules! check {
    ($($what:expr => $on_32:literal, $on_64:literal;)*) => {
        $(const _: () = assert!($what == by_width($on_32, $on_64));)*
    };
}

check! {
    size_of::<DISPATCHER_HEADER>() => 0x10, 0x18;
    size_of::<KEVENT>() => 0x10, 0x18;
    size_of::<KDPC>() => 0x20, 0x40;
    offset_of!(KDPC, DeferredRoutine) => 0x0C, 0x18;
    size_of::<KTIMER>() => 0x28, 0x40;
    size_of::<MDL>() => 0x1C, 0x30;
    offset_of!(MDL, MappedSystemVa) => 0x0C, 0x18;
    offset_of!(MDL, ByteCount) => 0x14, 0x28;
    size_of::<IRP>() => 0x70, 0xD0;
    offset_of!(IRP, IoStatus) => 0x18, 0x30;
    offset_of!(IRP, CurrentLocation) => 0x23, 0x43;
    offset_of!(IRP, CancelRoutine) => 0x38, 0x68;
    offset_of!(IRP, Tail) => 0x40, 0x78;
    size_of::<IO_STACK_LOCATION>() => 0x24, 0x48;
    offset_of!(IO_STACK_LOCATION, Parameters) => 0x04, 0x08;
    offset_of!(IO_STACK_LOCATION, FileObject) => 0x18, 0x30;
    offset_of!(IO_STACK_LOCATION, CompletionRoutine) => 0x1C, 0x38;
    offset_of!(DEVICE_OBJECT, DeviceExtension) => 0x28, 0x40;
    offset_of!(DEVICE_OBJECT, StackSize) => 0x30, 0x4C;
    offset_of!(DRIVER_OBJECT, DriverUnload) => 0x34, 0x68;
    offset_of!(DRIVER_OBJECT, MajorFunction) => 0x38, 0x70;
    offset_of!(FILE_OBJECT, FsContext) => 0x0C, 0x18;
    offset_of!(FILE_OBJECT, FsContext2) => 0x10, 0x20;
    offset_of!(CREATE_PARAMETERS, EaLength) => 0x0C, 0x18;
    offset_of!(IOCTL_PARAMETERS, InputBufferLength) => 0x04, 0x08;
    offset_of!(IOCTL_PARAMETERS, IoControlCode) => 0x08, 0x10;
    offset_of!(IOCTL_PARAMETERS, Type3InputBuffer) => 0x0C, 0x18;
    size_of::<IPRcvBuf>() => 0x24, 0x40;
    offset_of!(IPRcvBuf, ipr_buffer) => 0x08, 0x10;
    offset_of!(IPRcvBuf, ipr_size) => 0x0C, 0x18;
    size_of::<NDIS_PACKET>() => 0x38, 0x60;
    offset_of!(NDIS_REQUEST, Data.Oid) => 0x14, 0x28;
    offset_of!(NDIS_REQUEST, Data.InformationBuffer) => 0x18, 0x30;
}
