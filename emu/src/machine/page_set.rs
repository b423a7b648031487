//! A set of 4 KiB pages that is quick to compare with another one.

use super::memory::FRAME_SIZE;

const WORDS: usize = 16;

/// A set of pages. It may have more than were put into it, never fewer: pages whose numbers agree in
/// their low ten bits are one to it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct PageSet([u64; WORDS]);

impl PageSet {
    /// Adds the page that an address lies in.
    #[inline]
    pub fn add(&mut self, address: u64) {
        let number = address / FRAME_SIZE as u64;
        self.0[number as usize / 64 % WORDS] |= 1 << (number % 64);
    }

    /// Whether the two may have a page in common.
    pub fn meets(&self, other: &PageSet) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pages: &[u64]) -> PageSet {
        let mut set = PageSet::default();
        pages.iter().for_each(|&page| set.add(page));
        set
    }

    #[test]
    fn a_page_is_met_wherever_in_it_an_address_is() {
        for page in [0, 1, 63, 64, 1023, 0xF_FFFF, 0xFFFF_FADF_E001_1000 / 4096] {
            let at = page * 4096;
            assert!(set(&[0x5000, at]).meets(&set(&[at + 4095])), "{page:#x}");
            assert!(!set(&[at]).meets(&set(&[at ^ 0x1000])), "{page:#x}");
        }
        assert!(!set(&[]).meets(&set(&[])));
    }
}
