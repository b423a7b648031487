//! The functions that `ndis.sys` exports to protocol drivers, and what implements them.

use super::{buffer, memory, packet, protocol, receive, request, send};
use crate::nt::api::{Api, Arg, Contract, Module, Style, long, ptr, quad};
use crate::nt::{Call, Done};

const DDK: &str = "Windows 2000 DDK: Network Drivers, NDIS functions for protocol drivers; ndis.h";

const fn row(
    name: &'static str,
    args: &'static [Arg],
    irql: Contract,
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    Api {
        name,
        module: Module::Ndis,
        style: Style::Std,
        args,
        irql,
        source: DDK,
        handler,
    }
}

use Contract::{Any, Dispatch, ExactlyDispatch, Passive};

/// NDIS functions.
pub const API: &[Api] = &[
    // Protocols and bindings.
    row(
        "NdisRegisterProtocol",
        &[
            ptr("Status"),
            ptr("NdisProtocolHandle"),
            ptr("ProtocolCharacteristics"),
            long("Length"),
        ],
        Passive,
        protocol::register,
    ),
    row(
        "NdisDeregisterProtocol",
        &[ptr("Status"), ptr("NdisProtocolHandle")],
        Passive,
        protocol::deregister,
    ),
    row(
        "NdisOpenAdapter",
        &[
            ptr("Status"),
            ptr("OpenErrorStatus"),
            ptr("NdisBindingHandle"),
            ptr("SelectedMediumIndex"),
            ptr("MediumArray"),
            long("MediumArraySize"),
            ptr("NdisProtocolHandle"),
            ptr("ProtocolBindingContext"),
            ptr("AdapterName"),
            long("OpenOptions"),
            ptr("AddressingInformation"),
        ],
        Passive,
        protocol::open,
    ),
    row(
        "NdisCloseAdapter",
        &[ptr("Status"), ptr("NdisBindingHandle")],
        Passive,
        protocol::close,
    ),
    row(
        "NdisRequest",
        &[ptr("Status"), ptr("NdisBindingHandle"), ptr("NdisRequest")],
        Dispatch,
        request::request,
    ),
    // Sending and receiving.
    row(
        "NdisSend",
        &[ptr("Status"), ptr("NdisBindingHandle"), ptr("Packet")],
        Dispatch,
        send::send,
    ),
    row(
        "NdisSendPackets",
        &[
            ptr("NdisBindingHandle"),
            ptr("PacketArray"),
            long("NumberOfPackets"),
        ],
        Dispatch,
        send::send_packets,
    ),
    row(
        "NdisTransferData",
        &[
            ptr("Status"),
            ptr("NdisBindingHandle"),
            ptr("MacReceiveContext"),
            long("ByteOffset"),
            long("BytesToTransfer"),
            ptr("Packet"),
            ptr("BytesTransferred"),
        ],
        ExactlyDispatch,
        send::transfer_data,
    ),
    row(
        "NdisReturnPackets",
        &[ptr("PacketsToReturn"), long("NumberOfPackets")],
        Dispatch,
        receive::return_packets,
    ),
    row(
        "NdisGetReceivedPacket",
        &[ptr("NdisBindingHandle"), ptr("MacContext")],
        Dispatch,
        receive::received_packet,
    ),
    // Packets.
    row(
        "NdisAllocatePacketPool",
        &[
            ptr("Status"),
            ptr("PoolHandle"),
            long("NumberOfDescriptors"),
            long("ProtocolReservedLength"),
        ],
        Dispatch,
        packet::allocate_pool,
    ),
    row(
        "NdisAllocatePacketPoolEx",
        &[
            ptr("Status"),
            ptr("PoolHandle"),
            long("NumberOfDescriptors"),
            long("NumberOfOverflowDescriptors"),
            long("ProtocolReservedLength"),
        ],
        Dispatch,
        packet::allocate_pool_ex,
    ),
    row(
        "NdisFreePacketPool",
        &[ptr("PoolHandle")],
        Dispatch,
        packet::free_pool,
    ),
    row(
        "NdisPacketPoolUsage",
        &[ptr("PoolHandle")],
        Dispatch,
        packet::pool_usage,
    ),
    row(
        "NdisAllocatePacket",
        &[ptr("Status"), ptr("Packet"), ptr("PoolHandle")],
        Dispatch,
        packet::allocate_call,
    ),
    row(
        "NdisFreePacket",
        &[ptr("Packet")],
        Dispatch,
        packet::free_call,
    ),
    row(
        "NdisUnchainBufferAtFront",
        &[ptr("Packet"), ptr("Buffer")],
        Dispatch,
        packet::unchain_front,
    ),
    row(
        "NdisUnchainBufferAtBack",
        &[ptr("Packet"), ptr("Buffer")],
        Dispatch,
        packet::unchain_back,
    ),
    row(
        "NdisGetFirstBufferFromPacket",
        &[
            ptr("Packet"),
            ptr("FirstBuffer"),
            ptr("FirstBufferVA"),
            ptr("FirstBufferLength"),
            ptr("TotalBufferLength"),
        ],
        Dispatch,
        packet::first_buffer,
    ),
    row(
        "NdisGetFirstBufferFromPacketSafe",
        &[
            ptr("Packet"),
            ptr("FirstBuffer"),
            ptr("FirstBufferVA"),
            ptr("FirstBufferLength"),
            ptr("TotalBufferLength"),
            long("Priority"),
        ],
        Dispatch,
        packet::first_buffer,
    ),
    row(
        "NdisCopyFromPacketToPacket",
        &[
            ptr("Destination"),
            long("DestinationOffset"),
            long("BytesToCopy"),
            ptr("Source"),
            long("SourceOffset"),
            ptr("BytesCopied"),
        ],
        Dispatch,
        packet::copy,
    ),
    row(
        "NdisCopyFromPacketToPacketSafe",
        &[
            ptr("Destination"),
            long("DestinationOffset"),
            long("BytesToCopy"),
            ptr("Source"),
            long("SourceOffset"),
            ptr("BytesCopied"),
            long("Priority"),
        ],
        Dispatch,
        packet::copy,
    ),
    // Buffers.
    row(
        "NdisAllocateBufferPool",
        &[
            ptr("Status"),
            ptr("PoolHandle"),
            long("NumberOfDescriptors"),
        ],
        Dispatch,
        buffer::allocate_pool,
    ),
    row(
        "NdisFreeBufferPool",
        &[ptr("PoolHandle")],
        Dispatch,
        buffer::free_pool,
    ),
    row(
        "NdisAllocateBuffer",
        &[
            ptr("Status"),
            ptr("Buffer"),
            ptr("PoolHandle"),
            ptr("VirtualAddress"),
            long("Length"),
        ],
        Dispatch,
        buffer::allocate_call,
    ),
    row(
        "NdisCopyBuffer",
        &[
            ptr("Status"),
            ptr("Buffer"),
            ptr("PoolHandle"),
            ptr("MemoryDescriptor"),
            long("Offset"),
            long("Length"),
        ],
        Dispatch,
        buffer::copy,
    ),
    row(
        "NdisFreeBuffer",
        &[ptr("Buffer")],
        Dispatch,
        buffer::free_call,
    ),
    row(
        "NdisQueryBuffer",
        &[ptr("Buffer"), ptr("VirtualAddress"), ptr("Length")],
        Dispatch,
        buffer::query,
    ),
    row(
        "NdisQueryBufferSafe",
        &[
            ptr("Buffer"),
            ptr("VirtualAddress"),
            ptr("Length"),
            long("Priority"),
        ],
        Dispatch,
        buffer::query,
    ),
    row(
        "NdisQueryBufferOffset",
        &[ptr("Buffer"), ptr("Offset"), ptr("Length")],
        Any,
        buffer::query_offset,
    ),
    row("NdisBufferLength", &[ptr("Buffer")], Any, buffer::length),
    row(
        "NdisBufferVirtualAddress",
        &[ptr("Buffer")],
        Dispatch,
        buffer::virtual_address,
    ),
    row(
        "NdisAdjustBufferLength",
        &[ptr("Buffer"), long("Length")],
        Any,
        buffer::adjust_length,
    ),
    // Memory.
    row(
        "NdisAllocateMemory",
        &[
            ptr("VirtualAddress"),
            long("Length"),
            long("MemoryFlags"),
            quad("HighestAcceptableAddress"),
        ],
        Dispatch,
        memory::allocate_call,
    ),
    row(
        "NdisAllocateMemoryWithTag",
        &[ptr("VirtualAddress"), long("Length"), long("Tag")],
        Dispatch,
        memory::allocate_with_tag,
    ),
    row(
        "NdisFreeMemory",
        &[ptr("VirtualAddress"), long("Length"), long("MemoryFlags")],
        Dispatch,
        memory::free_call,
    ),
];
