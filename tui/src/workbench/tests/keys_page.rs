//! `docs/KEYS.md` is the list of commands.

use std::fs;
use std::path::Path;

use crate::workbench::commands::{Command, GROUPS};

const HEAD: &str = "# Keys and commands of the workbench

Every command has a name that can be typed after a colon (`:quit`), as far as it is unique (`:q`).
Most have keys. `Ctrl-P` looks for commands by some letters, `?` lists those of the view. In this
page Down is the key \u{2193}, and so on.

In the command line Tab completes names and arguments, Up and Down bring back earlier lines, Esc
leaves. Words are quoted as for a shell. In the palette and while a filter is typed, Up and Down
choose. The mouse is never needed: a click chooses what it points to (a row, a title, a moment on the
lanes), a second one on the same row follows it, the wheel goes through it, and `:mouse off` gives
the mouse back to the terminal.

The environment: `NO_COLOR` turns colours off, `COLORTERM` and `TERM` say how many there are;
`IRQLAB_ASCII=1` keeps to ASCII, and so does a locale that is not UTF-8, unless `IRQLAB_ASCII=0`.

This page is made from the list of commands by a test (`UPDATE_EXPECT=1` writes it).
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for group in GROUPS {
        page += &format!(
            "\n## {}\n\n| keys | command | what it does |\n|---|---|---|\n",
            group.title
        );
        for command in group.commands {
            page += &row(command);
        }
    }
    page
}

fn row(command: &Command) -> String {
    let keys: Vec<String> = command
        .keys
        .iter()
        .map(|key| format!("`{}`", key.name()))
        .collect();
    let cells = [
        keys.join(" "),
        format!("`:{}`", command.form()),
        command.help.to_owned(),
    ];
    // A bar ends a cell, in code, too.
    format!(
        "| {} |\n",
        cells.map(|cell| cell.replace('|', "\\|")).join(" | ")
    )
}

#[test]
fn the_page_of_keys_is_the_list_of_commands() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/KEYS.md");
    let expected = page();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/KEYS.md: UPDATE_EXPECT=1 writes what the commands are now"
    );
}
