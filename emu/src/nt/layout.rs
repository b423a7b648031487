//! Where the fields of NT's structures are.
//!
//! Only fields that the kernel model reads or writes are listed. Sizes and offsets are those of
//! the public DDK headers (`wdm.h`, `ntddk.h` as in mingw-w64's ddk and windows-sys 0.61) for
//! 32-bit x86 and for the 64-bit machines, which do not differ among themselves. All are in bytes.

use isa::Arch;

/// One structure per block, one field per line: its offset on x86, then on the 64-bit machines.
macro_rules! layouts {
    ($(
        $(#[$doc:meta])*
        $member:ident $name:ident { size $size32:literal $size64:literal; $(
            $field:ident $on32:literal $on64:literal;
        )* }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            #[allow(missing_docs)]
            pub struct $name {
                /// Bytes in the structure.
                pub size: u64,
                $(pub $field: u64,)*
            }
        )*

        /// All structures of one pointer size.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub struct Layout {
            pub pointer: u64,
            $(pub $member: $name,)*
        }

        /// 32-bit x86.
        pub static ON_32: Layout = Layout {
            pointer: 4,
            $($member: $name { size: $size32, $($field: $on32,)* },)*
        };

        /// x64 and ARM64.
        pub static ON_64: Layout = Layout {
            pointer: 8,
            $($member: $name { size: $size64, $($field: $on64,)* },)*
        };
    };
}

/// The structures of an architecture.
pub fn of(arch: Arch) -> &'static Layout {
    match arch {
        Arch::X86 => &ON_32,
        Arch::X64 | Arch::Arm64 => &ON_64,
    }
}

layouts! {
    /// `LIST_ENTRY`
    list_entry ListEntry {
        size                    0x08  0x10;
        flink                   0x00  0x00;
        blink                   0x04  0x08;
    }
    /// `UNICODE_STRING`; `ANSI_STRING` has the same shape.
    unicode_string UnicodeString {
        size                    0x08  0x10;
        length                  0x00  0x00;
        maximum_length          0x02  0x02;
        buffer                  0x04  0x08;
    }
    /// `OBJECT_ATTRIBUTES`
    object_attributes ObjectAttributes {
        size                    0x18  0x30;
        root_directory          0x04  0x08;
        object_name             0x08  0x10;
        attributes              0x0C  0x18;
    }
    /// `IO_STATUS_BLOCK`
    io_status_block IoStatusBlock {
        size                    0x08  0x10;
        status                  0x00  0x00;
        information             0x04  0x08;
    }
    /// `DISPATCHER_HEADER`, the beginning of every object that can be waited for. Its `size` field
    /// counts 32-bit words.
    dispatcher_header DispatcherHeader {
        size                    0x10  0x18;
        kind                    0x00  0x00;
        words                   0x02  0x02;
        signal_state            0x04  0x04;
        wait_list_head          0x08  0x08;
    }
    /// `KEVENT`
    kevent Kevent {
        size                    0x10  0x18;
        signal_state            0x04  0x04;
    }
    /// `KSEMAPHORE`
    ksemaphore Ksemaphore {
        size                    0x14  0x20;
        signal_state            0x04  0x04;
        limit                   0x10  0x18;
    }
    /// `KMUTANT`
    kmutant Kmutant {
        size                    0x20  0x38;
        signal_state            0x04  0x04;
        owner_thread            0x18  0x28;
        abandoned               0x1C  0x30;
        apc_disable             0x1D  0x31;
    }
    /// `KDPC` of Windows Server 2003. NT 4.0 and Windows 2000 begin it with a 16-bit type, the
    /// number at 2 and the importance at 3; drivers only use it through functions, so one layout
    /// serves all personalities.
    kdpc Kdpc {
        size                    0x20  0x40;
        importance              0x01  0x01;
        number                  0x02  0x02;
        deferred_routine        0x0C  0x18;
        deferred_context        0x10  0x20;
        system_argument1        0x14  0x28;
        system_argument2        0x18  0x30;
        dpc_data                0x1C  0x38;
    }
    /// `KTIMER`
    ktimer Ktimer {
        size                    0x28  0x40;
        signal_state            0x04  0x04;
        due_time                0x10  0x18;
        timer_list_entry        0x18  0x20;
        dpc                     0x20  0x30;
        period                  0x24  0x3C;
    }
    /// `WORK_QUEUE_ITEM`
    work_queue_item WorkQueueItem {
        size                    0x10  0x20;
        worker_routine          0x08  0x10;
        parameter               0x0C  0x18;
    }
    /// `FAST_MUTEX`
    fast_mutex FastMutex {
        size                    0x20  0x38;
        count                   0x00  0x00;
        owner                   0x04  0x08;
        contention              0x08  0x10;
        event                   0x0C  0x18;
        old_irql                0x1C  0x30;
    }
    /// `IRP`
    irp Irp {
        size                    0x70  0xD0;
        kind                    0x00  0x00;
        packet_size             0x02  0x02;
        mdl_address             0x04  0x08;
        flags                   0x08  0x10;
        associated_irp          0x0C  0x18;
        thread_list_entry       0x10  0x20;
        io_status               0x18  0x30;
        requestor_mode          0x20  0x40;
        pending_returned        0x21  0x41;
        stack_count             0x22  0x42;
        current_location        0x23  0x43;
        cancel                  0x24  0x44;
        cancel_irql             0x25  0x45;
        allocation_flags        0x27  0x47;
        user_iosb               0x28  0x48;
        user_event              0x2C  0x50;
        allocation_size         0x30  0x58;
        cancel_routine          0x38  0x68;
        user_buffer             0x3C  0x70;
        driver_context          0x40  0x78;
        thread                  0x50  0x98;
        list_entry              0x58  0xA8;
        current_stack_location  0x60  0xB8;
        original_file_object    0x64  0xC0;
    }
    /// `IO_STACK_LOCATION`. The parameters are a union; see the fields' prefixes for which major
    /// function they belong to.
    stack StackLocation {
        size                    0x24  0x48;
        major_function          0x00  0x00;
        minor_function          0x01  0x01;
        flags                   0x02  0x02;
        control                 0x03  0x03;
        argument1               0x04  0x08;
        argument2               0x08  0x10;
        argument3               0x0C  0x18;
        argument4               0x10  0x20;
        create_options          0x08  0x10;
        create_file_attributes  0x0C  0x18;
        create_share_access     0x0E  0x1A;
        create_ea_length        0x10  0x20;
        rw_length               0x04  0x08;
        rw_byte_offset          0x0C  0x18;
        ioctl_output_length     0x04  0x08;
        ioctl_input_length      0x08  0x10;
        ioctl_code              0x0C  0x18;
        ioctl_type3_input       0x10  0x20;
        device_object           0x14  0x28;
        file_object             0x18  0x30;
        completion_routine      0x1C  0x38;
        context                 0x20  0x40;
    }
    /// `DEVICE_OBJECT`
    device DeviceObject {
        size                    0xB8 0x148;
        kind                    0x00  0x00;
        object_size             0x02  0x02;
        reference_count         0x04  0x04;
        driver_object           0x08  0x08;
        next_device             0x0C  0x10;
        attached_device         0x10  0x18;
        current_irp             0x14  0x20;
        timer                   0x18  0x28;
        flags                   0x1C  0x30;
        characteristics         0x20  0x34;
        device_extension        0x28  0x40;
        device_type             0x2C  0x48;
        stack_size              0x30  0x4C;
        alignment_requirement   0x5C  0x98;
        device_queue            0x60  0xA0;
        dpc                     0x74  0xC8;
        sector_size             0xAC 0x130;
        device_object_extension  0xB0 0x138;
    }
    /// `DRIVER_OBJECT`
    driver DriverObject {
        size                    0xA8 0x150;
        kind                    0x00  0x00;
        object_size             0x02  0x02;
        device_object           0x04  0x08;
        flags                   0x08  0x10;
        driver_start            0x0C  0x18;
        driver_size             0x10  0x20;
        driver_section          0x14  0x28;
        driver_extension        0x18  0x30;
        driver_name             0x1C  0x38;
        hardware_database       0x24  0x48;
        fast_io_dispatch        0x28  0x50;
        driver_init             0x2C  0x58;
        driver_start_io         0x30  0x60;
        driver_unload           0x34  0x68;
        major_function          0x38  0x70;
    }
    /// `DRIVER_EXTENSION`
    driver_extension DriverExtension {
        size                    0x14  0x28;
        driver_object           0x00  0x00;
        add_device              0x04  0x08;
        count                   0x08  0x10;
        service_key_name        0x0C  0x18;
    }
    /// `FILE_OBJECT`
    file FileObject {
        size                    0x80  0xD8;
        kind                    0x00  0x00;
        object_size             0x02  0x02;
        device_object           0x04  0x08;
        fs_context              0x0C  0x18;
        fs_context2             0x10  0x20;
        final_status            0x1C  0x38;
        related_file_object     0x20  0x40;
        read_access             0x26  0x4A;
        write_access            0x27  0x4B;
        delete_access           0x28  0x4C;
        shared_read             0x29  0x4D;
        shared_write            0x2A  0x4E;
        shared_delete           0x2B  0x4F;
        flags                   0x2C  0x50;
        file_name               0x30  0x58;
        current_byte_offset     0x38  0x68;
        lock                    0x4C  0x80;
        event                   0x5C  0x98;
    }
    /// `MDL`; an array of page frame numbers follows it.
    mdl Mdl {
        size                    0x1C  0x30;
        next                    0x00  0x00;
        words                   0x04  0x08;
        flags                   0x06  0x0A;
        process                 0x08  0x10;
        mapped_system_va        0x0C  0x18;
        start_va                0x10  0x20;
        byte_count              0x14  0x28;
        byte_offset             0x18  0x2C;
    }
    /// `RTL_QUERY_REGISTRY_TABLE`
    query_table QueryTable {
        size                    0x1C  0x38;
        query_routine           0x00  0x00;
        flags                   0x04  0x08;
        name                    0x08  0x10;
        entry_context           0x0C  0x18;
        default_type            0x10  0x20;
        default_data            0x14  0x28;
        default_length          0x18  0x30;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What, its size or offset on x86 and on the 64-bit machines, and where the table has it.
    type Row = (&'static str, u64, u64, fn(&Layout) -> u64);

    /// Sizes as `sizeof` gives them for the DDK's headers, and offsets that windows-sys measures
    /// alike.
    #[test]
    fn numbers_of_the_ddk() {
        let table: &[Row] = &[
            ("DISPATCHER_HEADER", 0x10, 0x18, |l| {
                l.dispatcher_header.size
            }),
            ("KEVENT", 0x10, 0x18, |l| l.kevent.size),
            ("KSEMAPHORE", 0x14, 0x20, |l| l.ksemaphore.size),
            ("KMUTANT", 0x20, 0x38, |l| l.kmutant.size),
            ("KDPC", 0x20, 0x40, |l| l.kdpc.size),
            ("KDPC.DpcData", 0x1C, 0x38, |l| l.kdpc.dpc_data),
            ("KTIMER", 0x28, 0x40, |l| l.ktimer.size),
            ("KTIMER.Period", 0x24, 0x3C, |l| l.ktimer.period),
            ("FAST_MUTEX", 0x20, 0x38, |l| l.fast_mutex.size),
            ("IRP", 0x70, 0xD0, |l| l.irp.size),
            ("IRP.CancelRoutine", 0x38, 0x68, |l| l.irp.cancel_routine),
            ("IRP.Tail", 0x40, 0x78, |l| l.irp.driver_context),
            ("IRP.CurrentStackLocation", 0x60, 0xB8, |l| {
                l.irp.current_stack_location
            }),
            ("IO_STACK_LOCATION", 0x24, 0x48, |l| l.stack.size),
            ("IO_STACK_LOCATION.Context", 0x20, 0x40, |l| l.stack.context),
            ("DEVICE_OBJECT", 0xB8, 0x148, |l| l.device.size),
            ("DEVICE_OBJECT.Dpc", 0x74, 0xC8, |l| l.device.dpc),
            ("DRIVER_OBJECT", 0xA8, 0x150, |l| l.driver.size),
            ("DRIVER_OBJECT.MajorFunction", 0x38, 0x70, |l| {
                l.driver.major_function
            }),
            ("FILE_OBJECT", 0x80, 0xD8, |l| l.file.size),
            ("FILE_OBJECT.FileName", 0x30, 0x58, |l| l.file.file_name),
            ("MDL", 0x1C, 0x30, |l| l.mdl.size),
        ];
        for (what, on_32, on_64, get) in table {
            assert_eq!((get(&ON_32), get(&ON_64)), (*on_32, *on_64), "{what}");
        }
    }

    /// Structures that contain others end where the contained ones say.
    #[test]
    fn structures_fit_together() {
        for l in [&ON_32, &ON_64] {
            assert_eq!(l.driver.major_function + 28 * l.pointer, l.driver.size);
            assert_eq!(
                l.irp.user_iosb,
                l.irp.io_status + l.io_status_block.size + 8
            );
            assert_eq!(l.irp.io_status, l.irp.thread_list_entry + l.list_entry.size);
            assert_eq!(l.irp.thread, l.irp.driver_context + 4 * l.pointer);
            assert_eq!(l.stack.device_object, l.stack.argument4 + l.pointer);
            assert_eq!(l.file.event, l.file.lock + l.kevent.size);
            assert_eq!(
                l.file.file_name + l.unicode_string.size,
                l.file.current_byte_offset
            );
            assert_eq!(l.ktimer.due_time, l.dispatcher_header.size);
            assert_eq!(
                l.driver_extension.service_key_name + l.unicode_string.size,
                l.driver_extension.size
            );
            assert_eq!(l.fast_mutex.event + l.kevent.size, l.fast_mutex.old_irql);
        }
    }
}
