//! nginx's worker processes: a reload is done when those of the old configuration have stopped to accept.

use cutover_hooks::HookError;
use cutover_hooks::hosts::{self, Command, IfFound};

/// A worker that accepts connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Worker {
    pub(crate) pid: u32,
    /// Seconds since it was started.
    pub(crate) age: u64,
}

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processes<'a> {
    pub(crate) pid_file: &'a str,
    pub(crate) ps: &'a str,
}

impl Processes<'_> {
    /// The workers that accept: children of the master that are not shutting down.
    pub(crate) fn accepting(self, router: &str) -> Result<Vec<Worker>, HookError> {
        Ok(accepting(&self.list(router)?))
    }

    /// Whether no worker of before a reload is left: they go on as long as they have something open. Where none is to be seen at all, the
    /// account may not see them.
    pub(crate) fn are_of_now(self, router: &str) -> Result<bool, HookError> {
        let listed = self.list(router)?;
        Ok(!accepting(&listed).is_empty() && !listed.contains(LEAVING))
    }

    /// The children of the master.
    fn list(self, router: &str) -> Result<String, HookError> {
        let Some(text) = hosts::read_text(router, self.pid_file).if_found()? else {
            let text = format!("nginx does not run on `{router}`: there is no `{}`", self.pid_file);
            return Err(HookError::failed(text).hint("start nginx"));
        };
        let Ok(master) = text.trim().parse::<u32>() else {
            return Err(HookError::failed(format!("`{}` on `{router}` holds no pid", self.pid_file)));
        };
        let command = Command::new(self.ps).args(["--ppid", &master.to_string(), "-o", "pid=,etimes=,args="]);
        Ok(hosts::exec(router, &command)?.out)
    }
}

/// What the title of a worker says that accepts no more.
const LEAVING: &str = "worker process is shutting down";

/// Each line: pid, seconds, title.
fn accepting(text: &str) -> Vec<Worker> {
    let worker = |line: &str| {
        let mut words = line.split_whitespace();
        let (pid, age) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let title: Vec<&str> = words.collect();
        let title = title.join(" ");
        (title.contains("worker process") && !title.contains(LEAVING)).then_some(Worker { pid, age })
    };
    text.lines().filter_map(worker).collect()
}

/// Whether a reload seems to be under way: workers that were started a moment ago beside older ones. A worker that was started anew
/// after a crash looks the same for that moment.
pub(crate) fn is_reloading(workers: &[Worker]) -> bool {
    const MOMENT: u64 = 5;
    workers.iter().any(|worker| worker.age < MOMENT) && workers.iter().any(|worker| worker.age >= MOMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_generations_and_other_processes_do_not_count() {
        let text = "  812   93211 nginx: worker process is shutting down\n  901 12 nginx: worker process\n  \
                    902 12 nginx: cache manager process\nnonsense\n";
        assert_eq!(accepting(text), [Worker { pid: 901, age: 12 }]);
    }

    #[test]
    fn young_beside_old_is_a_reload() {
        let worker = |age| Worker { pid: 1, age };
        assert!(is_reloading(&[worker(0), worker(900)]));
        assert!(!is_reloading(&[worker(0), worker(1)]));
        assert!(!is_reloading(&[worker(60), worker(900)]));
        assert!(!is_reloading(&[]));
    }
}
