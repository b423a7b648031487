//! What the registry says. Read once, in `DriverEntry`, at IRQL PASSIVE.
//!
//! `Linkage\Bind` of the service key names the adapters; the `Parameters\Tcpip` key of an adapter's
//! service has its addresses, as on Windows NT 4.0; `Parameters` of the service key has the rest.

use nt::global::Global;
use nt::registry::Key;
use nt::types::*;
use nt::wide;

use crate::dotted;

/// The settings that are not an adapter's.
#[derive(Clone, Copy)]
pub struct Settings {
    /// `IPEnableRouter`: forward datagrams for others.
    pub forward: bool,
    /// `TcpUseRFC1122UrgentPointer`: the urgent pointer names the last urgent byte, instead of the
    /// byte behind it as in BSD.
    pub rfc1122_urgent: bool,
}

/// The settings of one adapter, in host byte order.
pub struct AdapterSettings {
    /// `IPAddress`, the first.
    pub address: u32,
    /// `SubnetMask`, the first.
    pub mask: u32,
    /// `DefaultGateway`, the first; 0 for none.
    pub gateway: u32,
}

struct State {
    settings: Settings,
    /// The path of the service key.
    service: Path,
}

static STATE: Global<State> = Global::new(State {
    settings: Settings {
        forward: false,
        rfc1122_urgent: false,
    },
    service: Path::EMPTY,
});

/// The settings.
pub fn settings() -> Settings {
    unsafe { (*STATE.get()).settings }
}

/// Reads the settings below the service key that `DriverEntry` was given. What is absent has its
/// default.
#[unsafe(link_section = "INIT")]
#[inline(never)]
pub unsafe fn read(service: &UNICODE_STRING) {
    unsafe {
        let state = STATE.get();
        let units = core::slice::from_raw_parts(service.Buffer, usize::from(service.Length) / 2);
        (*state).service.push(units);
        let parameters = (*state).service.with(wide!("\\Parameters"));
        if let Ok(key) = Key::open(&parameters.string()) {
            (*state).settings = Settings {
                forward: key.u32_or(wide!("IPEnableRouter"), 0) != 0,
                rfc1122_urgent: key.u32_or(wide!("TcpUseRFC1122UrgentPointer"), 0) != 0,
            };
        }
    }
}

/// Calls `each` for every adapter that is named and has an address, with its device name.
#[unsafe(link_section = "INIT")]
#[inline(never)]
pub unsafe fn for_each_adapter(mut each: impl FnMut(&UNICODE_STRING, AdapterSettings)) {
    unsafe {
        let service = &(*STATE.get()).service;
        let Ok(linkage) = Key::open(&service.with(wide!("\\Linkage")).string()) else {
            return;
        };
        let Ok(bind) = linkage.value(wide!("Bind")) else {
            return;
        };
        for device in bind.strings() {
            let mut name = Path::EMPTY;
            name.push(device);
            if let Some(settings) = adapter_settings(service, last_component(device)) {
                each(&name.string(), settings);
            }
        }
    }
}

#[unsafe(link_section = "INIT")]
#[inline(never)]
unsafe fn adapter_settings(service: &Path, adapter: &[u16]) -> Option<AdapterSettings> {
    let mut path = service.parent();
    path.push(adapter);
    path.push(without_end(wide!("\\Parameters\\Tcpip")));
    unsafe {
        let key = Key::open(&path.string()).ok()?;
        Some(AdapterSettings {
            address: first_address(&key, wide!("IPAddress"))?,
            mask: first_address(&key, wide!("SubnetMask"))?,
            gateway: first_address(&key, wide!("DefaultGateway")).unwrap_or(0),
        })
    }
}

#[unsafe(link_section = "INIT")]
#[inline(never)]
unsafe fn first_address(key: &Key, name: &'static [u16]) -> Option<u32> {
    let value = unsafe { key.value(name) }.ok()?;
    dotted::parse(value.strings().next()?)
}

fn last_component(device: &[u16]) -> &[u16] {
    device
        .rsplit(|&unit| unit == BACKSLASH)
        .next()
        .unwrap_or(device)
}

fn without_end(text: &[u16]) -> &[u16] {
    text.split_last().map_or(text, |(_, text)| text)
}

const BACKSLASH: u16 = b'\\' as u16;
const PATH_MAX: usize = 256;

/// A registry path or device name that is put together from parts. What does not fit is cut off,
/// so that opening it fails.
#[derive(Clone, Copy)]
struct Path {
    length: usize,
    units: [u16; PATH_MAX],
}

impl Path {
    const EMPTY: Path = Path {
        length: 0,
        units: [0; PATH_MAX],
    };

    fn push(&mut self, more: &[u16]) {
        for (to, &unit) in self.units.iter_mut().skip(self.length).zip(more) {
            *to = unit;
            self.length += 1;
        }
    }

    /// This path and a terminated literal.
    fn with(&self, more: &'static [u16]) -> Path {
        let mut path = *self;
        path.push(without_end(more));
        path
    }

    /// This path up to its last backslash, that included.
    fn parent(&self) -> Path {
        let mut path = *self;
        let known = path.units.get(..path.length).unwrap_or(&[]);
        path.length = known
            .iter()
            .rposition(|&unit| unit == BACKSLASH)
            .map_or(0, |at| at + 1);
        path
    }

    fn string(&self) -> UNICODE_STRING {
        UNICODE_STRING {
            Length: (self.length * 2) as u16,
            MaximumLength: (PATH_MAX * 2) as u16,
            Buffer: self.units.as_ptr().cast_mut(),
        }
    }
}
