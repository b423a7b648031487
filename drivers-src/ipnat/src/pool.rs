//! The address pool of an interface, and who uses which address of it.

use crate::address::Address;

/// Most addresses a pool may hold: one slot of the preservation table for each.
pub const POOL_MAX: usize = 1024;
/// Most ranges a pool may be made of.
pub const RANGES_MAX: usize = 8;

/// A run of public addresses, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Range {
    /// First address.
    pub first: Address,
    /// Last address.
    pub last: Address,
    /// Subnet mask; kept for the one who asks for the configuration, not used for translation.
    pub mask: Address,
}

impl Range {
    fn len(self) -> usize {
        (self.last.0 - self.first.0) as usize + 1
    }
}

/// Why a list of ranges is no pool (MS-RRASM 2.2.1.2.198 forbids overlaps).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PoolError {
    /// A range starts at 0.0.0.0 or ends before it starts.
    Inverted,
    /// Two ranges share an address.
    Overlapping,
    /// More than [`RANGES_MAX`] ranges or [`POOL_MAX`] addresses.
    TooLarge,
}

/// The public addresses of an interface, numbered from 0 in the order of its ranges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Pool {
    ranges: [Range; RANGES_MAX],
    count: usize,
}

impl Pool {
    /// A pool of no address.
    pub const EMPTY: Pool = Pool {
        ranges: [Range {
            first: Address::UNSPECIFIED,
            last: Address::UNSPECIFIED,
            mask: Address::UNSPECIFIED,
        }; RANGES_MAX],
        count: 0,
    };

    /// Appends a range.
    pub fn add(&mut self, range: Range) -> Result<(), PoolError> {
        if range.first.is_unspecified() || range.last < range.first {
            return Err(PoolError::Inverted);
        }
        let overlaps = |other: &Range| range.first <= other.last && other.first <= range.last;
        if self.ranges().iter().any(overlaps) {
            return Err(PoolError::Overlapping);
        }
        let span = range.last.0 - range.first.0;
        if self.count == RANGES_MAX || span as usize >= POOL_MAX - self.len() {
            return Err(PoolError::TooLarge);
        }
        self.ranges[self.count] = range;
        self.count += 1;
        Ok(())
    }

    /// The ranges in the order in which they were given.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges[..self.count]
    }

    /// Number of addresses, at most [`POOL_MAX`].
    pub fn len(&self) -> usize {
        self.ranges().iter().map(|range| range.len()).sum()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The address with this number.
    pub fn nth(&self, mut number: usize) -> Option<Address> {
        for range in self.ranges() {
            if number < range.len() {
                return Some(Address(range.first.0 + number as u32));
            }
            number -= range.len();
        }
        None
    }

    /// The number of this address.
    pub fn number_of(&self, address: Address) -> Option<usize> {
        let mut before = 0;
        for range in self.ranges() {
            if (range.first..=range.last).contains(&address) {
                return Some(before + (address.0 - range.first.0) as usize);
            }
            before += range.len();
        }
        None
    }
}

/// How many sessions use each pool address, and for whom.
///
/// All-zero bytes are the empty state.
#[repr(C)]
pub struct Leases {
    holder: [Address; POOL_MAX],
    sessions: [u16; POOL_MAX],
}

impl Leases {
    /// Counts a session of `host` on the address with this number.
    ///
    /// The first session makes `host` the holder until the last session is gone. Sharing an
    /// address among hosts is the caller's decision: see [`Leases::open_to`].
    pub fn take(&mut self, number: usize, host: Address) {
        if self.sessions[number] == 0 {
            self.holder[number] = host;
        }
        self.sessions[number] += 1;
    }

    /// Uncounts a session.
    pub fn give_back(&mut self, number: usize) {
        self.sessions[number] -= 1;
        if self.sessions[number] == 0 {
            self.holder[number] = Address::UNSPECIFIED;
        }
    }

    /// True if `host` can have the address to itself: nobody or only `host` uses it.
    pub fn open_to(&self, number: usize, host: Address) -> bool {
        self.sessions[number] == 0 || self.holder[number] == host
    }

    /// Sessions on the address with this number.
    pub fn sessions(&self, number: usize) -> u16 {
        self.sessions[number]
    }

    /// Sessions on all addresses: equals the number of mappings, always.
    pub fn total(&self) -> u32 {
        self.sessions.iter().map(|&n| u32::from(n)).sum()
    }

    /// Forgets everything, for a pool that was replaced.
    pub fn clear(&mut self) {
        self.holder.fill(Address::UNSPECIFIED);
        self.sessions.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: [u8; 4], last: [u8; 4]) -> Range {
        Range {
            first: Address::from_bytes(first),
            last: Address::from_bytes(last),
            mask: Address::from_bytes([255, 255, 255, 0]),
        }
    }

    #[test]
    fn numbers_and_addresses_are_inverse() {
        let mut pool = Pool::EMPTY;
        pool.add(range([203, 0, 113, 10], [203, 0, 113, 19]))
            .unwrap();
        pool.add(range([198, 51, 100, 250], [198, 51, 101, 5]))
            .unwrap();
        assert_eq!(pool.len(), 22);
        for number in 0..pool.len() {
            let address = pool.nth(number).unwrap();
            assert_eq!(pool.number_of(address), Some(number));
        }
        assert_eq!(pool.nth(22), None);
        assert_eq!(
            pool.nth(10),
            Some(Address::from_bytes([198, 51, 100, 250])),
            "second range follows the first"
        );
        assert_eq!(pool.number_of(Address::from_bytes([203, 0, 113, 20])), None);
    }

    #[test]
    fn bad_ranges_are_refused() {
        let mut pool = Pool::EMPTY;
        pool.add(range([10, 0, 0, 5], [10, 0, 0, 9])).unwrap();
        for (first, last, error) in [
            ([10, 0, 0, 9], [10, 0, 0, 12], PoolError::Overlapping),
            ([10, 0, 0, 1], [10, 0, 0, 50], PoolError::Overlapping),
            ([10, 0, 0, 6], [10, 0, 0, 6], PoolError::Overlapping),
            ([10, 0, 1, 2], [10, 0, 1, 1], PoolError::Inverted),
            ([0, 0, 0, 0], [0, 0, 0, 1], PoolError::Inverted),
            ([11, 0, 0, 0], [11, 0, 3, 251], PoolError::TooLarge),
            ([11, 0, 0, 0], [255, 255, 255, 255], PoolError::TooLarge),
        ] {
            assert_eq!(pool.add(range(first, last)), Err(error));
        }
        pool.add(range([11, 0, 0, 0], [11, 0, 3, 250])).unwrap();
        assert_eq!(pool.len(), POOL_MAX);
    }

    #[test]
    fn leases_return_to_nothing() {
        let mut leases = Leases {
            holder: [Address::UNSPECIFIED; POOL_MAX],
            sessions: [0; POOL_MAX],
        };
        let (a, b) = (Address(1), Address(2));
        leases.take(3, a);
        leases.take(3, a);
        assert!(leases.open_to(3, a) && !leases.open_to(3, b));
        leases.give_back(3);
        assert!(!leases.open_to(3, b));
        leases.give_back(3);
        assert!(leases.open_to(3, b));
        assert_eq!(leases.total(), 0);
    }
}
