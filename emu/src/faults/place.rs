//! Where a fault strikes: one way to write a place, for all kinds.

use super::World;
use super::rule::{Params, RuleError};
use crate::loader::Image;
use crate::nt;
use crate::scenario::one_of;

/// A place in what drivers do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Wherever the kind can strike.
    Anywhere,
    /// A kernel function that drivers call.
    Call(&'static str),
    /// A function of a driver, by the end of its name.
    Function {
        name: String,
        /// Not its beginning but an instruction in it.
        inside: bool,
    },
}

/// The place that a rule names, and the addresses of the instructions at which it is reached.
pub(super) fn parse(params: &Params<'_>) -> Result<(Place, Vec<u64>), RuleError> {
    let given: Vec<&str> = ["place", "call", "function"]
        .into_iter()
        .filter(|name| params.text(name).is_some())
        .collect();
    if let [one, other, ..] = given[..] {
        return Err(params.error(format!("{one} and {other} exclude each other")));
    }
    let place = match (params.text("call"), params.text("function")) {
        (Some(name), _) => call(params, &name)?,
        (_, Some(name)) => function(name),
        // A word for either: kernel functions have no path, and drivers none of their names.
        _ => match params.text("place") {
            Some(name) if nt::find(&name).is_some() => call(params, &name)?,
            Some(name) if name.contains("::") || !starts(params.world, &name).is_empty() => {
                function(name)
            }
            Some(name) => return Err(unknown(params, &name)),
            None => Place::Anywhere,
        },
    };
    let inside = params.text("line").is_some() || params.text("offset").is_some();
    match place {
        Place::Function { name, .. } => {
            let addresses = addresses(params, &name)?;
            Ok((Place::Function { name, inside }, addresses))
        }
        _ if inside => Err(params.error("line and offset need a function")),
        place => Ok((place, Vec::new())),
    }
}

fn function(name: String) -> Place {
    Place::Function {
        name,
        inside: false,
    }
}

/// A word that is neither a kernel function nor one of a driver.
fn unknown(params: &Params<'_>, name: &str) -> RuleError {
    let apis = nt::TABLES.iter().flat_map(|table| table.iter());
    let known = apis.map(|api| api.name).chain(names(params.world));
    let mend = match one_of("", name, known) {
        near if near.starts_with("did you mean") => near,
        _ => "a driver's function is written with the end of its path, for example \
              reset::reset_interface"
            .to_owned(),
    };
    params.error(format!(
        "'{name}' is neither a modelled kernel function nor a function of a driver; {mend}"
    ))
}

fn call(params: &Params<'_>, name: &str) -> Result<Place, RuleError> {
    let Some(api) = nt::find(name) else {
        let apis = nt::TABLES.iter().flat_map(|table| table.iter());
        let mend = match one_of("", name, apis.map(|api| api.name)) {
            near if near.starts_with("did you mean") => format!("; {near}"),
            _ => String::new(),
        };
        return Err(params.error(format!("'{name}' is not a modelled kernel function{mend}")));
    };
    // What is found by name at run time is in no import table.
    let imported = &params.world.imported;
    let dynamic = imported.contains(&"MmGetSystemRoutineAddress");
    if dynamic || imported.contains(&name) {
        return Ok(Place::Call(api.name));
    }
    let mend = one_of("they call", name, imported.iter().copied());
    Err(params.error(format!("no driver here calls {name}; {mend}")))
}

/// All functions of the drivers, by their last two path components.
fn names<'a>(world: &World<'a>) -> impl Iterator<Item = &'a str> {
    let symbols = world
        .images
        .iter()
        .filter_map(|image| image.symbols.as_ref());
    let all = symbols.flat_map(|symbols| symbols.functions());
    all.map(|(_, _, name)| {
        let colons: Vec<usize> = name.match_indices("::").map(|(at, _)| at).collect();
        match colons.len().checked_sub(2) {
            Some(second_last) => &name[colons[second_last] + 2..],
            None => name,
        }
    })
}

fn starts(world: &World<'_>, name: &str) -> Vec<u64> {
    let images = world.images.iter();
    images.flat_map(|i| i.functions_named(name)).collect()
}

/// Where a function, or the line or offset in it that the rule gives, begins in each driver.
fn addresses(params: &Params<'_>, name: &str) -> Result<Vec<u64>, RuleError> {
    let starts = starts(params.world, name);
    if starts.is_empty() {
        let mend = match one_of("", name, names(params.world)) {
            near if near.starts_with("did you mean") => format!("; {near}"),
            _ => String::new(),
        };
        return Err(params.error(format!(
            "no driver has a function whose name ends with '{name}'{mend}"
        )));
    }
    let (line, offset) = (params.number("line")?, params.number("offset")?);
    let image = |start: &u64| {
        let images = params.world.images.iter();
        images.copied().find(|image| image.contains(*start))
    };
    match (line, offset) {
        (Some(_), Some(_)) => Err(params.error("line and offset exclude each other")),
        (None, None) => Ok(starts),
        (Some(line), None) => {
            let at = |start: &u64| image(start).and_then(|image| first_of(image, *start, line));
            let found: Vec<u64> = starts.iter().filter_map(at).collect();
            if found.is_empty() {
                let lines = starts.first().and_then(|s| Some(lines(image(s)?, *s)));
                let mend = match lines.flatten() {
                    Some((first, last)) => format!("; its code is of lines {first} to {last}"),
                    None => String::new(),
                };
                return Err(params.error(format!("{name} has no code of line {line}{mend}")));
            }
            Ok(found)
        }
        (None, Some(offset)) => {
            let mut found = Vec::new();
            for start in &starts {
                let Some(image) = image(start) else { continue };
                let boundary = boundary(params, image, *start, offset);
                found.push(boundary.map_err(|near| {
                    params.error(format!(
                        "no instruction of {name} begins at offset {offset}; one does at {near}"
                    ))
                })?);
            }
            Ok(found)
        }
    }
}

/// The function that begins at `start`: its addresses.
fn extent(image: &Image, start: u64) -> std::ops::Range<u64> {
    let rva = (start - image.base) as u32;
    let functions = image.symbols.iter().flat_map(|s| s.functions());
    let length = functions
        .filter(|(at, _, _)| *at == rva)
        .map(|(_, length, _)| length)
        .next();
    start..start + u64::from(length.unwrap_or(0))
}

/// The function's own line at an address: that of a call for what is inlined there.
fn line(image: &Image, va: u64) -> Option<u64> {
    image.source(va).last().map(|frame| u64::from(frame.line))
}

fn first_of(image: &Image, start: u64, wanted: u64) -> Option<u64> {
    extent(image, start).find(|&va| line(image, va) == Some(wanted))
}

/// The first and the last line of a function's code.
fn lines(image: &Image, start: u64) -> Option<(u64, u64)> {
    let all = extent(image, start).filter_map(|va| line(image, va));
    let all: Vec<u64> = all.filter(|&line| line != 0).collect();
    Some((*all.iter().min()?, *all.iter().max()?))
}

/// Bytes of the longest instruction.
const LONGEST: usize = 15;

/// The address of the instruction at an offset in a function, or else the offset of the nearest one
/// before.
fn boundary(params: &Params<'_>, image: &Image, start: u64, offset: u64) -> Result<u64, u64> {
    let decoder = isa::Decoder::new(params.world.arch);
    let end = extent(image, start).end;
    let mut at = start;
    while at < end {
        let bytes = image.data.get((at - image.base) as usize..);
        let next = bytes
            .and_then(|bytes| decoder.decode(&bytes[..bytes.len().min(LONGEST)], at))
            .map_or(end, |insn| insn.next());
        if at - start == offset {
            return Ok(at);
        }
        if next - start > offset {
            return Err(at - start);
        }
        if next >= end {
            return Err(at - start);
        }
        at = next;
    }
    Err(0)
}
