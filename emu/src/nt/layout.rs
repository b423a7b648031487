//! Where the fields of NT's structures are.
//!
//! Only fields that the kernel model reads or writes are listed. Sizes and offsets are those of
//! the public DDK headers (`wdm.h`, `ntddk.h` as in mingw-w64's ddk and windows-sys 0.61) for
//! 32-bit x86 and for the 64-bit machines, which do not differ among themselves. All are in bytes.

use isa::Arch;

/// Declares a structure whose fields are offsets, its size among them.
macro_rules! offsets {
    ($($(#[$doc:meta])* $name:ident { $($field:ident)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub struct $name {
            /// Bytes in the structure.
            pub size: u64,
            $(pub $field: u64,)*
        }
    )*};
}

offsets! {
    /// `LIST_ENTRY`
    ListEntry { flink blink }
    /// `UNICODE_STRING`; `ANSI_STRING` has the same shape.
    UnicodeString { length maximum_length buffer }
    /// `OBJECT_ATTRIBUTES`
    ObjectAttributes { root_directory object_name attributes }
    /// `IO_STATUS_BLOCK`
    IoStatusBlock { status information }
    /// `DISPATCHER_HEADER`, the beginning of every object that can be waited for. Its `size` field
    /// counts 32-bit words.
    DispatcherHeader { kind words signal_state wait_list_head }
    /// `KEVENT`
    Kevent { signal_state }
    /// `KSEMAPHORE`
    Ksemaphore { signal_state limit }
    /// `KMUTANT`
    Kmutant { signal_state owner_thread abandoned apc_disable }
    /// `KDPC` of Windows Server 2003. NT 4.0 and Windows 2000 begin it with a 16-bit type, the
    /// number at 2 and the importance at 3; drivers only use it through functions, so one layout
    /// serves all personalities.
    Kdpc {
        importance number deferred_routine deferred_context system_argument1 system_argument2
        dpc_data
    }
    /// `KTIMER`
    Ktimer { signal_state due_time timer_list_entry dpc period }
    /// `WORK_QUEUE_ITEM`
    WorkQueueItem { worker_routine parameter }
    /// `FAST_MUTEX`
    FastMutex { count owner contention event old_irql }
    /// `IRP`
    Irp {
        kind packet_size mdl_address flags associated_irp thread_list_entry io_status
        requestor_mode pending_returned stack_count current_location cancel cancel_irql
        allocation_flags user_iosb user_event allocation_size cancel_routine user_buffer
        driver_context thread list_entry current_stack_location original_file_object
    }
    /// `IO_STACK_LOCATION`. The parameters are a union; see the fields' prefixes for which major
    /// function they belong to.
    StackLocation {
        major_function minor_function flags control
        argument1 argument2 argument3 argument4
        create_options create_file_attributes create_share_access create_ea_length
        rw_length rw_byte_offset
        ioctl_output_length ioctl_input_length ioctl_code ioctl_type3_input
        device_object file_object completion_routine context
    }
    /// `DEVICE_OBJECT`
    DeviceObject {
        kind object_size reference_count driver_object next_device attached_device current_irp
        timer flags characteristics device_extension device_type stack_size
        alignment_requirement device_queue dpc sector_size device_object_extension
    }
    /// `DRIVER_OBJECT`
    DriverObject {
        kind object_size device_object flags driver_start driver_size driver_section
        driver_extension driver_name hardware_database fast_io_dispatch driver_init
        driver_start_io driver_unload major_function
    }
    /// `DRIVER_EXTENSION`
    DriverExtension { driver_object add_device count service_key_name }
    /// `FILE_OBJECT`
    FileObject {
        kind object_size device_object fs_context fs_context2 final_status related_file_object
        read_access write_access delete_access shared_read shared_write shared_delete flags
        file_name current_byte_offset lock event
    }
    /// `MDL`; an array of page frame numbers follows it.
    Mdl { next words flags process mapped_system_va start_va byte_count byte_offset }
    /// `KEY_VALUE_PARTIAL_INFORMATION` and its relatives begin with 32-bit fields only and need no
    /// table; `RTL_QUERY_REGISTRY_TABLE` has pointers.
    QueryTable {
        query_routine flags name entry_context default_type default_data default_length
    }
}

/// All structures of one pointer size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Layout {
    pub pointer: u64,
    pub list_entry: ListEntry,
    pub unicode_string: UnicodeString,
    pub object_attributes: ObjectAttributes,
    pub io_status_block: IoStatusBlock,
    pub dispatcher_header: DispatcherHeader,
    pub kevent: Kevent,
    pub ksemaphore: Ksemaphore,
    pub kmutant: Kmutant,
    pub kdpc: Kdpc,
    pub ktimer: Ktimer,
    pub work_queue_item: WorkQueueItem,
    pub fast_mutex: FastMutex,
    pub irp: Irp,
    pub stack: StackLocation,
    pub device: DeviceObject,
    pub driver: DriverObject,
    pub driver_extension: DriverExtension,
    pub file: FileObject,
    pub mdl: Mdl,
    pub query_table: QueryTable,
}

/// The structures of an architecture.
pub fn of(arch: Arch) -> &'static Layout {
    match arch {
        Arch::X86 => &ON_32,
        Arch::X64 | Arch::Arm64 => &ON_64,
    }
}

/// 32-bit x86.
pub static ON_32: Layout = Layout {
    pointer: 4,
    list_entry: ListEntry { size: 0x08, flink: 0, blink: 4 },
    unicode_string: UnicodeString { size: 0x08, length: 0, maximum_length: 2, buffer: 4 },
    object_attributes: ObjectAttributes {
        size: 0x18,
        root_directory: 0x04,
        object_name: 0x08,
        attributes: 0x0C,
    },
    io_status_block: IoStatusBlock { size: 0x08, status: 0, information: 4 },
    dispatcher_header: DispatcherHeader {
        size: 0x10,
        kind: 0,
        words: 2,
        signal_state: 4,
        wait_list_head: 8,
    },
    kevent: Kevent { size: 0x10, signal_state: 4 },
    ksemaphore: Ksemaphore { size: 0x14, signal_state: 4, limit: 0x10 },
    kmutant: Kmutant {
        size: 0x20,
        signal_state: 4,
        owner_thread: 0x18,
        abandoned: 0x1C,
        apc_disable: 0x1D,
    },
    kdpc: Kdpc {
        size: 0x20,
        importance: 1,
        number: 2,
        deferred_routine: 0x0C,
        deferred_context: 0x10,
        system_argument1: 0x14,
        system_argument2: 0x18,
        dpc_data: 0x1C,
    },
    ktimer: Ktimer {
        size: 0x28,
        signal_state: 4,
        due_time: 0x10,
        timer_list_entry: 0x18,
        dpc: 0x20,
        period: 0x24,
    },
    work_queue_item: WorkQueueItem { size: 0x10, worker_routine: 0x08, parameter: 0x0C },
    fast_mutex: FastMutex {
        size: 0x20,
        count: 0,
        owner: 4,
        contention: 8,
        event: 0x0C,
        old_irql: 0x1C,
    },
    irp: Irp {
        size: 0x70,
        kind: 0,
        packet_size: 2,
        mdl_address: 0x04,
        flags: 0x08,
        associated_irp: 0x0C,
        thread_list_entry: 0x10,
        io_status: 0x18,
        requestor_mode: 0x20,
        pending_returned: 0x21,
        stack_count: 0x22,
        current_location: 0x23,
        cancel: 0x24,
        cancel_irql: 0x25,
        allocation_flags: 0x27,
        user_iosb: 0x28,
        user_event: 0x2C,
        allocation_size: 0x30,
        cancel_routine: 0x38,
        user_buffer: 0x3C,
        driver_context: 0x40,
        thread: 0x50,
        list_entry: 0x58,
        current_stack_location: 0x60,
        original_file_object: 0x64,
    },
    stack: StackLocation {
        size: 0x24,
        major_function: 0,
        minor_function: 1,
        flags: 2,
        control: 3,
        argument1: 0x04,
        argument2: 0x08,
        argument3: 0x0C,
        argument4: 0x10,
        create_options: 0x08,
        create_file_attributes: 0x0C,
        create_share_access: 0x0E,
        create_ea_length: 0x10,
        rw_length: 0x04,
        rw_byte_offset: 0x0C,
        ioctl_output_length: 0x04,
        ioctl_input_length: 0x08,
        ioctl_code: 0x0C,
        ioctl_type3_input: 0x10,
        device_object: 0x14,
        file_object: 0x18,
        completion_routine: 0x1C,
        context: 0x20,
    },
    device: DeviceObject {
        size: 0xB8,
        kind: 0,
        object_size: 2,
        reference_count: 0x04,
        driver_object: 0x08,
        next_device: 0x0C,
        attached_device: 0x10,
        current_irp: 0x14,
        timer: 0x18,
        flags: 0x1C,
        characteristics: 0x20,
        device_extension: 0x28,
        device_type: 0x2C,
        stack_size: 0x30,
        alignment_requirement: 0x5C,
        device_queue: 0x60,
        dpc: 0x74,
        sector_size: 0xAC,
        device_object_extension: 0xB0,
    },
    driver: DriverObject {
        size: 0xA8,
        kind: 0,
        object_size: 2,
        device_object: 0x04,
        flags: 0x08,
        driver_start: 0x0C,
        driver_size: 0x10,
        driver_section: 0x14,
        driver_extension: 0x18,
        driver_name: 0x1C,
        hardware_database: 0x24,
        fast_io_dispatch: 0x28,
        driver_init: 0x2C,
        driver_start_io: 0x30,
        driver_unload: 0x34,
        major_function: 0x38,
    },
    driver_extension: DriverExtension {
        size: 0x14,
        driver_object: 0,
        add_device: 4,
        count: 8,
        service_key_name: 0x0C,
    },
    file: FileObject {
        size: 0x80,
        kind: 0,
        object_size: 2,
        device_object: 0x04,
        fs_context: 0x0C,
        fs_context2: 0x10,
        final_status: 0x1C,
        related_file_object: 0x20,
        read_access: 0x26,
        write_access: 0x27,
        delete_access: 0x28,
        shared_read: 0x29,
        shared_write: 0x2A,
        shared_delete: 0x2B,
        flags: 0x2C,
        file_name: 0x30,
        current_byte_offset: 0x38,
        lock: 0x4C,
        event: 0x5C,
    },
    mdl: Mdl {
        size: 0x1C,
        next: 0,
        words: 4,
        flags: 6,
        process: 0x08,
        mapped_system_va: 0x0C,
        start_va: 0x10,
        byte_count: 0x14,
        byte_offset: 0x18,
    },
    query_table: QueryTable {
        size: 0x1C,
        query_routine: 0,
        flags: 4,
        name: 8,
        entry_context: 0x0C,
        default_type: 0x10,
        default_data: 0x14,
        default_length: 0x18,
    },
};

/// x64 and ARM64.
pub static ON_64: Layout = Layout {
    pointer: 8,
    list_entry: ListEntry { size: 0x10, flink: 0, blink: 8 },
    unicode_string: UnicodeString { size: 0x10, length: 0, maximum_length: 2, buffer: 8 },
    object_attributes: ObjectAttributes {
        size: 0x30,
        root_directory: 0x08,
        object_name: 0x10,
        attributes: 0x18,
    },
    io_status_block: IoStatusBlock { size: 0x10, status: 0, information: 8 },
    dispatcher_header: DispatcherHeader {
        size: 0x18,
        kind: 0,
        words: 2,
        signal_state: 4,
        wait_list_head: 8,
    },
    kevent: Kevent { size: 0x18, signal_state: 4 },
    ksemaphore: Ksemaphore { size: 0x20, signal_state: 4, limit: 0x18 },
    kmutant: Kmutant {
        size: 0x38,
        signal_state: 4,
        owner_thread: 0x28,
        abandoned: 0x30,
        apc_disable: 0x31,
    },
    kdpc: Kdpc {
        size: 0x40,
        importance: 1,
        number: 2,
        deferred_routine: 0x18,
        deferred_context: 0x20,
        system_argument1: 0x28,
        system_argument2: 0x30,
        dpc_data: 0x38,
    },
    ktimer: Ktimer {
        size: 0x40,
        signal_state: 4,
        due_time: 0x18,
        timer_list_entry: 0x20,
        dpc: 0x30,
        period: 0x3C,
    },
    work_queue_item: WorkQueueItem { size: 0x20, worker_routine: 0x10, parameter: 0x18 },
    fast_mutex: FastMutex {
        size: 0x38,
        count: 0,
        owner: 8,
        contention: 0x10,
        event: 0x18,
        old_irql: 0x30,
    },
    irp: Irp {
        size: 0xD0,
        kind: 0,
        packet_size: 2,
        mdl_address: 0x08,
        flags: 0x10,
        associated_irp: 0x18,
        thread_list_entry: 0x20,
        io_status: 0x30,
        requestor_mode: 0x40,
        pending_returned: 0x41,
        stack_count: 0x42,
        current_location: 0x43,
        cancel: 0x44,
        cancel_irql: 0x45,
        allocation_flags: 0x47,
        user_iosb: 0x48,
        user_event: 0x50,
        allocation_size: 0x58,
        cancel_routine: 0x68,
        user_buffer: 0x70,
        driver_context: 0x78,
        thread: 0x98,
        list_entry: 0xA8,
        current_stack_location: 0xB8,
        original_file_object: 0xC0,
    },
    stack: StackLocation {
        size: 0x48,
        major_function: 0,
        minor_function: 1,
        flags: 2,
        control: 3,
        argument1: 0x08,
        argument2: 0x10,
        argument3: 0x18,
        argument4: 0x20,
        create_options: 0x10,
        create_file_attributes: 0x18,
        create_share_access: 0x1A,
        create_ea_length: 0x20,
        rw_length: 0x08,
        rw_byte_offset: 0x18,
        ioctl_output_length: 0x08,
        ioctl_input_length: 0x10,
        ioctl_code: 0x18,
        ioctl_type3_input: 0x20,
        device_object: 0x28,
        file_object: 0x30,
        completion_routine: 0x38,
        context: 0x40,
    },
    device: DeviceObject {
        size: 0x148,
        kind: 0,
        object_size: 2,
        reference_count: 0x04,
        driver_object: 0x08,
        next_device: 0x10,
        attached_device: 0x18,
        current_irp: 0x20,
        timer: 0x28,
        flags: 0x30,
        characteristics: 0x34,
        device_extension: 0x40,
        device_type: 0x48,
        stack_size: 0x4C,
        alignment_requirement: 0x98,
        device_queue: 0xA0,
        dpc: 0xC8,
        sector_size: 0x130,
        device_object_extension: 0x138,
    },
    driver: DriverObject {
        size: 0x150,
        kind: 0,
        object_size: 2,
        device_object: 0x08,
        flags: 0x10,
        driver_start: 0x18,
        driver_size: 0x20,
        driver_section: 0x28,
        driver_extension: 0x30,
        driver_name: 0x38,
        hardware_database: 0x48,
        fast_io_dispatch: 0x50,
        driver_init: 0x58,
        driver_start_io: 0x60,
        driver_unload: 0x68,
        major_function: 0x70,
    },
    driver_extension: DriverExtension {
        size: 0x28,
        driver_object: 0,
        add_device: 8,
        count: 0x10,
        service_key_name: 0x18,
    },
    file: FileObject {
        size: 0xD8,
        kind: 0,
        object_size: 2,
        device_object: 0x08,
        fs_context: 0x18,
        fs_context2: 0x20,
        final_status: 0x38,
        related_file_object: 0x40,
        read_access: 0x4A,
        write_access: 0x4B,
        delete_access: 0x4C,
        shared_read: 0x4D,
        shared_write: 0x4E,
        shared_delete: 0x4F,
        flags: 0x50,
        file_name: 0x58,
        current_byte_offset: 0x68,
        lock: 0x80,
        event: 0x98,
    },
    mdl: Mdl {
        size: 0x30,
        next: 0,
        words: 8,
        flags: 0x0A,
        process: 0x10,
        mapped_system_va: 0x18,
        start_va: 0x20,
        byte_count: 0x28,
        byte_offset: 0x2C,
    },
    query_table: QueryTable {
        size: 0x38,
        query_routine: 0,
        flags: 8,
        name: 0x10,
        entry_context: 0x18,
        default_type: 0x20,
        default_data: 0x28,
        default_length: 0x30,
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes as `sizeof` gives them for the DDK's headers, and offsets that windows-sys measures
    /// alike.
    #[test]
    fn numbers_of_the_ddk() {
        let table: &[(&str, u64, u64, fn(&Layout) -> u64)] = &[
            ("DISPATCHER_HEADER", 0x10, 0x18, |l| l.dispatcher_header.size),
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
            ("IRP.CurrentStackLocation", 0x60, 0xB8, |l| l.irp.current_stack_location),
            ("IO_STACK_LOCATION", 0x24, 0x48, |l| l.stack.size),
            ("IO_STACK_LOCATION.Context", 0x20, 0x40, |l| l.stack.context),
            ("DEVICE_OBJECT", 0xB8, 0x148, |l| l.device.size),
            ("DEVICE_OBJECT.Dpc", 0x74, 0xC8, |l| l.device.dpc),
            ("DRIVER_OBJECT", 0xA8, 0x150, |l| l.driver.size),
            ("DRIVER_OBJECT.MajorFunction", 0x38, 0x70, |l| l.driver.major_function),
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
            assert_eq!(l.irp.user_iosb, l.irp.io_status + l.io_status_block.size + 8);
            assert_eq!(l.irp.io_status, l.irp.thread_list_entry + l.list_entry.size);
            assert_eq!(l.irp.thread, l.irp.driver_context + 4 * l.pointer);
            assert_eq!(l.stack.device_object, l.stack.argument4 + l.pointer);
            assert_eq!(l.file.event, l.file.lock + l.kevent.size);
            assert_eq!(l.file.file_name + l.unicode_string.size, l.file.current_byte_offset);
            assert_eq!(l.ktimer.due_time, l.dispatcher_header.size);
            assert_eq!(
                l.driver_extension.service_key_name + l.unicode_string.size,
                l.driver_extension.size
            );
            assert_eq!(l.fast_mutex.event + l.kevent.size, l.fast_mutex.old_irql);
        }
    }
}
