//! The results as a SARIF 2.1.0 log (OASIS, errata 01): a result for each way in which a run stops
//! and for each finding of an oracle, with its place in the drivers' sources.

use serde_json::{Value, json};

use super::job::{Defect, Done, Spot};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What relative paths of sources are relative to.
const ROOT: &str = "SRCROOT";

/// The whole log.
pub(super) fn text(done: &[Done]) -> String {
    let mut rules: Vec<(&str, &str)> = Vec::new();
    let mut results = Vec::new();
    for job in done {
        for defect in &job.defects {
            let known = rules.iter().position(|(id, _)| *id == defect.rule);
            let index = known.unwrap_or_else(|| {
                rules.push((&defect.rule, &defect.about));
                rules.len() - 1
            });
            results.push(result(job, defect, index));
        }
    }
    let rules = rules
        .iter()
        .map(|(id, about)| json!({ "id": id, "shortDescription": { "text": text_or(about, id) } }));
    let failed = done
        .iter()
        .filter(|job| job.verdict == super::job::Verdict::Error);
    let notes = failed.map(|job| {
        let problem = job.problems.first().map_or("", String::as_str);
        let text = format!("{} / {}: {problem}", job.suite, job.name);
        json!({ "level": "error", "message": { "text": text } })
    });
    let notes: Vec<Value> = notes.collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "irqlab",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<Value>>(),
            } },
            "invocations": [{
                "executionSuccessful": notes.is_empty(),
                "toolExecutionNotifications": notes,
            }],
            "originalUriBaseIds": {
                ROOT: { "description": { "text": "where the sources of the drivers are" } },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn text_or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

fn result(job: &Done, defect: &Defect, index: usize) -> Value {
    // What the scenario expects is no failure: then there is no level either.
    let (kind, level) = match defect.expected {
        true => ("informational", "none"),
        false => ("fail", "error"),
    };
    let mut message = format!("{}: {}", defect.rule, defect.what);
    if let Some(replay) = &defect.replay {
        message += &format!("\nreplay: {replay}");
    }
    let mut places = defect.places.iter().filter_map(location);
    let first: Vec<Value> = places.next().into_iter().collect();
    let related: Vec<Value> = places.collect();
    json!({
        "ruleId": defect.rule,
        "ruleIndex": index,
        "kind": kind,
        "level": level,
        "message": { "text": message },
        "locations": first,
        "relatedLocations": related,
        "partialFingerprints": { "irqlabSignature/v1": defect.fingerprint },
        "properties": { "suite": job.suite, "job": job.name },
    })
}

/// A place, if anything is known of it.
fn location(spot: &Spot) -> Option<Value> {
    let mut location = json!({ "message": { "text": spot.what } });
    if let Some(file) = &spot.file {
        let mut physical = json!({ "artifactLocation": artifact(file) });
        if spot.line > 0 {
            physical["region"] = json!({ "startLine": spot.line });
        }
        location["physicalLocation"] = physical;
    }
    if let Some(function) = &spot.function {
        let name = match &spot.module {
            Some(module) => format!("{module}!{function}"),
            None => function.clone(),
        };
        location["logicalLocations"] = json!([{ "fullyQualifiedName": name, "kind": "function" }]);
    }
    (spot.file.is_some() || spot.function.is_some()).then_some(location)
}

/// A path as symbols have it: a relative one is relative to the sources' root.
fn artifact(path: &str) -> Value {
    let path = path.replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':');
    match (path.starts_with('/'), drive) {
        (true, _) => json!({ "uri": format!("file://{}", encoded(&path)) }),
        (false, true) => json!({ "uri": format!("file:///{}", encoded(&path)) }),
        (false, false) => json!({ "uri": encoded(&path), "uriBaseId": ROOT }),
    }
}

/// A path as a URI has it (RFC 3986, 2.1).
fn encoded(path: &str) -> String {
    let mut out = String::new();
    for (at, byte) in path.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        // The colon of a drive; elsewhere it could begin a scheme.
        match plain || (byte == b':' && at == 1) {
            true => out.push(char::from(byte)),
            false => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        let cases = [
            (
                "drivers-src\\a\\b c.rs",
                json!({ "uri": "drivers-src/a/b%20c.rs", "uriBaseId": ROOT }),
            ),
            ("C:\\src\\é.c", json!({ "uri": "file:///C:/src/%C3%A9.c" })),
            ("/src/a.c", json!({ "uri": "file:///src/a.c" })),
        ];
        for (path, expected) in cases {
            assert_eq!(artifact(path), expected);
        }
    }
}
