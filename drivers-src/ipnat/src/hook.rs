//! The firewall hook: where tcpip.sys hands over every packet it receives or sends.

use core::ptr::null_mut;

use nt::io::{IoGetDeviceObjectPointer, ioctl};
use nt::ip::*;
use nt::ps::ObfDereferenceObject;
use nt::rtl::unicode;
use nt::status::NT_SUCCESS;
use nt::types::{NTSTATUS, c_void};

use crate::chain;
use crate::flow::Direction;
use crate::nat::NAT;
use crate::os::{self, AtDispatch};
use crate::packet::{HEADERS_MAX, Packet};
use crate::translate::{self, Verdict};

/// The place of this hook among others: the translator sees inbound packets first.
const PRIORITY: u32 = 1;
/// `FILE_WRITE_DATA`, what the hook request asks for.
const FILE_WRITE_DATA: u32 = 2;

/// Adds the hook to tcpip.sys, or takes it away; then no call of it is running any more. IRQL
/// PASSIVE.
///
/// # Errors
/// The status of opening `\Device\Ip` or of the request.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn set(add: bool) -> Result<(), NTSTATUS> {
    let name = unicode(nt::wide!("\\Device\\Ip"));
    let (mut file, mut device) = (null_mut(), null_mut());
    unsafe {
        let status = IoGetDeviceObjectPointer(&name, FILE_WRITE_DATA, &mut file, &mut device);
        if !NT_SUCCESS(status) {
            return Err(status);
        }
        let mut info: IP_SET_FIREWALL_HOOK_INFO = core::mem::zeroed();
        info.FirewallPtr = Some(firewall_hook);
        info.Priority = PRIORITY;
        info.Add = add.into();
        let bytes = core::slice::from_raw_parts_mut(
            (&raw mut info).cast::<u8>(),
            size_of::<IP_SET_FIREWALL_HOOK_INFO>(),
        );
        let result = ioctl(device, IOCTL_IP_SET_FIREWALL_HOOK, bytes, &mut []);
        ObfDereferenceObject(file.cast());
        result.map(|_| ())
    }
}

/// Called for every packet, at IRQL <= DISPATCH, on any processor.
unsafe extern "system" fn firewall_hook(
    data: *mut *mut c_void,
    receive_index: u32,
    send_index: *mut u32,
    _destination_type: *mut u8,
    context: *mut c_void,
    _context_length: u32,
    _buffer: *mut *mut IPRcvBuf,
) -> FORWARD_ACTION {
    let (chain, direction) = unsafe {
        let context = context.cast::<FIREWALL_CONTEXT_T>();
        let direction = match (*context).Direction {
            IP_RECEIVE => Direction::Inbound,
            _ => Direction::Outbound,
        };
        ((*data).cast::<IPRcvBuf>(), direction)
    };
    let boundary = match direction {
        Direction::Inbound => receive_index,
        // What this machine sends itself carries its own address, which nobody has to hide.
        Direction::Outbound if receive_index == LOCAL_IF_INDEX => return FORWARD,
        Direction::Outbound => unsafe { *send_index },
    };
    match unsafe { translate_packet(chain, boundary, direction) } {
        Verdict::Untouched | Verdict::Translated => FORWARD,
        Verdict::Drop => DROP,
    }
}

/// Translates a packet in place, if the interface it crosses is one of the translator's.
#[inline(never)]
unsafe fn translate_packet(chain: *mut IPRcvBuf, boundary: u32, direction: Direction) -> Verdict {
    let at = AtDispatch::raise();
    let Some(interface) = NAT.find(boundary, &at) else {
        return Verdict::Untouched;
    };
    let mut headers = [0; HEADERS_MAX];
    let length = unsafe { chain::read(chain, &mut headers) };
    let headers = &mut headers[..length];
    let verdict = match Packet::parse(headers) {
        Err(_) => translate::unsuitable(&interface, direction, &at),
        Ok(mut packet) => match direction {
            Direction::Inbound => translate::inbound(&interface, &mut packet, os::ticks(), &at),
            Direction::Outbound => translate::outbound(&interface, &mut packet, os::ticks(), &at),
        },
    };
    if verdict == Verdict::Translated {
        unsafe { chain::write(chain, headers) };
    }
    verdict
}
