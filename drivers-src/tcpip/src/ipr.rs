//! Chains of receive buffers: measuring, cutting, joining, reading.
//!
//! Nothing here allocates or frees. Whatever a cut takes off is given back as a chain of its own,
//! for the caller to free. Between the functions no piece of a chain is empty.

use core::mem::MaybeUninit;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};

use nt::ip::IPRcvBuf;

use crate::checksum::Sum;

/// A chain, by its first piece; null is the empty chain.
pub type Chain = *mut IPRcvBuf;

/// The number of bytes in a chain.
pub unsafe fn total(mut chain: Chain) -> u32 {
    let mut bytes = 0u32;
    unsafe {
        while !chain.is_null() {
            bytes = bytes.wrapping_add((*chain).ipr_size);
            chain = (*chain).ipr_next;
        }
    }
    bytes
}

/// The last piece of a chain that is not empty.
pub unsafe fn last(mut chain: Chain) -> *mut IPRcvBuf {
    unsafe {
        while !(*chain).ipr_next.is_null() {
            chain = (*chain).ipr_next;
        }
    }
    chain
}

/// Puts `more` at the end of `chain`.
pub unsafe fn append(chain: &mut Chain, more: Chain) {
    unsafe {
        if chain.is_null() {
            *chain = more;
        } else {
            (*last(*chain)).ipr_next = more;
        }
    }
}

/// Cuts `bytes` bytes off the front; gives the pieces that were cut off whole.
pub unsafe fn trim_front(chain: &mut Chain, mut bytes: u32) -> Chain {
    let cut = *chain;
    let mut previous: *mut IPRcvBuf = null_mut();
    unsafe {
        while !chain.is_null() && (**chain).ipr_size <= bytes {
            bytes -= (**chain).ipr_size;
            previous = *chain;
            *chain = (**chain).ipr_next;
        }
        if !chain.is_null() {
            advance(*chain, bytes);
        }
        if previous.is_null() {
            return null_mut();
        }
        (*previous).ipr_next = null_mut();
    }
    cut
}

/// Cuts everything behind the first `bytes` bytes off; gives the pieces that were cut off whole.
pub unsafe fn truncate(chain: &mut Chain, mut bytes: u32) -> Chain {
    if bytes == 0 {
        return core::mem::replace(chain, null_mut());
    }
    let mut piece = *chain;
    unsafe {
        while !piece.is_null() {
            if (*piece).ipr_size >= bytes {
                (*piece).ipr_size = bytes;
                return core::mem::replace(&mut (*piece).ipr_next, null_mut());
            }
            bytes -= (*piece).ipr_size;
            piece = (*piece).ipr_next;
        }
    }
    null_mut()
}

/// Takes the empty pieces out of a chain; gives them.
pub unsafe fn drop_empty(chain: &mut Chain) -> Chain {
    let mut empty: Chain = null_mut();
    let mut link: *mut Chain = chain;
    unsafe {
        while !(*link).is_null() {
            let piece = *link;
            if (*piece).ipr_size == 0 {
                *link = (*piece).ipr_next;
                (*piece).ipr_next = empty;
                empty = piece;
            } else {
                link = &raw mut (*piece).ipr_next;
            }
        }
    }
    empty
}

/// Moves the front of one piece `bytes` bytes on.
pub unsafe fn advance(piece: *mut IPRcvBuf, bytes: u32) {
    unsafe {
        (*piece).ipr_buffer = (*piece).ipr_buffer.add(bytes as usize);
        (*piece).ipr_size -= bytes;
        (*piece).ipr_RcvOffset = (*piece).ipr_RcvOffset.wrapping_add(bytes);
    }
}

/// Takes the byte at `at`, which is inside the chain, out of it. Its piece becomes the bytes before
/// it, and `spare`, filled in here, the bytes behind it. Gives the byte, and the pieces that are
/// empty now.
pub unsafe fn take_byte(chain: &mut Chain, mut at: u32, spare: *mut IPRcvBuf) -> (u8, Chain) {
    unsafe {
        let mut piece = *chain;
        while (*piece).ipr_size <= at {
            at -= (*piece).ipr_size;
            piece = (*piece).ipr_next;
        }
        let byte = *(*piece).ipr_buffer.add(at as usize);
        *spare = *piece;
        advance(spare, at + 1);
        if !(*spare).ipr_pClientCnt.is_null() {
            AtomicU32::from_ptr((*spare).ipr_pClientCnt).fetch_add(1, Ordering::Relaxed);
        }
        (*piece).ipr_size = at;
        (*piece).ipr_next = spare;
        (byte, drop_empty(chain))
    }
}

/// Copies `length` bytes from `offset` on to `to`; `false` if the chain has not that many.
pub unsafe fn copy_out(mut chain: Chain, mut offset: u32, to: *mut u8, length: u32) -> bool {
    let mut done = 0;
    unsafe {
        while done < length {
            if chain.is_null() {
                return false;
            }
            let size = (*chain).ipr_size;
            if offset < size {
                let now = (size - offset).min(length - done);
                let from = (*chain).ipr_buffer.add(offset as usize);
                core::ptr::copy_nonoverlapping(from, to.add(done as usize), now as usize);
                done += now;
                offset = 0;
            } else {
                offset -= size;
            }
            chain = (*chain).ipr_next;
        }
    }
    true
}

/// A header at the front of a chain; `None` if the chain is shorter. `T` is made of byte arrays.
pub unsafe fn peek<T: Copy>(chain: Chain, offset: u32) -> Option<T> {
    let mut header = MaybeUninit::<T>::uninit();
    unsafe {
        copy_out(
            chain,
            offset,
            header.as_mut_ptr().cast(),
            size_of::<T>() as u32,
        )
        .then(|| header.assume_init())
    }
}

/// Adds the bytes of a chain to a checksum.
pub unsafe fn sum(mut chain: Chain, mut sum: Sum) -> Sum {
    unsafe {
        while !chain.is_null() {
            let bytes =
                core::slice::from_raw_parts((*chain).ipr_buffer, (*chain).ipr_size as usize);
            sum = sum.over(bytes);
            chain = (*chain).ipr_next;
        }
    }
    sum
}

/// A chain that grows at its end, and how many bytes are in it.
#[derive(Clone, Copy)]
pub struct Queue {
    /// First piece, null if there is none.
    pub head: Chain,
    tail: *mut IPRcvBuf,
    /// Bytes in the chain.
    pub size: u32,
}

impl Queue {
    /// Nothing queued.
    pub const EMPTY: Queue = Queue {
        head: null_mut(),
        tail: null_mut(),
        size: 0,
    };

    /// Puts a chain of `size` bytes at the end.
    pub unsafe fn append(&mut self, chain: Chain, size: u32) {
        if chain.is_null() {
            return;
        }
        unsafe {
            if self.head.is_null() {
                self.head = chain;
            } else {
                (*self.tail).ipr_next = chain;
            }
            self.tail = last(chain);
        }
        self.size = self.size.wrapping_add(size);
    }

    /// Takes the first piece, which must be there.
    pub unsafe fn pop(&mut self) -> *mut IPRcvBuf {
        let piece = self.head;
        unsafe {
            self.head = (*piece).ipr_next;
            (*piece).ipr_next = null_mut();
            self.size = self.size.wrapping_sub((*piece).ipr_size);
        }
        piece
    }

    /// Counts `bytes` bytes of the first piece as done.
    pub unsafe fn consume(&mut self, bytes: u32) {
        unsafe { advance(self.head, bytes) };
        self.size = self.size.wrapping_sub(bytes);
    }

    /// Puts a chain of `size` bytes in front.
    pub unsafe fn put_back(&mut self, mut chain: Chain, size: u32) {
        if chain.is_null() {
            return;
        }
        unsafe {
            if self.head.is_null() {
                self.tail = last(chain);
            }
            append(&mut chain, self.head);
        }
        self.head = chain;
        self.size = self.size.wrapping_add(size);
    }

    /// Empties the queue; gives its chain.
    pub fn take_all(&mut self) -> Chain {
        let chain = self.head;
        *self = Queue::EMPTY;
        chain
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A chain over copies of `parts`, leaked: tests are short.
    pub fn chain(parts: &[&[u8]]) -> Chain {
        let mut head = null_mut();
        for part in parts.iter().rev() {
            let bytes: &'static mut [u8] = Box::leak(part.to_vec().into_boxed_slice());
            head = Box::leak(Box::new(IPRcvBuf {
                ipr_next: head,
                ipr_owner: 0,
                ipr_buffer: bytes.as_mut_ptr(),
                ipr_size: bytes.len() as u32,
                ipr_pMdl: null_mut(),
                ipr_pClientCnt: null_mut(),
                ipr_RcvContext: null_mut(),
                ipr_RcvOffset: 0,
                ipr_flags: 0,
            }));
        }
        head
    }

    /// A piece to be filled in.
    pub fn spare() -> *mut IPRcvBuf {
        chain(&[b""])
    }

    /// The bytes of a chain.
    pub fn text(mut chain: Chain) -> Vec<u8> {
        let mut bytes = Vec::new();
        unsafe {
            while !chain.is_null() {
                let size = (*chain).ipr_size as usize;
                bytes.extend_from_slice(core::slice::from_raw_parts((*chain).ipr_buffer, size));
                chain = (*chain).ipr_next;
            }
        }
        bytes
    }

    /// The number of pieces.
    pub fn pieces(mut chain: Chain) -> usize {
        let mut count = 0;
        while !chain.is_null() {
            count += 1;
            chain = unsafe { (*chain).ipr_next };
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;

    const PARTS: [&[u8]; 3] = [b"abc", b"d", b"efgh"];
    const WHOLE: &[u8] = b"abcdefgh";

    #[test]
    fn cuts_at_every_place() {
        for n in 0..=WHOLE.len() {
            unsafe {
                let mut front = chain(&PARTS);
                let cut = trim_front(&mut front, n as u32);
                assert_eq!(text(front), WHOLE[n..]);
                assert_eq!(total(front), (WHOLE.len() - n) as u32);
                assert_eq!(pieces(front) + pieces(cut), 3);

                let mut back = chain(&PARTS);
                let cut = truncate(&mut back, n as u32);
                assert_eq!(text(back), WHOLE[..n]);
                assert_eq!(pieces(back) + pieces(cut), 3);
            }
        }
    }

    #[test]
    fn takes_any_byte_and_leaves_no_empty_piece() {
        for n in 0..WHOLE.len() {
            unsafe {
                let mut from = chain(&PARTS);
                let (byte, empty) = take_byte(&mut from, n as u32, spare());
                assert_eq!(byte, WHOLE[n]);
                assert_eq!(text(from), [&WHOLE[..n], &WHOLE[n + 1..]].concat());
                assert_eq!(pieces(from) + pieces(empty), 4);
                assert_eq!(text(empty), b"");
                assert!(drop_empty(&mut from).is_null());
            }
        }
    }

    #[test]
    fn copies_across_pieces() {
        let mut room = [0u8; 5];
        unsafe {
            assert!(copy_out(chain(&PARTS), 2, room.as_mut_ptr(), 5));
            assert_eq!(&room, b"cdefg");
            assert!(!copy_out(chain(&PARTS), 4, room.as_mut_ptr(), 5));
        }
    }

    #[test]
    fn queue_counts_what_is_in_it() {
        unsafe {
            let mut queue = Queue::EMPTY;
            queue.append(chain(&[b"ab", b"c"]), 3);
            queue.append(null_mut(), 0);
            queue.append(chain(&[b"def"]), 3);
            queue.pop();
            queue.consume(1);
            queue.put_back(chain(&[b"x", b"y"]), 2);
            assert_eq!((text(queue.head), queue.size), (b"xydef".to_vec(), 5));
            while queue.size != 0 {
                queue.pop();
            }
            assert!(queue.head.is_null());
            queue.append(chain(&[b"z"]), 1);
            assert_eq!((text(queue.head), queue.size), (b"z".to_vec(), 1));
        }
    }
}
