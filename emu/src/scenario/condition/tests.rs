use super::*;

fn scope() -> Scope {
    let choice = Variable {
        value: Value::Text("buggy".to_owned()),
        choices: vec!["buggy".to_owned(), "fixed".to_owned()],
    };
    Scope::from([
        ("urgent".to_owned(), Value::Bool(true).into()),
        ("cpus".to_owned(), Value::Int(2).into()),
        ("driver".to_owned(), choice),
    ])
}

/// The value of `text`, or the marked error.
fn check(text: &str) -> String {
    let value = Expression::parse(text).and_then(|expression| expression.evaluate(&scope()));
    match value {
        Ok(value) => format!("{value:?}"),
        Err(error) => {
            let (marked, columns) = (&text[error.part.clone()], error.part.start);
            format!("at {columns} '{marked}': {}; {}", error.problem, error.mend)
        }
    }
}

#[test]
fn values() {
    for (text, value) in [
        ("urgent && cpus > 1 && driver == \"buggy\"", "Bool(true)"),
        ("!urgent || cpus <= 1", "Bool(false)"),
        ("1 + 2 * 3 - 8 / 2 % 3", "Int(6)"),
        ("-(2 - 0x1F)", "Int(29)"),
        ("10 - 4 - 3", "Int(3)"),
        ("urgent ? 'PAU' : 'PA'", "Text(\"PAU\")"),
        ("cpus == 1 ? 1 : cpus == 2 ? 20 : 3", "Int(20)"),
        ("!(driver != 'fixed')", "Bool(false)"),
        ("'a' == \"a\"", "Bool(true)"),
        ("true == false", "Bool(false)"),
    ] {
        assert_eq!(check(text), value, "{text}");
    }
}

#[test]
fn errors_point_at_the_mistake() {
    for (text, message) in [
        (
            "urgnt && true",
            "at 0 'urgnt': there is no 'urgnt'; did you mean 'urgent'?",
        ),
        (
            "true || 1",
            "at 8 '1': this is a number, but it has to be true or false; ",
        ),
        (
            "driver == 'bugy'",
            "at 10 ''bugy'': driver is never 'bugy'; did you mean 'buggy'?",
        ),
        (
            "cpus = 1",
            "at 5 '=': '=' means nothing here; compare with ==",
        ),
        (
            "1 < 2 < 3",
            "at 6 '<': comparisons do not chain; write a < b && b < c",
        ),
        (
            "cpus >",
            "at 6 '': a value is missing here; \
                    write a name, a number, a string, true or false",
        ),
        ("(cpus", "at 5 '': ')' is missing; close the parenthesis"),
        (
            "cpus 3",
            "at 5 '3': '3' is not expected here; join conditions with && or ||",
        ),
        (
            "urgent ? 1",
            "at 10 '': ':' is missing after '?'; write c ? a : b",
        ),
        (
            "driver == 'x",
            "at 10 ''x': a string that does not end; add '",
        ),
        ("0x", "at 0 '0x': '0x' is no number; "),
        (
            "99999999999999999999",
            "at 0 '99999999999999999999': \
                                  '99999999999999999999' is no number; ",
        ),
        (
            "0x7FFFFFFFFFFFFFFF + 1",
            "at 0 '0x7FFFFFFFFFFFFFFF + 1': \
                                    the result does not fit in 64 bits; ",
        ),
        ("1 / (cpus - 2)", "at 5 'cpus - 2': division by zero; "),
        ("é", "at 0 'é': 'é' means nothing here; "),
    ] {
        assert_eq!(check(text), message, "{text}");
    }
}

#[test]
fn a_branch_that_is_not_taken_is_checked_too() {
    assert!(check("true || urgnt").contains("there is no 'urgnt'"));
    assert!(check("urgent ? 1 : 'x'").contains("has to be a number"));
}

#[test]
fn depth_is_bounded() {
    for text in ["(".repeat(10_000), "!".repeat(10_000), "-".repeat(10_000)] {
        assert!(check(&text).contains("nested too deep"), "{}", check(&text));
    }
    let long = vec!["1"; 10_000].join("+");
    assert!(check(&long).contains("too long"));
    let choices = "true ? 1 : ".repeat(10_000);
    assert!(check(&choices).contains("nested too deep"));
}
