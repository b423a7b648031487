//! `irqlab drivers`: the bundled drivers, in tables like those of the articles.

use isa::Profile;

use crate::cli::{DriversArgs, Format};
use crate::failure::Outcome;
use crate::index::{DriverFile, index};
use crate::output;
use crate::table;

pub(super) fn run(args: &DriversArgs) -> Outcome<bool> {
    let index = index()?;
    match args.format {
        Format::Json => output::print_json(&index)?,
        Format::Text => {
            let mut text = String::new();
            let mut rest = index.files.as_slice();
            while let Some(first) = rest.first() {
                let end = rest.iter().take_while(|f| f.driver == first.driver).count();
                let (driver, others) = rest.split_at(end);
                text += &driver_table(driver);
                rest = others;
            }
            text += &format!("built with {}, {}\n", index.compiler, index.linker);
            output::print(&text)?;
        }
    }
    Ok(true)
}

const HEADINGS: [&str; 10] = [
    "File version",
    "Size",
    "Date",
    "Time",
    "Platform",
    "SP",
    "Branch",
    "Build",
    "Dates from",
    "Path",
];

/// All builds of one driver: a row for each machine they run on.
fn driver_table(files: &[DriverFile]) -> String {
    let mut rows = Vec::new();
    for file in files {
        for profile in &file.profiles {
            let runs = Profile::from_name(profile).is_some_and(|p| p.arch().name() == file.arch);
            if runs {
                rows.push(row(file, profile));
            }
        }
    }
    let title = format!("{}.sys: {}\n", files[0].driver, files[0].description);
    title + &table::render(&HEADINGS, &rows, &[1]) + "\n"
}

fn row(file: &DriverFile, profile: &str) -> Vec<String> {
    // Only the articles give a time of day.
    let (date, time) = match file.dates.get(profile).and_then(|d| d.split_once('T')) {
        Some((date, time)) if file.source == "article" => (date, time),
        Some((date, _)) => (date, "-"),
        None => ("-", "-"),
    };
    let or_dash = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
    vec![
        file.file_version.clone(),
        table::thousands(file.size),
        date.to_owned(),
        time.to_owned(),
        profile.to_owned(),
        or_dash(&file.service_pack),
        or_dash(&file.branch),
        file.build.clone(),
        file.source.clone(),
        file.path.clone(),
    ]
}
