//! Bytes written readably: strings and lists of typed items.

use super::context::Context;
use super::error::ScenarioError;
use super::schema::{Data, Field, ItemTable, Scalar, Spanned};

/// The most bytes that one list may come to.
const BYTES_MAX: usize = 1 << 20;

impl Context<'_> {
    /// The bytes of a string or a list. Integers are little-endian unless they say `be`; `ptr`
    /// has the profile's pointer size.
    pub fn bytes(
        &self,
        data: &Spanned<Data>,
        profile: isa::Profile,
    ) -> Result<Vec<u8>, ScenarioError> {
        match data.get_ref() {
            Data::Text(text) => self.ascii(&Spanned::new(data.span(), Scalar::Text(text.clone()))),
            Data::Items(items) => {
                let mut bytes = Vec::new();
                for item in items {
                    if self.holds(&item.get_ref().when)? {
                        self.item(item, profile, &mut bytes)?;
                    }
                }
                Ok(bytes)
            }
        }
    }

    /// The bytes of an optional value; none if it is not written.
    pub fn bytes_or_none(
        &self,
        data: &Option<Spanned<Data>>,
        profile: isa::Profile,
    ) -> Result<Vec<u8>, ScenarioError> {
        data.as_ref()
            .map_or(Ok(Vec::new()), |data| self.bytes(data, profile))
    }

    fn item(
        &self,
        place: &Spanned<ItemTable>,
        profile: isa::Profile,
        bytes: &mut Vec<u8>,
    ) -> Result<(), ScenarioError> {
        let item = place.get_ref();
        let keys = [
            &item.u8,
            &item.u16,
            &item.u32,
            &item.u64,
            &item.be16,
            &item.be32,
            &item.ptr,
            &item.ipv4,
            &item.mac,
            &item.text,
            &item.utf16,
            &item.bytes,
            &item.zero,
            &item.align,
        ];
        if keys.iter().filter(|key| key.is_some()).count() != 1 {
            let mend = "write one item for each, such as { u16 = 1 }, { u32 = 2 }";
            return Err(self.error(place, "an item has exactly one kind of data", mend));
        }
        let little = [
            (&item.u8, 1),
            (&item.u16, 2),
            (&item.u32, 4),
            (&item.u64, 8),
        ];
        for (field, size) in little
            .into_iter()
            .chain([(&item.ptr, profile.pointer_size() as usize)])
        {
            if let Some(field) = field {
                let value = self.bits(field, 8 * size as u32)?;
                bytes.extend(&value.to_le_bytes()[..size]);
            }
        }
        for (field, size) in [(&item.be16, 2), (&item.be32, 4)] {
            if let Some(field) = field {
                let value = self.bits(field, 8 * size as u32)?;
                bytes.extend(&value.to_be_bytes()[8 - size..]);
            }
        }
        if let Some(field) = &item.ipv4 {
            bytes.extend(self.ipv4(field)?.octets());
        }
        if let Some(field) = &item.mac {
            bytes.extend(self.mac(field)?);
        }
        if let Some(field) = &item.text {
            bytes.extend(self.ascii(field)?);
        }
        if let Some(field) = &item.utf16 {
            bytes.extend(self.text(field)?.encode_utf16().flat_map(u16::to_le_bytes));
        }
        if let Some(field) = &item.bytes {
            bytes.extend(self.hex(field)?);
        }
        if let Some(field) = &item.zero {
            let count = self.number(field, 0..=BYTES_MAX as i64)?;
            bytes.resize(bytes.len() + count as usize, 0);
        }
        if let Some(field) = &item.align {
            let unit = self.number(field, 1..=4096)? as usize;
            bytes.resize(bytes.len().next_multiple_of(unit), 0);
        }
        match bytes.len() <= BYTES_MAX {
            true => Ok(()),
            false => Err(self.error(place, "more than a megabyte of data", "write less")),
        }
    }

    /// A string of ASCII characters.
    fn ascii(&self, field: &Field) -> Result<Vec<u8>, ScenarioError> {
        let text = self.text(field)?;
        match text.chars().find(|c| !c.is_ascii()) {
            None => Ok(text.into_bytes()),
            Some(c) => {
                let mend = "write it in a list, as { bytes = \"FF F4\" } or { utf16 = \"...\" }";
                Err(self.error(field, format!("'{c}' is not ASCII"), mend))
            }
        }
    }

    /// Hexadecimal bytes, with or without spaces.
    fn hex(&self, field: &Field) -> Result<Vec<u8>, ScenarioError> {
        let text = self.text(field)?;
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_digit(16).map(|digit| digit as u8))
            .collect();
        match digits.filter(|digits| digits.len() % 2 == 0) {
            Some(digits) => Ok(digits
                .chunks(2)
                .map(|pair| pair[0] << 4 | pair[1])
                .collect()),
            None => Err(self.error(field, "these are no bytes", "write pairs such as FF F4 0D")),
        }
    }
}
