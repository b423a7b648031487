//! Where the fields of NDIS's structures are: `ndis.h` for 32-bit x86 and for the 64-bit machines.

use isa::Arch;

/// One structure per block, one field per line: its offset on x86, then on the 64-bit machines.
macro_rules! layouts {
    ($(
        $(#[$doc:meta])*
        $member:ident $name:ident { $($field:ident $on32:literal $on64:literal;)* }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Hash)]
            pub(super) struct $name { $(pub $field: u64,)* }
        )*

        /// All structures of one pointer size.
        #[derive(Clone, Copy, Debug, Hash)]
        pub(super) struct Layout { $(pub $member: $name,)* }

        /// 32-bit x86.
        static ON_32: Layout = Layout { $($member: $name { $($field: $on32,)* },)* };
        /// x64 and ARM64.
        static ON_64: Layout = Layout { $($member: $name { $($field: $on64,)* },)* };
    };
}

/// The structures of an architecture.
pub(super) fn of(arch: Arch) -> &'static Layout {
    if arch.pointer_size() == 4 {
        &ON_32
    } else {
        &ON_64
    }
}

layouts! {
    /// `NDIS_PACKET`; what the protocol reserved follows.
    packet Packet {
        physical_count  0x00 0x00;
        total_length    0x04 0x04;
        head            0x08 0x08;
        tail            0x0C 0x10;
        pool            0x10 0x18;
        count           0x14 0x20;
        valid_counts    0x1C 0x28;
        ndis_flags      0x1D 0x29;
        oob_offset      0x1E 0x2A;
        size            0x38 0x60;
    }
    /// `NDIS_PACKET_OOB_DATA`; `NDIS_PACKET_EXTENSION` follows.
    oob Oob {
        time_received   0x08 0x08;
        header_size     0x10 0x10;
        status          0x1C 0x20;
        size            0x20 0x28;
    }
    /// `NDIS_REQUEST`
    request Request {
        kind            0x10 0x20;
        oid             0x14 0x28;
        buffer          0x18 0x30;
        length          0x1C 0x38;
        done            0x20 0x3C;
        needed          0x24 0x40;
    }
    /// `NDIS_PROTOCOL_CHARACTERISTICS`: the sizes are those of NDIS 3.0 and of NDIS 4.0.
    characteristics Characteristics {
        send_complete     0x10 0x18;
        receive           0x20 0x38;
        receive_complete  0x24 0x40;
        close_complete    0x0C 0x10;
        name              0x30 0x58;
        size_30           0x38 0x68;
        receive_packet    0x38 0x68;
        bind_adapter      0x3C 0x70;
        size_40           0x4C 0x90;
    }
}

#[cfg(test)]
mod tests {
    use std::mem::{offset_of, size_of};

    use super::*;

    /// The structures as `ndis.h` declares them, for a pointer of type `P`.
    mod header {
        #[repr(C)]
        pub struct UnicodeString<P> {
            pub length: u16,
            pub maximum: u16,
            pub buffer: P,
        }
        #[repr(C)]
        pub struct Private<P> {
            pub physical_count: u32,
            pub total_length: u32,
            pub head: P,
            pub tail: P,
            pub pool: P,
            pub count: u32,
            pub flags: u32,
            pub valid_counts: u8,
            pub ndis_flags: u8,
            pub oob_offset: u16,
        }
        #[repr(C)]
        pub struct Packet<P> {
            pub private: Private<P>,
            pub mac_reserved: [P; 4],
            pub reserved: [P; 2],
        }
        #[repr(C)]
        pub struct Oob<P> {
            pub time_to_send: u64,
            pub time_received: u64,
            pub header_size: u32,
            pub media_size: u32,
            pub media: P,
            pub status: u32,
        }
        #[repr(C)]
        pub struct Information<P> {
            pub oid: u32,
            pub buffer: P,
            pub length: u32,
            pub done: u32,
            pub needed: u32,
        }
        #[repr(C)]
        pub struct Request<P> {
            pub mac_reserved: [P; 4],
            pub kind: u32,
            pub data: Information<P>,
        }
        #[repr(C)]
        pub struct Characteristics<P> {
            pub major: u8,
            pub minor: u8,
            pub reserved: u32,
            pub open_complete: P,
            pub close_complete: P,
            pub send_complete: P,
            pub transfer_complete: P,
            pub reset_complete: P,
            pub request_complete: P,
            pub receive: P,
            pub receive_complete: P,
            pub status: P,
            pub status_complete: P,
            pub name: UnicodeString<P>,
            pub receive_packet: P,
            pub bind_adapter: P,
            pub unbind_adapter: P,
            pub translate: P,
            pub unload: P,
        }
    }

    fn check<P>(l: &Layout) {
        use header::{Characteristics, Information, Oob, Packet, Private, Request};
        let offsets = [
            (
                l.packet.physical_count,
                offset_of!(Private<P>, physical_count),
            ),
            (l.packet.total_length, offset_of!(Private<P>, total_length)),
            (l.packet.head, offset_of!(Private<P>, head)),
            (l.packet.tail, offset_of!(Private<P>, tail)),
            (l.packet.pool, offset_of!(Private<P>, pool)),
            (l.packet.count, offset_of!(Private<P>, count)),
            (l.packet.valid_counts, offset_of!(Private<P>, valid_counts)),
            (l.packet.ndis_flags, offset_of!(Private<P>, ndis_flags)),
            (l.packet.oob_offset, offset_of!(Private<P>, oob_offset)),
            (l.packet.size, size_of::<Packet<P>>()),
            (l.oob.time_received, offset_of!(Oob<P>, time_received)),
            (l.oob.header_size, offset_of!(Oob<P>, header_size)),
            (l.oob.status, offset_of!(Oob<P>, status)),
            (l.oob.size, size_of::<Oob<P>>()),
            (l.request.kind, offset_of!(Request<P>, kind)),
            (l.request.oid, offset_of!(Request<P>, data)),
            (
                l.request.buffer - l.request.oid,
                offset_of!(Information<P>, buffer),
            ),
            (
                l.request.length - l.request.oid,
                offset_of!(Information<P>, length),
            ),
            (
                l.request.done - l.request.oid,
                offset_of!(Information<P>, done),
            ),
            (
                l.request.needed - l.request.oid,
                offset_of!(Information<P>, needed),
            ),
            (
                l.characteristics.close_complete,
                offset_of!(Characteristics<P>, close_complete),
            ),
            (
                l.characteristics.send_complete,
                offset_of!(Characteristics<P>, send_complete),
            ),
            (
                l.characteristics.receive,
                offset_of!(Characteristics<P>, receive),
            ),
            (
                l.characteristics.receive_complete,
                offset_of!(Characteristics<P>, receive_complete),
            ),
            (l.characteristics.name, offset_of!(Characteristics<P>, name)),
            (
                l.characteristics.size_30,
                offset_of!(Characteristics<P>, receive_packet),
            ),
            (
                l.characteristics.receive_packet,
                offset_of!(Characteristics<P>, receive_packet),
            ),
            (
                l.characteristics.bind_adapter,
                offset_of!(Characteristics<P>, bind_adapter),
            ),
            (l.characteristics.size_40, size_of::<Characteristics<P>>()),
        ];
        for (i, (here, there)) in offsets.into_iter().enumerate() {
            assert_eq!(here, there as u64, "row {i}");
        }
    }

    #[test]
    fn offsets_are_those_of_the_header() {
        check::<u32>(of(Arch::X86));
        check::<u64>(of(Arch::X64));
        check::<u64>(of(Arch::Arm64));
    }
}
