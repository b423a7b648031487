//! Bytes of a datagram that lies in a chain of `IPRcvBuf`.

use nt::ip::IPRcvBuf;

/// Copies the first bytes of a chain; gives how many there were.
///
/// # Safety
/// `chain` is a valid chain.
pub unsafe fn read(chain: *const IPRcvBuf, to: &mut [u8]) -> usize {
    let mut done = 0;
    let mut at = chain;
    while !at.is_null() && done < to.len() {
        unsafe {
            let size = piece(at, to.len() - done);
            core::ptr::copy_nonoverlapping((*at).ipr_buffer, to.as_mut_ptr().add(done), size);
            done += size;
            at = (*at).ipr_next;
        }
    }
    done
}

/// Writes bytes over the first ones of a chain that is at least as long.
///
/// # Safety
/// `chain` is a valid chain and its bytes may be written.
pub unsafe fn write(chain: *const IPRcvBuf, from: &[u8]) {
    let mut done = 0;
    let mut at = chain;
    while !at.is_null() && done < from.len() {
        unsafe {
            let size = piece(at, from.len() - done);
            core::ptr::copy_nonoverlapping(from.as_ptr().add(done), (*at).ipr_buffer, size);
            done += size;
            at = (*at).ipr_next;
        }
    }
}

/// How many bytes of a piece to take; none of one without a buffer, which is legal in a chain.
unsafe fn piece(at: *const IPRcvBuf, wanted: usize) -> usize {
    unsafe {
        if (*at).ipr_buffer.is_null() {
            return 0;
        }
        wanted.min((*at).ipr_size as usize)
    }
}
