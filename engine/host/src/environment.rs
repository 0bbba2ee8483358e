//! The environment of programs: fixed variables, files of variables, variables given.

use crate::account::Account;
use crate::fault;
use crate::files;
use crate::operation::{Fault, Program};

/// Where bare names of programs are looked for.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An environment file never has more bytes.
const FILE_LIMIT: u64 = 1 << 20;

/// The whole environment of a program, later entries winning.
pub(crate) fn of_program(account: &Account, program: &Program) -> Result<Vec<(String, String)>, Fault> {
    let mut variables = vec![
        ("PATH".to_owned(), PATH.to_owned()),
        ("HOME".to_owned(), account.home.clone()),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ("USER".to_owned(), account.user.clone()),
    ];
    if program.as_root {
        return Ok(variables);
    }
    for path in &program.env_files {
        let content = files::read(account, path, None, FILE_LIMIT)?;
        let text = String::from_utf8(content)
            .map_err(|_| fault::failed(format!("the environment file `{path}` is not UTF-8 text")))?;
        let parsed = parse(&text).map_err(|line| {
            fault::failed(format!("line {line} of the environment file `{path}` is not `NAME=value`"))
        })?;
        variables.extend(parsed);
    }
    for (name, value) in &program.env {
        if !is_name(name) || value.contains('\0') {
            return Err(fault::not_allowed(format!("`{}` is not a variable's name", name.escape_debug())));
        }
        variables.push((name.clone(), value.clone()));
    }
    Ok(variables)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Parses as systemd does (`systemd.exec(5)`, EnvironmentFile): comments with `#` or `;`, values bare, in single or in double
/// quotes, several lines joined by a backslash at the end. Errors with the number of the line that is none of it.
fn parse(text: &str) -> Result<Vec<(String, String)>, usize> {
    let mut variables = Vec::new();
    let mut letters = text.chars().peekable();
    let mut line = 1;
    while let Some(&first) = letters.peek() {
        let begun = line;
        if first.is_whitespace() {
            letters.next();
            line += usize::from(first == '\n');
            continue;
        }
        let comment = first == '#' || first == ';';
        let mut name = String::new();
        let mut assigned = false;
        for letter in letters.by_ref() {
            if letter == '\n' {
                line += 1;
                break;
            }
            if letter == '=' && !comment {
                assigned = true;
                break;
            }
            name.push(letter);
        }
        if comment {
            continue;
        }
        let name = name.trim().strip_prefix("export ").unwrap_or(name.trim()).trim().to_owned();
        if !assigned || !is_name(&name) {
            return Err(begun);
        }
        variables.push((name, value(&mut letters, &mut line).ok_or(begun)?));
    }
    Ok(variables)
}

/// The rest of a logical line as a value. None when a quote stays open.
fn value(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, line: &mut usize) -> Option<String> {
    let mut value = String::new();
    // Blanks at the end count only when something follows them, or when they were quoted.
    let mut solid = 0;
    let mut quote = None;
    while let Some(letter) = letters.next() {
        *line += usize::from(letter == '\n');
        match (quote, letter) {
            (None, '\n') => break,
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => {
                quote = None;
                solid = value.len();
            }
            (None | Some('"'), '\\') => match letters.next() {
                Some('\n') => *line += 1,
                Some(next) => {
                    // In double quotes a backslash is special only before what the shell makes it special before.
                    if quote.is_some() && !matches!(next, '"' | '\\' | '`' | '$') {
                        value.push('\\');
                    }
                    value.push(next);
                    solid = value.len();
                }
                None => break,
            },
            (None, blank) if blank.is_whitespace() => {
                if !value.is_empty() {
                    value.push(blank);
                }
            }
            (_, letter) => {
                value.push(letter);
                solid = value.len();
            }
        }
    }
    value.truncate(solid);
    quote.is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_files_are_read_as_systemd_reads_them() {
        let text = "# comment\n; another\n\nA=1\nB = two words  \nC='single \\n $x'\nD=\"dou\\\"ble\\\\ \\n\"\nE=one \\\ntwo\nF=\nexport G=g # not a comment\nH=\"two\nlines\"";
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "single \\n $x"),
            ("D", "dou\"ble\\ \\n"),
            ("E", "one two"),
            ("F", ""),
            ("G", "g # not a comment"),
            ("H", "two\nlines"),
        ];
        let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(parse(text), Ok(expected));
        assert_eq!(parse("A=1\nnonsense\n"), Err(2));
        assert_eq!(parse("A=1\n\n1A=2"), Err(3));
        assert_eq!(parse("A='open"), Err(1));
    }
}
