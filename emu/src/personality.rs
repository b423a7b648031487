//! Which Windows is modelled.

use std::fmt;

/// A modelled Windows version. Versions are ordered by release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Personality {
    /// Windows NT 4.0, build 1381.
    Nt4,
    /// Windows Server 2003 with Service Pack 1, 5.2.3790.
    Ws2003Sp1,
    /// Windows Server 2003 with Service Pack 2, 5.2.3790.
    Ws2003Sp2,
}

impl Personality {
    /// Every personality, oldest first.
    pub const ALL: [Personality; 3] = [Self::Nt4, Self::Ws2003Sp1, Self::Ws2003Sp2];

    /// The name used in scenarios and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nt4 => "nt4",
            Self::Ws2003Sp1 => "ws2003-sp1",
            Self::Ws2003Sp2 => "ws2003-sp2",
        }
    }

    /// The personality of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// Major, minor and build number as `RtlGetVersion` would give them.
    pub fn version(self) -> (u32, u32, u32) {
        match self {
            Self::Nt4 => (4, 0, 1381),
            Self::Ws2003Sp1 | Self::Ws2003Sp2 => (5, 2, 3790),
        }
    }

    /// Service pack number, as in `SP : 1_0` of a crash signature.
    pub fn service_pack(self) -> u32 {
        match self {
            Self::Nt4 => 6,
            Self::Ws2003Sp1 => 1,
            Self::Ws2003Sp2 => 2,
        }
    }

    /// Whether `KeBugCheckEx` rewrites 0x0A by whose code faulted (0xD1, 0xD3, 0xD4, 0xC5, 0xD0)
    /// and names the driver. Windows 2000 and later do; NT 4.0 does not.
    pub fn blames_drivers(self) -> bool {
        self > Self::Nt4
    }
}

impl fmt::Display for Personality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
