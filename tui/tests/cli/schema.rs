//! Whether a document follows a schema: SARIF by JSON Schema, JUnit by the part of XML Schema that
//! its definition uses. tests/schemas says where the schemas are from.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};
use serde_json::Value;

const SARIF: &str = include_str!("../schemas/sarif-schema-2.1.0.json");
const JUNIT: &str = include_str!("../schemas/junit-10.xsd");
const XS: &str = "http://www.w3.org/2001/XMLSchema";

/// What is wrong with a SARIF log.
pub fn sarif(log: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SARIF).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(log);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// What the definition of an element allows.
#[derive(Default)]
struct Allowed {
    children: BTreeSet<String>,
    text: bool,
    /// Whether it has to be there, and its type, by the name of the attribute.
    attributes: BTreeMap<String, (bool, String)>,
}

/// What is wrong with a JUnit report.
pub fn junit(report: &str) -> Vec<String> {
    let schema = Document::parse(JUNIT).unwrap();
    let elements: BTreeMap<String, Allowed> = schema
        .root_element()
        .children()
        .filter(|node| node.has_tag_name((XS, "element")))
        .map(|node| (node.attribute("name").unwrap().to_owned(), allowed(node)))
        .collect();
    let report = match Document::parse(report) {
        Ok(report) => report,
        Err(error) => return vec![error.to_string()],
    };
    let mut wrong = Vec::new();
    let root = report.root_element().tag_name().name();
    if !["testsuites", "testsuite"].contains(&root) {
        wrong.push(format!("{root} is no report"));
    }
    for node in report.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        match elements.get(name) {
            None => wrong.push(format!("there is no element {name}")),
            Some(allowed) => check(node, name, allowed, &mut wrong),
        }
    }
    wrong
}

fn allowed(element: Node<'_, '_>) -> Allowed {
    let mut allowed = Allowed {
        // An element of a simple type is text.
        text: element.attribute("type") == Some("xs:string"),
        ..Allowed::default()
    };
    for node in element.descendants() {
        match node.tag_name().name() {
            "complexType" => allowed.text |= node.attribute("mixed") == Some("true"),
            "element" => allowed
                .children
                .extend(node.attribute("ref").map(str::to_owned)),
            "attribute" => {
                let required = node.attribute("use") == Some("required");
                let kind = node.attribute("type").unwrap_or_default().to_owned();
                let name = node.attribute("name").unwrap().to_owned();
                allowed.attributes.insert(name, (required, kind));
            }
            _ => {}
        }
    }
    allowed
}

fn check(node: Node<'_, '_>, name: &str, allowed: &Allowed, wrong: &mut Vec<String>) {
    for child in node.children() {
        let child_name = child.tag_name().name();
        if child.is_element() && !allowed.children.contains(child_name) {
            wrong.push(format!("{name} cannot have {child_name}"));
        }
        let text = child.text().unwrap_or_default();
        if child.is_text() && !allowed.text && !text.trim().is_empty() {
            wrong.push(format!("{name} cannot have text"));
        }
    }
    for attribute in node.attributes() {
        match allowed.attributes.get(attribute.name()) {
            None => wrong.push(format!("{name} has no attribute {}", attribute.name())),
            Some((_, kind)) if kind == "SUREFIRE_TIME" && !is_time(attribute.value()) => {
                wrong.push(format!("{name}: {} is no time", attribute.value()));
            }
            Some(_) => {}
        }
    }
    for (attribute, (required, _)) in &allowed.attributes {
        if *required && !node.has_attribute(attribute.as_str()) {
            wrong.push(format!("{name} needs {attribute}"));
        }
    }
}

/// The pattern of `SUREFIRE_TIME`, without the commas that it allows.
fn is_time(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    digits(whole) && digits(part) && part.len() <= 3
}

#[test]
fn what_breaks_a_schema_is_noticed() {
    let good = serde_json::json!({
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": { "name": "x" } }, "results": [] }],
    });
    assert_eq!(sarif(&good), Vec::<String>::new());
    let mut bad = good.clone();
    bad["runs"][0]["results"] = serde_json::json!([{ "level": "fatal", "message": {} }]);
    assert!(!sarif(&bad).is_empty());

    let good = "<testsuites><testsuite name='a' tests='1' failures='0' errors='0' time='1.5'>\
                <testcase name='b'/></testsuite></testsuites>";
    assert_eq!(junit(good), Vec::<String>::new());
    for (from, to, part) in [
        ("name='b'", "", "testcase needs name"),
        ("name='b'", "name='b' nick='c'", "no attribute nick"),
        ("time='1.5'", "time='soon'", "soon is no time"),
        ("<testcase name='b'/>", "<case/>", "no element case"),
        (
            "<testcase name='b'/>",
            "<failure/>",
            "testsuite cannot have failure",
        ),
        (
            "<testcase name='b'/>",
            "words",
            "testsuite cannot have text",
        ),
        ("</testsuites>", "", ""),
    ] {
        let wrong = junit(&good.replacen(from, to, 1));
        assert!(
            wrong.iter().any(|wrong| wrong.contains(part)),
            "{to}: {wrong:?}"
        );
    }
}
