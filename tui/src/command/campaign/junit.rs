//! The results as JUnit XML, as Jenkins' xUnit plugin defines it (`junit-10.xsd`): a suite for each
//! table of the campaign, a test case for each of its jobs.

use std::fmt::Write;

use super::job::{Defect, Done, Verdict};

/// The whole document.
pub(super) fn text(title: &str, done: &[Done]) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\"{}>\n",
        escaped(title),
        counts(done, Suite::All)
    );
    for suite in done.chunk_by(|a, b| a.suite == b.suite) {
        let name = escaped(&suite[0].suite);
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\"{}>",
            counts(suite, Suite::One)
        );
        suite.iter().for_each(|done| text += &case(done));
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

/// What the counts are of: `testsuites` has no attribute for skipped tests.
#[derive(PartialEq)]
enum Suite {
    All,
    One,
}

fn counts(done: &[Done], what: Suite) -> String {
    let count = |verdict| done.iter().filter(|d| d.verdict == verdict).count();
    let seconds: f64 = done.iter().map(|d| d.seconds).sum();
    let skipped = if what == Suite::One {
        " skipped=\"0\""
    } else {
        ""
    };
    format!(
        " tests=\"{}\" failures=\"{}\" errors=\"{}\"{skipped} time=\"{seconds:.3}\"",
        done.len(),
        count(Verdict::Failed),
        count(Verdict::Error)
    )
}

fn case(done: &Done) -> String {
    let head = format!(
        "    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3}\"",
        escaped(&done.name),
        escaped(&done.suite),
        done.seconds
    );
    let element = match done.verdict {
        Verdict::Passed => return format!("{head}/>\n"),
        Verdict::Failed => "failure",
        Verdict::Error => "error",
    };
    let worst = done.defects.iter().find(|defect| !defect.expected);
    let kind = worst.map_or(element, |defect| defect.rule.as_str());
    let message = done.problems.first().map_or("", String::as_str);
    let mut body = done.problems.join("\n") + "\n";
    for defect in done.defects.iter().filter(|defect| !defect.expected) {
        body += &details(defect);
    }
    format!(
        "{head}>\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>\n",
        escaped(kind),
        escaped(message),
        escaped(&body)
    )
}

fn details(defect: &Defect) -> String {
    let mut text = format!("\n{}: {}\n", defect.rule, defect.what);
    for spot in &defect.places {
        let function = spot.function.as_deref().unwrap_or("?");
        if let Some(file) = &spot.file {
            let _ = writeln!(text, "  {file}:{} {function}", spot.line);
        }
    }
    if let Some(replay) = &defect.replay {
        let _ = writeln!(text, "  replay: {replay}");
    }
    text
}

/// Text as XML 1.0 takes it, also in an attribute: control characters, which it cannot have, become
/// question marks.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' | '\t' => out.push(c),
            '\u{FFFE}' | '\u{FFFF}' => out.push('?'),
            c if c.is_control() => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_cannot_have_is_replaced() {
        assert_eq!(
            escaped("a<b & \"c\"\u{1}\n"),
            "a&lt;b &amp; &quot;c&quot;?\n"
        );
    }
}
