//! Where things are in a machine's address space. The numbers follow what the real systems print
//! in their stop screens and debugger sessions; nothing depends on them.

use isa::Profile;

use crate::personality::Personality;

/// First addresses of everything the kernel maps.
#[derive(Clone, Copy, Debug)]
pub struct AddressMap {
    /// The modelled modules, in the order of [`crate::nt::Module::ALL`].
    pub modules: [u64; 4],
    /// Bytes claimed by each modelled module.
    pub module_size: u64,
    /// The first loaded driver; others follow.
    pub drivers: u64,
    /// Nonpaged pool.
    pub nonpaged: u64,
    /// Paged pool.
    pub paged: u64,
    /// Kernel stacks.
    pub stacks: u64,
    /// Processor control regions.
    pub pcrs: u64,
    /// `KUSER_SHARED_DATA`.
    pub shared: u64,
    /// First kernel address: what is below belongs to user mode.
    pub kernel: u64,
}

/// Bytes between the bases of two loaded images.
pub const IMAGE_ALIGNMENT: u64 = 0x1_0000;

/// The address map of a profile under a personality.
pub fn map(profile: Profile, personality: Personality) -> AddressMap {
    let nt4 = personality == Personality::Nt4;
    match profile {
        Profile::I386 if nt4 => AddressMap {
            modules: [0x8010_0000, 0x8040_0000, 0x8050_0000, 0x8054_0000],
            module_size: 0x3_0000,
            drivers: 0xFC60_0000,
            nonpaged: 0x8100_0000,
            paged: 0xE100_0000,
            stacks: 0xFC10_0000,
            pcrs: 0xFFDF_F000,
            shared: 0xFFDF_0000,
            kernel: 0x8000_0000,
        },
        Profile::I386 => AddressMap {
            modules: [0x8080_0000, 0x80A4_0000, 0x80B0_0000, 0x80B4_0000],
            module_size: 0x3_0000,
            drivers: 0xF27A_0000,
            nonpaged: 0x8200_0000,
            paged: 0xE100_0000,
            stacks: 0xF780_0000,
            pcrs: 0xFFDF_F000,
            shared: 0xFFDF_0000,
            kernel: 0x8000_0000,
        },
        Profile::Amd64 | Profile::Arm64 => AddressMap {
            modules: [
                0xFFFF_F800_0100_0000,
                0xFFFF_F800_0150_0000,
                0xFFFF_F800_0160_0000,
                0xFFFF_F800_0164_0000,
            ],
            module_size: 0x3_0000,
            drivers: 0xFFFF_FADF_9800_0000,
            nonpaged: 0xFFFF_FADF_E000_0000,
            paged: 0xFFFF_FA80_0100_0000,
            stacks: 0xFFFF_FADF_8F00_0000,
            pcrs: 0xFFFF_FADF_8E00_0000,
            shared: 0xFFFF_F780_0000_0000,
            kernel: 0xFFFF_0800_0000_0000,
        },
        // 32-bit addresses, sign-extended as on the Alpha.
        Profile::Alpha => AddressMap {
            modules: [
                0xFFFF_FFFF_8008_0000,
                0xFFFF_FFFF_8040_0000,
                0xFFFF_FFFF_8050_0000,
                0xFFFF_FFFF_8054_0000,
            ],
            module_size: 0x3_0000,
            drivers: 0xFFFF_FFFF_FC60_0000,
            nonpaged: 0xFFFF_FFFF_8100_0000,
            paged: 0xFFFF_FFFF_E100_0000,
            stacks: 0xFFFF_FFFF_FC10_0000,
            pcrs: 0xFFFF_FFFF_8060_0000,
            shared: 0xFFFF_FFFF_8070_0000,
            kernel: 0xFFFF_FFFF_8000_0000,
        },
        Profile::Ia64 => AddressMap {
            modules: [
                0xE000_0000_8300_0000,
                0xE000_0000_8360_0000,
                0xE000_0000_8370_0000,
                0xE000_0000_8374_0000,
            ],
            module_size: 0x3_0000,
            drivers: 0xE000_0165_B800_0000,
            nonpaged: 0xE000_0165_E000_0000,
            paged: 0xE000_0106_0100_0000,
            stacks: 0xE000_0165_8F00_0000,
            pcrs: 0xE000_0165_8E00_0000,
            shared: 0xE000_0000_FFFE_0000,
            kernel: 0xE000_0000_0000_0000,
        },
    }
}
