//! `irqlab imports`: what a driver needs from the kernel, and what of it is modelled.

use emu::loader::{Image, Import};
use emu::machine::{BootError, Driver, Granularity, MissingImport, Watch, boot};
use emu::nt::{self, Api};
use emu::scenario::{Selection, parse};
use isa::Profile;
use serde::Serialize;

use crate::case;
use crate::cli::{Format, ImportsArgs};
use crate::failure::Outcome;
use crate::output;
use crate::table;

pub(super) fn run(args: &ImportsArgs) -> Outcome<bool> {
    let image = case::by_path(&args.driver)?;
    let imports: Vec<ImportObject<'_>> = objects(&image);
    let missing = imports.iter().filter(|import| !import.modelled).count();
    match args.format {
        Format::Json => output::print_json(&DriverObject {
            driver: &image.name,
            arch: image.arch.name(),
            missing,
            imports,
        })?,
        Format::Text => output::print(&text(&image, &imports, missing))?,
    }
    Ok(missing == 0)
}

/// What an image imports that is not modelled, and who uses it, as this command lists it; `None`
/// if everything is.
pub(super) fn what_is_missing(image: &Image) -> Option<String> {
    let mut imports = objects(image);
    let all = imports.len();
    imports.retain(|import| !import.modelled);
    let (name, arch, missing) = (&image.name, image.arch.name(), imports.len());
    (missing > 0).then(|| {
        let rows = table(&imports);
        format!("{name} ({arch}): {all} imports, {missing} of them not modelled\n{rows}")
    })
}

#[derive(Serialize)]
struct DriverObject<'a> {
    driver: &'a str,
    arch: &'static str,
    missing: usize,
    imports: Vec<ImportObject<'a>>,
}

#[derive(Serialize)]
struct ImportObject<'a> {
    module: &'a str,
    name: &'a str,
    modelled: bool,
    convention: Option<String>,
    arguments: Option<String>,
    irql: Option<&'static str>,
    source: Option<&'static str>,
    /// Who uses it, if it is not modelled.
    users: Vec<String>,
}

fn objects(image: &Image) -> Vec<ImportObject<'_>> {
    let mut imports: Vec<_> = image.imports.iter().collect();
    imports.sort_by(|a, b| (&a.module, &a.name).cmp(&(&b.module, &b.name)));
    let missing = missing(image);
    imports
        .into_iter()
        .map(|import| {
            let api = nt::find(&import.name);
            let users = match api {
                Some(_) => Vec::new(),
                None => users_of(import, &missing),
            };
            ImportObject {
                module: &import.module,
                name: &import.name,
                modelled: api.is_some(),
                convention: api
                    .map(|api| format!("{:?}", api.style.convention(image.arch)).to_lowercase()),
                arguments: api.map(arguments),
                irql: api.map(|api| api.irql.describe()),
                source: api.map(|api| api.source),
                users,
            }
        })
        .collect()
}

/// What is missing, as a machine says that is to boot with the driver alone.
fn missing(image: &Image) -> Vec<MissingImport> {
    let profile = Profile::ALL
        .into_iter()
        .find(|profile| profile.arch() == image.arch);
    let Some(profile) = profile else {
        return Vec::new();
    };
    let machine = format!(
        "title = 'imports'\nsummary = 'imports'\nstory = ''\n\
         [machine]\nprofiles = ['{}']\npersonalities = ['nt4']\n",
        profile.name()
    );
    let plan = parse("imports.toml", &machine)
        .and_then(|scenario| scenario.expand(&Selection::default(), &|_| Err(String::new())));
    let drivers = [Driver {
        image: image.clone(),
        service: String::new(),
    }];
    let everything_modelled = image
        .imports
        .iter()
        .all(|import| nt::find(&import.name).is_some());
    match plan {
        Ok(plan) if !everything_modelled => {
            match boot(&plan, &drivers, Granularity::Sync, Watch::Points) {
                Err(BootError::Imports { missing, .. }) => missing,
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn users_of(import: &Import, missing: &[MissingImport]) -> Vec<String> {
    let mut found = missing
        .iter()
        .filter(|m| m.module == import.module && m.name == import.name);
    found.next().map(|m| m.callers.clone()).unwrap_or_default()
}

fn arguments(api: &Api) -> String {
    let names: Vec<&str> = api.args.iter().map(|arg| arg.name).collect();
    format!("({})", names.join(", "))
}

fn text(image: &Image, imports: &[ImportObject<'_>], missing: usize) -> String {
    let verdict = match missing {
        0 => "all of them modelled".to_owned(),
        _ => format!("{missing} of them not modelled"),
    };
    let (name, arch) = (&image.name, image.arch.name());
    let head = format!("{name} ({arch}): {} imports, {verdict}\n\n", imports.len());
    head + &table(imports)
}

fn table(imports: &[ImportObject<'_>]) -> String {
    let mut text = String::new();
    let headings = ["module", "function", "model", "convention", "IRQL"];
    let rows: Vec<Vec<String>> = imports.iter().map(row).collect();
    // Arguments and source are long: they stand below.
    for (index, line) in table::render(&headings, &rows, &[]).lines().enumerate() {
        text += &format!("{line}\n");
        for more in index
            .checked_sub(1)
            .into_iter()
            .flat_map(|i| details(&imports[i]))
        {
            text += &format!("    {more}\n");
        }
    }
    text
}

fn row(import: &ImportObject<'_>) -> Vec<String> {
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    vec![
        import.module.to_owned(),
        import.name.to_owned(),
        if import.modelled {
            "modelled"
        } else {
            "MISSING"
        }
        .to_owned(),
        or_dash(import.convention.as_deref()),
        or_dash(import.irql),
    ]
}

fn details(import: &ImportObject<'_>) -> Vec<String> {
    match (&import.arguments, import.source) {
        (Some(arguments), Some(source)) => vec![format!("{arguments}  [{source}]")],
        _ => import
            .users
            .iter()
            .map(|user| format!("used by {user}"))
            .collect(),
    }
}
