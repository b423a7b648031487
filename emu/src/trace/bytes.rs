//! Events as bytes, for the trace hash: every number little-endian in its own width, a variant as the
//! number it has in its enum (four bytes), text and lists behind their length (eight bytes).
//!
//! What `derive(Hash)` feeds may change with the compiler, and the trace hash must not. Formats that
//! save bytes cost more: an event is made at every kernel call, and most of it is addresses.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

/// Where the bytes go.
#[derive(Clone, Default)]
pub(super) struct Bytes(Vec<u8>);

impl Bytes {
    /// Adds the bytes of a value.
    pub(super) fn add(&mut self, value: &impl Serialize) {
        value
            .serialize(&mut *self)
            .expect("events have nothing that cannot be written");
    }

    /// Those that were added.
    pub(super) fn all(&self) -> &[u8] {
        &self.0
    }

    /// Forgets them.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) -> fmt::Result {
        self.0.extend_from_slice(&bytes);
        Ok(())
    }

    fn length(&mut self, length: usize) -> fmt::Result {
        self.put((length as u64).to_le_bytes())
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {$(
        #[inline]
        fn $method(self, value: $number) -> fmt::Result {
            self.put(value.to_le_bytes())
        }
    )*};
}

impl<'a> Serializer for &'a mut Bytes {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = &'a mut Bytes;
    type SerializeTuple = &'a mut Bytes;
    type SerializeTupleStruct = &'a mut Bytes;
    type SerializeTupleVariant = &'a mut Bytes;
    type SerializeMap = &'a mut Bytes;
    type SerializeStruct = &'a mut Bytes;
    type SerializeStructVariant = &'a mut Bytes;

    numbers!(
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_f32: f32, serialize_f64: f64
    );

    fn serialize_bool(self, value: bool) -> fmt::Result {
        self.put([u8::from(value)])
    }

    fn serialize_char(self, value: char) -> fmt::Result {
        self.serialize_u32(value.into())
    }

    fn serialize_str(self, value: &str) -> fmt::Result {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> fmt::Result {
        self.length(value.len())?;
        self.0.extend_from_slice(value);
        Ok(())
    }

    fn serialize_none(self) -> fmt::Result {
        self.put([0])
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> fmt::Result {
        self.put([1])?;
        value.serialize(self)
    }

    fn serialize_unit(self) -> fmt::Result {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> fmt::Result {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, number: u32, _: &'static str) -> fmt::Result {
        self.serialize_u32(number)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        value: &T,
    ) -> fmt::Result {
        self.serialize_u32(number)?;
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, fmt::Error> {
        self.length(length.ok_or(fmt::Error)?)?;
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, fmt::Error> {
        self.serialize_u32(number)?;
        Ok(self)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, fmt::Error> {
        self.serialize_seq(length)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        number: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self, fmt::Error> {
        self.serialize_tuple_variant(name, number, variant, length)
    }
}

macro_rules! parts {
    ($($of:ident :: $method:ident ( $($name:ty)? )),*) => {$(
        impl ser::$of for &mut Bytes {
            type Ok = ();
            type Error = fmt::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $(_: $name,)?
                value: &T,
            ) -> fmt::Result {
                value.serialize(&mut **self)
            }

            fn end(self) -> fmt::Result {
                Ok(())
            }
        }
    )*};
}

parts!(
    SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeTupleVariant::serialize_field(),
    SerializeStruct::serialize_field(&'static str),
    SerializeStructVariant::serialize_field(&'static str)
);

impl ser::SerializeMap for &mut Bytes {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> fmt::Result {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        value.serialize(&mut **self)
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize)]
    enum Some {
        #[allow(dead_code)]
        First,
        Second {
            number: u16,
            list: Vec<i8>,
            text: &'static str,
            is: Option<bool>,
        },
    }

    /// The bytes are part of what a trace hash is.
    #[test]
    fn bytes_are_what_is_documented() {
        let value = Some::Second {
            number: 0x1234,
            list: vec![-1, 2],
            text: "ab",
            is: Option::Some(true),
        };
        let mut bytes = Bytes::default();
        let mut expected = vec![1, 0, 0, 0, 0x34, 0x12];
        expected.extend([2, 0, 0, 0, 0, 0, 0, 0, 0xFF, 2]);
        expected.extend([2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', 1, 1]);
        bytes.add(&value);
        assert_eq!(bytes.all(), expected);
        bytes.clear();
        bytes.add(&Some::First);
        assert_eq!(bytes.all(), [0; 4]);
    }
}
