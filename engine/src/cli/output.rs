//! Standard output and error: who gets what, with color or without, wrapped or not.

use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Write};
use std::sync::Arc;

use clap::ValueEnum;
use clap::builder::StyledStr;
use serde::Serialize;

use super::arguments::Everywhere;
use super::failure::{Failure, FaultsView};
use crate::model::EventSink;
use crate::report::{self, JsonLines, Line, Outlet, Screen, Terminal, Verbosity, json_line};

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWish {
    /// On a terminal, unless NO_COLOR or TERM=dumb says otherwise
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorWish {
    /// What the words of a command line wish for, before they are understood: for the messages about them.
    pub(super) fn of_words(words: &[OsString]) -> Self {
        let own = words.split(|word| word == "--").next().unwrap_or_default();
        let mut wish = Self::Auto;
        for (index, word) in own.iter().enumerate() {
            let value = match word.to_str() {
                Some("--color") => own.get(index + 1).and_then(|word| word.to_str()),
                Some(word) => word.strip_prefix("--color="),
                None => None,
            };
            wish = value.and_then(|value| Self::from_str(value, false).ok()).unwrap_or(wish);
        }
        wish
    }
}

/// What the environment says about color.
#[derive(Debug, Clone, Copy, Default)]
struct Hints {
    no_color: bool,
    forced: bool,
    dumb: bool,
}

impl Hints {
    fn from_environment() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            no_color: set("NO_COLOR").is_some() || set("CLICOLOR").as_deref() == Some(OsStr::new("0")),
            forced: set("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            dumb: std::env::var_os("TERM").is_none_or(|term| term == "dumb"),
        }
    }
}

/// Whether a stream gets color.
const fn color(wish: ColorWish, hints: Hints, terminal: bool) -> bool {
    match wish {
        ColorWish::Always => true,
        ColorWish::Never => false,
        ColorWish::Auto if hints.no_color => false,
        ColorWish::Auto => hints.forced || (terminal && !hints.dumb),
    }
}

/// Where everything that is said goes.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
    verbosity: Verbosity,
    report_color: bool,
    errors_color: bool,
    /// The report goes to a terminal that can move its cursor.
    moving: bool,
}

impl Output {
    pub(super) fn new(everywhere: &Everywhere) -> Self {
        let hints = Hints::from_environment();
        let (report, errors) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let verbosity = match (everywhere.quiet, everywhere.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Debug,
        };
        Self {
            json: everywhere.json,
            verbosity,
            report_color: color(everywhere.color, hints, report),
            errors_color: color(everywhere.color, hints, errors),
            moving: report && !hints.dumb,
        }
    }

    /// Whether people are asked, and told things on standard error.
    pub(super) const fn is_for_people(&self) -> bool {
        !self.json
    }

    /// Whether people want to be told problems alone.
    pub(super) fn is_quiet(&self) -> bool {
        !self.json && self.verbosity == Verbosity::Quiet
    }

    /// Prints the result of a command.
    pub(super) fn view<T: Serialize>(&self, view: &T, render: impl FnOnce(&T, Option<usize>) -> Vec<Line>) {
        if self.json {
            self.data(&json_line(view));
        } else {
            let width = size_of(&std::io::stdout()).map(|(columns, _)| columns);
            self.data(&text(&render(view, width), self.report_color));
        }
    }

    /// Prints text as it is.
    pub(super) fn data(&self, text: &str) {
        write(&mut std::io::stdout().lock(), text);
    }

    /// Prints text of clap's.
    pub(super) fn styled(&self, text: &StyledStr) {
        self.data(&if self.report_color { text.ansi().to_string() } else { text.to_string() });
    }

    /// Prints lines that belong to no result: remarks, warnings, questions. Nothing with `--json`.
    pub(super) fn remark(&self, lines: &[Line]) {
        if !self.json {
            write(&mut std::io::stderr().lock(), &text(lines, self.errors_color));
        }
    }

    /// Prints a remark that is left out where only problems are told.
    pub(super) fn aside(&self, lines: &[Line]) {
        if !self.is_quiet() {
            self.remark(lines);
        }
    }

    /// Prints why a command did not do what was asked; its exit code.
    pub(super) fn failure(&self, failure: &Failure) -> u8 {
        match failure {
            Failure::Problems(problems) if self.json => {
                problems.iter().for_each(|error| self.data(&json_line(&Failed { error })));
            }
            Failure::Faults(faults) if self.json => {
                self.data(&json_line(&Failed { error: FaultsView::new(faults) }));
            }
            Failure::Problems(problems) => {
                let width = size_of(&std::io::stderr()).map(|(columns, _)| columns);
                problems.iter().for_each(|problem| self.remark(&report::problem(problem, width)));
            }
            Failure::Faults(faults) => self.remark(&report::faults(&faults.to_string())),
        }
        failure.exit_code().code()
    }

    /// Takes the events of a command that reports something else: denials, warnings and logs, on standard error.
    pub(super) fn remarks(&self) -> Arc<dyn EventSink> {
        if self.json {
            return Arc::new(JsonLines::new(Box::new(std::io::sink())));
        }
        let screen = Screen {
            report: Box::new(std::io::stderr()),
            errors: Box::new(std::io::stderr()),
            report_color: self.errors_color,
            errors_color: self.errors_color,
            size: Box::new(|| None),
        };
        Arc::new(Terminal::new(screen, self.verbosity))
    }

    /// The same of a command that takes a while, and how far it has come.
    pub(super) fn progress(&self) -> Arc<dyn EventSink> {
        if self.json {
            return self.remarks();
        }
        let moving = self.moving && std::io::stderr().is_terminal();
        let screen = Screen {
            report: Box::new(std::io::stderr()),
            errors: Box::new(std::io::stderr()),
            report_color: self.errors_color,
            errors_color: self.errors_color,
            size: Box::new(move || if moving { size_of(&std::io::stderr()) } else { None }),
        };
        Arc::new(Terminal::new(screen, self.verbosity))
    }

    /// Takes the events of a run.
    pub(super) fn sink(&self) -> Arc<dyn EventSink> {
        if self.json {
            return Arc::new(JsonLines::new(Box::new(Outlet::new(std::io::stdout()))));
        }
        let moving = self.moving;
        let screen = Screen {
            report: Box::new(Outlet::new(std::io::stdout())),
            errors: Box::new(Outlet::new(std::io::stderr())),
            report_color: self.report_color,
            errors_color: self.errors_color,
            size: Box::new(move || if moving { size_of(&std::io::stdout()) } else { None }),
        };
        Arc::new(Terminal::new(screen, self.verbosity))
    }
}

/// An error as `--json` prints it.
#[derive(Serialize)]
struct Failed<E> {
    error: E,
}

fn text(lines: &[Line], color: bool) -> String {
    lines.iter().map(|line| line.to_text(color) + "\n").collect()
}

/// A closed output ends nothing.
fn write(out: &mut dyn Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Columns and rows, when it is a terminal that tells them.
fn size_of(stream: &impl rustix::fd::AsFd) -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col >= 20 && size.ws_row >= 2).then(|| (usize::from(size.ws_col), usize::from(size.ws_row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_is_for_those_who_want_it() {
        let none = Hints::default();
        let no_color = Hints { no_color: true, ..none };
        let forced = Hints { forced: true, dumb: true, ..none };
        let dumb = Hints { dumb: true, ..none };
        let table = [
            (ColorWish::Auto, none, true, true),
            (ColorWish::Auto, none, false, false),
            (ColorWish::Auto, no_color, true, false),
            (ColorWish::Auto, Hints { forced: true, ..no_color }, true, false),
            (ColorWish::Auto, forced, false, true),
            (ColorWish::Auto, dumb, true, false),
            (ColorWish::Always, no_color, false, true),
            (ColorWish::Never, forced, true, false),
        ];
        for (wish, hints, terminal, expected) in table {
            assert_eq!(color(wish, hints, terminal), expected, "{wish:?} {hints:?} {terminal}");
        }
    }

    #[test]
    fn the_wish_is_found_before_the_words_are_understood() {
        let wish = |line: &str| ColorWish::of_words(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(wish("cutover deploy"), ColorWish::Auto);
        assert_eq!(wish("cutover --color never deploy"), ColorWish::Never);
        assert_eq!(wish("cutover --color=always"), ColorWish::Always);
        assert_eq!(wish("cutover exec -- ls --color=always"), ColorWish::Auto);
        assert_eq!(wish("cutover --color"), ColorWish::Auto);
    }
}
