//! Values that may be written in more than one way. Their visitors are by hand, because serde's
//! untagged enums forget which mistake was made.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Spanned;

/// A value with its place. Where a number or a boolean is wanted, a string is an expression;
/// where a string is wanted, it may have expressions in braces.
pub type Field = Spanned<Scalar>;

/// A single value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Text(String),
}

/// Bytes: a string of ASCII, or a list of items.
#[derive(Clone, Debug)]
pub enum Data {
    Text(String),
    Items(Vec<Spanned<ItemTable>>),
}

/// One item of a byte list. Exactly one key besides `when` is set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemTable {
    pub u8: Option<Field>,
    pub u16: Option<Field>,
    pub u32: Option<Field>,
    pub u64: Option<Field>,
    pub be16: Option<Field>,
    pub be32: Option<Field>,
    pub ptr: Option<Field>,
    pub ipv4: Option<Field>,
    pub mac: Option<Field>,
    pub text: Option<Field>,
    pub utf16: Option<Field>,
    pub bytes: Option<Field>,
    pub zero: Option<Field>,
    pub align: Option<Field>,
    pub when: Option<Field>,
}

/// The data of a registry value: a number, a string, a list of strings, or a table for the rest.
#[derive(Clone, Debug)]
pub enum RegistryItem {
    Scalar(Field),
    Strings(Vec<Field>),
    Typed(RegistryData),
}

/// A registry value of stated type. Exactly one key is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryData {
    pub dword: Option<Field>,
    pub binary: Option<Spanned<Data>>,
}

/// A control code: a number, or its parts.
#[derive(Clone, Debug)]
pub enum Ioctl {
    Code(Scalar),
    Parts(ControlCodeTable),
}

/// The parts of a control code, as `CTL_CODE` takes them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlCodeTable {
    pub device: Field,
    pub function: Field,
    pub method: Field,
    pub access: Field,
}

/// `[[fault]]`: `kind`, `when`, and the parameters of that kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct FaultTable(pub FaultItems);

/// The keys and values of a fault.
pub type FaultItems = Spanned<BTreeMap<Spanned<String>, Field>>;

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number, true or false")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar, E> {
        i64::try_from(value)
            .map(Scalar::Int)
            .map_err(|_| E::custom("the number is too large"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DataVisitor;
        impl<'de> Visitor<'de> for DataVisitor {
            type Value = Data;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or a list of items such as { u32 = 1 }")
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Data, E> {
                Ok(Data::Text(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Data, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(items)).map(Data::Items)
            }
        }
        deserializer.deserialize_any(DataVisitor)
    }
}

impl<'de> Deserialize<'de> for RegistryItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;
        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a string, a list of strings, { dword } or { binary }")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Shape, E> {
                Ok(Shape::Scalar(Scalar::Bool(value)))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Shape, E> {
                Ok(Shape::Scalar(Scalar::Int(value)))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Shape, E> {
                Ok(Shape::Scalar(Scalar::Text(value.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Shape, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(items)).map(Shape::Strings)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Shape, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Shape::Typed)
            }
        }
        enum Shape {
            Scalar(Scalar),
            Strings(Vec<Field>),
            Typed(RegistryData),
        }
        impl<'de> Deserialize<'de> for Shape {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(ItemVisitor)
            }
        }
        let shape = Spanned::<Shape>::deserialize(deserializer)?;
        let span = shape.span();
        Ok(match shape.into_inner() {
            Shape::Scalar(value) => RegistryItem::Scalar(Spanned::new(span, value)),
            Shape::Strings(values) => RegistryItem::Strings(values),
            Shape::Typed(data) => RegistryItem::Typed(data),
        })
    }
}

impl<'de> Deserialize<'de> for Ioctl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IoctlVisitor;
        impl<'de> Visitor<'de> for IoctlVisitor {
            type Value = Ioctl;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or { device, function, method, access }")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Ioctl, E> {
                Ok(Ioctl::Code(Scalar::Int(value)))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Ioctl, E> {
                Ok(Ioctl::Code(Scalar::Text(value.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Ioctl, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Ioctl::Parts)
            }
        }
        deserializer.deserialize_any(IoctlVisitor)
    }
}
