//! Where in a script something went wrong, out of what the interpreter says of it.

/// `FILE:LINE:COLUMN: MESSAGE`, for an error as the interpreter prints it: a message, in whose end the place may stand, and the functions that it came
/// through, innermost first, each with its place. An error of its parser says line and column alone, of the file that is `name`.
pub(crate) fn first(printed: &str, name: &str) -> String {
    let (head, frames) = printed.split_once("\n    at ").unwrap_or((printed, ""));
    let head = head.strip_suffix(" (native)").unwrap_or(head);
    if let Some((message, line, column)) = of_parser(head) {
        return format!("{name}:{line}:{column}: {message}");
    }
    let (message, own) = split(head);
    let of_frame = || frames.lines().find_map(|frame| split(frame).1);
    // What kind of error it is says something where it is not the plain one.
    let message = message.strip_prefix("Error: ").unwrap_or(message);
    // The place in the message is that of the outermost function.
    match of_frame().or(own) {
        Some(place) => format!("{place}: {message}"),
        None => format!("{name}: {message}"),
    }
}

fn of_parser(text: &str) -> Option<(&str, u32, u32)> {
    let (message, place) = text.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(", col ")?;
    Some((message, line.parse().ok()?, column.parse().ok()?))
}

/// A line without the place in parentheses at its end, and that place, where there is one in a file.
fn split(line: &str) -> (&str, Option<&str>) {
    let found =
        line.strip_suffix(')').and_then(|line| line.rsplit_once(" (")).filter(|(_, place)| is_place(place));
    found.map_or((line, None), |(message, place)| (message, Some(place)))
}

fn is_place(text: &str) -> bool {
    let mut parts = text.rsplitn(3, ':');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    is_number(parts.next()) && is_number(parts.next()) && !text.starts_with("native at ")
}
