//! Every pane, screen and overlay on a real run, letter by letter, in two sizes; and what is left of
//! them where there is no room.
//!
//! Addresses and seeds are those of drivers built by the pinned compiler. Drivers by another one are
//! shown, too, but not compared.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::docs::drivers_are_those_of_the_documentation;
use super::*;
use crate::workbench::app::Overlay;
use crate::workbench::trace::Pane;

/// The sizes that are compared.
const COMPARED: [(u16, u16); 2] = [(80, 24), (120, 36)];

/// What is compared, by name.
struct Shown {
    compare: bool,
    files: BTreeSet<String>,
}

impl Shown {
    fn is(&mut self, name: &str, app: &App) {
        for (width, height) in COMPARED {
            match self.compare {
                true => expect_screen(&format!("real/{name}"), app, width, height),
                false => drop(text(app, width, height)),
            }
            self.files.insert(format!("{name}-{width}x{height}.txt"));
        }
        let small = text(app, 30, 8);
        let first = small.lines().next();
        assert_eq!(first, Some("irqlab needs 40x10 cells"), "{name}");
        assert_eq!(small.split_whitespace().count(), 4, "{name}: {small}");
    }
}

/// The name of what lies over the view. A new overlay has no arm here, and so no screen.
fn overlay(app: &App) -> Option<&'static str> {
    match app.overlay {
        Overlay::None => None,
        Overlay::Text(_) => Some("help"),
        Overlay::Line(_) => Some("line"),
        Overlay::Palette(_) => Some("palette"),
    }
}

#[test]
fn every_pane_screen_and_overlay_on_a_real_run() {
    let compare = drivers_are_those_of_the_documentation();
    let files = BTreeSet::new();
    let mut shown = Shown { compare, files };
    let mut home = workbench();
    shown.is("home", &home);
    press(&mut home, "/reset");
    shown.is("home-filter", &home);
    let mut search = sample::searching(4);
    shown.is("search", &search);
    press(&mut search, ":explore kb931322 --<tab>");
    shown.is("search-line", &search);

    let mut app = real::found("");
    let mut travellers = Vec::new();
    let mut keys = |app: &mut App, line: &str| {
        for key in scripts::keys(line) {
            let effect = app.key(key);
            scripts::serve(app, &mut travellers, &effect);
        }
    };
    shown.is("stop", &app);
    keys(&mut app, "?");
    shown.is("stop-help", &app);
    keys(&mut app, "Esc Space");
    for pane in Pane::all() {
        keys(&mut app, &format!(":pane {}<Enter>", pane.name()));
        shown.is(&format!("pane-{}", pane.name()), &app);
        keys(&mut app, "z");
        shown.is(&format!("alone-{}", pane.name()), &app);
        keys(&mut app, "z");
    }
    let mut overlays = BTreeSet::new();
    for (name, line) in [("help", "?"), ("line", ":pane<Tab>"), ("palette", "Ctrl-P")] {
        keys(&mut app, line);
        assert_eq!(overlay(&app), Some(name));
        overlays.insert(name);
        shown.is(&format!("trace-{name}"), &app);
        keys(&mut app, "Esc");
    }
    keys(&mut app, ":datum zz<Enter>");
    shown.is("trace-message", &app);
    keys(&mut app, "Esc D D f");
    shown.is("fork", &app);
    keys(&mut app, "Esc :pane diff<Enter> z");
    shown.is("diff", &app);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/real");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(shown.files.contains(&name), "no screen is {name} any more");
    }
}
