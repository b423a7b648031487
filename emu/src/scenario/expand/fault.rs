//! Fault rules of the file and of the command line.

use std::collections::BTreeMap;

use super::Expander;
use crate::position::Position;
use crate::scenario::error::ScenarioError;
use crate::scenario::plan::FaultRule;
use crate::scenario::schema::FaultItems;
use crate::scenario::settings::Value;

impl Expander<'_> {
    /// The rules of the file, then those given as text.
    pub fn faults(&self, texts: &[String]) -> Result<Vec<FaultRule>, ScenarioError> {
        let mut rules = Vec::new();
        for table in &self.scenario.file.fault {
            rules.extend(self.fault(&table.0)?);
        }
        for text in texts {
            rules.push(parse(text)?);
        }
        Ok(rules)
    }

    /// The rule of a table, if its condition holds.
    fn fault(&self, place: &FaultItems) -> Result<Option<FaultRule>, ScenarioError> {
        let context = self.context();
        let (mut kind, mut params) = (None, BTreeMap::new());
        for (key, field) in place.get_ref() {
            match key.get_ref().as_str() {
                "when" if !context.boolean(field)? => return Ok(None),
                "when" => {}
                "kind" => kind = Some(context.text(field)?),
                name => {
                    params.insert(name.to_owned(), context.any(field)?);
                }
            }
        }
        let Some(kind) = kind else {
            let mend = "add kind = \"...\"";
            return Err(context.error(place, "a fault needs a kind", mend));
        };
        let source = &self.scenario.source;
        let line = source.line(place.span().start);
        let origin = format!("{}:{line}", source.file);
        Ok(Some(FaultRule {
            kind,
            params,
            origin,
            line,
        }))
    }
}

/// A rule written as `pool.fail:nth=3,tag=IPrb` or `irql.raise@reset::reset_interface#2:level=5`: kind,
/// place, count, parameters.
fn parse(text: &str) -> Result<FaultRule, ScenarioError> {
    let origin = format!("--fault {text}");
    let error = |problem: String| {
        let mend = "write KIND@PLACE#N:NAME=VALUE,..., for example pool.fail:nth=3,tag=IPrb or \
                    irql.raise@KfReleaseSpinLock#3";
        ScenarioError::elsewhere(&origin, problem, mend)
    };
    let (head, rest) = split(text);
    let (head, count) = head
        .split_once('#')
        .map_or((head, None), |(h, n)| (h, Some(n)));
    let (kind, place) = head
        .split_once('@')
        .map_or((head, None), |(k, p)| (k, Some(p)));
    if kind.trim().is_empty() {
        return Err(error("a fault needs a kind".to_owned()));
    }
    let mut params = BTreeMap::new();
    match place.map(str::trim) {
        Some("") => return Err(error("there is no place behind @".to_owned())),
        Some(place) => {
            params.insert("place".to_owned(), Value::Text(place.to_owned()));
        }
        None => {}
    }
    match count.map(str::trim) {
        Some("*") => {
            params.insert("every".to_owned(), Value::Bool(true));
        }
        Some(count) => match count.parse() {
            Ok(count) => {
                params.insert("nth".to_owned(), Value::Int(count));
            }
            Err(_) => return Err(error(format!("'{count}' behind # is no number and no *"))),
        },
        None => {}
    }
    for pair in rest.split(',').filter(|pair| !pair.trim().is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(error(format!("'{pair}' has no value")));
        };
        let name = name.trim().to_owned();
        if params
            .insert(name.clone(), value_of(value.trim()))
            .is_some()
        {
            return Err(error(format!("'{name}' is there twice")));
        }
    }
    let kind = kind.trim().to_owned();
    Ok(FaultRule {
        kind,
        params,
        origin,
        line: 0,
    })
}

/// A rule written as text that strikes at the first opportunity from `at` on, unless it says itself
/// when; and whether it does not.
///
/// # Errors
/// It is not written as a rule is.
pub fn fault_from(text: &str, at: Position) -> Result<(String, bool), ScenarioError> {
    let rule = parse(text)?;
    if rule.decides() {
        return Ok((text.to_owned(), false));
    }
    let sign = match split(text) {
        (_, "") => ':',
        _ => ',',
    };
    let text = text.trim_end_matches(':');
    Ok((format!("{text}{sign}position={at}"), true))
}

/// What stands before the colon of the parameters, and what behind it. Two colons are a path's.
fn split(text: &str) -> (&str, &str) {
    let mut from = 0;
    while let Some(at) = text[from..].find(':').map(|at| from + at) {
        if !text[at..].starts_with("::") {
            return (&text[..at], &text[at + 1..]);
        }
        from = at + 2;
    }
    (text, "")
}

/// A boolean or a number if the text is one, else the text.
fn value_of(text: &str) -> Value {
    let number = match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    match (text, number) {
        ("true", _) => Value::Bool(true),
        ("false", _) => Value::Bool(false),
        (_, Ok(number)) => Value::Int(number),
        (_, Err(_)) => Value::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_from_a_moment_on_unless_it_says_when() {
        let at = Position { choice: 7, step: 2 };
        for (rule, expected) in [
            ("pool.fail", "pool.fail:position=7:02"),
            ("pool.fail:", "pool.fail:position=7:02"),
            ("pool.fail:tag=Nat", "pool.fail:tag=Nat,position=7:02"),
            (
                "irql.raise@reset::reset",
                "irql.raise@reset::reset:position=7:02",
            ),
            ("irql.raise@reset::reset#3", "irql.raise@reset::reset#3"),
            ("pool.fail:nth=3,tag=Nat", "pool.fail:nth=3,tag=Nat"),
            ("pool.fail:every=true", "pool.fail:every=true"),
        ] {
            let (text, added) = fault_from(rule, at).unwrap();
            assert_eq!((text.as_str(), added), (expected, rule != expected));
            assert!(parse(&text).is_ok());
        }
        assert!(fault_from("pool.fail:tag", at).is_err());
    }

    #[test]
    fn rules_as_text() {
        let rule = parse("pool.fail: nth=0x10, tag=IPrb,paged=false").unwrap();
        assert_eq!(rule.kind, "pool.fail");
        let params: Vec<String> = rule
            .params
            .iter()
            .map(|(k, v)| format!("{k}={v:?}"))
            .collect();
        assert_eq!(
            params,
            ["nth=Int(16)", "paged=Bool(false)", "tag=Text(\"IPrb\")"]
        );
        assert_eq!(parse("memory.page_out").unwrap().params, BTreeMap::new());
    }

    #[test]
    fn places_and_counts() {
        let written = |text| {
            let rule = parse(text).unwrap();
            let params = rule.params.iter().map(|(k, v)| format!("{k}={v}"));
            format!("{} {}", rule.kind, params.collect::<Vec<_>>().join(" "))
        };
        for (text, expected) in [
            (
                "irql.raise@KfReleaseSpinLock#3",
                "irql.raise nth=3 place=KfReleaseSpinLock",
            ),
            (
                "irql.raise@a::b::c#2:level=5",
                "irql.raise level=5 nth=2 place=a::b::c",
            ),
            ("pool.fail@a::b:tag=x", "pool.fail place=a::b tag=x"),
            ("net.drop#*", "net.drop every=true"),
            ("time.stall:position=4:17", "time.stall position=4:17"),
        ] {
            assert_eq!(written(text), expected);
        }
    }

    #[test]
    fn bad_rules() {
        for (text, problem) in [
            ("", "a fault needs a kind"),
            (":nth=1", "a fault needs a kind"),
            ("pool.fail:nth", "'nth' has no value"),
            ("pool.fail:nth=1,nth=2", "'nth' is there twice"),
            ("pool.fail#1:nth=2", "'nth' is there twice"),
            ("pool.fail#two", "'two' behind # is no number and no *"),
            ("pool.fail@#1", "there is no place behind @"),
        ] {
            assert_eq!(parse(text).unwrap_err().problem, problem, "{text}");
        }
    }
}
