//! A colour that is kept as files, for routers that look for a file: on each request, or when they start.
//!
//! In a directory of the deploy user's there is `green`, `blue`, both or neither, and green goes before blue. So every switch takes
//! effect with one file that appears or goes: at once, and as a whole.

use crate::hosts::{self, HostError, IfFound};
use crate::{Color, HookError};

/// The colour that the files of a directory name.
///
/// # Errors
/// When they can't be read.
pub fn read(router: &str, directory: &str) -> Result<Option<Color>, HookError> {
    for color in [Color::Green, Color::Blue] {
        if hosts::read_text(router, &path(directory, color)).if_found()?.is_some() {
            return Ok(Some(color));
        }
    }
    Ok(None)
}

/// Names a colour, or none. `text` is what the file tells who looks into it.
///
/// # Errors
/// When a file can't be written or removed: the colour is the one of before then, or not known.
pub fn write(router: &str, directory: &str, want: Option<Color>, text: &str) -> Result<(), HostError> {
    let raise = |color| hosts::write_text(router, &path(directory, color), text, Some(0o644));
    let lower = |color| hosts::remove(router, &path(directory, color));
    // In each case the last change is the one that shows.
    match want {
        Some(Color::Green) => raise(Color::Green),
        Some(Color::Blue) => raise(Color::Blue).and_then(|()| lower(Color::Green)),
        None => lower(Color::Blue).and_then(|()| lower(Color::Green)),
    }
}

fn path(directory: &str, color: Color) -> String {
    format!("{directory}/{color}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::World;

    #[test]
    fn each_switch_shows_with_its_last_file() {
        let all = [None, Some(Color::Blue), Some(Color::Green)];
        for from in all {
            for to in all {
                let world = World::install(["lb1"]);
                world.directory("lb1", "/flags");
                write("lb1", "/flags", from, "x").expect("written");
                write("lb1", "/flags", to, "x").expect("written");
                assert_eq!(read("lb1", "/flags").expect("read"), to, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn green_goes_before_blue() {
        let world = World::install(["lb1"]);
        world.directory("lb1", "/flags");
        assert_eq!(read("lb1", "/flags").expect("read"), None);
        world.file("lb1", "/flags/blue", "");
        assert_eq!(read("lb1", "/flags").expect("read"), Some(Color::Blue));
        world.file("lb1", "/flags/green", "");
        assert_eq!(read("lb1", "/flags").expect("read"), Some(Color::Green));
    }
}
