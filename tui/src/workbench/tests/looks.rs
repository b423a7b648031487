//! Colours and signs of the screens.

use ratatui::style::{Color, Modifier};

use super::*;

#[test]
fn a_stop_screen_has_its_colours_unless_they_are_off() {
    let app = after(sample::stopped());
    let colours = |depth| {
        let terminal = terminal(&app, 80, 24, depth);
        let cell = terminal.backend().buffer()[(0, 0)].clone();
        (cell.fg, cell.bg)
    };
    let rgb = (Color::Rgb(255, 255, 255), Color::Rgb(0, 0, 0xAA));
    assert_eq!(colours(Depth::True), rgb);
    let palette = (Color::Indexed(231), Color::Indexed(19));
    assert_eq!(colours(Depth::Palette), palette);
    assert_eq!(colours(Depth::Ansi), (Color::White, Color::Blue));
    assert_eq!(colours(Depth::None), (Color::Reset, Color::Reset));
}

#[test]
fn without_colours_there_are_none() {
    for keys in ["", " ", " 1", " 5", " ?"] {
        let mut app = after(sample::stopped());
        press(&mut app, keys);
        let terminal = terminal(&app, 80, 24, Depth::None);
        let cells = terminal.backend().buffer().content();
        let plain = |c: &ratatui::buffer::Cell| c.fg == Color::Reset && c.bg == Color::Reset;
        assert!(cells.iter().all(plain), "{keys:?}");
        let reversed = cells
            .iter()
            .filter(|c| c.modifier.contains(Modifier::REVERSED));
        assert!(
            keys.is_empty() || reversed.count() > 0,
            "what is selected shows without colours"
        );
    }
}

#[test]
fn where_there_is_only_ascii_every_sign_has_its_twin() {
    let theme = Theme::new(Depth::None, true);
    let ascii = |app: &App| text_of(&drawn(app, 80, 24, &theme));
    let mut shown = Vec::new();
    for keys in [
        "",
        " ",
        " 1---",
        " 4",
        " 5",
        " 6",
        " ?",
        " ?<down><down><down><down>",
    ] {
        let mut app = after(sample::stopped());
        press(&mut app, keys);
        shown.push(ascii(&app));
    }
    for keys in ["", "<tab>", "?", ":", "/x"] {
        let mut app = workbench();
        press(&mut app, keys);
        shown.push(ascii(&app));
    }
    shown.push(ascii(&sample::searching(3)));
    for screen in &shown {
        assert!(screen.is_ascii(), "{screen}");
        // A question mark that nothing stands for is a sign without a twin.
        let marks = screen
            .replace("? help", "")
            .replace("  ? F1 ", "")
            .replace("any?", "");
        assert!(!marks.contains('?'), "{screen}");
    }
    let trace = &shown[1];
    assert!(
        trace.contains("+1 Timeline-- 1 cell = 1 event ---"),
        "{trace}"
    );
    assert!(trace.contains("c0  UIP:::::"), "{trace}");
    assert!(trace.contains("Down move"), "arrows have names: {trace}");
}
