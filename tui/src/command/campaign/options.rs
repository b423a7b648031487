//! How the schedules of a job are searched, in the words of `irqlab explore`.

use clap::Parser;

use crate::cli::ExploreArgs;

/// Options of `irqlab explore` for which a job has a key of its own.
const KEYS: &[(&str, &str)] = &[
    ("--profile", "profiles"),
    ("--personality", "personalities"),
    ("--cpus", "cpus"),
    ("--set", "set"),
    ("--fault", "fault"),
    ("--oracle", "oracles"),
    ("--rule", "rules"),
    ("--granularity", "granularity"),
    ("--strategy", "strategies"),
    ("--schedules", "schedules"),
    ("--seeds", "seeds"),
    ("--time", "seconds"),
    ("--until-first", "until_first"),
    ("--no-shrink", "shrink"),
];
/// Those that are the whole campaign's business.
const NONE: &[&str] = &["--resume", "--jobs", "--format", "--width"];

#[derive(Parser)]
#[command(name = "explore", disable_help_flag = true)]
struct Words {
    #[command(flatten)]
    args: ExploreArgs,
}

/// The options in the text of a job, and `more` that its other keys stand for.
///
/// # Errors
/// What is wrong, and the mend.
pub(super) fn parse(text: &str, more: &[String]) -> Result<ExploreArgs, (String, String)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    for word in &words {
        let name = word.split('=').next().unwrap_or_default();
        if let Some((_, key)) = KEYS.iter().find(|(option, _)| *option == name) {
            let problem = format!("{name} is no option of a job");
            return Err((problem, format!("write the key {key} instead")));
        }
        if NONE.contains(&name) {
            let problem = format!("{name} is for the whole campaign");
            let mend = "leave it away; `irqlab campaign` has options of its own";
            return Err((problem, mend.to_owned()));
        }
    }
    let more = more.iter().map(String::as_str);
    let all = ["explore", "scenario"].into_iter().chain(words).chain(more);
    match Words::try_parse_from(all) {
        Ok(words) => Ok(words.args),
        Err(error) => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            let problem = first.trim_start_matches("error: ").to_owned();
            let mend = "the options are those of `irqlab explore`".to_owned();
            Err((problem, mend))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_option_is_a_jobs_or_has_a_key_or_is_the_campaigns() {
        let all = Words::command();
        let names = all.get_arguments().filter_map(|argument| {
            let name = argument.get_long()?;
            Some(format!("--{name}"))
        });
        let names: Vec<String> = names.collect();
        let listed = KEYS.iter().map(|(option, _)| option).chain(NONE);
        for option in listed {
            assert!(names.iter().any(|name| name == option), "{option}");
        }
    }

    #[test]
    fn wrong_options_are_told() {
        for (text, part) in [
            ("--profile amd64", "--profile is no option of a job"),
            ("--set=driver=fixed", "--set is no option of a job"),
            ("--jobs 2", "--jobs is for the whole campaign"),
            ("--exhaustiv", "unexpected argument '--exhaustiv'"),
            ("other", "unexpected argument 'other'"),
            ("--hold nothing", "invalid value"),
            ("--each-stack", "were not provided"),
        ] {
            let (problem, _) = parse(text, &[]).unwrap_err();
            assert!(problem.contains(part), "{text}: {problem}");
        }
        assert!(parse("--exhaustive --preemptions 1", &[]).is_ok());
        assert!(parse("--exhaustive", &["--seeds".into(), "1..2".into()]).is_err());
    }
}
